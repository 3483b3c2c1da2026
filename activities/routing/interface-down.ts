/**
 * Moves traffic by taking an interface of the vacated node down, for pairs whose routers can't be changed. Carrier loss
 * tells one side first, so packets are lost (facts/firewall-pair §2; 122–126 at 1,000 a second, both interfaces alike).
 *
 * Two safeguards on the node itself: until the move is verified, a timer there takes the interface up again by itself, should
 * nobody be able to reach the node any more; and a unit keeps the interface down over a restart, ordered before the routing
 * daemons, so that traffic doesn't come back before session state has.
 */
import { z } from 'zod';
import { jsonOf, readAnswer, transient, type Host, type StepContext } from '../kit';
import { hostOfNode, nodesOf } from './drivers';
import { canServe } from './look';
import { whoServes } from './serving';
import type { RoutingPlan, SteeringOf } from './spec';
import type { Goal, Move, Steering } from './steering';

const IP = '/usr/sbin/ip';
const SYSTEMCTL = '/usr/bin/systemctl';
const SYSTEMD_RUN = '/usr/bin/systemd-run';

export interface InterfaceState {
  readonly [key: string]: unknown;
  readonly method: 'interface-down';
  /** Administrative state of each node's interface. */
  readonly up: Readonly<Record<string, boolean>>;
}

type Spec = SteeringOf<'interface-down'>;
type Commands = ReturnType<typeof commandsOf>;

export const commandsOf = (device: string, revertAfterMs: number) => {
  const unit = `hitless-up-${device}`;
  const hold = `hitless-down-${device}.service`;
  return {
    hold,
    holdPath: `/etc/systemd/system/${hold}`,
    down: [IP, 'link', 'set', 'dev', device, 'down'],
    up: [IP, 'link', 'set', 'dev', device, 'up'],
    arm: [
      SYSTEMD_RUN,
      `--unit=${unit}`,
      `--on-active=${Math.ceil(revertAfterMs / 1_000)}s`,
      '--timer-property=AccuracySec=1s',
      IP,
      'link',
      'set',
      'dev',
      device,
      'up',
    ],
    disarm: [SYSTEMCTL, 'stop', `${unit}.timer`],
    armed: [SYSTEMCTL, 'is-active', `${unit}.timer`],
    isKept: [SYSTEMCTL, 'is-enabled', hold],
    keepDown: [SYSTEMCTL, 'enable', hold],
    letUp: [SYSTEMCTL, 'disable', hold],
    reload: [SYSTEMCTL, 'daemon-reload'],
    removeHold: ['/usr/bin/rm', '-f', `/etc/systemd/system/${hold}`],
    show: [IP, '-j', 'link', 'show', 'dev', device],
  };
};

const linkDocument = z.array(z.object({ flags: z.array(z.string()).optional() }));

/** Flags of the interface in `ip -j link show dev X`: UP is among them unless it was taken down. @throws UnexpectedOutput */
export const readFlags = (json: string): readonly string[] | undefined => jsonOf(linkDocument, json)[0]?.flags;

/**
 * systemd.unit(5): after whatever configures interfaces, before whatever announces routes. Not after network.target: FRR's
 * unit is before it, and systemd breaks a cycle by leaving out a unit, which here would be FRR.
 */
export const holdUnit = (device: string, why: string): string => `[Unit]
Description=Keeps ${device} down: ${why}
After=networking.service systemd-networkd.service NetworkManager.service
Before=frr.service bird.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${IP} link set dev ${device} down

[Install]
WantedBy=multi-user.target
`;

export function interfaceDown(context: StepContext<RoutingPlan>): Steering<InterfaceState> {
  const { plan } = context;
  const spec = plan.routing.steering as Spec;
  const nodes = nodesOf(plan);
  const why = `hitless ${context.run.workflowId}, until traffic is moved back`;

  const at = async (node: string): Promise<{ host: Host; commands: Commands; device: string }> => {
    const device = deviceOf(spec, node);
    return {
      host: await context.host(hostOfNode(plan, node)),
      commands: commandsOf(device, spec.revertAfterMs),
      device,
    };
  };
  const isUp = async (node: string): Promise<boolean> => {
    const { host, commands, device } = await at(node);
    const { stdout, code, stderr } = await host.exec(commands.show, { okCodes: 'any' });
    const expected = `the state of interface ${device}, as JSON`;
    const asked = { host: host.name, command: commands.show, expected };
    const flags = code === 0 ? readAnswer(asked, () => readFlags(stdout)) : undefined;
    if (flags === undefined)
      throw transient('VerifyFailed', `${host.name}: interface ${device} can’t be looked at: ${stderr.trim()}`);
    return flags.includes('UP');
  };
  const readUp = async (): Promise<Record<string, boolean>> =>
    Object.fromEntries(await Promise.all(nodes.map(async (n) => [n, await isUp(n)] as const)));

  const takeUp = async (node: string): Promise<void> => {
    const { host, commands } = await at(node);
    await disarm(host, commands);
    await host.exec(commands.letUp, { sudo: true, okCodes: 'any' });
    await host.exec(commands.removeHold, { sudo: true });
    await host.exec(commands.reload, { sudo: true });
    await host.exec(commands.up, { sudo: true });
    await confirmState(node, true);
  };
  const takeDown = async (node: string): Promise<void> => {
    const { host, commands } = await at(node);
    // A timer of an earlier attempt would go off too early.
    await disarm(host, commands);
    await host.exec(commands.arm, { sudo: true });
    await host.exec(commands.down, { sudo: true });
    await confirmState(node, false);
  };
  const confirmState = async (node: string, up: boolean): Promise<void> => {
    if ((await isUp(node)) !== up)
      throw transient(
        'VerifyFailed',
        `${node}: interface ${deviceOf(spec, node)} should be ${up ? 'up' : 'down'} and isn’t`,
      );
    context.progress(`${node}: interface ${deviceOf(spec, node)} is ${up ? 'up' : 'down'}`);
  };

  return {
    keepsEscape: false,
    opensTarget: true,
    observe: async () => ({ method: 'interface-down', up: await readUp() }),
    // The readiness check found all of them up.
    changedSincePlan: async ({ up }, isFirst) =>
      nodes
        .filter((node) => isFirst && up[node] === false)
        .map((node) => ({
          where: node,
          what: `interface ${deviceOf(spec, node)}`,
          change: { was: 'up', now: 'down' },
        })),
    faults: async () =>
      Object.entries(await readUp())
        .filter(([, up]) => !up)
        .map(([node]) => ({ where: node, what: `interface ${deviceOf(spec, node)} is down`, next: 'take it up' })),
    // Up and down are all there is, and show in who serves.
    changed: async () => [],
    escapeFaults: async () => [],
    async plan(goal, before, readings): Promise<Move> {
      const now = await readUp();
      const wanted = wantedInterfaces(goal, nodes, before);
      const serves = goal.kind !== 'undo' && whoServes(readings).node === goal.node;
      const down = Object.keys(wanted).filter((n) => wanted[n] === false);
      const up = Object.keys(wanted).filter((n) => wanted[n] === true);
      const goDown = serves ? [] : down.filter((n) => now[n] === true);
      const command = (node: string, key: 'up' | 'down' | 'arm') => ({
        host: hostOfNode(plan, node),
        command: commandsOf(deviceOf(spec, node), spec.revertAfterMs)[key].join(' '),
      });
      return {
        done: up.every((n) => now[n] === true) && goDown.length === 0,
        remarks: [],
        preview: {
          commands: [
            ...up.filter((n) => now[n] === false).map((n) => command(n, 'up')),
            ...goDown.flatMap((n) => [command(n, 'arm'), command(n, 'down')]),
          ],
          differences: [],
        },
        async make() {
          for (const node of up) if (!(await isUp(node))) await takeUp(node);
          const target = goal.kind === 'undo' ? undefined : goal.node;
          const there = target !== undefined && (await canServe(context, target, 'Its interface is up'));
          // The routers may have gone over by themselves.
          if (there && goal.kind === 'role') return;
          for (const node of down) if (await isUp(node)) await takeDown(node);
        },
        /** Verified: from now on the interface stays down, also over a restart, until it is taken up again. */
        async keep() {
          for (const node of nodes) {
            const { host, commands, device } = await at(node);
            if (await isUp(node)) continue;
            await host.writeFile(commands.holdPath, holdUnit(device, why), { sudo: true });
            await host.exec(commands.reload, { sudo: true });
            await host.exec(commands.keepDown, { sudo: true });
            await disarm(host, commands);
          }
        },
      };
    },
  };
}

/** Up or down for each node; nodes that aren't named stay as they are. */
export function wantedInterfaces(
  goal: Goal,
  nodes: readonly string[],
  before: InterfaceState,
): Record<string, boolean> {
  if (goal.kind === 'undo') return { ...before.up };
  return Object.fromEntries(nodes.map((n) => [n, n === goal.node || goal.kind === 'restore']));
}

async function disarm(host: Host, commands: Commands): Promise<void> {
  await host.exec(commands.disarm, { sudo: true, okCodes: 'any' });
  const { stdout } = await host.exec(commands.armed, { okCodes: 'any' });
  if (stdout.trim() === 'active')
    throw transient('VerifyFailed', `${host.name}: the timer ${commands.armed[2] ?? ''} can’t be stopped`);
}

const deviceOf = (spec: Spec, node: string): string => {
  const device = spec.nodes[node]?.interface;
  if (device === undefined) throw new Error(`no interface of ${node} in the plan`);
  return device;
};

/**
 * Interfaces of a node that steering holds down right now, by the unit that keeps them down over a restart: what is down
 * without it isn't steering's doing.
 */
export async function heldDown(context: StepContext<RoutingPlan>, node: string): Promise<readonly string[]> {
  const { plan } = context;
  const { steering } = plan.routing;
  const device = steering.method === 'interface-down' ? steering.nodes[node]?.interface : undefined;
  if (device === undefined || steering.method !== 'interface-down') return [];
  const { isKept } = commandsOf(device, steering.revertAfterMs);
  const { stdout } = await (await context.host(hostOfNode(plan, node))).exec(isKept, { okCodes: 'any' });
  return stdout.trim() === 'enabled' ? [device] : [];
}

/** Argument vectors of what this method runs as root on each node, and the files that it writes there. */
export function interfaceSudo(plan: RoutingPlan): {
  readonly commands: { readonly host: string; readonly argv: readonly string[] }[];
  readonly files: { readonly host: string; readonly path: string }[];
} {
  const spec = plan.routing.steering as Spec;
  const all = Object.entries(spec.nodes).map(([node, { interface: device }]) => ({
    host: hostOfNode(plan, node),
    commands: commandsOf(device, spec.revertAfterMs),
  }));
  return {
    commands: all.flatMap(({ host, commands: c }) =>
      [c.down, c.up, c.arm, c.disarm, c.keepDown, c.letUp, c.reload, c.removeHold].map((argv) => ({ host, argv })),
    ),
    files: all.map(({ host, commands }) => ({ host, path: commands.holdPath })),
  };
}
