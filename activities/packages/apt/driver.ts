import { permanent, transient, type Fault } from '../../kit/errors';
import type { ExecResult, Host } from '../../kit/host';
import type { StepContext } from '../../kit/step';
import type { Change, Exchange, Offered, PackageDriver, Purpose, SudoForms } from '../driver';
import { forgetJob, jobFailure, runJob, sudoToRunJob, type JobOptions, type JobResult } from '../../jobs';
import { ANYTHING, quoteCommand, sudoersCommand } from '../../ssh';
import type { SudoersPart } from '../../ssh/quote';
import * as commands from './commands';
import { aptFailure, aptReason } from './failure';
import {
  failedSources,
  parseEditedConffiles,
  parseInstalled,
  parseMadison,
  parseOffered,
  parseSimulation,
  type DpkgPackage,
} from './parse';

/** Reading all package lists takes seconds on a slow machine. */
const APT_TIMEOUT_MS = 120_000;

const exactly = (packages: Readonly<Record<string, string>>): string[] =>
  Object.entries(packages).map(([name, version]) => `${name}=${version}`);
const whatOf = ({ files, remove }: Exchange): string[] => [...files, ...remove.map((name) => `${name}-`)];
const outputOf = ({ stdout, stderr }: ExecResult): string => `${stdout}\n${stderr}`;

/** apt and dpkg of Debian and Ubuntu. `stage` is the plan's stage directory. */
export class AptDriver implements PackageDriver {
  readonly settlesConffiles = true;
  readonly hints = {
    history: '/var/log/apt/history.log',
    output: '/var/log/apt/term.log',
    repair: 'dpkg --configure -a',
  };
  readonly #directories: commands.Directories;
  constructor(stage: string) {
    this.#directories = { stage };
  }

  async installed(host: Host, names: readonly string[]): Promise<Map<string, DpkgPackage>> {
    if (names.length === 0) return new Map();
    // 1: some are unknown.
    const { stdout } = await host.exec(commands.queryInstalled(names), { okCodes: [0, 1] });
    return parseInstalled(stdout, await this.#architecture(host));
  }

  installedLike(host: Host, pattern: string): Promise<Map<string, DpkgPackage>> {
    return this.installed(host, [pattern]); // dpkg-query takes patterns for names
  }

  async automatic(host: Host, names: readonly string[]): Promise<string[]> {
    if (names.length === 0) return [];
    const { stdout } = await host.exec(commands.showAuto(names), { timeoutMs: APT_TIMEOUT_MS });
    return stdout.split('\n').filter((line) => line !== '');
  }

  async markAutomatic(host: Host, names: readonly string[]): Promise<void> {
    if (names.length > 0) await host.exec(commands.markAuto(names), { sudo: true, timeoutMs: APT_TIMEOUT_MS });
  }

  async editedConffiles(host: Host, names: readonly string[]): Promise<string[]> {
    const present = [...(await this.installed(host, names)).keys()];
    if (present.length === 0) return [];
    const { stdout } = await host.exec(commands.verifyFiles(present), {
      sudo: true,
      okCodes: [0, 1],
      timeoutMs: APT_TIMEOUT_MS,
    });
    return parseEditedConffiles(stdout).edited;
  }

  async faults(host: Host, names: readonly string[]): Promise<Fault[]> {
    const where = host.name;
    const faults: Fault[] = [];
    const check = await host.exec(commands.checkState, { sudo: true, okCodes: 'any', timeoutMs: APT_TIMEOUT_MS });
    if (check.code !== 0) {
      const output = outputOf(check);
      faults.push({ where, what: `apt can’t install: ${aptReason(output)}`, next: NEXT[aptFailure(output)] });
    } else {
      // Its exit code doesn't tell; what it has to say does.
      const audit = (await host.exec(commands.audit, { sudo: true })).stdout.trim();
      if (audit !== '')
        faults.push({
          where,
          what: `packages are in a bad state: ${audit.replace(/\s+/g, ' ')}`,
          next: 'dpkg --configure -a',
        });
    }
    const held = [...(await this.installed(host, names)).values()].filter((p) => p.held).map((p) => p.name);
    if (held.length > 0)
      faults.push({
        where,
        what: `held at their version: ${held.join(', ')}`,
        next: `apt-mark unhold ${held.join(' ')}`,
      });
    return faults;
  }

  async refresh(host: Host, timeoutMs: number): Promise<string[]> {
    const update = await host.exec(commands.updateLists(this.#directories), { sudo: true, okCodes: 'any', timeoutMs });
    // A repository that doesn't answer is a warning to apt; only an apt that can't be used is an error here.
    const silent = failedSources(outputOf(update));
    if (update.code !== 0 && silent.length === 0) throw this.#failed(host, 'reading the package lists', update);
    return silent;
  }

  async offers(host: Host, names: readonly string[]): Promise<Map<string, string[]>> {
    const { stdout } = await host.exec(commands.madison(this.#directories, names), { timeoutMs: APT_TIMEOUT_MS });
    return parseMadison(stdout);
  }

  async simulate(host: Host, packages: Readonly<Record<string, string>>): Promise<Change[]> {
    const argv = commands.simulateOnline(this.#directories, exactly(packages));
    const result = await host.exec(argv, { okCodes: 'any', timeoutMs: APT_TIMEOUT_MS });
    if (result.code !== 0) throw this.#failed(host, `working out what ${exactly(packages).join(' ')} needs`, result);
    return parseSimulation(result.stdout);
  }

  async files(host: Host, packages: Readonly<Record<string, string>>): Promise<Offered[]> {
    const argv = commands.printUris(this.#directories, exactly(packages));
    const result = await host.exec(argv, { okCodes: 'any', timeoutMs: APT_TIMEOUT_MS });
    if (result.code !== 0) throw this.#failed(host, `looking up the files of ${exactly(packages).join(' ')}`, result);
    return parseOffered(result.stdout, await this.#architecture(host));
  }

  async fetch(
    context: StepContext,
    host: Host,
    directory: string,
    packages: Readonly<Record<string, string>>,
    { purpose, timeoutMs }: Purpose,
  ): Promise<void> {
    const argv = commands.download(this.#directories, directory, exactly(packages));
    const job = { name: purpose, argv, env: commands.INSTALL_ENVIRONMENT, timeoutMs };
    const result = await runJob(context, host, job);
    // What the next attempt finds are the files; the job's result would only keep it from fetching the rest.
    await forgetJob(context, host, purpose);
    if (result.outcome === 'done' && result.code === 0) return;
    if (result.outcome === 'done' && aptFailure(result.log) !== 'fetch') throw jobFailure(host, purpose, result);
    const gone = /404 +Not Found|File not found/.test(result.log);
    const reason = result.outcome === 'lost' ? 'the download was cut off' : aptReason(result.log);
    const message = `${host.name} can’t fetch ${exactly(packages).join(', ')}: ${reason}. Nothing was installed.`;
    const details = { host: host.name, log: aptReason(result.log) };
    if (gone)
      throw permanent(
        'PackageMissing',
        `${message} Next: publish the files that the repository’s index promises, then try again.`,
        details,
      );
    throw transient(
      'CommandFailedRetryable',
      `${message} Next: bring the repository back; this is tried again.`,
      details,
    );
  }

  async heal(context: StepContext, host: Host, exchange: Exchange): Promise<void> {
    const check = await host.exec(commands.checkState, { sudo: true, okCodes: 'any', timeoutMs: APT_TIMEOUT_MS });
    const failure = check.code === 0 ? undefined : aptFailure(outputOf(check));
    if (failure === 'busy') throw busy(host, outputOf(check));
    const audit = (await host.exec(commands.audit, { sudo: true })).stdout.trim();
    if (failure !== 'interrupted' && audit === '') return;
    context.progress(`${host.name}: finishing what an interrupted installation left`);
    const job = configureJob(exchange);
    const result = await runJob(context, host, job);
    await forgetJob(context, host, job.name);
    if (aptFailure(result.log) === 'busy') throw busy(host, result.log);
    // Packages that need others of the same release can't be configured yet: the installation that follows decides.
  }

  async rehearse(host: Host, exchange: Exchange): Promise<Change[]> {
    const argv = commands.simulateStaged(this.#directories, { ...exchange, what: whatOf(exchange) });
    const result = await host.exec(argv, { okCodes: 'any', timeoutMs: APT_TIMEOUT_MS });
    if (result.code !== 0) throw this.#failed(host, 'rehearsing the installation from the staged files', result);
    return parseSimulation(result.stdout);
  }

  async exchange(context: StepContext, host: Host, exchange: Exchange): Promise<void> {
    const job = this.#installJob(exchange);
    const result = await runJob(context, host, job);
    // What a repeat goes by are the packages. A result that stayed would keep it from finishing what was begun, and a
    // failed unit of ours would look like a fault of the node.
    await forgetJob(context, host, job.name);
    if (result.outcome === 'done' && result.code === 0) return;
    const again = retryable(result);
    if (again === undefined) throw exchangeFailed(host, exchange, result);
    if (again === 'busy') throw busy(host, result.log);
    throw transient(
      'CommandFailedRetryable',
      `${host.name}: the installation was cut off (${again}): packages may be half installed. The node carries no traffic. Next: this is tried again, and finishes it.`,
      { host: host.name, log: result.log.slice(-2_000) },
    );
  }

  fetchCommand(directory: string, packages: Readonly<Record<string, string>>): string {
    return `sudo ${quoteCommand(commands.download(this.#directories, directory, exactly(packages)))}`;
  }

  exchangeCommand(exchange: Exchange): string {
    return `sudo ${quoteCommand(this.#installJob(exchange).argv)}`;
  }

  sudo({ directory, fetches, exchanges }: SudoForms): string[] {
    const env = commands.INSTALL_ENVIRONMENT;
    const d = this.#directories;
    const inside: readonly SudoersPart[] = [`${directory}/`, ANYTHING];
    const fetch = (job: Purpose): string[] => {
      const [program, option, , ...rest] = commands.download(d, '', []);
      const argv: Forms = [program ?? '', option ?? '', inside, ...rest, ANYTHING];
      return sudoToRunJob({ name: job.purpose, timeoutMs: job.timeoutMs, env, argv });
    };
    const exchange = (job: SudoForms['exchanges'][number]): string[] => [
      ...[false, true].flatMap((reinstall) => {
        const argv = commands.installStaged(d, { what: [], conffiles: job.conffiles, reinstall });
        return sudoToRunJob({ name: job.purpose, timeoutMs: job.timeoutMs, env, argv: [...argv, inside] });
      }),
      ...sudoToRunJob(configureJob({ ...job, files: [], remove: [], reinstall: false })),
    ];
    return [
      ...[commands.updateLists(d), commands.checkState, commands.audit].map(sudoersCommand),
      ...[commands.verifyFiles([]), commands.markAuto([])].map((argv) => sudoersCommand([...argv, ANYTHING])),
      ...fetches.flatMap(fetch),
      ...exchanges.flatMap(exchange),
    ];
  }

  #installJob(exchange: Exchange): JobOptions {
    const argv = commands.installStaged(this.#directories, { ...exchange, what: whatOf(exchange) });
    return { name: exchange.purpose, argv, env: commands.INSTALL_ENVIRONMENT, timeoutMs: exchange.timeoutMs };
  }

  async #architecture(host: Host): Promise<string> {
    return (await host.exec(commands.architecture)).stdout.trim();
  }

  /** A failure of apt that trying again won't cure, in apt's own words. */
  #failed(host: Host, doing: string, result: ExecResult): Error {
    const output = outputOf(result);
    if (aptFailure(output) === 'busy') return busy(host, output);
    return permanent(
      'CommandFailed',
      `${host.name}: ${doing} failed: ${aptReason(output)}. Nothing was installed. Next: ${NEXT[aptFailure(output)]}.`,
      { host: host.name, why: aptFailure(output), output: aptReason(output) },
    );
  }
}

/** Arguments of which some may vary. */
type Forms = Parameters<typeof sudoToRunJob>[0]['argv'];

const NEXT: Readonly<Record<ReturnType<typeof aptFailure>, string>> = {
  busy: 'wait until the other package manager has ended',
  fetch: 'bring the repository back',
  missing: 'publish the package, or correct software.releases in the inventory',
  held: '`apt-mark showhold` on the node, then `apt-mark unhold` what the release changes',
  unmet: 'publish what is needed, or correct the release’s packages in the inventory',
  interrupted: '`dpkg --configure -a` on the node',
  killed: 'try again, which finishes it',
  full: 'make room on the node',
  other: 'run the command on the node by hand',
};

const configureJob = ({ purpose, conffiles, timeoutMs }: Exchange): JobOptions => ({
  ...{ name: `${purpose}-configure`, argv: commands.configurePending(conffiles) },
  ...{ env: commands.INSTALL_ENVIRONMENT, timeoutMs },
});

const busy = (host: Host, output: string): Error =>
  transient(
    'Busy',
    `${host.name}: another package manager is at work (${/held by (process \d{1,10} \([^)]{0,100}\))/.exec(output)?.[1] ?? aptReason(output, 1)}). Nothing was installed. Next: this is tried again; see who it is with \`fuser -v /var/lib/dpkg/lock-frontend\`.`,
    { host: host.name },
  );

/** Why an installation that failed may be tried again; undefined if that won't help. */
function retryable(result: JobResult): string | undefined {
  if (result.outcome === 'lost') return result.rebooted ? 'the host rebooted in the middle' : 'its unit is gone';
  const failure = aptFailure(result.log);
  if (failure === 'busy') return 'busy';
  if (result.timedOut) return undefined;
  if (failure === 'interrupted') return 'dpkg was interrupted';
  return result.code > 128 || failure === 'killed' ? 'it was killed' : undefined;
}

function exchangeFailed(host: Host, { conffiles }: Exchange, result: JobResult): Error {
  const why =
    result.outcome === 'done' && result.timedOut
      ? 'it took longer than software.installTimeoutMs'
      : aptReason(result.log);
  const failure = aptFailure(result.log);
  return permanent(
    'CommandFailed',
    `${host.name}: the installation failed: ${why}. Packages may be half installed (conffiles: ${conffiles}); the node carries no traffic. All of it: ${result.logPath} on ${host.name}. Next: ${failure === 'other' ? 'repair what the package’s script says, then try again, or roll back' : NEXT[failure]}.`,
    { host: host.name, why: failure, output: aptReason(result.log, 20), logPath: result.logPath },
  );
}
