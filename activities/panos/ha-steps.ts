/** Steps that take a member out of HA and bring it back. Source: facts/pan-os.md, sections 4.1 (steps 9, 12) and 4.2. */
import { defineStep, type Outcome } from '../kit';
import { leadChanged } from './as-planned';
import { isServing } from './ha';
import { answering, describe, nodesOf, readPair, servingMembers, type PairReading } from './pair';
import { otherThan, type NodeInput, type PanosPlan, type PanosServices } from './plan';
import { assertTraffic, type Recorded } from './traffic';
import { returnToHa, suspendMember } from './states';

export interface States {
  /** HA state of each member; `unknown` for one that didn't answer. */
  readonly states: Readonly<Record<string, string>>;
  /** Member that was active or active-primary. */
  readonly serving: string | undefined;
}

export const statesOf = (reading: PairReading): States => ({
  states: Object.fromEntries(Object.values(reading.members).map((m) => [m.node, m.answers ? m.state : 'unknown'])),
  serving: servingMembers(reading)[0]?.node,
});

export const outcome = (reading: PairReading, changed: boolean, summary: string): Outcome => ({
  summary,
  changed,
  nodes: nodesOf(reading),
});

export const haCommand = (node: string, verb: 'suspend' | 'functional') => ({
  host: node,
  command: `request high-availability state ${verb}`,
});

export const haSteps = (services: PanosServices) => ({
  /** Takes a member out of HA. In active/passive it is the one that doesn't serve; in active/active the other takes its traffic. */
  suspend: defineStep<NodeInput, States, Outcome, PanosPlan>({
    observe: async (context) => statesOf(await readPair(context, services)),
    changedSincePlan: async (context) => leadChanged(context.plan, await readPair(context, services)),
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
      commands: before.states[node] === 'suspended' ? [] : [haCommand(node, 'suspend')],
      differences: [],
    }),
  }),

  /** Brings a member back into HA after its restart, `functional` where the suspension outlived it. */
  rejoin: defineStep<NodeInput & { readonly snapshot?: Recorded }, States, Outcome, PanosPlan>({
    observe: async (context) => statesOf(await readPair(context, services)),
    async act(context, { node, snapshot }, before) {
      const reading = await returnToHa(context, services, node);
      // Active/active: it serves as soon as it is back, so its own neighbours must be there.
      const member = answering(reading, node);
      const carried = snapshot === undefined ? undefined : snapshot.snapshots[node];
      const remark =
        context.plan.mode === 'active-active' && isServing(member.state) && carried !== undefined
          ? await assertTraffic(context, services, { node, before: carried, kind: 'neighbors' })
          : undefined;
      const changed = before.states[node] !== member.state;
      return outcome(reading, changed, [describe(member), ...(remark === undefined ? [] : [remark])].join('; '));
    },
    // Whatever is undone before it suspends where it must: a member that could take over isn't taken out for nothing.
    undo: async (_context, { node }) => ({ summary: `${node} stays in HA`, changed: false }),
    preview: async (_context, { node }) => ({ commands: [haCommand(node, 'functional')], differences: [] }),
  }),
});
