/** Rebooting a node into the release whose packages it has. */
import { transient, type Outcome, type StepContext } from '../kit';
import type { Host } from '../kit/host';
import { takeOwnership } from '../ownership';
import { leaveBoot, observeBoot, verifyUnits, type Boot } from '../services/reboot';
import { requestReboot } from '../services/systemd';
import type { PackageDriver } from './driver';
import type { Guards } from './guards';
import { requireRelease } from './install';
import { differences } from './manifest';
import { hostOf, releaseIn, type SoftwarePlan } from './plan';

type Context = StepContext<SoftwarePlan>;

export interface RestartInput {
  readonly node: string;
  /** The release that it must run afterwards. */
  readonly release: string;
}

export interface RestartBefore {
  readonly boot: Boot;
}

export const observeRestart = async (context: Context, { node }: RestartInput): Promise<RestartBefore> => ({
  boot: await observeBoot(await context.host(hostOf(context.plan, node))),
});

export async function actRestart(
  context: Context,
  driver: PackageDriver,
  guards: Guards,
  { node, release }: RestartInput,
  { boot }: RestartBefore,
): Promise<Outcome> {
  const { plan } = context;
  const { reboot, rebootTimeoutMs, units } = plan.software;
  const hostName = hostOf(plan, node);
  const asked =
    reboot &&
    (await leaveBoot(context, hostName, boot.bootId, rebootTimeoutMs, async () => {
      const { host } = await takeOwnership(context, hostName);
      await guards.assertOutOfService(context, node);
      await requirePackages(plan, driver, host, release);
      await requestReboot(host);
    }));
  const host = await context.host(hostName);
  await requireRelease(plan, driver, host, release, reboot ? 'after its reboot' : 'now');
  await requirePackages(plan, driver, host, release);
  await verifyUnits(context, host, units, boot.failedUnits, rebootTimeoutMs);
  const how = reboot ? (asked ? 'rebooted' : 'had rebooted already') : 'needs no reboot by the plan';
  return { summary: `${node} ${how} and runs ${release}`, changed: asked, nodes: { [node]: { release } } };
}

/** A node is never rebooted into half an installation. @throws VerifyFailed */
async function requirePackages(plan: SoftwarePlan, driver: PackageDriver, host: Host, release: string): Promise<void> {
  const { packages } = releaseIn(plan, release);
  const wrong = differences({ packages, absent: [] }, await driver.installed(host, Object.keys(packages)));
  if (wrong.length === 0) return;
  throw transient(
    'VerifyFailed',
    `${host.name} doesn’t have the packages of ${release}: ${wrong.join(', ')}. It carries no traffic. Next: look at ${driver.hints.output} there; roll back, or repair it and try again.`,
    { host: host.name, release, wrong },
  );
}
