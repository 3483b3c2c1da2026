/** Steps that change who is in HA and who serves. Source: facts/pan-os.md, sections 4.1 (steps 9, 12, 15, 19) and 4.2. */
import { defineStep, type Outcome } from '../kit';
import { notAbleToServe } from './guards';
import { isServing } from './ha';
import { answering, describe, nodesOf, readPair, servingMembers, type PairReading } from './pair';
import { otherThan, type NodeInput, type PanosContext, type PanosPlan, type PanosServices } from './plan';
import { assertTraffic, type TrafficInput } from './traffic';
import { isBack, returnToHa, suspendMember } from './states';
import { untilPair } from './wait';

export interface States {
  /** HA state of each member; `unknown` for one that didn't answer. */
  readonly states: Readonly<Record<string, string>>;
  /** Member that was active or active-primary. */
  readonly serving: string | undefined;
}

const statesOf = (reading: PairReading): States => ({
  states: Object.fromEntries(Object.values(reading.members).map((m) => [m.node, m.answers ? m.state : 'unknown'])),
  serving: servingMembers(reading)[0]?.node,
});

const outcome = (reading: PairReading, changed: boolean, summary: string): Outcome => ({
  summary,
  changed,
  nodes: nodesOf(reading),
});

const command = (node: string, verb: 'suspend' | 'functional') => ({
  host: node,
  command: `request high-availability state ${verb}`,
});

export const haSteps = (services: PanosServices) => ({
  /** Takes a member out of HA. In active/passive it is the one that doesn't serve; in active/active the other takes its traffic. */
  suspend: defineStep<NodeInput, States, Outcome, PanosPlan>({
    observe: async (context) => statesOf(await readPair(context, services)),
    async act(context, { node }, before) {
      const reading = await suspendMember(context, services, node);
      const peer = otherThan(context.plan, node);
      return outcome(
        reading,
        before.states[node] !== 'suspended',
        `${node} is suspended, ${describe(reading.members[peer])}`,
      );
    },
    async undo(context, { node }, before) {
      if (before.states[node] === 'suspended')
        return { summary: `${node} was suspended before, and stays so`, changed: false };
      const reading = await returnToHa(context, services, node);
      return outcome(reading, true, describe(reading.members[node]));
    },
    preview: async (_context, { node }, before) => ({
      commands: before.states[node] === 'suspended' ? [] : [command(node, 'suspend')],
      differences: [],
    }),
  }),

  /** Brings a member back into HA after its restart, `functional` where the suspension outlived it. */
  rejoin: defineStep<NodeInput & Partial<TrafficInput>, States, Outcome, PanosPlan>({
    observe: async (context) => statesOf(await readPair(context, services)),
    async act(context, { node, snapshot }, before) {
      const reading = await returnToHa(context, services, node);
      // Active/active: it serves as soon as it is back, so its own neighbours must be there.
      const member = answering(reading, node);
      const remark =
        isServing(member.state) && snapshot !== undefined
          ? await assertTraffic(context, services, { node, snapshot })
          : undefined;
      const changed = before.states[node] !== member.state;
      return outcome(reading, changed, [describe(member), ...(remark === undefined ? [] : [remark])].join('; '));
    },
    async undo(context, { node }) {
      const reading = await suspendMember(context, services, node);
      return outcome(reading, true, `${node} is suspended again`);
    },
    preview: async (_context, { node }) => ({ commands: [command(node, 'functional')], differences: [] }),
  }),

  /**
   * Makes a member the one that serves (active, or active-primary), whoever does so now; the other is left suspended, or
   * brought back into HA. Also the way back in an emergency.
   */
  moveTo: defineStep<MoveInput, States, Outcome, PanosPlan>({
    observe: async (context) => statesOf(await readPair(context, services)),
    act: async (context, input, before) => move(context, services, input, before),
    async undo(context, { to }, before) {
      const back = before.serving ?? otherThan(context.plan, to);
      return move(context, services, { to: back, leaveOther: 'in-ha' }, before);
    },
    preview: async (context, { to, leaveOther }, before) => {
      const from = otherThan(context.plan, to);
      return {
        commands: [
          ...(before.states[to] === 'suspended' ? [command(to, 'functional')] : []),
          command(from, 'suspend'),
          ...(leaveOther === 'in-ha' ? [command(from, 'functional')] : []),
        ],
        differences: [],
      };
    },
  }),
});

export interface MoveInput extends Partial<Pick<TrafficInput, 'snapshot'>> {
  readonly to: string;
  readonly leaveOther: 'suspended' | 'in-ha';
}

async function move(
  context: PanosContext,
  services: PanosServices,
  { to, leaveOther, snapshot }: MoveInput,
  before: States,
): Promise<Outcome> {
  const { plan } = context;
  const from = otherThan(plan, to);
  const reading = await readPair(context, services);
  const target = answering(reading, to);
  const leads = (member: { readonly state: string }): boolean =>
    member.state === 'active' || member.state === 'active-primary';
  // Sessions are synchronized to it first, unless nobody serves: then nothing is worth waiting for.
  if (!leads(target) && notAbleToServe(target) !== undefined) await returnToHa(context, services, to);
  let now = await readPair(context, services);
  if (!leads(answering(now, to)) || leaveOther === 'suspended') {
    const other = now.members[from];
    // One that is dead, or suspended already, needs no suspension: what is left takes over by itself.
    if (other?.answers === true && other.state !== 'suspended') now = await suspendMember(context, services, from);
  }
  now = await untilPair(context, services, {
    what: `${to} to serve`,
    timeoutMs: plan.panos.timing.stateTimeoutMs,
    missing: ({ members }) => {
      const member = members[to];
      return member?.answers === true && leads(member) ? undefined : describe(member);
    },
  });
  const traffic = snapshot === undefined ? undefined : await assertTraffic(context, services, { node: to, snapshot });
  const other = now.members[from];
  if (leaveOther === 'in-ha' && other?.answers === true && !isBack(plan, other))
    now = await returnToHa(context, services, from);
  return outcome(
    now,
    before.serving !== to,
    [`${to} serves`, describe(now.members[from]), ...(traffic === undefined ? [] : [traffic])].join('; '),
  );
}
