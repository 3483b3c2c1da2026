/** Readiness of the routing, and what a plan is made from. They read only, and list every fault at once. */
import { defineCheck, formatFaults, permanent, type Fault, type Finding, type StepContext } from '../kit';
import { lineDifferences } from './bgp-policy';
import type { RouterReading } from './driver';
import { nodesOf } from './drivers';
import { driverOf, look, type RoutingContext } from './look';
import { steeringOf } from './methods';
import { predictMoves } from './predicting';
import { notAble, whoServes } from './serving';
import type { OriginalRouting, RouterSpec, RoutingPlan } from './spec';

type Context = StepContext<RoutingPlan>;

export interface ReadyInput {
  /** Node that must be the one that serves; any single one if left out. */
  readonly serving?: string;
  /** Nodes that will be restarted; all if left out. */
  readonly restarting?: readonly string[];
  /** False where the configuration may differ from the plan's, as in the middle of a run. Default true. */
  readonly asPlanned?: boolean;
}

export interface ReadyResult extends Finding {
  readonly serving: string;
  readonly table: readonly string[];
  /** What isn't wrong but could be better. */
  readonly advice: readonly string[];
  /** What the moves of the upgrade would do; left out where they aren't predicted. */
  readonly predicted?: readonly string[];
}

/** Everything about the routing that a run relies on. @throws NotReady (permanent) with all faults. */
export const ready = defineCheck<ReadyInput, ReadyResult, RoutingPlan>({
  async check(context, input) {
    const { faults, serving, table, advice, predicted } = await readiness(context, input);
    if (faults.length > 0 || serving === undefined)
      throw permanent('NotReady', `the routing isn’t ready:\n${formatFaults(faults)}`, { faults, table });
    return {
      summary: `routing is ready: ${serving} serves, the others could${advice.length > 0 ? `. Advice: ${advice.join('; ')}` : ''}`,
      ...{ serving, table, advice },
      ...(predicted === undefined ? {} : { predicted }),
      nodes: Object.fromEntries(nodesOf(context.plan).map((n) => [n, { serving: n === serving }])),
    };
  },
});

export interface Readiness {
  readonly serving?: string;
  readonly table: readonly string[];
  readonly faults: readonly Fault[];
  readonly advice: readonly string[];
  readonly predicted?: readonly string[];
}

/** As `ready`, but returns what it found: for a check that gathers the faults of everything. */
export async function readiness(context: Context, input: ReadyInput = {}): Promise<Readiness> {
  const { plan } = context;
  const { readings, faults } = await readAll(context);
  const steering = await collect(steeringOf(context).faults());
  const found = whoServes(readings);
  const nodes = nodesOf(plan);
  const others = nodes.filter((n) => n !== found.node);
  const all = [
    ...faults,
    ...(readings.length === Object.keys(plan.routing.routers).length ? found.faults : []),
    ...(input.serving !== undefined && found.node !== undefined && found.node !== input.serving
      ? [{ where: 'routing', what: `${found.node} serves, not ${input.serving}` }]
      : []),
    ...others.flatMap((node) => notAble(readings, node)),
    ...(found.node === undefined ? [] : notAble(readings, found.node)),
    ...readings.flatMap((r) => sessionFaults(r, plan.routing.routers[r.router], input.restarting ?? nodes)),
    ...steering,
    ...(input.asPlanned === false ? [] : await collect(configFaults(context))),
  ];
  // The way there and back; what isn't as it should be now is said above, and would only be said again.
  const moves = found.node === undefined || all.length > 0 ? undefined : await moved(context, [...others, found.node]);
  return {
    ...(found.node === undefined ? {} : { serving: found.node }),
    table: found.table,
    faults: distinct([...all, ...(moves?.faults ?? [])]),
    advice: [...readings.flatMap((r) => adviceOf(r, plan.routing.routers[r.router])), ...(moves?.advice ?? [])],
    ...(moves === undefined ? {} : { predicted: moves.lines }),
  };
}

interface Moved {
  readonly lines: readonly string[];
  readonly faults: readonly Fault[];
  readonly advice: readonly string[];
}

/** What the moves to these nodes would do, in order. */
async function moved(context: Context, targets: readonly string[]): Promise<Moved | undefined> {
  try {
    const moves = await predictMoves(context, targets);
    if (moves === undefined) return undefined;
    return {
      lines: moves.flatMap(({ lines }) => lines),
      faults: moves.flatMap(({ to, faults }) =>
        faults.map((fault) => ({ ...fault, what: `a move to ${to} is predicted to fail: ${fault.what}` })),
      ),
      advice: [
        ...new Set(
          moves.flatMap(({ to, untold }) =>
            untold.map(({ where, what }) => `a move to ${to} can’t be predicted in full: ${where}: ${what}`),
          ),
        ),
      ],
    };
  } catch (error) {
    return { lines: [], faults: [faultOf(error)], advice: [] };
  }
}

/** A router that doesn't answer is one fault, and no reason not to look at the others. */
async function readAll(context: RoutingContext): Promise<{ readings: RouterReading[]; faults: Fault[] }> {
  const results = await Promise.allSettled(
    Object.keys(context.plan.routing.routers).map(async (router) => (await driverOf(context, router)).read()),
  );
  return {
    readings: results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : [])),
    faults: results.flatMap((r) => (r.status === 'rejected' ? [faultOf(r.reason)] : [])),
  };
}

const faultOf = (error: unknown): Fault => ({
  where: 'routing',
  what: error instanceof Error ? error.message : String(error),
});

const collect = async (faults: Promise<readonly Fault[]>): Promise<readonly Fault[]> => {
  try {
    return await faults;
  } catch (error) {
    return [faultOf(error)];
  }
};

/** One host that doesn't answer would otherwise be named by every part that asked it. */
const distinct = (faults: readonly Fault[]): Fault[] => [
  ...new Map(faults.map((f) => [`${f.where} ${f.what}`, f])).values(),
];

export function sessionFaults(
  reading: RouterReading,
  spec: RouterSpec | undefined,
  restarting: readonly string[],
): Fault[] {
  return reading.sessions.flatMap((s) => {
    const where = `${reading.router} ${s.neighbor} (${s.node}, ${s.family})`;
    const maps = spec?.policy?.routeMaps[s.node];
    const attached = (
      wanted: readonly { readonly name: string }[] | undefined,
      is: string | undefined,
      way: 'in' | 'out',
    ): Fault[] =>
      wanted === undefined || (is !== undefined && wanted.every((e) => e.name === is))
        ? []
        : [
            {
              where,
              what: `route-map ${is ?? '(none)'} is attached ${way}, the inventory says ${[...new Set(wanted.map((e) => e.name))].join(', ')}`,
              next: `neighbor ${s.neighbor} route-map ${wanted[0]?.name ?? ''} ${way} (in address-family ${s.family}), or correct the inventory`,
            },
          ];
    return [
      ...(s.keepsRoutesOnRestart && restarting.includes(s.node)
        ? [
            {
              where,
              what: 'the node asks for graceful restart with its routes kept (mode "Restart"): while it restarts, traffic would be sent to it and lost',
              next: 'on the node: no bgp graceful-restart (helper mode is fine)',
            },
          ]
        : []),
      ...(s.state === 'Established' && s.prefixesSent === 0
        ? [{ where, what: 'no prefix is announced to the node' }]
        : []),
      ...(s.state === 'Established'
        ? [...attached(maps?.in, s.routeMapIn, 'in'), ...attached(maps?.out, s.routeMapOut, 'out')]
        : []),
    ];
  });
}

function adviceOf(reading: RouterReading, spec: RouterSpec | undefined): string[] {
  const early = reading.sessions.filter((s) => spec?.policy?.routeMaps[s.node] !== undefined && s.keepsReceivedRoutes);
  if (early.length === 0 || spec?.policy?.inboundAfterMs !== 0) return [];
  return [
    `${reading.router} keeps received routes (soft-reconfiguration inbound) of ${early.map((s) => s.neighbor).join(', ')}: its own way out will switch about 150 ms before the other side does, and new connections stall in between; policy.inboundAfterMs: 100ms makes up for it`,
  ];
}

/** The configuration that steers is the one that the plan was made from, and saved. */
async function configFaults(context: RoutingContext): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const [router, original] of Object.entries(context.plan.routing.original ?? {})) {
    const now = await (await driverOf(context, router)).config();
    const driver = await driverOf(context, router);
    const { diff } = driver.plan({ kind: 'text', owned: original.owned }, now);
    if (diff !== '')
      faults.push({
        where: router,
        what: `the role policy isn’t the plan’s; to become it, it would need:\n${diff}`,
        next: 'make a new plan',
      });
    if (now.reliedSha256 !== original.reliedSha256)
      faults.push({
        where: router,
        what: `the BGP configuration isn’t the plan’s: ${lineDifferences(original.relied, now.relied).join('; ')}`,
        next: 'make a new plan, or put it right',
      });
    else if (now.restSha256 !== original.restSha256)
      faults.push({
        where: router,
        what: 'other parts of the configuration have changed since the plan was made',
        next: 'make a new plan',
      });
  }
  for (const [router, spec] of Object.entries(context.plan.routing.routers)) {
    if (spec.policy === undefined) continue;
    const { unsaved } = await (await driverOf(context, router)).config();
    if (unsaved === true)
      faults.push({
        where: router,
        what: 'the saved policy is another than the running one: a restart of the router would move traffic',
        next: 'save it (vtysh -c "write memory"), or put the running one right',
      });
  }
  return faults;
}

export interface SurveyResult extends Finding {
  readonly serving: string;
  /** For `plan.routing.predicted`. */
  readonly predicted: true;
  /** For `plan.routing.original`. */
  readonly original: Readonly<Record<string, OriginalRouting>>;
}

/** What a plan takes from the network: who serves, and the configuration that is to be restored at the end. */
export async function survey(context: RoutingContext): Promise<SurveyResult> {
  const { serving, table } = await readRoles(context);
  const original: Record<string, OriginalRouting> = {};
  for (const [router, spec] of Object.entries(context.plan.routing.routers)) {
    if (spec.policy === undefined) continue;
    const { owned, restSha256, reliedSha256, relied, attached } = await (await driverOf(context, router)).config();
    original[router] = {
      ...{ owned, restSha256, reliedSha256 },
      ...(relied === undefined ? {} : { relied }),
      ...(attached === undefined ? {} : { attached }),
    };
  }
  return { summary: `${serving} serves: ${table.join('; ')}`, serving, predicted: true, original };
}

/** Roles as the network has them: the node that serves, and the others. @throws NotReady if not exactly one does. */
export async function readRoles(
  context: Pick<RoutingContext, 'plan' | 'host'>,
): Promise<{ readonly serving: string; readonly others: readonly string[]; readonly table: readonly string[] }> {
  const { node, faults, table } = whoServes(await look(context));
  if (node === undefined)
    throw permanent(
      'NotReady',
      `the roles can’t be read from the network, for no single node serves:\n${formatFaults(faults)}\nRoutes: ${table.join('; ')}`,
      { faults, table },
    );
  return { serving: node, others: nodesOf(context.plan).filter((n) => n !== node), table };
}
