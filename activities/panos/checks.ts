/** Checks of the procedure: what was before, whether a member is healthy, and whether both are one pair again. */
import { defineCheck, failureType, formatFaults, permanent, transient, type Fault, type Finding } from '../kit';
import { isServing } from './ha';
import { HA_LEAD, leadChoices, leaderOf, tellLead } from './lead';
import { answering, describe, describePair, nodesOf, readPair, servingMembers } from './pair';
import { nodeNames, otherThan, type NodeInput, type PanosPlan, type PanosServices } from './plan';
import { compareSnapshots, readSnapshot, type Difference, type Snapshot } from './readiness';
import { assertCurable, isBack } from './states';
import { readSystem } from './system';
import { assertTraffic, carriedBy, type Recorded, type Snapshots } from './traffic';
import { untilPair } from './wait';

export interface SnapshotFinding extends Finding {
  /** Member that served, the primary one in active/active. */
  readonly serving: string;
  readonly snapshots: Snapshots;
}

/**
 * What a member has by itself. Its links are compared in one state only: with passive link state `shutdown` a passive
 * member holds them down, while a non-functional one, or one that has just lost the lead, may still have them up.
 */
const isOwn =
  (before: Pick<Snapshot, 'state'>, after: Pick<Snapshot, 'state'>) =>
  ({ of }: Difference): boolean =>
    of === 'MTUs' || of === 'licences' || of === 'content' || (of === 'interfaces' && before.state === after.state);

export const pairChecks = (services: PanosServices) => ({
  /** What both members carry, for later comparison. */
  snapshot: defineCheck<Record<never, never>, SnapshotFinding, PanosPlan>({
    async check(context) {
      const reading = await readPair(context, services);
      const serving = servingMembers(reading)[0]?.node;
      if (serving === undefined) throw transient('VerifyFailed', `nobody serves: ${describePair(reading)}`);
      const snapshots = await Promise.all(
        nodeNames(context.plan).map(
          async (node) => [node, await readSnapshot(services.device(context, node))] as const,
        ),
      );
      return {
        summary: `${serving} serves; what both carry is recorded`,
        serving,
        snapshots: Object.fromEntries(snapshots),
      };
    },
  }),

  /** A member that was upgraded: its release, its place in HA, its interfaces and licences as before. */
  healthy: defineCheck<NodeInput & { readonly version: string; readonly snapshot: Recorded }, Finding, PanosPlan>({
    async check(context, { node, version, snapshot }) {
      const reading = await readPair(context, services);
      const member = answering(reading, node);
      assertCurable(node, member);
      const faults: Fault[] = [];
      const { version: running } = await readSystem(services.device(context, node));
      if (running !== version) faults.push({ where: node, what: `it runs ${running}, not ${version}` });
      if (!isBack(context.plan, member)) faults.push({ where: node, what: describe(member) });
      const before = snapshot.snapshots[node];
      const other = reading.members[otherThan(context.plan, node)];
      const serves = isServing(member.state) || (other?.answers === true && isServing(other.state));
      if (!serves) faults.push({ where: context.plan.cluster, what: `nobody serves: ${describePair(reading)}` });
      if (before !== undefined && !isServing(member.state)) {
        // What it carries is for later: here are its own things, which don't depend on who serves.
        const after = await readSnapshot(services.device(context, node));
        const differences = compareSnapshots(before, after, context.plan.panos.thresholds);
        faults.push(...differences.filter(isOwn(before, after)).map(({ what }) => ({ where: node, what })));
      }
      if (faults.length > 0)
        throw transient('VerifyFailed', `${node} isn’t as it should be:\n${formatFaults(faults)}`, faults);
      // Whoever was upgraded is to come back beside the one that serves: what leads by itself is told, not taken for granted.
      const expected = otherThan(context.plan, node);
      const leader = leaderOf(reading);
      if (leader !== undefined && leader !== expected) {
        const told = await tellLead(context, services, reading, { leads: expected, snapshot });
        throw permanent(
          'Waivable',
          `the lead has moved, which this run didn’t ask for: ${told}. ${leadChoices(expected, leader)}. Waived, the procedure goes on from there`,
          {
            waivable: [HA_LEAD],
            nodes: nodesOf(reading),
          },
        );
      }
      return { summary: describe(member), nodes: nodesOf(reading) };
    },
  }),

  /** Both on one release, one configuration, in their places. */
  synchronized: defineCheck<{ readonly version: string }, Finding, PanosPlan>({
    async check(context, { version }) {
      const { rejoinTimeoutMs, settledLooks } = context.plan.panos.timing;
      let unsynchronized = '';
      try {
        const reading = await untilPair(context, services, {
          what: 'both to be one pair again',
          timeoutMs: rejoinTimeoutMs,
          looks: settledLooks,
          missing: (now) => {
            unsynchronized = '';
            for (const node of nodeNames(context.plan)) {
              const member = answering(now, node);
              if (member.version !== version) return `${node} runs ${member.version}, not ${version}`;
              if (!isBack(context.plan, member)) return describe(member);
              if (member.buildCompat !== 'Match') return `build-compat of ${node} is ${member.buildCompat}`;
              if (member.runningSyncEnabled && member.runningSync !== 'synchronized')
                unsynchronized = `the configuration of ${node} is ${member.runningSync || 'in an unknown state'}`;
            }
            return unsynchronized === '' ? undefined : unsynchronized;
          },
        });
        return {
          summary: `both run ${version} with one configuration: ${describePair(reading)}`,
          nodes: nodesOf(reading),
        };
      } catch (error) {
        if (unsynchronized === '' || failureType(error) !== 'NotHealthy') throw error;
        throw permanent(
          'NotSynchronized',
          `${unsynchronized}. Have a look at both, then synchronize from the one whose configuration is right (request high-availability sync-to-remote running-config), which overwrites the other’s`,
        );
      }
    },
  }),

  /** At the end: what is carried now against what was carried before. */
  compare: defineCheck<{ readonly snapshot: Recorded }, Finding, PanosPlan>({
    async check(context, { snapshot }) {
      const reading = await readPair(context, services);
      const summaries: string[] = [];
      for (const member of servingMembers(reading)) {
        const before = carriedBy(context.plan, snapshot, member.node);
        if (before !== undefined)
          summaries.push(await assertTraffic(context, services, { node: member.node, before, kind: 'lasting' }));
      }
      if (summaries.length === 0) throw transient('VerifyFailed', `nobody serves: ${describePair(reading)}`);
      return { summary: summaries.join('; '), nodes: nodesOf(reading) };
    },
  }),
});
