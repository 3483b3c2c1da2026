/** Disk room on a node, from df(1) of coreutils. */
import { permanent, type Fault } from '../kit/errors';
import type { Host } from '../kit/host';
import type { SoftwarePlan } from './plan';

const MIB = 1024 * 1024;
/** What a package takes unpacked, next to its file: measured on Debian's own, two to five times as much. */
const UNPACKED_FACTOR = 5;

export interface Room {
  /** Mount point. */
  readonly target: string;
  readonly freeBytes: number;
}

/** Lines of `df --block-size=1 --output=avail,target`. */
export const parseRoom = (text: string): Room[] =>
  text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\/.*)$/.exec(line);
    return match?.[1] !== undefined && match[2] !== undefined
      ? [{ freeBytes: Number(match[1]), target: match[2] }]
      : [];
  });

/** A path with all its parents, deepest last: one that doesn't exist yet will lie where the deepest existing one does. */
export function parentsOf(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)];
}

/** Faults for file systems that have less than `minFreeMb`, and what the packages take, to spare. */
export function roomFaults(
  where: string,
  rooms: readonly Room[],
  needs: { readonly minFreeMb: number; readonly packageBytes: number },
): Fault[] {
  const needed = needs.minFreeMb * MIB + needs.packageBytes * (1 + UNPACKED_FACTOR);
  const targets = new Map(rooms.map((room) => [room.target, room.freeBytes]));
  return [...targets]
    .filter(([, free]) => free < needed)
    .map(([target, free]) => ({
      where,
      what: `${target} has ${Math.floor(free / MIB)} MiB free, ${Math.ceil(needed / MIB)} are needed`,
      next: 'make room there, or lower software.minFreeMb',
    }));
}

export async function findRoomFaults(
  plan: Pick<SoftwarePlan, 'software'>,
  host: Host,
  packageBytes: number,
): Promise<Fault[]> {
  const { stageDirectory, minFreeMb } = plan.software;
  const df = async (paths: readonly string[]): Promise<Room[]> => {
    const argv = ['/usr/bin/df', '--block-size=1', '--output=avail,target', '--', ...paths];
    // 1: some of the paths don't exist.
    return parseRoom((await host.exec(argv, { okCodes: [0, 1] })).stdout);
  };
  const stage = (await df(parentsOf(stageDirectory))).slice(-1);
  return roomFaults(host.name, [...(await df(['/', '/var'])), ...stage], { minFreeMb, packageBytes });
}

/** @throws CommandFailed if there is too little room. */
export async function requireRoom(
  plan: Pick<SoftwarePlan, 'software'>,
  host: Host,
  packageBytes: number,
): Promise<void> {
  const faults = await findRoomFaults(plan, host, packageBytes);
  if (faults.length === 0) return;
  throw permanent(
    'CommandFailed',
    `${host.name}: ${faults.map((f) => f.what).join('; ')}. Nothing was fetched. Next: ${faults[0]?.next}, then try again.`,
    { host: host.name, faults },
  );
}
