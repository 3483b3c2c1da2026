/** Exchanging the packages of a node that carries no traffic, and the way back. */
import { permanent, type Outcome, type StepContext } from '../kit';
import type { Host } from '../kit/host';
import { leaveBoot, observeBoot, verifyUnits, waitUntilUp, type Boot } from '../services/reboot';
import { takeOwnership } from '../ownership';
import { requestReboot } from '../services/systemd';
import { bring, isRebootDue, lacking, savesConffiles, settleConffiles } from './bring';
import type { PackageDriver } from './driver';
import type { Guards } from './guards';
import { hostOf, releaseDirectory, savedConffilesPath, type SoftwarePlan } from './plan';
import { isReadableBeforeReboot } from './release';
import { namesIn, plannedNames, readRelease, readStaged, versionsOf, type Staged } from './state';

type Context = StepContext<SoftwarePlan>;

export interface InstallInput {
  readonly node: string;
  readonly release: string;
  /** The release to go back to. */
  readonly previous: string;
}

/** The node as it was: what undo goes back to. */
export interface InstallBefore {
  readonly release?: string;
  readonly boot: Boot;
  /** Version of every package that the exchange touches; absent ones are left out. */
  readonly packages: Readonly<Record<string, string>>;
  /** Edited configuration files of those packages. */
  readonly edited: readonly string[];
  /** SHA-256 of the manifests staged on the node, by release: what was staged is what will be installed. */
  readonly manifests: Readonly<Record<string, string>>;
  /** Run whose archive keeps the edited files: another one where this was taken over. Builds before this left it out. */
  readonly savedBy?: string;
}

export async function observeInstall(
  context: Context,
  driver: PackageDriver,
  { node, release, previous }: InstallInput,
): Promise<InstallBefore> {
  const { plan } = context;
  const host = await context.host(hostOf(plan, node));
  const staged = await Promise.all([release, previous].map((name) => readStaged(plan, host, name)));
  const names = [...new Set([...plannedNames(plan), ...namesIn(...staged.map((s) => s?.manifest))])];
  const runs = await readRelease(plan, driver, host);
  return {
    ...(runs === undefined ? {} : { release: runs }),
    boot: await observeBoot(host),
    packages: versionsOf(await driver.installed(host, names)),
    edited: await driver.editedConffiles(host, names),
    manifests: Object.fromEntries(staged.flatMap((s) => (s === undefined ? [] : [[s.manifest.release, s.digest]]))),
    savedBy: context.run.runId,
  };
}

export async function actInstall(
  context: Context,
  driver: PackageDriver,
  guards: Guards,
  { node, release }: InstallInput,
  before: InstallBefore,
): Promise<Outcome> {
  const { plan } = context;
  const { conffiles, reboot: reboots } = plan.software;
  const { host } = await takeOwnership(context, hostOf(plan, node));
  const { manifest } = await requireStaged(plan, host, release, before);
  const edited = {
    then: savesConffiles(plan, driver) ? 'save' : 'leave',
    paths: before.edited,
    archive: archiveOf(context, before),
  } as const;
  const done = await bring(context, driver, guards, host, { node, purpose: 'install', manifest, conffiles, edited });
  const readable = isReadableBeforeReboot(plan.software.release, reboots);
  if (readable) await requireRelease(plan, driver, host, release, 'after its packages were installed');
  const kept =
    before.edited.length > 0 ? `; edited configuration files ${KEPT[conffiles]}: ${before.edited.join(', ')}` : '';
  return {
    summary:
      done.length === 0
        ? `${node} has the packages of ${release} already`
        : `${node} has the packages of ${release}${reboots ? ', to be rebooted into' : ''}${kept}`,
    changed: done.length > 0,
    nodes: { [node]: { installed: release, ...(readable && !reboots ? { release } : {}) } },
  };
}

const archiveOf = ({ plan, run }: Context, { savedBy }: InstallBefore): string =>
  savedConffilesPath(plan, savedBy ?? run.runId);

const KEPT = { keep: 'kept', replace: 'replaced by those of the packages' } as const;

export async function undoInstall(
  context: Context,
  driver: PackageDriver,
  guards: Guards,
  { node, release, previous }: InstallInput,
  before: InstallBefore,
): Promise<Outcome> {
  const { plan } = context;
  const { reboot, rebootTimeoutMs, units } = plan.software;
  const hostName = hostOf(plan, node);
  // The step's own reboot, or that of an undo that was cut, may still be under way.
  if (reboot) await waitUntilUp(context, hostName, rebootTimeoutMs);
  const { host } = await takeOwnership(context, hostName);
  const staged = await readStaged(plan, host, release);
  const names = [...new Set([...Object.keys(before.packages), ...namesIn(staged?.manifest)])];
  const versions = async (): Promise<Record<string, string>> => versionsOf(await driver.installed(host, names));
  const origin = await readStaged(plan, host, previous);
  const isWhole = origin === undefined || (await lacking(driver, host, origin.manifest)).length === 0;
  const isBack = isWhole && same(await versions(), before.packages);
  // Edited files win over the package's in either case: they are put back, or were never replaced.
  const edited = {
    then: 'put back',
    paths: savesConffiles(plan, driver) ? before.edited : [],
    archive: archiveOf(context, before),
  } as const;
  if (isBack) await settleConffiles(plan, driver, host, { edited, conffiles: 'keep' });
  else {
    const { manifest } = await requireStaged(plan, host, previous, before);
    await bring(context, driver, guards, host, { node, purpose: 'install-undo', manifest, conffiles: 'keep', edited });
    const now = await versions();
    if (!same(now, before.packages)) throw notAsBefore(driver, hostName, before.packages, now);
  }
  const isDue = reboot && (await isRebootDue(plan, host));
  if (isDue)
    await leaveBoot(context, hostName, await host.bootId(), rebootTimeoutMs, async () => {
      await guards.assertOutOfService(context, node);
      await requestReboot(host);
    });
  await verifyUnits(context, host, units, before.boot.failedUnits, rebootTimeoutMs);
  if (before.release !== undefined) await requireRelease(plan, driver, host, before.release, 'after going back');
  return {
    summary:
      isBack && !isDue
        ? `${node} has the packages of ${previous}, as before`
        : `${node} has the packages of ${previous} again${isDue ? ' and was rebooted' : ''}`,
    changed: !isBack || isDue,
    nodes: { [node]: { installed: previous, ...(before.release === undefined ? {} : { release: before.release }) } },
  };
}

const same = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys({ ...a, ...b }).every((key) => a[key] === b[key]);

function notAsBefore(
  { hints }: PackageDriver,
  host: string,
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): Error {
  const others = Object.keys({ ...before, ...now }).filter((name) => before[name] !== now[name]);
  const shown = others.map((name) => `${name} is ${now[name] ?? 'absent'} instead of ${before[name] ?? 'absent'}`);
  return permanent(
    'ForeignChange',
    `${host} has the previous release’s packages, but not all is as it was before the upgrade: ${shown.join(', ')}. The node carries no traffic. Next: find out in ${hints.history} who changed them, correct that by hand, then try again.`,
    { host, others },
  );
}

/** @throws PackageMissing or DigestMismatch unless exactly what was staged before this step is still there. */
async function requireStaged(plan: SoftwarePlan, host: Host, release: string, before: InstallBefore): Promise<Staged> {
  const staged = await readStaged(plan, host, release);
  const directory = releaseDirectory(plan, release);
  if (staged === undefined)
    throw permanent(
      'PackageMissing',
      `${host.name}: ${release} isn’t staged: there is no manifest in ${directory}. Nothing was installed. Next: put the directory back (the other node has it too) and try again.`,
      { host: host.name, release, directory },
    );
  const expected = before.manifests[release];
  if (expected === undefined || expected === staged.digest) return staged;
  throw permanent(
    'DigestMismatch',
    `${host.name}: ${directory} was staged anew since this step began, or changed by somebody. Nothing was installed. Next: find out who; roll back to before the step, then run it again.`,
    { host: host.name, release, directory, expected, found: staged.digest },
  );
}

/** @throws WrongRelease */
export async function requireRelease(
  plan: SoftwarePlan,
  driver: PackageDriver,
  host: Host,
  release: string,
  when: string,
): Promise<void> {
  const runs = await readRelease(plan, driver, host);
  if (runs === release) return;
  throw permanent(
    'WrongRelease',
    `${host.name} runs ${runs ?? 'a release that can’t be read'} ${when}, not ${release}. It carries no traffic. Next: look at it before it serves again; roll back, or repair it and try again.`,
    { host: host.name, expected: release, runs },
  );
}
