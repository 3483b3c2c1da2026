/**
 * Upgrades an active/standby firewall pair that BGP policy steers, after ipSpace's "Firewall Upgrade Procedure". Read it
 * beside that document: the order of the steps is the order of its bullets.
 */
import type * as pairActivities from '../activities/firewall-pair';
import type { FirewallPairPlan } from '../activities/firewall-pair';
import type * as parityActivities from '../activities/parity';
import type { PackageActivities } from '../activities/packages';
import type * as probeActivities from '../activities/probes';
import type * as routingActivities from '../activities/routing';
import type * as stateSyncActivities from '../activities/state-sync';
import type { PlanView, Report } from './contract';
import { handles, planOnly, upgrade, whereItWasLeft, type Body } from './procedure';

const software = handles<PackageActivities>('packages');
const routing = handles<typeof routingActivities>('routing');
const stateSync = handles<typeof stateSyncActivities>('stateSync');
const pair = handles<typeof pairActivities>('pair');
const parity = handles<typeof parityActivities>('parity');
const probes = handles<typeof probeActivities>('probes');

/** What takes minutes is repeated a few times, not for so many minutes each. */
const patience = { attempts: 4, intervalMs: 10_000 };

export const firewallPair: Body<FirewallPairPlan> = async (procedure) => {
  const { plan, check, step, gate, watching, atLeast, switchBackMeans } = procedure;
  const { primary, secondary } = plan.roles;
  const { from, to } = plan.releases;
  const { stageTimeoutMs, installTimeoutMs, rebootTimeoutMs } = plan.software;
  // An undo of an installation reboots, and may first have to wait for a node that is still booting.
  const exchange = { timeoutMs: installTimeoutMs + 2 * rebootTimeoutMs, patience };
  const reboot = { timeoutMs: rebootTimeoutMs + 60_000, patience };

  // Runs whose plan an earlier build made have no question about names, and go on without.
  const waivable = plan.waivers === true ? { waive: { on: 'Waivable' } } : undefined;
  const since = <W>(...waivers: readonly W[]): { waivers?: readonly W[] } => (plan.waivers === true ? { waivers } : {});

  const ready = await check('Check that the pair is ready', pair.ready({}), {
    ...waivable,
    ...whereItWasLeft(plan),
  });
  await step(
    'Stage both releases on both nodes',
    software.stage({ nodes: [primary, secondary], releases: [to, from] }, { timeoutMs: stageTimeoutMs }),
    {
      keep: 'packages on disk do no harm, and the way back needs them',
    },
  );
  const firewall = await check(
    `Record what ${primary} and ${secondary} are`,
    parity.snapshot({ nodes: [primary, secondary] }),
  );
  const baseline = await check('Record the baseline', probes.baseline({}));
  await gate('start', `Upgrade ${plan.cluster} from ${from} to ${to}? Traffic moves to ${secondary} first.`);

  // "Change Active/Standby role of the firewall cluster nodes by modifying the BGP routing policies." Session state is
  // brought up to date before the move and handed over after it, in the same step, whichever way traffic goes.
  await step(`Move traffic to ${secondary}`, pair.moveTraffic({ to: secondary }));
  switchBackMeans(pair.moveTraffic({ to: primary, urgent: true }));
  await check(`Confirm that ${primary} is idle`, routing.confirmIdle({ node: primary }));

  // "The offline node (previously Active node) can be updated and restarted."
  switchBackMeans(`${primary} is being upgraded: traffic stays where it can be served`);
  await step(`Upgrade ${primary} to ${to}`, software.install({ node: primary, release: to, previous: from }, exchange));
  await step(`Restart ${primary}`, software.restart({ node: primary, release: to }, reboot));
  const first = await check(
    `Check that ${primary} is the firewall that it was`,
    parity.unchanged({ node: primary, snapshot: firewall, ...since(ready) }),
    waivable,
  );

  // "After the restart, the upgraded node synchronizes its state with the currently active node."
  await step(`Resynchronize session state to ${primary}`, stateSync.reseed({ from: secondary, to: primary }));
  await gate('return', `Move traffic back to ${primary}, which now runs ${to}?`);

  // "The Active/Standby role can now be safely reverted, applying the original routing policy."
  await watching(
    { name: `Watch ${to} on ${primary}`, action: probes.watch({ serving: primary, escapeTo: secondary, baseline }) },
    { escape: pair.moveTraffic({ to: secondary, urgent: true }) },
    async () => {
      await step(`Move traffic back to ${primary}`, pair.moveTraffic({ to: primary, restore: true }));
      await atLeast('Monitoring period', plan.monitoring.periodMs);
      await gate('finish', `Upgrade ${secondary} too? ${primary} has served ${to} through the monitoring period.`);
    },
  );

  // "Once the monitoring period has been completed, you can upgrade the secondary node without a further maintenance window."
  switchBackMeans(`${secondary} is being upgraded: no other node can serve until it is back`);
  const again = await check(
    'Check again that the pair is ready',
    pair.ready({ serving: primary, releases: { [primary]: to, [secondary]: from }, ...since(ready, first) }),
    waivable,
  );
  await check(`Confirm that ${secondary} is idle`, routing.confirmIdle({ node: secondary }));
  await step(
    `Upgrade ${secondary} to ${to}`,
    software.install({ node: secondary, release: to, previous: from }, exchange),
  );
  await step(`Restart ${secondary}`, software.restart({ node: secondary, release: to }, reboot));
  const second = await check(
    `Check that ${secondary} is the firewall that it was`,
    parity.unchanged({ node: secondary, snapshot: firewall, ...since(ready, first, again) }),
    waivable,
  );
  await step(`Resynchronize session state to ${secondary}`, stateSync.reseed({ from: primary, to: secondary }));
  await check(
    'Check the upgraded pair',
    pair.ready({
      serving: primary,
      releases: { [primary]: to, [secondary]: to },
      ...since(ready, first, again, second),
    }),
    waivable,
  );
  await check('Compare with the baseline', probes.final({ baseline }));
};

/** Start it as `upgrade-<cluster>` with {"cluster":"fw-dc1","version":"2.0","requestedBy":"alice"}. */
export const upgradeFirewallPair = (...inputs: unknown[]): Promise<Report> =>
  upgrade('firewall-pair', firewallPair, inputs, pair.release({}, { patience: { attempts: 3, intervalMs: 2_000 } }));

/** The dry run, as `plan-<cluster>`, also beside a running upgrade. */
export const planFirewallPair = (...inputs: unknown[]): Promise<PlanView> =>
  planOnly('firewall-pair', firewallPair, inputs);
