import { permanent, transient, type Fault } from '../../kit/errors';
import type { Host } from '../../kit/host';
import type { StepContext } from '../../kit/step';
import { forgetJob, jobFailure, runJob, sudoToRunJob, type JobOptions } from '../../jobs';
import { ANYTHING, quoteCommand, sudoersCommand, sudoToWrite } from '../../ssh';
import type { SudoersPart } from '../../ssh/quote';
import type { Change, Exchange, Installed, Offered, PackageDriver, Purpose, SudoForms } from '../driver';
import * as asking from './asking';
import * as commands from './commands';
import { dnfFailure, dnfReason } from './failure';
import type { Answers, Offer, Question } from './look';
import { NEXT, busy, exchangeFailed, failed, unlock } from './messages';
import * as parse from './parse';

const { DNF_TIMEOUT_MS, outputOf } = asking;

const specsOf = (packages: Readonly<Record<string, string>>): string[] =>
  Object.entries(packages).map(([name, version]) => commands.spec(name, version));

/** dnf 4 and rpm of Red Hat Enterprise Linux 8 to 10 and their relatives. `stage` is the plan's stage directory. */
export class DnfDriver implements PackageDriver {
  /** rpm goes by the package: %config replaces an edited file, %config(noreplace) keeps it. */
  readonly settlesConffiles = false;
  readonly hints = { history: '/var/log/dnf.rpm.log', output: '/var/log/dnf.log', repair: 'dnf check' };
  readonly #directories: commands.Directories;
  constructor(stage: string) {
    this.#directories = { stage };
  }

  async installed(host: Host, names: readonly string[]): Promise<Map<string, Installed>> {
    if (names.length === 0) return new Map();
    return this.#withState(host, asking.queryPackages(host, names));
  }

  async installedLike(host: Host, pattern: string): Promise<Map<string, Installed>> {
    const look = async (): Promise<parse.RpmPackage[]> => {
      const { stdout } = await host.exec(commands.queryLike(pattern));
      return parse.parseQuery(stdout, (await asking.readSystem(host)).architecture);
    };
    return this.#withState(host, look());
  }

  async #withState(host: Host, query: Promise<parse.RpmPackage[]>): Promise<Map<string, Installed>> {
    const path = commands.unfinishedPath(this.#directories);
    const [packages, unfinished] = await Promise.all([
      query,
      host.exec(['/usr/bin/cat', '--', path], { okCodes: [0, 1] }),
    ]);
    return parse.installedOf(packages, unfinished.stdout.split('\n'));
  }

  async automatic(host: Host, names: readonly string[]): Promise<string[]> {
    if (names.length === 0) return [];
    const { reasons } = await this.#ask(host, 'asking why packages are installed', { what: 'reasons', names });
    return names.filter((name) => ['dependency', 'weak-dependency'].includes(reasons[name] ?? ''));
  }

  async markAutomatic(host: Host, names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const argv = commands.markDependency(this.#directories, names);
    await host.exec(argv, { sudo: true, timeoutMs: DNF_TIMEOUT_MS });
  }

  async editedConffiles(host: Host, names: readonly string[]): Promise<string[]> {
    const present = [...(await this.installed(host, names)).keys()];
    if (present.length === 0) return [];
    const verify = { sudo: true, okCodes: 'any', timeoutMs: DNF_TIMEOUT_MS } as const;
    return parse.parseEditedConffiles((await host.exec(commands.verifyFiles(present), verify)).stdout);
  }

  async faults(host: Host, names: readonly string[]): Promise<Fault[]> {
    const where = host.name;
    const faults: Fault[] = [];
    const worker = await asking.findWorker(host);
    if (worker !== undefined) faults.push({ where, what: `dnf can’t install: ${worker} is at work`, next: NEXT.busy });
    const help = await host.exec(commands.downloadHelp, { okCodes: 'any', timeoutMs: DNF_TIMEOUT_MS });
    if (help.code !== 0)
      faults.push({ where, what: 'dnf has no command `download`', next: 'dnf install dnf-plugins-core' });
    const check = await host.exec(commands.check, { okCodes: 'any', timeoutMs: DNF_TIMEOUT_MS });
    if (check.code !== 0)
      faults.push({
        where,
        what: `packages are in a bad state: ${outputOf(check).trim().replace(/\s+/g, ' ')}`,
        next: 'see `dnf check`; `dnf remove --duplicates` for what an interrupted transaction left',
      });
    const held = await this.#held(host, names);
    if (held.length > 0) faults.push({ where, what: `held at their version: ${held.join(', ')}`, next: unlock(held) });
    return faults;
  }

  async refresh(host: Host, timeoutMs: number): Promise<string[]> {
    const root = { sudo: true, okCodes: 'any', timeoutMs } as const;
    await host.exec(commands.makeCacheDirectory(this.#directories), { sudo: true });
    await host.exec(commands.makeCache(this.#directories), root);
    const update = await host.exec(commands.makeCacheAgain(this.#directories), root);
    await host.exec(commands.openCache(this.#directories), { sudo: true });
    const silent = parse.failedRepositories(outputOf(update));
    if (update.code !== 0 && silent.length === 0)
      throw failed(host, 'reading the package lists', update.code, outputOf(update));
    if (silent.length === 0) return [];
    const { repositories } = await this.#ask(host, 'reading which repositories there are', { what: 'repositories' });
    return silent.map((id) => repositories[id] ?? id);
  }

  async offers(host: Host, names: readonly string[]): Promise<Map<string, string[]>> {
    const offers = new Map<string, string[]>();
    for (const { name, version } of await this.#offered(host, names)) {
      const versions = offers.get(name) ?? [];
      if (!versions.includes(version)) offers.set(name, [...versions, version]);
    }
    return offers;
  }

  async simulate(host: Host, packages: Readonly<Record<string, string>>): Promise<Change[]> {
    const doing = `working out what ${specsOf(packages).join(' ')} needs`;
    const { before, after } = await this.#ask(host, doing, { what: 'simulate', packages });
    return parse.changesOf(before, after);
  }

  async files(host: Host, packages: Readonly<Record<string, string>>): Promise<Offered[]> {
    const offers = await this.#offered(host, Object.keys(packages));
    return offers
      .filter(({ name, version }) => packages[name] === version)
      .map(({ name, version, uri, file, sizeBytes, sha256 }) => ({
        ...{ name, version, uri, file, sizeBytes },
        ...(sha256 === null ? {} : { sha256 }),
      }));
  }

  async fetch(
    context: StepContext,
    host: Host,
    directory: string,
    packages: Readonly<Record<string, string>>,
    { purpose, timeoutMs }: Purpose,
  ): Promise<void> {
    const argv = commands.download(this.#directories, directory, specsOf(packages));
    const result = await runJob(context, host, { name: purpose, argv, timeoutMs });
    // What the next attempt finds are the files; the job's result would only keep it from fetching the rest.
    await forgetJob(context, host, purpose);
    if (result.outcome === 'done' && result.code === 0) return this.#requireSigned(host, directory, packages);
    if (result.outcome === 'done' && dnfFailure(result.code, result.log) !== 'fetch')
      throw jobFailure(host, purpose, result);
    const reason = result.outcome === 'lost' ? 'the download was cut off' : dnfReason(result.log);
    const message = `${host.name} can’t fetch ${specsOf(packages).join(', ')}: ${reason}. Nothing was installed.`;
    const details = { host: host.name, log: dnfReason(result.log) };
    if (/Status code: 404/.test(result.log))
      throw permanent(
        'PackageMissing',
        `${message} Next: publish the files that the repository’s metadata promise, then try again.`,
        details,
      );
    throw transient(
      'CommandFailedRetryable',
      `${message} Next: bring the repository back; this is tried again.`,
      details,
    );
  }

  async heal(context: StepContext, host: Host, exchange: Exchange): Promise<void> {
    const worker = await asking.findWorker(host);
    if (worker !== undefined) throw busy(host, worker);
    const staged = await asking.readFiles(host, exchange.files);
    const names = [...new Set([...staged.map((p) => p.name), ...exchange.remove])];
    const left = parse.leftovers(await asking.queryPackages(host, names));
    if (left.length === 0) return;
    context.progress(`${host.name}: finishing what an interrupted installation left`);
    const job = healJob(
      exchange,
      left.map((p) => p.label),
    );
    const result = await runJob(context, host, job);
    await forgetJob(context, host, job.name);
    if (result.outcome === 'done' && dnfFailure(result.code, result.log) === 'busy') throw busy(host, 'rpm');
    // What can't be taken away yet shows in what is installed: the exchange that follows decides.
  }

  async rehearse(host: Host, exchange: Exchange): Promise<Change[]> {
    const doing = 'rehearsing the installation from the staged files';
    const staged = await asking.readFiles(host, exchange.files);
    // dnf doesn't apply locks to files that are named to it.
    const there = await this.installed(
      host,
      staged.map((p) => p.name),
    );
    const moving = staged.filter((p) => there.get(p.name)?.version !== p.version).map((p) => p.name);
    const held = await this.#held(host, [...moving, ...exchange.remove]);
    if (held.length > 0)
      throw permanent(
        'CommandFailed',
        `${host.name}: ${doing} failed: held at their version: ${held.join(', ')}. Nothing was installed. Next: ${unlock(held)}, then try again.`,
        { host: host.name, held },
      );
    const { files, remove } = exchange;
    const { before, after } = await this.#ask(host, doing, { what: 'rehearse', files, remove });
    return parse.changesOf(before, after);
  }

  async exchange(context: StepContext, host: Host, exchange: Exchange): Promise<void> {
    const staged = await asking.readFiles(host, exchange.files);
    const there = await this.installed(host, [...staged.map((p) => p.name), ...exchange.remove]);
    const isThere = (p: asking.StagedFile): boolean => there.get(p.name)?.version === p.version;
    const parts = {
      install: staged.filter((p) => !isThere(p)).map((p) => p.file),
      reinstall: exchange.reinstall ? staged.filter(isThere).map((p) => p.file) : [],
      remove: exchange.remove.filter((name) => there.has(name)),
    };
    const names = [...staged.map((p) => p.name), ...parts.remove];
    const script = commands.exchangeScript(this.#directories, names, parts);
    await host.writeFile(commands.exchangePath(this.#directories), script, { sudo: true, mode: '0644' });
    const job = this.#exchangeJob(exchange);
    const result = await runJob(context, host, job);
    // What a repeat goes by are the packages. A result that stayed would keep it from finishing what was begun, and a
    // failed unit of ours would look like a fault of the node.
    await forgetJob(context, host, job.name);
    if (result.outcome === 'done' && result.code === 0) return;
    const failure = result.outcome === 'lost' ? 'killed' : dnfFailure(result.code, result.log);
    const timedOut = result.outcome === 'done' && result.timedOut;
    if (failure === 'busy') throw busy(host, 'dnf');
    if (failure !== 'killed' || timedOut) throw exchangeFailed(host, exchange, result, timedOut, failure);
    const how =
      result.outcome === 'lost'
        ? result.rebooted
          ? 'the host rebooted in the middle'
          : 'its unit is gone'
        : 'it was killed';
    throw transient(
      'CommandFailedRetryable',
      `${host.name}: the installation was cut off (${how}): packages may be half installed. The node carries no traffic. Next: this is tried again, and finishes it.`,
      { host: host.name, log: result.log.slice(-2_000) },
    );
  }

  async replaceConffiles(host: Host, paths: readonly string[], since: string): Promise<void> {
    const fresh = new Map(paths.map((path) => [`${path}.rpmnew`, path]));
    const argv = commands.changedAt([since, ...fresh.keys()]);
    const times = parse.parseChangedAt((await host.exec(argv, { sudo: true, okCodes: [0, 1] })).stdout);
    const began = times.get(since);
    for (const [from, to] of fresh) {
      const at = times.get(from);
      // An older one is of an earlier upgrade.
      if (began !== undefined && at !== undefined && at >= began)
        await host.exec(commands.replaceFile(from, to), { sudo: true });
    }
  }

  fetchCommand(directory: string, packages: Readonly<Record<string, string>>): string {
    return `sudo ${quoteCommand(commands.download(this.#directories, directory, specsOf(packages)))}`;
  }

  exchangeCommand({ files, remove }: Exchange): string {
    const parts = commands.partCommands(this.#directories, { install: files, reinstall: [], remove });
    return parts.map((argv) => `sudo ${quoteCommand(argv)}`).join(' && ');
  }

  sudo({ directory, fetches, exchanges }: SudoForms): string[] {
    const d = this.#directories;
    const inside: readonly SudoersPart[] = [`${directory}/`, ANYTHING];
    const fetch = (job: Purpose): string[] => {
      const argv = commands.download(d, '', []).map((a) => (a === '' ? inside : a));
      return sudoToRunJob({ name: job.purpose, timeoutMs: job.timeoutMs, argv: [...argv, ANYTHING] });
    };
    const exchange = (job: SudoForms['exchanges'][number]): string[] => [
      ...sudoToRunJob(this.#exchangeJob(job)),
      ...sudoToRunJob({ ...healJob(job, []), argv: [...commands.eraseLeftover([]), ANYTHING] }),
    ];
    return [
      ...[commands.makeCacheDirectory, commands.makeCache, commands.makeCacheAgain, commands.openCache].map((command) =>
        sudoersCommand(command(d)),
      ),
      ...[commands.verifyFiles([]), commands.markDependency(d, []), commands.changedAt([])].map((argv) =>
        sudoersCommand([...argv, ANYTHING]),
      ),
      ...(exchanges.some((job) => job.conffiles === 'replace')
        ? [sudoersCommand([...commands.replaceFile('', '').slice(0, -2), [ANYTHING, '.rpmnew'], ANYTHING])]
        : []),
      ...sudoToWrite(commands.exchangePath(d), '0644'),
      ...fetches.flatMap(fetch),
      ...exchanges.flatMap(exchange),
    ];
  }

  #ask<What extends Question['what']>(host: Host, doing: string, what: asking.Asked<What>): Promise<Answers[What]> {
    return asking.askDnf(host, doing, commands.cacheDirectory(this.#directories), what);
  }

  #exchangeJob({ purpose, timeoutMs }: Purpose): JobOptions {
    return { name: purpose, argv: commands.exchangeArgv(this.#directories), timeoutMs };
  }

  async #held(host: Host, names: readonly string[]): Promise<string[]> {
    const { locks } = await this.#ask(host, 'reading version locks', { what: 'locks' });
    return parse.lockedNames(locks, names);
  }

  async #offered(host: Host, names: readonly string[]): Promise<Offer[]> {
    if (names.length === 0) return [];
    return (await this.#ask(host, 'reading what repositories offer', { what: 'offers', names })).offers;
  }

  async #requireSigned(host: Host, directory: string, packages: Readonly<Record<string, string>>): Promise<void> {
    const offers = await this.#offered(host, Object.keys(packages));
    const signed = offers.filter((o) => o.signed && packages[o.name] === o.version);
    if (signed.length === 0) return;
    // Files that are named to dnf it installs without looking at signatures, whatever their repository demands.
    const argv = commands.checkSignatures(signed.map((o) => `${directory}/${o.file}`));
    const result = await host.exec(argv, { okCodes: 'any', timeoutMs: DNF_TIMEOUT_MS });
    if (result.code === 0) return;
    const bad = result.stdout.split('\n').filter((line) => /NOT OK|NOKEY/.test(line));
    throw permanent(
      'DigestMismatch',
      `${host.name}: the repository’s packages must be signed (gpgcheck), and not all are by a key that rpm trusts: ${(bad.length > 0 ? bad : [outputOf(result).trim()]).join('; ')}. Nothing was installed. Next: \`rpm --import\` the repository’s key on the node if you trust it, or have the packages signed.`,
      { host: host.name, directory, bad },
    );
  }
}

const healJob = ({ purpose, timeoutMs }: Purpose, labels: readonly string[]): JobOptions => ({
  ...{ name: `${purpose}-heal`, argv: commands.eraseLeftover(labels), timeoutMs },
});
