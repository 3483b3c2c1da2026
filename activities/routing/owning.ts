import type { StepContext } from '../kit';
import { takeOwnership } from '../ownership';
import { steeringRouter } from './bgp-policy';
import { hostOfNode, nodesOf } from './drivers';
import type { RoutingPlan } from './spec';

/** Hosts that moving traffic changes something on, by their names in the plan; others are only read. */
export const changedHosts = (plan: RoutingPlan): string[] => {
  if (plan.routing.steering.method !== 'bgp-policy') return nodesOf(plan).map((node) => hostOfNode(plan, node));
  const router = plan.routing.routers[steeringRouter(plan)];
  return router === undefined ? [] : [router.host];
};

/**
 * This attempt becomes the owner of the hosts that it changes, before its guard looks at anything: a stale attempt of a lost
 * worker could otherwise move traffic to a node that is out of service by now (facts/procedure-core.md, rule 2). The
 * result is for what acts; looks don't need the lock.
 * @throws OwnedByAnother, Busy
 */
export async function owning(context: StepContext<RoutingPlan>): Promise<StepContext<RoutingPlan>> {
  const { plan } = context;
  const policies = Object.entries(plan.routing.original ?? {});
  const owned = new Map(
    await Promise.all(
      changedHosts(plan).map(async (host) => {
        const original = policies.find(([router]) => plan.routing.routers[router]?.host === host)?.[1];
        // What a run after this one would have to find, should this one be terminated on the way.
        const options = original === undefined ? {} : { baseline: { rolePolicy: original.owned } };
        return [host, (await takeOwnership(context, host, options)).host] as const;
      }),
    ),
  );
  return { ...context, host: async (name) => owned.get(name) ?? context.host(name) };
}
