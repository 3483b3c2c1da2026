/**
 * Maintenance mode of a node: its health port answers 503, and whatever looks there sends it no new connections. Nothing
 * else changes: every listener goes on. A restart of the proxy ends it. Facts §3.
 */
import { defineStep, formatFaults, permanent, transient, type Host, type Outcome } from '../kit';
import { clip } from '../kit/clip';
import { takeOwnership } from '../ownership';
import { CURL, describeHealth, healthOf, nextFor, type Health } from './health';
import { changedOn, roleChanged } from './as-planned';
import { othersHealthFaults, usesLoadBalancer } from './guards';
import { hostNameOf, hostOf, type NodeInput, type XroadContext, type XroadPlan } from './plan';

export interface MaintenanceBefore {
  readonly health: Health;
}

/** The port is fixed in the code, and answers nobody but 127.0.0.1: the name localhost may be ::1. */
const maintenanceArgv = (on: boolean): string[] => [
  ...[CURL, '--silent', '--show-error', '--max-time', '15', `http://127.0.0.1:5566/maintenance?targetState=${on}`],
];

/** What the admin port answered. Its HTTP status is always 200. */
export type MaintenanceReply =
  | { readonly kind: 'set'; readonly from: boolean; readonly to: boolean }
  | { readonly kind: 'no health port' | 'invalid parameter' }
  | { readonly kind: 'unknown'; readonly said: string };

export function readReply(body: string): MaintenanceReply {
  const text = body.trim();
  const [, from, to] = /^Maintenance mode set: (true|false) => (true|false)$/.exec(text) ?? [];
  if (from !== undefined && to !== undefined) return { kind: 'set', from: from === 'true', to: to === 'true' };
  if (/^No HealthCheckPort found/.test(text)) return { kind: 'no health port' };
  if (/^Invalid parameter/.test(text)) return { kind: 'invalid parameter' };
  return { kind: 'unknown', said: clip(text, 300) };
}

const observe = async (context: XroadContext, { node }: NodeInput): Promise<MaintenanceBefore> => ({
  health: await healthOf(context.plan, await hostOf(context, node)),
});

/** Asks the proxy, and sees that the health port follows. Returns whether it was otherwise before. */
async function set(context: XroadContext, host: Host, node: string, on: boolean): Promise<boolean> {
  const { code, stdout, stderr } = await host.exec(maintenanceArgv(on), { okCodes: 'any' });
  const state = `Its maintenance mode is as it was`;
  if (code !== 0)
    throw transient(
      'CommandFailedRetryable',
      `${node}: the proxy’s admin port 5566 doesn’t answer: ${stderr.trim() || `curl ended with exit code ${code}`}. ${state}. Next: is xroad-proxy running there?`,
      { node, code },
    );
  const reply = readReply(stdout);
  switch (reply.kind) {
    case 'set': {
      const health = await healthOf(context.plan, host);
      if (reply.to === on && (health.kind === 'maintenance') === on) return reply.from !== reply.to;
      throw transient(
        'VerifyFailed',
        `${node} answered "${stdout.trim()}", and is ${describeHealth(health, context.plan.xroad.health)}. Next: this is tried again; ${on ? 'was xroad-proxy restarted meanwhile?' : nextFor(health)}`,
        { node, health },
      );
    }
    case 'no health port':
      throw permanent(
        'CommandFailed',
        `${node} has no health check port, so maintenance mode can’t be set (it answered "${stdout.trim()}"). Nothing was changed. Next: set [proxy] health-check-port=${context.plan.xroad.health.port} in /etc/xroad/conf.d/local.ini there and restart xroad-proxy, or use outOfService: load-balancer.`,
        { node },
      );
    case 'invalid parameter':
    case 'unknown':
      throw permanent(
        'CommandFailed',
        `${node}: the proxy answered "${stdout.trim().slice(0, 300)}" to ${maintenanceArgv(on).at(-1)}. ${state}. Next: is this the proxy of an X-Road Security Server?`,
        { node, said: stdout.trim().slice(0, 300) },
      );
  }
}

/** Switches maintenance mode on. Undo switches it off unless it was on before. */
export const maintenanceOn = defineStep<NodeInput, MaintenanceBefore, Outcome, XroadPlan>({
  observe,
  changedSincePlan: async (context, { node }, { health }) => [
    ...(await roleChanged(context, node)),
    ...changedOn(context.plan, node, 'maintenance', health.kind === 'maintenance'),
  ],
  async act(context, { node }) {
    const { host } = await takeOwnership(context, hostNameOf(context.plan, node));
    const isOn = (await healthOf(context.plan, host)).kind === 'maintenance';
    // Offline, an outage was announced: all nodes are out at once.
    if (!isOn && context.plan.mode === 'rolling') {
      const faults = await othersHealthFaults(context, node);
      if (faults.length > 0)
        throw transient(
          'GuardRefused',
          `${node} stays in service, for it is needed:\n${formatFaults(faults)}\nNext: bring the others back; this is tried again.`,
          { node, faults },
        );
    }
    const changed = !isOn && (await set(context, host, node, true));
    return {
      summary: `${node} is in maintenance mode${changed ? '' : ' already'}: its health port answers 503`,
      changed,
      nodes: { [node]: { health: 'maintenance' } },
    };
  },
  async undo(context, { node }, before) {
    if (before.health.kind === 'maintenance')
      return { summary: `${node} was in maintenance mode before, and stays so`, changed: false };
    return off(context, node);
  },
  preview: (context, { node }) =>
    Promise.resolve({
      commands: [{ host: hostNameOf(context.plan, node), command: maintenanceArgv(true).join(' ') }],
      differences: [],
    }),
});

/** Switches maintenance mode off, as a start of the proxy does by itself. Undo switches it on again if it was on. */
export const maintenanceOff = defineStep<NodeInput, MaintenanceBefore, Outcome, XroadPlan>({
  observe,
  act: (context, { node }) => off(context, node),
  async undo(context, { node }, before) {
    if (before.health.kind !== 'maintenance')
      return { summary: `${node} wasn’t in maintenance mode before`, changed: false };
    const { host } = await takeOwnership(context, hostNameOf(context.plan, node));
    const changed = await set(context, host, node, true);
    return { summary: `${node} is in maintenance mode again`, changed };
  },
  preview: (context, { node }) =>
    Promise.resolve({
      commands: [{ host: hostNameOf(context.plan, node), command: maintenanceArgv(false).join(' ') }],
      differences: [],
    }),
});

async function off(context: XroadContext, node: string): Promise<Outcome> {
  const { host } = await takeOwnership(context, hostNameOf(context.plan, node));
  const { kind } = await healthOf(context.plan, host);
  // Nothing but 503 with its text is maintenance mode; with a proxy that is stopped it has ended.
  const isOff = kind === 'ok' || kind === 'failing' || kind === 'refused';
  const changed = !isOff && (await set(context, host, node, false));
  const summary = `${node} isn’t in maintenance mode${changed ? ' any more' : ''}`;
  // Where a load balancer has an admin state of its own, the node serves once that has changed, too.
  if (usesLoadBalancer(context.plan) || (await healthOf(context.plan, host)).kind !== 'ok') return { summary, changed };
  return { summary, changed, nodes: { [node]: { health: 'ok', serving: true } } };
}
