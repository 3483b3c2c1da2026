/** What a simulated pair is made of; everything has a default. Times are simulated milliseconds. */
import { baseImage, compareReleases } from './releases';
import type { HaMode } from './view';

/** How long things take. The defaults are those of a small firewall; property tests make them short. */
export interface Durations {
  readonly jobQueueMs: number;
  readonly downloadMs: number;
  readonly installMs: number;
  readonly contentDownloadMs: number;
  readonly contentInstallMs: number;
  readonly commitMs: number;
  /** From the reply to `request restart system` until the device goes down; it answers as before meanwhile. */
  readonly shutdownMs: number;
  /** Nothing listens. */
  readonly downMs: number;
  /** TLS is up, every request is answered 403. */
  readonly startingMs: number;
  /** AutoCom runs, chassis-ready says no, HA is initial without a peer. */
  readonly autoCommitMs: number;
  /** From the first hello to a role. */
  readonly negotiationMs: number;
  /** From a role beside a serving peer until state-sync is Complete. */
  readonly stateSyncMs: number;
  /** From meeting a peer of the same release until configurations are compared. */
  readonly configSyncMs: number;
}

/** Facts §2. Written into the configuration; a commit changes them. */
export interface Timers {
  readonly promotionHoldMs: number;
  readonly helloIntervalMs: number;
  readonly heartbeatIntervalMs: number;
  readonly maxFlaps: number;
  /** Whole minutes. */
  readonly preemptionHoldMs: number;
  readonly monitorFailHoldUpMs: number;
  readonly additionalMasterHoldUpMs: number;
  /** Whole minutes; active/passive. */
  readonly monitorFailHoldDownMs: number;
  /** Whole seconds, 0 or 10–600; active/active. */
  readonly tentativeHoldMs: number;
}

export interface DeviceOptions {
  readonly name: string;
  readonly serial: string;
  /** Management address, without prefix length. */
  readonly address: string;
  /** Lower wins. */
  readonly priority: number;
  readonly preemptive: boolean;
  readonly deviceId: 0 | 1;
  /** Where it isn't that of the pair: a pair that is upgraded halfway. */
  readonly version?: string;
  readonly content?: string;
}

export interface SoftwareImage {
  readonly version: string;
  readonly sizeMb: number;
  /** As "2023/03/29 15:05:25". */
  readonly releasedOn: string;
  /** Least content release that an install asks for. */
  readonly minimumContent?: string;
}

/** A piece of configuration, merged at an XPath. */
export interface Configured {
  /** Index, name or serial; left out: both. */
  readonly device?: number | string | undefined;
  readonly xpath: string;
  readonly element: string;
}

export interface PairOptions {
  readonly mode?: HaMode;
  /** Both start with it. */
  readonly version?: string;
  readonly model?: string;
  readonly devices?: readonly [Partial<DeviceOptions>, Partial<DeviceOptions>];
  readonly user?: string;
  readonly password?: string;
  /** Software that exists in the world. Releases that `version` or their base images need are added. */
  readonly software?: readonly SoftwareImage[];
  /** Images that both devices have at the start, besides the one that runs and its base image. */
  readonly downloaded?: readonly string[];
  /** Content releases, any order; the devices start with `content`. */
  readonly contents?: readonly string[];
  readonly content?: string;
  readonly timers?: Partial<Timers>;
  /** How long `initial` waits for a peer. */
  readonly initialWaitMs?: number;
  readonly durations?: Partial<Durations>;
  /** T14: sources contradict each other. */
  readonly suspendSurvivesReboot?: boolean;
  /** T2 is read in two ways: passive at once and then synchronizing (default), or initial until synchronized. */
  readonly passiveWaitsForSync?: boolean;
  readonly advancedRouting?: boolean;
  readonly passiveLinkState?: 'auto' | 'shutdown';
  /** Without: software and content checks fail, images come by import. */
  readonly internet?: boolean;
  readonly panorama?: boolean;
  /** Feature releases that HA peers may be apart before `Peer version too old`. */
  readonly peerReleaseSteps?: number;
  /** Which of two that are further apart suspends itself: sources contradict each other. */
  readonly suspends?: 'newer' | 'older';
  /** Whether different releases have VM-Series plugins that make the older peer non-functional. */
  readonly pluginMismatch?: boolean;
  /** What `request restart system` says before the device goes down. */
  readonly restartReply?: 'success' | 'no-output' | 'drop';
  /** What else is configured, as if it had always been. */
  readonly configured?: readonly Configured[];
  /** Epoch milliseconds of the simulated clock at the start. */
  readonly startAt?: number;
}

const DURATIONS: Durations = {
  jobQueueMs: 1_000,
  downloadMs: 90_000,
  installMs: 180_000,
  contentDownloadMs: 30_000,
  contentInstallMs: 60_000,
  commitMs: 30_000,
  shutdownMs: 2_000,
  downMs: 150_000,
  startingMs: 60_000,
  autoCommitMs: 90_000,
  negotiationMs: 5_000,
  stateSyncMs: 20_000,
  configSyncMs: 15_000,
};

const TIMERS: Timers = {
  promotionHoldMs: 2_000,
  helloIntervalMs: 8_000,
  heartbeatIntervalMs: 2_000,
  maxFlaps: 3,
  preemptionHoldMs: 60_000,
  monitorFailHoldUpMs: 0,
  additionalMasterHoldUpMs: 500,
  monitorFailHoldDownMs: 60_000,
  tentativeHoldMs: 60_000,
};

const RELEASES = [
  '10.1.0',
  '10.1.9',
  '10.2.0',
  '10.2.3',
  '10.2.7',
  '10.2.7-h3',
  '10.2.9',
  '11.0.0',
  '11.0.4',
  '11.1.0',
  '11.1.4',
  '11.1.4-h7',
  '11.2.0',
  '11.2.3',
  '12.1.2',
  '12.1.4',
];

/** An image of a release of which nothing else is said. */
export const imageOf = (version: string): SoftwareImage => {
  const base = baseImage(version) === version;
  return { version, sizeMb: base ? 1_037 : 492, releasedOn: base ? '2022/11/17 08:45:28' : '2023/03/29 15:05:25' };
};

const DEVICES: readonly [DeviceOptions, DeviceOptions] = [
  { name: 'fw-a', serial: '007051000100001', address: '192.0.2.10', priority: 100, preemptive: false, deviceId: 0 },
  { name: 'fw-b', serial: '007051000100002', address: '192.0.2.11', priority: 110, preemptive: false, deviceId: 1 },
];

export type Resolved = Required<Omit<PairOptions, 'devices' | 'timers' | 'durations'>> & {
  readonly devices: readonly [DeviceOptions, DeviceOptions];
  readonly timers: Timers;
  readonly durations: Durations;
};

export function resolveOptions(options: PairOptions): Resolved {
  const version = options.version ?? '10.2.3';
  const images = new Map((options.software ?? RELEASES.map(imageOf)).map((image) => [image.version, image]));
  const started = (options.devices ?? []).flatMap((device) => device.version ?? []);
  for (const needed of [version, ...started, ...images.keys()].flatMap((each) => [each, baseImage(each)]))
    if (!images.has(needed)) images.set(needed, imageOf(needed));
  const contents = options.contents ?? ['8690-7931', '8700-8000', '8799-8509'];
  const content = options.content ?? contents[1] ?? contents[0] ?? '8700-8000';
  return {
    mode: 'active-passive',
    model: 'PA-VM',
    user: 'admin',
    password: 'simulated',
    downloaded: [],
    initialWaitMs: 60_000,
    suspendSurvivesReboot: false,
    passiveWaitsForSync: false,
    advancedRouting: false,
    passiveLinkState: 'auto',
    internet: true,
    panorama: false,
    peerReleaseSteps: 1,
    suspends: 'newer',
    pluginMismatch: false,
    restartReply: 'success',
    configured: [],
    startAt: Date.UTC(2026, 0, 15, 10),
    ...options,
    version,
    software: [...images.values()].sort((a, b) => compareReleases(b.version, a.version)),
    contents: contents.includes(content) ? contents : [...contents, content],
    content,
    devices: [
      { ...DEVICES[0], ...options.devices?.[0] },
      { ...DEVICES[1], ...options.devices?.[1] },
    ],
    timers: { ...TIMERS, ...options.timers },
    durations: { ...DURATIONS, ...options.durations },
  };
}
