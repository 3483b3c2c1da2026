/**
 * Stopping and starting the services of a node: exactly those that were found active, one after the other, never by a
 * wildcard (facts §5.10), and seeing that they stay as they should.
 */
import { defineStep, formatFaults, transient, type Fault, type Host, type Outcome } from '../kit';
import { formatDuration } from '../kit/duration';
import { takeOwnership } from '../ownership';
import { SYSTEMCTL } from '../services/systemd';
import { sudoersCommand } from '../ssh';
import { connectionsOf, listenersArgv } from './drain';
import { assertMayStart, assertMayStop, refuseIf } from './guards';
import { healthOf } from './health';
import { SERVICES, isStopped, readServices, readUnits } from './node';
import { roleChanged } from './as-planned';
import { hostNameOf, hostOf, type NodeInput, type XroadContext, type XroadPlan } from './plan';
import { listenerPorts } from './ports';
import { describeUnit, parseListeners, type Unit } from './text';

/** systemd gives a unit 90 s to end before it kills it. */
const STOP_TIMEOUT_MS = 150_000;
const POLL_MS = 1_000;

const stopArgv = (unit: string): string[] => [SYSTEMCTL, 'stop', '--', unit];
const startArgv = (unit: string): string[] => [SYSTEMCTL, 'start', '--', unit];

export interface StopInput extends NodeInput {
  /** What came of the drain. If it ended with connections left, people or the plan gave them up; otherwise any is a reason to refuse. */
  readonly drain?: { readonly drained?: boolean };
}

export interface ServicesBefore {
  /** Units that were active, in the order in which they are stopped. */
  readonly active: readonly string[];
}

const observe = async (context: XroadContext, { node }: NodeInput): Promise<ServicesBefore> => {
  const units = await readServices(await hostOf(context, node));
  return { active: units.filter((unit) => !isStopped(unit)).map((unit) => unit.unit) };
};

/** Stops the services of a node that is out of service. Undo starts those that were active, if that can't harm. */
export const stopServices = defineStep<StopInput, ServicesBefore, Outcome, XroadPlan>({
  observe,
  changedSincePlan: (context, { node }) => roleChanged(context, node),
  async act(context, { node, drain }) {
    const { plan } = context;
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    const todo = (await readServices(host)).filter((unit) => !isStopped(unit)).map((unit) => unit.unit);
    if (todo.length > 0) {
      await assertMayStop(context, node);
      if (drain === undefined || drain.drained === true) await assertNoConnections(context, host, node);
    }
    for (const unit of todo) {
      context.progress(`stopping ${unit} on ${node}`);
      await host.exec(stopArgv(unit), { sudo: true, timeoutMs: STOP_TIMEOUT_MS });
    }
    await verifyStopped(context, host, node);
    return {
      summary:
        todo.length > 0
          ? `${todo.length} services of ${node} are stopped`
          : `the services of ${node} are stopped already`,
      changed: todo.length > 0,
      nodes: { [node]: { services: 'stopped', serving: false } },
    };
  },
  undo: (context, { node }, before) => startAll(context, node, before.active),
  preview: async (context, { node }, { active }) => ({
    commands: active.map((unit) => ({
      host: hostNameOf(context.plan, node),
      command: `sudo ${stopArgv(unit).join(' ')}`,
    })),
    differences: [],
  }),
});

async function assertNoConnections(context: XroadContext, host: Host, node: string): Promise<void> {
  const { count, remaining } = await connectionsOf(context.plan, host, node);
  const where = node;
  refuseIf(
    count === 0
      ? []
      : [{ where, what: `has ${count} connections, which a stop would lose: ${remaining.slice(0, 10).join(', ')}` }],
    `the services of ${node} were not stopped`,
  );
}

/** @throws VerifyFailed unless every unit is stopped and the health port is closed. */
async function verifyStopped(context: XroadContext, host: Host, node: string): Promise<void> {
  const running = (await readServices(host)).filter((unit) => !isStopped(unit));
  const health = await healthOf(context.plan, host);
  const faults: Fault[] = [
    ...running.map((unit) => ({ where: node, what: describeUnit(unit) })),
    ...(health.kind === 'refused'
      ? []
      : [{ where: node, what: `something answers on its health port (${health.kind})` }]),
  ];
  if (faults.length > 0)
    throw transient(
      'VerifyFailed',
      `not everything is stopped on ${node}:\n${formatFaults(faults)}\nIt is out of service. Next: who starts it again? This is tried again.`,
      { faults },
    );
}

export interface StartInput extends NodeInput {
  /** Units to start; those that were active when the run began if left out. */
  readonly units?: readonly string[];
}

/** Starts the services of a node whose code and database belong together. Undo stops them, if the node is out of service. */
export const startServices = defineStep<StartInput, ServicesBefore, Outcome, XroadPlan>({
  observe,
  act: (context, { node, units }) => startAll(context, node, units ?? context.plan.found[node]?.active ?? []),
  async undo(context, { node }, before) {
    const { host } = await takeOwnership(context, hostNameOf(context.plan, node));
    const todo = (await readServices(host))
      .filter((unit) => !isStopped(unit) && !before.active.includes(unit.unit))
      .map((unit) => unit.unit);
    if (todo.length > 0) await assertMayStop(context, node);
    for (const unit of todo) await host.exec(stopArgv(unit), { sudo: true, timeoutMs: STOP_TIMEOUT_MS });
    return {
      summary: `${todo.length} services of ${node} are stopped again`,
      changed: todo.length > 0,
      nodes: { [node]: { services: 'stopped', serving: false } },
    };
  },
  preview: async (context, { node, units }) => ({
    commands: inStartOrder(units ?? context.plan.found[node]?.active ?? []).map((unit) => ({
      host: hostNameOf(context.plan, node),
      command: `sudo ${startArgv(unit).join(' ')}`,
    })),
    differences: [],
  }),
});

/** What others rely on first; the proxy, which takes messages and pulls in the rest, last. */
export const inStartOrder = (units: readonly string[]): string[] =>
  [...SERVICES].reverse().filter((unit) => units.includes(unit));

async function startAll(context: XroadContext, node: string, units: readonly string[]): Promise<Outcome> {
  const { plan } = context;
  const { host } = await takeOwnership(context, hostNameOf(plan, node));
  const order = inStartOrder(units);
  const states = await readUnits(host, order.length > 0 ? order : [...SERVICES]);
  const todo = order.filter((unit) => states.find((s) => s.unit === unit)?.active !== 'active');
  if (todo.length > 0) await assertMayStart(context, node);
  for (const unit of todo) {
    context.progress(`starting ${unit} on ${node}`);
    // Its failure shows below, with the state of all others.
    await host.exec(startArgv(unit), { sudo: true, okCodes: 'any', timeoutMs: plan.xroad.services.startTimeoutMs });
  }
  if (order.length > 0) await verifyStarted(context, host, node, order);
  return {
    summary: todo.length > 0 ? `${order.length} services of ${node} run` : `the services of ${node} run already`,
    changed: todo.length > 0,
    nodes: { [node]: { services: 'running' } },
  };
}

/** Waits until units are active and listen, then watches that none is started again by systemd. @throws VerifyFailed */
async function verifyStarted(context: XroadContext, host: Host, node: string, units: readonly string[]): Promise<void> {
  const { startTimeoutMs, settleMs } = context.plan.xroad.services;
  const until = performance.now() + startTimeoutMs;
  let steady: { readonly since: number; readonly restarts: string } | undefined;
  for (;;) {
    const states = await readUnits(host, units);
    const missing = await silentPorts(context, host, node, units);
    const faults = startFaults(node, states, missing);
    const restarts = states.map((unit) => unit.restarts).join(' ');
    const now = performance.now();
    if (faults.length > 0) steady = undefined;
    else if (steady?.restarts !== restarts) steady = { since: now, restarts };
    if (steady !== undefined && now - steady.since >= settleMs) return;
    const isFinal = states.some((unit) => unit.active === 'failed' || unit.load === 'masked');
    if (faults.length > 0 && (isFinal || now >= until)) throw notStarted(node, faults, startTimeoutMs, isFinal);
    if (now >= until + settleMs)
      throw notStarted(
        node,
        states.map((unit) => ({ where: node, what: `${unit.unit} was started ${unit.restarts} times by systemd` })),
        startTimeoutMs,
        false,
      );
    context.progress(
      faults.length > 0
        ? `waiting on ${node} for ${faults.map((f) => f.what).join(', ')}`
        : `the services of ${node} run; watching that they stay`,
    );
    await context.pause(POLL_MS);
  }
}

const notStarted = (node: string, faults: readonly Fault[], timeoutMs: number, isFinal: boolean): Error =>
  transient(
    'VerifyFailed',
    `the services of ${node} don’t all run${isFinal ? '' : ` after ${formatDuration(timeoutMs)}`}:\n${formatFaults(faults)}\nIt is out of service. Next: \`systemctl status UNIT\` and \`journalctl -b -u UNIT\` there, /var/log/xroad; this is tried again.`,
    { node, faults },
  );

function startFaults(node: string, states: readonly Unit[], silent: readonly number[]): Fault[] {
  return [
    ...states.filter((unit) => unit.active !== 'active').map((unit) => ({ where: node, what: describeUnit(unit) })),
    ...(silent.length === 0 ? [] : [{ where: node, what: `nobody listens on port ${silent.join(', ')}` }]),
  ];
}

/** Ports of the proxy on which nobody listens yet; none are expected where it isn't started. */
async function silentPorts(
  context: XroadContext,
  host: Host,
  node: string,
  units: readonly string[],
): Promise<number[]> {
  if (!units.includes('xroad-proxy.service')) return [];
  const listening = parseListeners((await host.exec(listenersArgv(context.plan))).stdout);
  return listenerPorts(context.plan, node).filter((port) => !listening.includes(port));
}

export const sudoForServices = (): { as: string; command: string }[] =>
  SERVICES.flatMap((unit) => [stopArgv(unit), startArgv(unit)]).map((argv) => ({
    as: 'root',
    command: sudoersCommand(argv),
  }));
