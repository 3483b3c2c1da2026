/** The first step of the procedure: everything that speaks against going on, of all folders, in one list. */
import { sudoCommands as packageCommands, driverOf, softwareFaults, type SoftwarePlan } from '../packages';
import { formatFaults, permanent, type Finding, type StepContext } from '../kit';
import { alike, sudoCommands as parityCommands, type Waivers } from '../parity';
import { sudoCommands as probeCommands } from '../probes';
import { accessCheck, nodes, readinessCheck, type SudoCommand } from '../readiness';
import { ready as routingReady, sudoCommands as routingCommands } from '../routing';
import { inSync, sudoCommands as stateSyncCommands } from '../state-sync';
import type { FirewallPairPlan } from './plan';

export interface ReadinessInput {
  /** Node that must serve; the primary if left out. */
  readonly serving?: string;
  /** Release that each node must run; the one that the plan found on both if left out. */
  readonly releases?: Readonly<Record<string, string>>;
  /** What people waived in the checks before. */
  readonly waivers?: readonly Waivers[];
}

type Context = StepContext<FirewallPairPlan>;

/** Every command that an upgrade of this plan runs as another user. */
export const sudoCommandsOf = (
  plan: Pick<
    FirewallPairPlan,
    'cluster' | 'hosts' | 'nodes' | 'routing' | 'stateSync' | 'software' | 'parity' | 'monitoring'
  >,
): SudoCommand[] => [
  ...routingCommands(plan),
  ...stateSyncCommands(plan),
  ...packageCommands(plan),
  ...parityCommands(plan),
  ...probeCommands(plan.monitoring),
];

const access = accessCheck<FirewallPairPlan>(sudoCommandsOf);

/** Nodes run what they should, and both releases can be installed on them. */
async function software(
  context: StepContext<SoftwarePlan>,
  plan: FirewallPairPlan,
  { releases }: ReadinessInput,
): Promise<Finding> {
  const { from, to } = plan.releases;
  const names = Object.keys(plan.nodes);
  const runs = releases ?? Object.fromEntries(names.map((node) => [node, from]));
  const lists = await Promise.all(
    names.map((node) => softwareFaults(context, driverOf(plan.software), node, { runs, releases: [to, from] })),
  );
  const faults = lists.flat();
  if (faults.length > 0)
    throw permanent('NotReady', `packages can’t be exchanged:\n${formatFaults(faults)}`, { faults });
  return {
    summary: names.map((node) => `${node} runs ${runs[node]}`).join(', '),
    nodes: Object.fromEntries(names.map((node) => [node, { release: runs[node] ?? '' }])),
  };
}

/** Each attempt looks at the nodes once; what runs programs there itself waits for that look. */
function onceFor(look: (context: Context) => Promise<Finding>): (context: Context) => Promise<Finding> {
  const looks = new WeakMap<Context, Promise<Finding>>();
  return (context) => {
    const known = looks.get(context) ?? look(context);
    looks.set(context, known);
    return known;
  };
}

/** Registered as `pair.ready`; `probes` comes from the worker, as probes need its services. */
export const pairReadiness = (probes: (context: Context) => Promise<Finding>) => {
  const nodesOnce = onceFor((context) => nodes.check(context, {}));
  return readinessCheck<ReadinessInput, FirewallPairPlan>({
    access: (context) => access.check(context, {}),
    nodes: nodesOnce,
    routing: (context, { serving }) => routingReady.check(context, { serving: serving ?? context.plan.roles.primary }),
    'state sync': (context, { serving }) => {
      const from = serving ?? context.plan.roles.primary;
      const to = Object.keys(context.plan.nodes).find((node) => node !== from) ?? '';
      const { reseedEveryMs } = context.plan.monitoring;
      return inSync.check(context, { from, to, ...(reseedEveryMs === 'never' ? {} : { reseedEveryMs }) });
    },
    parity: (context, { waivers = [] }) =>
      alike.check(context, { nodes: Object.keys(context.plan.nodes) as [string, string], waivers }),
    packages: async (context, input) => {
      // Its own dpkg would look like somebody who changes the host.
      await nodesOnce(context).catch(() => undefined);
      return software(context, context.plan, input);
    },
    probes,
  });
};
