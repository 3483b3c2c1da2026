/**
 * Moving traffic from one member to the other: on the routers first, where the site steers it there, then by HA. Source:
 * facts/pan-os.md, sections 4.1 (steps 15, 19), 4.2 (d, g) and 10.
 */
import { defineStep, failureType, type Outcome, type StepContext, type StepDefinition } from '../kit';
import type { PreferBefore, PreferInput, PreferResult, RoutingPlan } from '../routing';
import { leadChanged } from './as-planned';
import { notAbleToServe } from './guards';
import { leads } from './ha';
import { haCommand, outcome, statesOf, type States } from './ha-steps';
import { answering, describe, readPair, type PairReading } from './pair';
import { otherThan, type PanosContext, type PanosPlan, type PanosServices } from './plan';
import { isBack, returnToHa, staysAway, suspendMember } from './states';
import { readSnapshot, type Snapshot } from './readiness';
import { assertTraffic } from './traffic';
import { untilPair } from './wait';

/** The step of the routing that moves traffic. */
export type Prefer = StepDefinition<PreferInput, PreferBefore, PreferResult, RoutingPlan>;

export interface MoveInput {
  readonly to: string;
  readonly leaveOther: 'suspended' | 'in-ha';
  /** What is carried afterwards is held against what is carried now. */
  readonly compare?: boolean;
  /**
   * An emergency: traffic counts. Routers don't stop for what others changed, flaps aren't counted, and the other member is
   * brought back only as far as it comes at once.
   */
  readonly urgent?: boolean;
}

export interface MoveBefore extends States {
  readonly routing?: PreferBefore;
  /** What was carried right before. */
  readonly carried?: Snapshot;
}

export const moveSteps = (services: PanosServices, prefer: Prefer) => ({
  /**
   * Makes a member the one that serves (active, or active-primary), whoever does so now; the other is left suspended, or
   * brought back into HA. Also the way back in an emergency.
   */
  moveTo: defineStep<MoveInput, MoveBefore, Outcome, PanosPlan>({
    async observe(context, { to, compare = false }) {
      const states = statesOf(await readPair(context, services));
      // Of an active/active pair each carries its own.
      const carrier = context.plan.mode === 'active-passive' ? states.serving : to;
      return {
        ...states,
        ...(compare && carrier !== undefined ? { carried: await readSnapshot(services.device(context, carrier)) } : {}),
        ...(isSteered(context) ? { routing: await prefer.observe(context, { node: to }) } : {}),
      };
    },
    changedSincePlan: async (context, { to }, before) => [
      ...leadChanged(context.plan, await readPair(context, services)),
      ...(isSteered(context) && before.routing !== undefined && prefer.changedSincePlan !== undefined
        ? await prefer.changedSincePlan(context, { node: to }, before.routing)
        : []),
    ],
    act: (context, input, before) => move(context, services, prefer, input, before),
    undo(context, { to }, before) {
      const back = before.serving ?? otherThan(context.plan, to);
      return move(context, services, prefer, { to: back, leaveOther: 'in-ha' }, before, true);
    },
    async preview(context, { to, leaveOther }, before) {
      const from = otherThan(context.plan, to);
      const routers =
        isSteered(context) && before.routing !== undefined
          ? await prefer.preview(context, { node: to }, before.routing)
          : { commands: [], differences: [] };
      return {
        commands: [
          ...(before.states[to] === 'suspended' ? [haCommand(to, 'functional')] : []),
          ...routers.commands,
          haCommand(from, 'suspend'),
          ...(leaveOther === 'in-ha' ? [haCommand(from, 'functional')] : []),
        ],
        differences: routers.differences,
      };
    },
  }),
});

const isSteered = (context: PanosContext): context is PanosContext & StepContext<RoutingPlan & PanosPlan> =>
  context.plan.routed !== undefined;

async function move(
  context: PanosContext,
  services: PanosServices,
  prefer: Prefer,
  { to, leaveOther, urgent = false, compare = false }: MoveInput,
  before: MoveBefore,
  isUndo = false,
): Promise<Outcome> {
  const { plan } = context;
  const from = otherThan(plan, to);
  const target = answering(await readPair(context, services), to);
  // Sessions are synchronized to it first, unless nobody serves: then nothing is worth waiting for.
  if (!leads(target) && notAbleToServe(target) !== undefined) await returnToHa(context, services, to);
  // Before HA moves, and before a member that must carry nothing is back in it.
  if (isSteered(context))
    await steer(context, services, prefer, { node: to, as: urgent ? 'escape' : 'role' }, before.routing);
  let now = await takeOver(context, services, to, leaveOther, urgent || isUndo);
  const traffic =
    compare && before.carried !== undefined
      ? await assertTraffic(context, services, { node: to, before: before.carried, kind: 'all' })
      : undefined;
  const other = now.members[from];
  // In an emergency it counts that traffic is where it should be, and one that is dead isn’t waited for; what keeps it away
  // is told, and the procedure’s next look at the pair finds it.
  const isLenient = urgent || other?.answers !== true;
  let remark: string | undefined;
  if (leaveOther === 'in-ha' && !isBack(plan, other))
    try {
      now = await returnToHa(context, services, from, { urgent: isLenient });
    } catch (error) {
      context.signal.throwIfAborted();
      if (!isLenient || failureType(error) !== 'NotHealthy') throw error;
      now = await readPair(context, services);
      remark = `${from} isn’t back in HA, and ${to} has no standby: ${staysAway(now.members[from]) ?? 'it wasn’t waited for any longer'}. Retry and roll back bring it back`;
    }
  return outcome(
    now,
    before.serving !== to,
    [`${to} serves`, describe(now.members[from]), traffic, remark].filter((part) => part !== undefined).join('; '),
  );
}

/** Takes traffic away from a member that is about to be taken down, on the routers too, and leaves it suspended. */
export async function moveAway(
  context: PanosContext,
  services: PanosServices,
  prefer: Prefer,
  node: string,
): Promise<void> {
  const before = statesOf(await readPair(context, services));
  const to = otherThan(context.plan, node);
  await move(context, services, prefer, { to, leaveOther: 'suspended' }, before, true);
}

/** By HA: the other one is suspended, unless it is dead or suspended already. */
async function takeOver(
  context: PanosContext,
  services: PanosServices,
  to: string,
  leaveOther: MoveInput['leaveOther'],
  ignoreFlaps: boolean,
): Promise<PairReading> {
  const from = otherThan(context.plan, to);
  const now = await readPair(context, services);
  const other = now.members[from];
  const mustGo = !leads(answering(now, to)) || leaveOther === 'suspended';
  if (mustGo && other?.answers === true && other.state !== 'suspended')
    await suspendMember(context, services, from, { ignoreFlaps });
  return untilPair(context, services, {
    what: `${to} to serve`,
    timeoutMs: context.plan.panos.timing.stateTimeoutMs,
    missing: ({ members }) => {
      const member = members[to];
      return member?.answers === true && leads(member) ? undefined : describe(member);
    },
  });
}

/** A member that has just come back needs time until its neighbours can be sent traffic through it. */
async function steer(
  context: StepContext<RoutingPlan & PanosPlan>,
  services: PanosServices,
  prefer: Prefer,
  input: PreferInput,
  before: PreferBefore | undefined,
): Promise<void> {
  const { convergeTimeoutMs, pollMs } = context.plan.panos.timing;
  for (const until = services.now() + convergeTimeoutMs; ; await context.pause(pollMs)) {
    try {
      await prefer.act(context, input, before ?? (await prefer.observe(context, input)));
      return;
    } catch (error) {
      context.signal.throwIfAborted();
      if (failureType(error) !== 'GuardRefused' || services.now() > until) throw error;
      context.progress(`waiting until the routers can send traffic through ${input.node}`);
    }
  }
}
