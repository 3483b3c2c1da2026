/**
 * What a move would do on every router, played through before it is made, from one reading (prediction/). Its scope: the
 * paths that each router holds, and the planned change. Where it can't tell it says so; it keeps nobody from moving traffic
 * away from trouble: an escape, an undo and a restored configuration never ask it.
 */
import type { Fault } from '../kit';
import { steeringRouter } from './bgp-policy';
import type { Predictable } from './driver';
import { driverOf, type RoutingContext } from './look';
import { predict, type Prediction, type Row } from './prediction/predict';
import type { RouterModel } from './prediction/model';

/** Of one move, by way of what is in between. */
export interface PredictedMove {
  readonly to: string;
  /** "border: 0.0.0.0/0 → fw2, local preference 110 > 100", for each router and destination. */
  readonly lines: readonly string[];
  readonly faults: readonly Fault[];
  /** What can't be told, with why. */
  readonly untold: readonly Fault[];
  readonly rows: readonly Row[];
}

/** Whether moves of this plan are predicted: steered by policy, on platforms that can, and planned by a build that does. */
export const isPredicted = ({ plan }: Pick<RoutingContext, 'plan'>): boolean =>
  plan.routing.predicted === true && plan.routing.steering.method === 'bgp-policy';

/** All routers, read for a prediction. */
export interface Read {
  readonly models: readonly RouterModel[];
  readonly steering: Predictable;
}

async function readModels(context: Pick<RoutingContext, 'plan' | 'host'>): Promise<Read | undefined> {
  const steered = steeringRouter(context.plan);
  const found = await Promise.all(
    Object.keys(context.plan.routing.routers).map(async (router) => ({
      router,
      read: await (await driverOf(context, router)).predictable?.(),
    })),
  );
  const steering = found.find(({ router }) => router === steered)?.read;
  const models = found.flatMap(({ read }) => (read === undefined ? [] : [read.model]));
  return steering === undefined || models.length < found.length ? undefined : { models, steering };
}

/** Pure: the moves one after the other, each from where the one before it led. `byEqual`: by way of the policy's `equal`. */
export function movesOf(
  { models, steering }: Pick<Read, 'models'> & { readonly steering: Pick<Predictable, 'change'> },
  targets: readonly string[],
  byEqual: boolean,
): PredictedMove[] {
  let now = models;
  return targets.map((to) => {
    const way: Prediction[] = byEqual ? [predict(now, steering.change({ kind: 'equal' }), undefined)] : [];
    const last = predict(way.at(-1)?.reached ?? now, steering.change({ kind: 'prefer', node: to }), to);
    now = last.reached;
    const all = [...way, last];
    return {
      to,
      lines: last.lines,
      faults: distinct(all.flatMap(({ faults }) => faults)),
      untold: distinct(all.flatMap(({ untold }) => untold)),
      rows: last.states.at(-1)?.rows ?? [],
    };
  });
}

const distinct = (faults: readonly Fault[]): Fault[] => [
  ...new Map(faults.map((f) => [`${f.where} ${f.what}`, f])).values(),
];

/** What the routers do now, in the words of a prediction; undefined where moves aren't predicted. */
export async function rowsNow(context: Pick<RoutingContext, 'plan' | 'host'>): Promise<readonly Row[] | undefined> {
  const read = isPredicted(context) ? await readModels(context) : undefined;
  if (read === undefined) return undefined;
  return predict(read.models, { after: new Map(), steps: [] }, undefined).states[0]?.rows;
}

/** The moves of a plan to these nodes, in order; undefined where they aren't predicted. @throws as the routers' drivers */
export async function predictMoves(
  context: Pick<RoutingContext, 'plan' | 'host'>,
  targets: readonly string[],
): Promise<readonly PredictedMove[] | undefined> {
  if (!isPredicted(context)) return undefined;
  const read = await readModels(context);
  if (read === undefined) return undefined;
  const { equal } = context.plan.routing.routers[steeringRouter(context.plan)]?.policy ?? {};
  return movesOf(read, targets, equal !== undefined);
}
