/**
 * Keeping services from being started by their packages: postinst scripts start every enabled unit, stopped or not, and
 * each start of the proxy ends maintenance mode, so that a node gets connections in the middle of its upgrade (facts §5.1).
 * Masked units are skipped by deb-systemd-invoke and can't be started by a plain `systemctl restart` either.
 */
import { defineStep, permanent, type Host, type Outcome } from '../kit';
import { takeOwnership } from '../ownership';
import { SYSTEMCTL } from '../services/systemd';
import { sudoersCommand } from '../ssh';
import { SERVICES, isMasked, readServices, readUnits } from './node';
import { hostNameOf, hostOf, type NodeInput, type XroadContext, type XroadPlan, type XroadStatic } from './plan';

type Verb = 'mask' | 'unmask';

/** Masks in /run go with a reboot, when services must not start by themselves either: then they are made to stay. */
const maskArgv = ({ software }: Pick<XroadStatic, 'software'>, verb: Verb, unit: string): string[] => [
  ...[SYSTEMCTL, verb, ...(software.reboot ? [] : ['--runtime']), '--', unit],
];

export interface MaskBefore {
  /** Units that were masked already, by somebody else. */
  readonly masked: readonly string[];
}

async function observe(context: XroadContext, { node }: NodeInput): Promise<MaskBefore> {
  const units = await readServices(await hostOf(context, node));
  return { masked: units.filter(isMasked).map((unit) => unit.unit) };
}

/** Masks every service of a node. Those that run go on. Undo takes the masks away that weren't there before. */
export const forbidStart = defineStep<NodeInput, MaskBefore, Outcome, XroadPlan>({
  observe,
  async act(context, { node }) {
    const { plan } = context;
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    const todo = (await readServices(host)).filter((unit) => !isMasked(unit)).map((unit) => unit.unit);
    for (const unit of todo) await host.exec(maskArgv(plan, 'mask', unit), { sudo: true });
    const left = (await readServices(host)).filter((unit) => !isMasked(unit)).map((unit) => unit.unit);
    if (left.length > 0)
      throw permanent(
        'CommandFailed',
        `${node}: ${left.join(', ')} can’t be masked: a unit file in /etc/systemd/system outweighs the mask. Nothing was stopped or started. Next: make it a drop-in (systemctl edit), or remove it.`,
        { node, units: left },
      );
    return {
      summary: `no package can start a service of ${node}`,
      changed: todo.length > 0,
      nodes: { [node]: { start: 'forbidden' } },
    };
  },
  undo: (context, { node }, before) => unmask(context, node, before.masked),
  preview: async (context, { node }, { masked }) => ({
    commands: SERVICES.filter((unit) => !masked.includes(unit)).map((unit) => ({
      host: hostNameOf(context.plan, node),
      command: `sudo ${maskArgv(context.plan, 'mask', unit).join(' ')}`,
    })),
    differences: [],
  }),
});

/** Takes the masks away, so that services can be started. Undo puts back those that were there. */
export const allowStart = defineStep<NodeInput, MaskBefore, Outcome, XroadPlan>({
  observe,
  act: (context, { node }) => unmask(context, node, []),
  async undo(context, { node }, before) {
    const { plan } = context;
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    for (const unit of before.masked) await host.exec(maskArgv(plan, 'mask', unit), { sudo: true });
    return { summary: `${before.masked.length} masks on ${node} are back`, changed: before.masked.length > 0 };
  },
  preview: async (context, { node }, { masked }) => ({
    commands: masked.map((unit) => ({
      host: hostNameOf(context.plan, node),
      command: `sudo ${maskArgv(context.plan, 'unmask', unit).join(' ')}`,
    })),
    differences: [],
  }),
});

async function unmask(context: XroadContext, node: string, keep: readonly string[]): Promise<Outcome> {
  const { plan } = context;
  const { host } = await takeOwnership(context, hostNameOf(plan, node));
  const masked = async (on: Host): Promise<string[]> =>
    (await readUnits(on, SERVICES))
      .filter((unit) => isMasked(unit) && !keep.includes(unit.unit))
      .map((unit) => unit.unit);
  const todo = await masked(host);
  for (const unit of todo) await host.exec(maskArgv(plan, 'unmask', unit), { sudo: true });
  const left = await masked(host);
  if (left.length > 0)
    throw permanent(
      'ForeignChange',
      `${node}: ${left.join(', ')} is still masked, and not by this run. Next: \`systemctl unmask UNIT\` there, if that is meant; then try again.`,
      { node, units: left },
    );
  return {
    summary: `services of ${node} can be started`,
    changed: todo.length > 0,
    nodes: { [node]: { start: 'allowed' } },
  };
}

/** Units whose masks a run left behind, for the last look. */
export const maskedUnits = async (host: Host): Promise<string[]> =>
  (await readServices(host)).filter(isMasked).map((unit) => unit.unit);

export const sudoForMasks = (plan: Pick<XroadStatic, 'software'>): { as: string; command: string }[] =>
  SERVICES.flatMap((unit) => [maskArgv(plan, 'mask', unit), maskArgv(plan, 'unmask', unit)]).map((argv) => ({
    as: 'root',
    command: sudoersCommand(argv),
  }));
