/**
 * Whether secondaries are paused, both ways: replay of the database, and the copying of the configuration. Facts §2: a
 * restart of PostgreSQL ends the former silently, so it is looked at again and again until the node's own turn.
 */
import { defineCheck, defineGuard, formatFaults, messageOf, transient, type Fault, type Finding } from '../kit';
import { identityOf, standbyOf, tellsPause } from './database';
import { isMasked, isStopped, packageFaults, readPackages, readServices } from './node';
import { hostOf, requireSecondary, type XroadContext, type XroadPlan } from './plan';
import { copyState, hasFlag } from './sync-state';

/** Why secondaries don't count as paused. Looks once. */
export async function pausedFaults(context: XroadContext, nodes: readonly string[]): Promise<Fault[]> {
  const lists = await Promise.all(nodes.map((node) => faultsOn(context, node)));
  return lists.flat();
}

/** Why secondaries count as resumed: they replay, or may copy. */
export async function resumedFaults(context: XroadContext, nodes: readonly string[]): Promise<Fault[]> {
  const lists = await Promise.all(nodes.map((node) => resumedOn(context, node)));
  return lists.flat();
}

async function resumedOn(context: XroadContext, node: string): Promise<Fault[]> {
  const { plan } = context;
  requireSecondary(plan, node);
  const host = await hostOf(context, node);
  const { version } = await identityOf(plan, host);
  const { pause } = await standbyOf(plan, host, version);
  const flagged = await hasFlag(plan, host);
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
    ...(flagged
      ? []
      : [{ where: node, what: `the flag ${plan.xroad.sync.flag} is gone: it may copy the configuration at any time` }]),
  ];
}

async function faultsOn(context: XroadContext, node: string): Promise<Fault[]> {
  const { plan } = context;
  const resumed = await resumedOn(context, node);
  const host = await hostOf(context, node);
  const { version } = await identityOf(plan, host);
  const { receiver } = await standbyOf(plan, host, version);
  const flagged = await hasFlag(plan, host);
  const { active, sub } = await copyState(plan, host);
  return [
    ...resumed,
    ...(receiver === 'streaming'
      ? []
      : [
          {
            where: node,
            what: `its database receives nothing from the primary (${receiver ?? 'no receiver'})`,
            next: 'see PostgreSQL’s log. While paused it can’t connect again: resume replay and pause it again, or roll back; if WAL that it needs is gone, it has to be copied anew',
          },
        ]),
    // While paused the timer goes on trying: a start that is only testing for the flag (ExecStartPre) copies nothing.
    ...(flagged && active === 'activating' && sub !== 'start-pre'
      ? [{ where: node, what: 'a copy of the configuration is still under way' }]
      : []),
  ];
}

/** A secondary as the guard and its remedy see it; `unseen` says why it couldn't be looked at, as while it is restarted. */
export interface Waiting {
  readonly node: string;
  readonly waits: boolean;
  readonly unseen?: string;
}

/**
 * Whether the own turn of each secondary is still to come: it has the previous release, and something of it runs or could be
 * started. A node that is being upgraded has its services masked, and replays by right.
 */
export const waitingSecondaries = (context: XroadContext): Promise<Waiting[]> =>
  Promise.all(
    context.plan.roles.secondaries.map(async (node) => {
      try {
        return { node, waits: await isWaiting(context, node) };
      } catch (error) {
        context.signal.throwIfAborted();
        return { node, waits: false, unseen: `${node}: ${messageOf(error)}` };
      }
    }),
  );

async function isWaiting(context: XroadContext, node: string): Promise<boolean> {
  const { plan } = context;
  const host = await hostOf(context, node);
  const units = await readServices(host);
  const isBeingUpgraded = units.every((unit) => isMasked(unit) && isStopped(unit));
  if (isBeingUpgraded) return false;
  return packageFaults(plan, plan.releases.to, await readPackages(plan, host)).length > 0;
}

/**
 * Keeps looking, from the pause until each node's own turn, whether secondaries that wait are still paused: a restart of
 * their PostgreSQL resumes replay without a word (facts §2), and someone may remove the flag. What one node hides doesn't
 * keep another from being judged.
 */
export const staysPaused = defineGuard<Record<never, never>, XroadPlan>({
  everyMs: (plan) => plan.xroad.pausedLookMs,
  async look(context) {
    const seen = await Promise.all(
      (await waitingSecondaries(context)).map(async ({ node, waits, unseen }) => {
        if (!waits) return { faults: [], unseen };
        try {
          return { faults: await resumedOn(context, node), unseen };
        } catch (error) {
          context.signal.throwIfAborted();
          return { faults: [], unseen: `${node}: ${messageOf(error)}` };
        }
      }),
    );
    const faults = seen.flatMap((one) => one.faults);
    if (faults.length > 0) return { verdict: 'fail', why: formatFaults(faults) };
    const hidden = seen.flatMap(({ unseen }) => unseen ?? []);
    return hidden.length > 0 ? { verdict: 'inconclusive', why: hidden.join('; ') } : { verdict: 'pass' };
  },
});

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
