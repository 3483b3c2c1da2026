/** Looks at all routers at once, and waits until what they say has settled. */
import { formatFaults, transient, type Fault, type StepContext } from '../kit';
import type { RouterDriver, RouterReading } from './driver';
import { driverFor } from './drivers';
import { notAble, unmet } from './serving';
import type { RoutingPlan } from './spec';

export type RoutingContext = Pick<StepContext<RoutingPlan>, 'plan' | 'host' | 'pause' | 'progress'>;

export async function driverOf(context: Pick<RoutingContext, 'plan' | 'host'>, router: string): Promise<RouterDriver> {
  const spec = context.plan.routing.routers[router];
  if (spec === undefined) throw new Error(`no router ${router}`);
  return driverFor(router, spec, await context.host(spec.host));
}

/** All routers, read side by side. */
export const look = (context: Pick<RoutingContext, 'plan' | 'host'>): Promise<RouterReading[]> =>
  Promise.all(
    Object.keys(context.plan.routing.routers).map(async (router) => (await driverOf(context, router)).read()),
  );

export interface Settled {
  readonly readings: readonly RouterReading[];
  /** Empty if it settled. */
  readonly faults: readonly Fault[];
  readonly looks: number;
}

/** Looks until `unmet` finds nothing in `stableReads` looks in a row, or the time is up; never throws for what it saw. */
export async function settle(
  context: RoutingContext,
  unmet: (readings: readonly RouterReading[]) => readonly Fault[],
  timeoutMs: number = context.plan.routing.verify.timeoutMs,
): Promise<Settled> {
  const { stableReads, intervalMs } = context.plan.routing.verify;
  const deadline = performance.now() + timeoutMs;
  let agreed = 0;
  for (let looks = 1; ; looks += 1) {
    const readings = await look(context);
    const faults = unmet(readings);
    agreed = faults.length === 0 ? agreed + 1 : 0;
    if (agreed >= stableReads) return { readings, faults: [], looks };
    if (performance.now() >= deadline)
      return {
        readings,
        faults:
          faults.length > 0
            ? faults
            : [{ where: 'routing', what: `agreed in the last ${agreed} of ${looks} looks only` }],
        looks,
      };
    context.progress(faults.length === 0 ? `as wanted, ${agreed} of ${stableReads} looks` : formatFaults(faults));
    // The first look comes before routes have had time to move: soon after, look again.
    await context.pause(looks === 1 && faults.length > 0 ? Math.min(250, intervalMs) : intervalMs);
  }
}

/**
 * Before a method takes traffic from one node: waits until the other can serve. True if traffic goes through it already, so
 * that nothing need be taken. `opened` says what was done to it so far.
 * @throws GuardRefused (transient) if it can't serve.
 */
export async function canServe(context: RoutingContext, node: string, opened: string): Promise<boolean> {
  const { readings, faults } = await settle(context, (seen) => notAble(seen, node));
  if (faults.length > 0)
    throw transient(
      'GuardRefused',
      `traffic was not taken from the other node, for ${node} can’t serve:\n${formatFaults(faults)}\n${opened}; nothing else was changed.`,
    );
  return unmet(readings, node, [], false).length === 0;
}
