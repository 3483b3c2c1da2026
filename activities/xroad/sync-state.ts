/** The copying of /etc/xroad from the primary: its flag, its unit, its timer, and what it copied. Facts §2. */
import type { Host } from '../kit';
import { sudoersCommand } from '../ssh';
import { SYSTEMCTL } from '../services/systemd';
import { readUnits } from './node';
import { XROAD_USER, type XroadStatic } from './plan';
import type { Unit } from './text';

type Plan = Pick<XroadStatic, 'xroad'>;

export const serviceOf = ({ xroad }: Plan): string => `${xroad.sync.unit}.service`;
export const timerOf = ({ xroad }: Plan): string => `${xroad.sync.unit}.timer`;

const testArgv = ({ xroad }: Plan): string[] => ['/usr/bin/test', '-e', xroad.sync.flag];
const touchArgv = ({ xroad }: Plan): string[] => ['/usr/bin/touch', '--', xroad.sync.flag];
const removeArgv = ({ xroad }: Plan): string[] => ['/usr/bin/rm', '-f', '--', xroad.sync.flag];
const startArgv = (plan: Plan): string[] => [SYSTEMCTL, 'start', '--', serviceOf(plan)];
const startTimerArgv = (plan: Plan): string[] => [SYSTEMCTL, 'start', '--', timerOf(plan)];
const sumsArgv = ({ xroad }: Plan): string[] => ['/usr/bin/sha256sum', '--', ...xroad.sync.compared];

/** The directory is closed to all but its user. */
export async function hasFlag(plan: Plan, host: Host): Promise<boolean> {
  return (await host.exec(testArgv(plan), { sudo: XROAD_USER, okCodes: [0, 1] })).code === 0;
}

export const setFlag = async (plan: Plan, host: Host): Promise<void> =>
  void (await host.exec(touchArgv(plan), { sudo: XROAD_USER }));
export const removeFlag = async (plan: Plan, host: Host): Promise<void> =>
  void (await host.exec(removeArgv(plan), { sudo: true }));

/** Unit that copies; `activating` while it does, for it is a oneshot. */
export async function copyState(plan: Plan, host: Host): Promise<Unit> {
  const [unit] = await readUnits(host, [serviceOf(plan)]);
  if (unit === undefined) throw new Error('systemctl show answered for no unit');
  return unit;
}

export async function timerState(plan: Plan, host: Host): Promise<Unit> {
  const [unit] = await readUnits(host, [timerOf(plan)]);
  if (unit === undefined) throw new Error('systemctl show answered for no unit');
  return unit;
}

/** Copies now, and waits for the end. The exit code is that of systemctl: 1 if the copy failed, or was kept from starting. */
export const copyNow = (plan: Plan, host: Host) =>
  host.exec(startArgv(plan), { sudo: true, okCodes: [0, 1], timeoutMs: plan.xroad.sync.timeoutMs });

export const startTimer = async (plan: Plan, host: Host): Promise<void> =>
  void (await host.exec(startTimerArgv(plan), { sudo: true }));

export const unitText = async (plan: Plan, host: Host): Promise<string> =>
  (await host.exec([SYSTEMCTL, 'cat', '--', serviceOf(plan)], { okCodes: 'any' })).stdout;

/** Digests of the files that are compared, by path; what is missing is left out. */
export async function sumsOf(plan: Plan, host: Host): Promise<Map<string, string>> {
  if (plan.xroad.sync.compared.length === 0) return new Map();
  const { stdout } = await host.exec(sumsArgv(plan), { sudo: XROAD_USER, okCodes: [0, 1] });
  return new Map(
    [...stdout.matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)].map(([, digest = '', path = '']) => [path, digest] as const),
  );
}

/** Files that a secondary has otherwise than the primary, or not at all. */
export const differing = (primary: ReadonlyMap<string, string>, own: ReadonlyMap<string, string>): string[] =>
  [...primary].filter(([path, digest]) => own.get(path) !== digest).map(([path]) => path);

export const sudoForSync = (plan: Plan): { as: string; command: string }[] => [
  ...[testArgv(plan), touchArgv(plan), ...(plan.xroad.sync.compared.length === 0 ? [] : [sumsArgv(plan)])].map(
    (argv) => ({ as: XROAD_USER, command: sudoersCommand(argv) }),
  ),
  ...[removeArgv(plan), startArgv(plan), startTimerArgv(plan)].map((argv) => ({
    as: 'root',
    command: sudoersCommand(argv),
  })),
];
