/**
 * Whether secondaries are paused, both ways: replay of the database, and the copying of the configuration. Facts §2: a
 * restart of PostgreSQL ends the former silently, so it is looked at again and again until the node's own turn.
 */
import { defineCheck, formatFaults, messageOf, transient, type Fault, type Finding } from '../kit';
import { identityOf, standbyOf, tellsPause } from './database';
import { hostOf, requireSecondary, type XroadContext, type XroadPlan } from './plan';
import { copyState, hasFlag } from './sync-state';

/** Why secondaries don't count as paused. Looks once. */
export async function pausedFaults(context: XroadContext, nodes: readonly string[]): Promise<Fault[]> {
  const lists = await Promise.all(nodes.map((node) => faultsOn(context, node)));
  return lists.flat();
}

async function faultsOn(context: XroadContext, node: string): Promise<Fault[]> {
  const { plan } = context;
  requireSecondary(plan, node);
  const host = await hostOf(context, node);
  const { version } = await identityOf(plan, host);
  const { pause, receiver } = await standbyOf(plan, host, version);
  const flagged = await hasFlag(plan, host);
  const { active, sub } = await copyState(plan, host);
  // Before PostgreSQL 14 it only tells that a pause was asked for; the step that asked has seen it come true.
  const isPaused = pause === 'paused' || (!tellsPause(version) && pause === 'pause requested');
  return [
    ...(isPaused
      ? []
      : [
          {
            where: node,
            what: `replay of its database is ${pause}`,
            next: 'was PostgreSQL restarted there? Until the primary is upgraded it can be paused again; afterwards take the node out and upgrade it next',
          },
        ]),
    ...(receiver === 'streaming'
      ? []
      : [
          {
            where: node,
            what: `its database receives nothing from the primary (${receiver ?? 'no receiver'})`,
            next: 'see PostgreSQL’s log; if WAL that it needs is gone, it has to be copied anew',
          },
        ]),
    ...(flagged
      ? []
      : [{ where: node, what: `the flag ${plan.xroad.sync.flag} is gone: it may copy the configuration at any time` }]),
    // While paused the timer goes on trying: a start that is only testing for the flag (ExecStartPre) copies nothing.
    ...(flagged && active === 'activating' && sub !== 'start-pre'
      ? [{ where: node, what: 'a copy of the configuration is still under way' }]
      : []),
  ];
}

/** One look for a watch: says how it is, and never throws but for a cut. */
export async function lookAtPaused(
  context: XroadContext,
  nodes: readonly string[],
): Promise<{ readonly verdict: 'pass' | 'fail' | 'inconclusive'; readonly why?: string }> {
  try {
    const faults = await pausedFaults(context, nodes);
    return faults.length === 0 ? { verdict: 'pass' } : { verdict: 'fail', why: formatFaults(faults) };
  } catch (error) {
    context.signal.throwIfAborted();
    return { verdict: 'inconclusive', why: messageOf(error) };
  }
}

/** Secondaries are paused, both ways; all if none are named. @throws VerifyFailed with every fault */
export const paused = defineCheck<{ readonly nodes?: readonly string[] }, Finding, XroadPlan>({
  async check(context, { nodes = context.plan.roles.secondaries }) {
    const faults = await pausedFaults(context, nodes);
    if (faults.length > 0)
      throw transient('VerifyFailed', `not all secondaries are paused:\n${formatFaults(faults)}`, { faults });
    return {
      summary: `${nodes.join(', ')}: replay and copying are paused`,
      nodes: Object.fromEntries(nodes.map((node) => [node, { replay: 'paused', configuration: 'paused' }])),
    };
  },
});
