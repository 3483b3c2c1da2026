/**
 * Preemption, recorded in the plan, off while the upgrade goes on, and restored at its end. It works only where both members
 * have it, so it is switched off on one. Source: facts/pan-os.md, section 2 (election) and 4.1 (steps 6, 20).
 */
import { defineStep, permanent, type Outcome } from '../kit';
import type { PanosDevice } from './api';
import { preemptionChanged } from './as-planned';
import { mayNotSuspend, refuse } from './guards';
import { leads, type HaMode, type HaReading } from './ha';
import { describeJobs, isBlocking, markJobs, runJob } from './jobs';
import { answering, nodesOf, readPair, type PairReading } from './pair';
import { nodeNames, otherThan, type PanosContext, type PanosPlan, type PanosServices } from './plan';
import { untilPair } from './wait';

const XPATH =
  "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/high-availability/group/election-option";
const COMMIT_JOBS = ['Commit'];
/** A commit on one member may be followed by a copy to the other, a job there. */
const CONFIGURATION_JOBS = ['Commit', 'CommitAll', 'HA-Sync'];

type Values = Readonly<Record<string, boolean>>;

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');

const configuredOn = (device: PanosDevice, action: 'show' | 'get') =>
  device.config(action, `${XPATH}/preemptive`).then((element) => element?.text.trim() || 'no');

/**
 * Waits until no commit and no copy of one to the peer goes on: the next would be refused, or would meet one half-way.
 * @throws VerifyFailed (transient) after the time that a commit may take; Unreachable (transient)
 */
const untilQuiet = (context: PanosContext, services: PanosServices): Promise<PairReading> =>
  untilPair(context, services, {
    what: 'commits and HA synchronization to end on both',
    // Somebody else's.
    mayPass: true,
    timeoutMs: context.plan.panos.timing.commitTimeoutMs,
    missing: (reading) => {
      const busy = nodeNames(context.plan).flatMap((node) => {
        const jobs = answering(reading, node).activeJobs.filter((job) => isBlocking(job, CONFIGURATION_JOBS));
        return jobs.length === 0 ? [] : [`on ${node}: ${describeJobs(jobs)}`];
      });
      return busy.length === 0 ? undefined : busy.join('; ');
    },
  });

/** Sets preemption on one device and commits, unless it is so already. */
async function setOn(context: PanosContext, services: PanosServices, node: string, value: boolean): Promise<boolean> {
  const isSo = (reading: PairReading): boolean => answering(reading, node).preemptive === value;
  // A commit that goes on may be that of an earlier attempt.
  if (isSo(await readPair(context, services)) || isSo(await untilQuiet(context, services))) return false;
  const device = services.device(context, node);
  const wanted = yesNo(value);
  const isPending = (await device.op('<check><pending-changes></pending-changes></check>')).text.trim() === 'yes';
  const isOurs = (await configuredOn(device, 'get')) === wanted && (await configuredOn(device, 'show')) !== wanted;
  if (isPending && !isOurs)
    throw permanent(
      'ForeignChange',
      `${node} has changes that somebody hasn’t committed. Preemption is ${yesNo(!value)} as before, and nothing was committed. Commit or revert them, then retry`,
    );
  const mark = await markJobs(device);
  if (value) assertMayPreempt(context.plan, await readPair(context, services), node);
  if (!isPending) await device.set(XPATH, `<preemptive>${wanted}</preemptive>`);
  const { commitTimeoutMs, pollMs } = context.plan.panos.timing;
  const { user } = context.plan.nodes[node] ?? { user: '' };
  await runJob(context, device, services, {
    what: 'the commit',
    types: COMMIT_JOBS,
    mark,
    timeoutMs: commitTimeoutMs,
    pollMs,
    start: () => device.commit(user, `hitless: preemption ${wanted} for ${context.run.workflowId}`),
  });
  return true;
}

/** As it was before: also where a commit was refused, and what we set still waits for the next commit of anybody. */
async function setBack(context: PanosContext, services: PanosServices, before: Values): Promise<Outcome> {
  // The act may have left one running.
  await untilQuiet(context, services);
  for (const [node, value] of Object.entries(before)) {
    const device = services.device(context, node);
    const wanted = yesNo(value);
    if ((await configuredOn(device, 'show')) === wanted && (await configuredOn(device, 'get')) !== wanted)
      await device.set(XPATH, `<preemptive>${wanted}</preemptive>`);
  }
  const set = await setAll(context, services, before);
  // What is undone next should not meet a failover half-way.
  return set.changed ? untilLed(context, services, set, before) : set;
}

async function setAll(context: PanosContext, services: PanosServices, wanted: Values): Promise<Outcome> {
  const changed: string[] = [];
  for (const [node, value] of Object.entries(wanted))
    if (await setOn(context, services, node, value)) changed.push(node);
  const reading = await untilPair(context, services, {
    what: 'preemption to be as wanted',
    // A commit of somebody else may have been waited for in place of ours.
    mayPass: true,
    timeoutMs: context.plan.panos.timing.stateTimeoutMs,
    missing: ({ members }) => {
      const wrong = Object.entries(wanted).filter(([node, value]) => {
        const member = members[node];
        return member?.answers !== true || member.preemptive !== value;
      });
      return wrong.length === 0 ? undefined : `not so yet on ${wrong.map(([node]) => node).join(', ')}`;
    },
  });
  const state = Object.entries(wanted).map(([node, value]) => `${node}: ${yesNo(value)}`);
  const off = Object.keys(wanted).filter((node) => wanted[node] === false);
  const told =
    off.length === 1 ? `preemption is off on ${off[0]}, which is enough for both` : `preemption ${state.join(', ')}`;
  return { summary: told, changed: changed.length > 0, nodes: nodesOf(reading) };
}

const current = async (context: PanosContext, services: PanosServices): Promise<Values> => {
  const reading = await readPair(context, services);
  return Object.fromEntries(nodeNames(context.plan).map((node) => [node, answering(reading, node).preemptive]));
};

/**
 * What both must be while the upgrade goes on. Off on one is enough, and one commit: on the one that doesn't lead at the
 * start. Where only one has it, it does nothing, and is left alone.
 */
export const offOf = (plan: PanosPlan): Values => {
  const recorded = recordedOf(plan);
  return Object.values(recorded).every((preemptive) => preemptive)
    ? { ...recorded, [plan.roles.passive]: false }
    : recorded;
};
const recordedOf = ({ found }: PanosPlan): Values =>
  Object.fromEntries(Object.entries(found).map(([node, { preemptive }]) => [node, preemptive]));

type Elected = Pick<HaReading, 'priority' | 'deviceId' | 'preemptive'>;

/** Member that takes over by itself where preemption works: lower priority number, device ID 0 in active/active. */
function preferred(mode: HaMode, members: Readonly<Record<string, Elected>>): string | undefined {
  const nodes = Object.entries(members);
  if (!nodes.every(([, { preemptive }]) => preemptive)) return undefined;
  if (mode === 'active-active') return nodes.find(([, { deviceId }]) => deviceId === 0)?.[0];
  const [a, b] = nodes.sort(([, x], [, y]) => (x.priority ?? 255) - (y.priority ?? 255));
  return a?.[1].priority === b?.[1].priority ? undefined : a?.[0];
}

/** Member that leads by preemption once it is as wanted, whoever leads now; by what both say of themselves. */
export const preferredOf = (plan: PanosPlan, reading: PairReading, wanted: Values): string | undefined =>
  preferred(
    plan.mode,
    Object.fromEntries(
      nodeNames(plan).map((node) => {
        const member = answering(reading, node);
        return [node, { ...member, preemptive: wanted[node] ?? member.preemptive }];
      }),
    ),
  );

/**
 * Preemption that works again is a failover where the preferred member doesn't lead: nothing holds it up then, so what must
 * hold of a failover is asked before.
 * @throws GuardRefused (transient)
 */
function assertMayPreempt(plan: PanosPlan, reading: PairReading, node: string): void {
  const leader = preferredOf(plan, reading, { [node]: true });
  if (leader === undefined || leads(answering(reading, leader))) return;
  const why = mayNotSuspend(plan, reading, otherThan(plan, leader));
  if (why !== undefined)
    refuse(`preemption of ${node} was not switched on, for ${leader} would take over`, reading, why);
}

/** Waits until whoever preemption wants to lead does so. @throws NotHealthy */
async function untilLed(
  context: PanosContext,
  services: PanosServices,
  set: Outcome,
  wanted: Values,
): Promise<Outcome> {
  const { plan } = context;
  const leader = preferredOf(plan, await readPair(context, services), wanted);
  if (leader === undefined) return set;
  const reading = await untilPair(context, services, {
    what: `${leader} to lead, as preemption wants it`,
    timeoutMs: plan.panos.timing.rejoinTimeoutMs,
    looks: plan.panos.timing.settledLooks,
    missing: ({ members }) => {
      const member = members[leader];
      return member?.answers === true && leads(member) ? undefined : `${leader} doesn’t lead yet`;
    },
  });
  return { ...set, summary: `${set.summary}; ${leader} leads`, nodes: nodesOf(reading) };
}

/** Who leads when preemption is restored, as the procedure leaves them: each hop of passive-first is a failover. */
const leadsAtTheEnd = ({ roles, hops, panos }: PanosPlan): string =>
  panos.failBack || panos.order === 'active-first' || hops.length % 2 === 0 ? roles.active : roles.passive;

const previewOf = (before: Values, wanted: Values, takesOver?: string) => ({
  commands: Object.entries(wanted)
    .filter(([node, value]) => before[node] !== value)
    .map(([node, value]) => ({
      host: node,
      command: `set deviceconfig high-availability group election-option preemptive ${yesNo(value)}; commit${takesOver === undefined ? '' : ` (${takesOver} takes over, by preemption)`}`,
    })),
  differences: [],
});

export const preemptionSteps = (services: PanosServices) => ({
  preemptionOff: defineStep<Record<never, never>, Values, Outcome, PanosPlan>({
    observe: (context) => current(context, services),
    changedSincePlan: async ({ plan }, _input, before) => preemptionChanged(plan, before),
    act: (context) => setAll(context, services, offOf(context.plan)),
    undo: (context, _input, before) => setBack(context, services, before),
    preview: async (context, _input, before) => previewOf(before, offOf(context.plan)),
  }),

  /** May itself lead to a failover: the preferred member takes over after the preemption hold time. */
  preemptionRestore: defineStep<Record<never, never>, Values, Outcome, PanosPlan>({
    observe: (context) => current(context, services),
    async act(context) {
      const wanted = recordedOf(context.plan);
      return untilLed(context, services, await setAll(context, services, wanted), wanted);
    },
    undo: (context, _input, before) => setBack(context, services, before),
    // By then it will have been switched off.
    preview: async ({ plan }) => {
      const leader = preferred(plan.mode, plan.found);
      return previewOf(offOf(plan), recordedOf(plan), leader === leadsAtTheEnd(plan) ? undefined : leader);
    },
  }),
});
