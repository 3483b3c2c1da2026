/**
 * The HA state of a device as it tells it itself, and of its peer as it sees it. Source: facts/pan-os.md, section 1.
 */
import { textAt, at, numberAt, childrenOf, type Reader, type XmlElement } from './api';

export const haStates = [
  'initial',
  'active',
  'passive',
  'active-primary',
  'active-secondary',
  'tentative',
  'non-functional',
  'suspended',
  'unknown',
] as const;
export type HaState = (typeof haStates)[number];
export type HaMode = 'active-passive' | 'active-active';

export interface HaReading {
  readonly mode: HaMode;
  readonly state: HaState;
  /** Seconds. */
  readonly stateDuration: number | undefined;
  /** Only where there is one, as "User requested". */
  readonly reason: string | undefined;
  readonly stateSync: string;
  readonly runningSync: string;
  readonly runningSyncEnabled: boolean;
  readonly version: string;
  readonly buildCompat: string;
  readonly priority: number | undefined;
  readonly preemptive: boolean;
  /** Of an active/active device. */
  readonly deviceId: number | undefined;
  readonly maxFlaps: number;
  readonly flaps: number;
  readonly managementAddress: string;
  readonly peer: {
    readonly state: HaState;
    readonly reason: string | undefined;
    readonly version: string | undefined;
    readonly managementAddress: string;
    /** Aggregate of all HA links. */
    readonly connected: boolean;
    /** Links that aren't up, as "conn-ha2: down". */
    readonly down: readonly string[];
  };
}

export const stateOf = (text: string | undefined): HaState => haStates.find((state) => state === text) ?? 'unknown';

/** A device that passes users' traffic. */
export const isServing = (state: HaState): boolean =>
  state === 'active' || state === 'active-primary' || state === 'active-secondary';

/** The one that is active, or active-primary. */
export const leads = ({ state }: { readonly state: string }): boolean =>
  state === 'active' || state === 'active-primary';

/**
 * A member that could take over without losing more than what was agreed to: where session synchronization is switched off,
 * the readiness check asked people to waive that by name.
 */
export const isSynced = ({ stateSync }: Pick<HaReading, 'stateSync'>): boolean =>
  /^(complete|user-disabled)$/i.test(stateSync);

const withoutPrefix = (address: string | undefined): string => (address ?? '').replace(/\/\d+$/, '');

/** undefined where HA isn't enabled: the group is there all the same. */
export function parseHa(result: XmlElement): HaReading | undefined {
  if (textAt(result, 'enabled') !== 'yes') return undefined;
  const group = at(result, 'group');
  const local = at(group, 'local-info');
  const peer = at(group, 'peer-info');
  const number = (name: string, or: number): number => numberAt(local, name) ?? or;
  const links = childrenOf(peer).filter(({ name }) => name.startsWith('conn-') && name !== 'conn-status');
  return {
    mode: /active-active/i.test(textAt(group, 'mode') ?? textAt(local, 'mode') ?? '')
      ? 'active-active'
      : 'active-passive',
    state: stateOf(textAt(local, 'state')),
    stateDuration: numberAt(local, 'state-duration'),
    reason: textAt(local, 'state-reason') || undefined,
    stateSync: textAt(local, 'state-sync') ?? '',
    runningSync: textAt(group, 'running-sync') ?? '',
    runningSyncEnabled: textAt(group, 'running-sync-enabled') !== 'no',
    version: textAt(local, 'build-rel') ?? '',
    buildCompat: textAt(local, 'build-compat') ?? '',
    priority: numberAt(local, 'priority'),
    preemptive: textAt(local, 'preemptive') === 'yes',
    deviceId: numberAt(local, 'device-id'),
    maxFlaps: number('max-flaps', 0),
    flaps: Math.max(number('preempt-flap-cnt', 0), number('nonfunc-flap-cnt', 0)),
    managementAddress: withoutPrefix(textAt(local, 'mgmt-ip')),
    peer: {
      state: stateOf(textAt(peer, 'state')),
      reason: textAt(peer, 'state-reason') || undefined,
      version: textAt(peer, 'build-rel'),
      managementAddress: withoutPrefix(textAt(peer, 'mgmt-ip')),
      connected: textAt(peer, 'conn-status') === 'up',
      down: links.flatMap((link) => {
        const status = textAt(link, 'conn-status');
        return status === undefined || status === 'up' ? [] : [`${link.name}: ${status}`];
      }),
    },
  };
}

/** A second HA1 or HA2 link: while the first is up, HA works as before without it. */
export const isBackupLink = (down: string): boolean => /^conn-ha[12]-backup:/.test(down);

export const readHa = async (device: Reader): Promise<HaReading | undefined> =>
  parseHa(await device.op('<show><high-availability><state></state></high-availability></show>'));

/** The state, with its reason where there is one: "suspended (User requested)". */
export const describeState = ({ state, reason }: Pick<HaReading, 'state' | 'reason'>): string =>
  reason === undefined ? state : `${state} (${reason})`;
