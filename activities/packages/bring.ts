/**
 * Bringing a node to a staged release: the one act behind going forward and going back. It may be cut anywhere and
 * called again: it looks at the node first, awaits what still runs there, and finishes what was left half done.
 */
import { permanent, transient } from '../kit/errors';
import type { Host } from '../kit/host';
import type { StepContext } from '../kit/step';
import { runTag } from '../jobs';
import { ANYTHING, hexDigits, sudoersCommand, sudoToWrite } from '../ssh';
import { isDamaged, isPresent } from './package';
import type { Change, Exchange, PackageDriver } from './driver';
import type { Guards } from './guards';
import { differences, wantedBy, type Manifest } from './manifest';
import { markerPath, releaseDirectory, savedConffilesPath, type SoftwarePlan } from './plan';
import { damagedFiles, namesIn, readIfThere } from './state';

type Context = StepContext<SoftwarePlan>;

/** An act and its undo are told apart on the host. */
export type Direction = 'install' | 'install-undo';

export interface Bring {
  readonly node: string;
  readonly manifest: Manifest;
  readonly purpose: Direction;
  readonly conffiles: 'keep' | 'replace';
  /** Configuration files that were edited on the node: to be saved before the exchange, or put back before it. */
  readonly edited: {
    readonly then: 'save' | 'put back' | 'leave';
    readonly paths: readonly string[];
    /** Where they are kept. */
    readonly archive: string;
  };
}

/** What a node lacks to have the packages of a manifest. */
export const lacking = async (driver: PackageDriver, host: Host, manifest: Manifest): Promise<string[]> =>
  differences(wantedBy(manifest), await driver.installed(host, namesIn(manifest)));

/**
 * Returns what the node lacked; nothing if there was nothing to do.
 * @throws GuardRefused, DigestMismatch, ForeignChange, Busy, CommandFailed, VerifyFailed
 */
export async function bring(
  context: Context,
  driver: PackageDriver,
  guards: Guards,
  host: Host,
  what: Bring,
): Promise<readonly string[]> {
  const { plan } = context;
  const { manifest } = what;
  const todo = await lacking(driver, host, manifest);
  if (todo.length > 0) {
    await guards.assertOutOfService(context, what.node);
    await requireIntact(plan, host, manifest);
    const exchange = await exchangeOf(plan, driver, host, what);
    await driver.heal(context, host, exchange);
    requirePlanned(driver, host, manifest, await driver.rehearse(host, exchange));
    await keepConffiles(driver, host, what);
    await host.writeFile(markerPath(plan), `${await host.bootId()}\n`, { sudo: true, mode: '0644' });
    context.progress(`${host.name}: installing ${manifest.release}`);
    await driver.exchange(context, host, exchange);
  }
  await settleConffiles(plan, driver, host, what);
  await restoreMarks(driver, host, manifest);
  const left = await lacking(driver, host, manifest);
  if (left.length === 0) return todo;
  throw transient(
    'VerifyFailed',
    `${host.name}: the installation of ${manifest.release} ended, but ${left.join(', ')}. The node carries no traffic. Next: this is tried again; see ${driver.hints.output} there.`,
    { host: host.name, release: manifest.release, left },
  );
}

async function exchangeOf(
  plan: SoftwarePlan,
  driver: PackageDriver,
  host: Host,
  { manifest, purpose, conffiles }: Bring,
): Promise<Exchange> {
  const directory = releaseDirectory(plan, manifest.release);
  const surplus = await driver.installed(host, manifest.absent);
  const there = await driver.installed(
    host,
    manifest.packages.map((p) => p.name),
  );
  return {
    // Unpacked or half-configured ones are finished anyway; what lacks files is the package manager's to fetch again.
    reinstall: manifest.packages.some((p) => there.get(p.name)?.version === p.version && isDamaged(there.get(p.name))),
    files: manifest.packages.map((p) => `${directory}/${p.file}`),
    remove: [...surplus.values()].filter(isPresent).map((p) => p.name),
    ...{ purpose, conffiles, timeoutMs: plan.software.installTimeoutMs },
  };
}

async function requireIntact(plan: SoftwarePlan, host: Host, manifest: Manifest): Promise<void> {
  const damaged = await damagedFiles(plan, host, manifest);
  if (damaged.length === 0) return;
  const directory = releaseDirectory(plan, manifest.release);
  throw permanent(
    'DigestMismatch',
    `${host.name}: ${damaged.join(', ')} in ${directory} is missing or not what was staged. Nothing was installed. Next: put the file back (it lies on the other node too), then try again.`,
    { host: host.name, directory, damaged },
  );
}

/** The package manager may do nothing but what was staged: no more, no other version, no removal besides. */
function requirePlanned({ hints }: PackageDriver, host: Host, manifest: Manifest, changes: readonly Change[]): void {
  const { packages, absent } = wantedBy(manifest);
  const others = changes.filter((c) => (c.to === undefined ? !absent.includes(c.name) : packages[c.name] !== c.to));
  if (others.length === 0) return;
  const shown = others.map((c) => (c.to === undefined ? `remove ${c.name} ${c.from}` : `install ${c.name} ${c.to}`));
  throw permanent(
    'ForeignChange',
    `${host.name}: installing ${manifest.release} would now also ${shown.join(', ')}, which it didn’t when it was staged. Nothing was installed. Next: find out in ${hints.history} who changed packages there, undo that, then try again.`,
    { host: host.name, release: manifest.release, others },
  );
}

const TAR = '/usr/bin/tar';
/** The format that keeps times exactly. */
const saveCommand = (archive: string): string[] => [
  ...[TAR, '--create', '--format=posix', `--file=${archive}`, '--directory=/', '--'],
];
const putBackCommand = (archive: string): string[] => [TAR, '--extract', `--file=${archive}`, '--directory=/'];

/** What is run as root around an exchange, in sudoers syntax. */
export function keepingCommands(plan: SoftwarePlan, driver: PackageDriver): string[] {
  if (plan.software.conffiles === 'keep' && driver.settlesConffiles) return sudoToWrite(markerPath(plan), '0644');
  const [before = '', after = ''] = savedConffilesPath(plan, '#').split(runTag('#'));
  const archive = ['--file=', before, hexDigits(8), after];
  const withArchive = (argv: readonly string[]) => argv.map((a) => (a.startsWith('--file=') ? archive : a));
  return [
    ...sudoToWrite(markerPath(plan), '0644'),
    sudoersCommand([...withArchive(saveCommand('')), ANYTHING]),
    sudoersCommand(withArchive(putBackCommand(''))),
  ];
}

const fromRoot = (path: string): string => path.replace(/^\//, '');

async function keepConffiles(driver: PackageDriver, host: Host, { edited, manifest }: Bring): Promise<void> {
  const { archive } = edited;
  if (edited.paths.length === 0 || edited.then === 'leave') return;
  if (edited.then === 'save') {
    // Once the first package is exchanged, the files on the node may be the package's: what was saved before counts.
    const installed = await driver.installed(host, namesIn(manifest));
    const isUntouched = manifest.exchange.changes.every((c) => installed.get(c.name)?.version === c.from);
    if (isUntouched) await host.exec([...saveCommand(archive), ...edited.paths.map(fromRoot)], { sudo: true });
    return;
  }
  // Before the packages: their scripts restart services, which must find the right files.
  await putBack(host, archive);
}

async function putBack(host: Host, archive: string): Promise<void> {
  const { code } = await host.exec(['/usr/bin/test', '-e', archive], { okCodes: [0, 1] });
  if (code === 0) await host.exec(putBackCommand(archive), { sudo: true });
}

/**
 * Whether edited configuration files have to be saved before an exchange: they are to be replaced, or the package manager
 * replaces some whatever it is told.
 */
export const savesConffiles = (plan: SoftwarePlan, driver: PackageDriver): boolean =>
  plan.software.conffiles === 'replace' || !driver.settlesConffiles;

/** What the exchange itself doesn't do about edited configuration files. May be repeated, and does nothing for apt. */
export async function settleConffiles(
  plan: SoftwarePlan,
  driver: PackageDriver,
  host: Host,
  { edited, conffiles }: Pick<Bring, 'edited' | 'conffiles'>,
): Promise<void> {
  if (driver.settlesConffiles || edited.paths.length === 0) return;
  if (conffiles === 'keep') await putBack(host, edited.archive);
  else await driver.replaceConffiles?.(host, edited.paths, markerPath(plan));
}

/** What is named to a package manager it marks as wanted by people; what came as a dependency stays one. */
async function restoreMarks(driver: PackageDriver, host: Host, manifest: Manifest): Promise<void> {
  const names = manifest.packages.filter((p) => p.auto).map((p) => p.name);
  const marked = new Set(await driver.automatic(host, names));
  await driver.markAutomatic(
    host,
    names.filter((name) => !marked.has(name)),
  );
}

/**
 * Whether packages were exchanged in the boot that still runs, so that a reboot is due before what was installed is what
 * runs.
 */
export async function isRebootDue(plan: SoftwarePlan, host: Host): Promise<boolean> {
  const marker = await readIfThere(host, markerPath(plan));
  return marker?.trim() === (await host.bootId());
}
