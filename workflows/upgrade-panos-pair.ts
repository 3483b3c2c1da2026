/**
 * Upgrades a PAN-OS HA pair, active/passive or active/active, after Palo Alto Networks' upgrade guide ("Upgrade an HA Firewall
 * Pair") and its XML API use case. Read it beside facts/pan-os.md, sections 4.1 and 4.2: the numbers are those of their tables.
 *
 * https://docs.paloaltonetworks.com/pan-os/10-1/pan-os-upgrade/upgrade-pan-os/upgrade-the-firewall-pan-os/upgrade-an-ha-firewall-pair
 * https://docs.paloaltonetworks.com/ngfw/api/pan-os-xml-api-use-cases/upgrade-pan-os-on-multiple-ha-firewalls-through-panorama-api
 * https://docs.paloaltonetworks.com/pan-os/11-1/pan-os-admin/high-availability/ha-firewall-states
 */
import type { PanosActivities, PanosPlan, SnapshotFinding } from '../activities/panos';
import type * as probeActivities from '../activities/probes';
import type { Baseline } from '../activities/probes';
import type * as routingActivities from '../activities/routing';
import type { PlanView, Report } from './contract';
import {
  handles,
  planOnly,
  upgrade,
  whereItWasLeft,
  type Body,
  type Context,
  type Given,
  type PlanBase,
} from './procedure';

const panos = handles<PanosActivities>('panos');
const probes = handles<typeof probeActivities>('probes');
const routing = handles<typeof routingActivities>('routing');

export type PanosPairPlan = PlanBase & PanosPlan;
type Procedure = Context<PanosPairPlan>;
type Hop = PanosPairPlan['hops'][number];

const A_MINUTE_MS = 60_000;

export const panosPair: Body<PanosPairPlan> = async (procedure) => {
  const { plan, check, step, gate, switchBackMeans } = procedure;
  const { from, to } = plan.releases;
  const long = limits(plan);

  // 0–3
  const readiness = await check('Check that the pair is ready', panos.ready({}, long.look), {
    ...whereItWasLeft(plan),
    waive: { on: 'Waivable' },
  });
  const baseline = await check('Record the baseline', probes.baseline({}));
  const way = plan.hops.map((hop) => hop.to).join(', then ');
  const firstly = plan.panos.order === 'passive-first' ? plan.roles.passive : plan.roles.active;
  await gate(
    'start',
    `Upgrade ${plan.cluster} from ${from} to ${way}? ${plan.roles.active} leads now (${plan.mode}); ${firstly} is upgraded first (${plan.panos.order}).`,
  );
  switchBackMeans('traffic has not been moved yet, there is nothing to switch back');

  // 4–6
  await step('Save the configuration of both', panos.backup({}, long.transfer), { keep: 'backups are kept' });
  await step('Bring both to one content version', panos.content({}, long.transfer));
  await step('Switch preemption off', panos.preemptionOff({}, long.commit));

  // Both finish a hop before the next one begins: members too far apart suspend each other.
  let { active, passive } = plan.roles;
  let snapshot = await check('Record what both carry', panos.snapshot({}, long.look));
  let waived = readiness;
  for (const [index, hop] of plan.hops.entries()) {
    if (index > 0) {
      waived = await check(
        `Check that the pair is ready for ${hop.to}`,
        panos.ready({ release: hop.from, waivers: readiness, since: waived }, long.look),
        {
          waive: { on: 'Waivable' },
        },
      );
      snapshot = await check(`Record what both carry on ${hop.from}`, panos.snapshot({}, long.look));
    }
    const [first, second] = plan.panos.order === 'passive-first' ? [passive, active] : [active, passive];
    await upgradeBoth(procedure, hop, { first, second }, { snapshot, baseline });
    [active, passive] = [first, second];
  }

  // 19–21
  if (plan.panos.failBack && active !== plan.roles.active) {
    const back = plan.roles.active;
    await step(`Fail back to ${back}`, panos.moveTo({ to: back, leaveOther: 'in-ha', compare: true }, long.move));
  }
  if (plan.routed !== undefined)
    await step('Put the routing back', routing.prefer({ node: plan.routed, as: 'restore' }));
  await step('Restore preemption', panos.preemptionRestore({}, long.commit));
  await check('Check the upgraded pair', panos.synchronized({ version: to }, long.rejoin), {
    task: { on: 'NotSynchronized', ask: 'sync' },
  });
  await check('Compare with what both carried before', panos.compare({ snapshot }, long.move));
  await check('Compare with the baseline', probes.final({ baseline }));
};

interface Order {
  /** Upgraded first; serves the new release while the second waits. */
  readonly first: string;
  readonly second: string;
}
interface Before {
  readonly snapshot: Given<SnapshotFinding>;
  readonly baseline: Given<Baseline>;
}

/** Both members from one release to the next. */
async function upgradeBoth(procedure: Procedure, hop: Hop, { first, second }: Order, before: Before): Promise<void> {
  const { plan, step, gate, watching, atLeast, switchBackMeans } = procedure;
  const { baseline } = before;
  const long = limits(plan);

  // 7
  await step(
    `Bring the images of ${hop.to} to both`,
    panos.images({ nodes: [first, second], versions: [...hop.wayBack, ...hop.images] }, long.transfer),
    { keep: 'images on disk do no harm' },
  );

  // 9, d: passive-first, the one that leads goes on; active-first, the other takes over on the release that it knows.
  if (plan.panos.order === 'active-first')
    await step(
      `Fail over to ${second}`,
      panos.moveTo({ to: second, leaveOther: 'suspended', compare: true }, long.move),
    );
  else {
    // Where routers are steered too, traffic leaves a member before HA moves: the failover then finds none to lose.
    if (plan.routed !== undefined)
      await step(`Steer traffic to ${second} on the routers`, routing.prefer({ node: second }));
    await step(`Suspend ${first}`, panos.suspend({ node: first }, long.rejoin));
  }
  switchBackMeans(`${first} is being upgraded: ${second} serves, and stays so`);

  // 10–16
  const mind = (hop.wayBackLimits ?? []).map((limit) => ` Mind: ${limit}.`).join('');
  const goOn = tellsLead(plan)
    ? `Fail over to ${first}, which now runs ${hop.to}? ${second} is to lead until then, and is looked at meanwhile: should the lead move, this question is withdrawn.`
    : `Fail over to ${first}, which now runs ${hop.to}?`;
  // Two releases are no state to stop at: rolling back goes over these gates, to where both run the one.
  const mayFailOver = () => gate('fail-over', `${goOn}${mind}`, { passedOver: true, tellsNodes: tellsLead(plan) });
  const takeFirst = () => exchange(procedure, first, hop, before);
  if (tellsLead(plan)) await leading(procedure, second, hop, before, [takeFirst, mayFailOver]);
  else {
    await takeFirst();
    await mayFailOver();
  }
  const back = panos.moveTo({ to: second, leaveOther: 'in-ha', urgent: true }, long.move);
  await watching(
    { name: `Watch ${hop.to} on ${first}`, action: probes.watch({ serving: first, escapeTo: second, baseline }) },
    { escape: back },
    async () => {
      await step(
        `Fail over to ${first}`,
        panos.moveTo({ to: first, leaveOther: 'suspended', compare: true }, long.move),
      );
      await atLeast('Monitoring period', plan.monitoring.periodMs);
      await gate(
        'second',
        `Upgrade ${second} too? ${first} has served ${hop.to} through the monitoring period.${mind}`,
        { passedOver: true, tellsNodes: tellsLead(plan) },
      );
    },
  );

  // 17, 18
  switchBackMeans(`${second} is being upgraded: no other member can serve until it is back`);
  const isOnePair = () => {
    switchBackMeans(panos.moveTo({ to: second, leaveOther: 'in-ha', urgent: true }, long.move));
    return procedure.check(
      `Check that both are one pair on ${hop.to}`,
      panos.synchronized({ version: hop.to }, long.rejoin),
      { task: { on: 'NotSynchronized', ask: 'sync' } },
    );
  };
  const takeSecond = () => exchange(procedure, second, hop, before);
  if (tellsLead(plan)) await leading(procedure, first, hop, before, [takeSecond, isOnePair]);
  else {
    await takeSecond();
    await isOnePair();
  }
}

/** Plans of revision 1 have no guard over who leads in their lists, and other questions. */
const tellsLead = ({ procedureRevision }: PanosPairPlan): boolean => procedureRevision >= 2;

/**
 * Two parts, one after the other, during which the other member is to lead: one is taken down, and people wait. The lead that
 * moves is told at once.
 */
async function leading(
  { plan, guarding }: Procedure,
  node: string,
  hop: Hop,
  { snapshot }: Before,
  [one, other]: readonly [() => Promise<unknown>, () => Promise<unknown>],
): Promise<void> {
  const input = { leads: node, snapshot };
  const guard = { name: `${node} leads while the other is brought to ${hop.to}`, action: panos.leads(input) };
  const both = async (): Promise<void> => {
    await one();
    await other();
  };
  await guarding(guard, { remedy: panos.leadMoved(input, limits(plan).state) }, both);
}

/** Install, restart, back into HA: while the other serves. */
async function exchange({ plan, check, step }: Procedure, node: string, hop: Hop, { snapshot }: Before): Promise<void> {
  const long = limits(plan);
  const version = hop.to;
  await step(`Install ${version} on ${node}`, panos.install({ node, version }, long.install));
  // One that doesn’t come back is left to people: a downgrade on top of it helps nobody.
  await step(`Restart ${node}`, panos.restart({ node, version }, long.boot), { stay: true });
  await step(`Bring ${node} back into HA`, panos.rejoin({ node, snapshot }, long.rejoin), { stay: true });
  await check(`Check ${node}`, panos.healthy({ node, version, snapshot }, long.state), { waive: { on: 'Waivable' } });
}

/** Longest attempts, each long enough for what it waits for. */
function limits({ mode, panos: { timing } }: PanosPairPlan) {
  const { callTimeoutMs, stateTimeoutMs, rejoinTimeoutMs, convergeTimeoutMs, bootTimeoutMs, installTimeoutMs } = timing;
  // What has been waited for within is a failure for good; only what fails at once is tried for some minutes.
  const of = (timeoutMs: number) => ({ timeoutMs: timeoutMs + callTimeoutMs + 2 * A_MINUTE_MS });
  // The longest hold that can be configured; each way back into HA may last so much longer.
  const tentativeMs = mode === 'active-active' ? 10 * A_MINUTE_MS : 0;
  return {
    // Tables of a large device, and an update server that answers late.
    look: of(5 * callTimeoutMs),
    state: of(2 * stateTimeoutMs),
    // Either may first have to be brought back, and the undo of one is one more of them.
    move: of(3 * (stateTimeoutMs + rejoinTimeoutMs + tentativeMs) + convergeTimeoutMs),
    // Its start, then HA; also the undo of a suspension.
    rejoin: of(2 * rejoinTimeoutMs + tentativeMs + convergeTimeoutMs + stateTimeoutMs),
    transfer: of(6 * timing.downloadTimeoutMs),
    // One after another on both; an undo first waits for what the act left running.
    commit: of(4 * timing.commitTimeoutMs + rejoinTimeoutMs + stateTimeoutMs),
    // An undo waits for what the act left running, or for the end of a restart; installs, and may restart once more.
    install: of(2 * (installTimeoutMs + bootTimeoutMs) + 3 * stateTimeoutMs),
    boot: of(installTimeoutMs + 2 * bootTimeoutMs + 3 * stateTimeoutMs),
  };
}

/** Start it as `upgrade-<cluster>` with {"cluster":"pa-edge","version":"10.2.9","requestedBy":"alice"}. */
export const upgradePanosPair = (...inputs: unknown[]): Promise<Report> =>
  upgrade('panos-pair', panosPair, inputs, panos.release({}, { patience: { attempts: 3, intervalMs: 2_000 } }));

/** The dry run, as `plan-<cluster>`, also beside a running upgrade. It reads, and suspends nothing. */
export const planPanosPair = (...inputs: unknown[]): Promise<PlanView> => planOnly('panos-pair', panosPair, inputs);
