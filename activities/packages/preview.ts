/** Dry run: what would be fetched, installed, kept and rebooted. Looks packages up, but changes nothing on the nodes. */
import type { Preview, StepContext } from '../kit';
import type { Host } from '../kit/host';
import { rebootCommand } from '../services/systemd';
import type { Change, PackageDriver } from './driver';
import type { InstallBefore, InstallInput } from './install';
import { hostOf, releaseDirectory, type SoftwarePlan } from './plan';
import type { RestartInput } from './restart';
import { stagedBoth, wantedEnds, type StageInput } from './stage';

type Context = StepContext<SoftwarePlan>;

export async function previewStage(
  context: Context,
  driver: PackageDriver,
  { nodes, releases }: StageInput,
): Promise<Preview> {
  const { plan } = context;
  const commands = await Promise.all(
    nodes.map(async (node) => {
      const host = await context.host(hostOf(plan, node));
      if ((await stagedBoth(plan, driver, host, releases)) !== undefined) return [];
      const ends = await wantedEnds(plan, driver, host, releases);
      return [ends.target, ends.previous].map(({ packages }, index) => ({
        host: host.name,
        command: driver.fetchCommand(releaseDirectory(plan, releases[index] ?? ''), packages),
      }));
    }),
  );
  return { commands: commands.flat(), differences: [] };
}

export async function previewInstall(
  context: Context,
  driver: PackageDriver,
  { node, release, previous }: InstallInput,
  before: InstallBefore,
): Promise<Preview> {
  const { plan } = context;
  const host = await context.host(hostOf(plan, node));
  const { conffiles, installTimeoutMs: timeoutMs } = plan.software;
  const { files, changes } = await prospect(plan, driver, host, [release, previous]);
  const lines = [
    ...changes.map(describeChange),
    ...before.edited.map(
      (path) =>
        `${conffiles === 'keep' ? ' ' : '!'} ${path} (edited here: ${conffiles === 'keep' ? 'kept' : 'the package’s replaces it, undo puts it back'})`,
    ),
  ];
  const exchange = {
    purpose: 'install',
    reinstall: false,
    files,
    remove: changes.filter((c) => c.to === undefined).map((c) => c.name),
    conffiles,
    timeoutMs,
  };
  return {
    commands: [{ host: host.name, command: driver.exchangeCommand(exchange) }],
    differences: lines.length === 0 ? [] : [{ host: host.name, of: `packages of ${node}`, diff: lines.join('\n') }],
  };
}

/** Files and changes of an exchange: as staged, or as staging would find them. */
async function prospect(
  plan: SoftwarePlan,
  driver: PackageDriver,
  host: Host,
  releases: StageInput['releases'],
): Promise<{ files: string[]; changes: readonly Change[] }> {
  const directory = releaseDirectory(plan, releases[0]);
  const staged = await stagedBoth(plan, driver, host, releases);
  if (staged !== undefined) {
    const { packages, exchange } = staged[0].manifest;
    return { files: packages.map((p) => `${directory}/${p.file}`), changes: exchange.changes };
  }
  const { target, exchange } = await wantedEnds(plan, driver, host, releases);
  const files = await driver.files(host, target.packages);
  return { files: files.map((f) => `${directory}/${f.file}`), changes: exchange.changes };
}

/** As a diff: what goes, what comes. */
const describeChange = ({ name, from, to }: Change): string =>
  [...(from === undefined ? [] : [`-${name} ${from}`]), ...(to === undefined ? [] : [`+${name} ${to}`])].join('\n');

export function previewRestart({ plan }: Context, { node }: RestartInput): Preview {
  const host = hostOf(plan, node);
  return {
    commands: plan.software.reboot ? [{ host, command: `sudo ${rebootCommand.join(' ')}` }] : [],
    differences: [],
  };
}
