/** What people approved is what is run: who is the primary, and what of a node was paused, as the plan found it. */
import type { ChangedSincePlan } from '../kit';
import { readNodeType } from './node';
import { hostOf, type NodeFacts, type XroadContext, type XroadPlan } from './plan';

const WHAT = {
  maintenance: ['maintenance mode', 'off', 'on'],
  replayPaused: ['replay of its database', 'running', 'paused'],
  copyPaused: ['copying of the configuration', 'on', 'paused by its flag'],
} as const satisfies Partial<Record<keyof NodeFacts, readonly [string, string, string]>>;

/** Whether something that steps switch was switched by somebody else; nothing where the plan doesn't say how it was. */
export function changedOn(
  { found }: Pick<XroadPlan, 'found'>,
  node: string,
  fact: keyof typeof WHAT,
  is: boolean,
): ChangedSincePlan[] {
  const was = found[node]?.[fact];
  const [what, no, yes] = WHAT[fact];
  const told = (value: boolean): string => (value ? yes : no);
  return was === undefined || was === is ? [] : [{ where: node, what, change: { was: told(was), now: told(is) } }];
}

/** Whether a node and the primary are still what the plan says. */
export async function roleChanged(context: XroadContext, node: string): Promise<ChangedSincePlan[]> {
  const { primary } = context.plan.roles;
  const lists = await Promise.all(
    [...new Set([primary, node])].map(async (name): Promise<ChangedSincePlan[]> => {
      const was = name === primary ? 'master' : 'slave';
      const now = await readNodeType(await hostOf(context, name));
      return now === was ? [] : [{ where: name, what: 'its type in node.ini', change: { was, now } }];
    }),
  );
  return lists.flat();
}
