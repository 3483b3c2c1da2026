/** The PAN-OS pair's demo: simulated devices whose time runs faster. Needs neither root nor the lab. */
import { join } from 'node:path';
import { stringify } from 'yaml';
import { formatDuration } from '../activities/kit/duration';
import { startSimulatedPair, type ServedPair } from '../simulators/panos/server';
import type { Measuring, Scene } from './run';

export interface PanosFigures {
  readonly simulated: {
    readonly seconds: number;
    /** In which neither device passed traffic. */
    readonly outageMs: number;
    /** Times at which another device began to lead. */
    readonly failovers: number;
    /** Most devices that were out of service at once. */
    readonly mostOut: number;
  };
}

interface PanosReport {
  readonly elapsedMs: number;
  readonly outageMs: number;
  readonly failovers: number;
  readonly mostOut: number;
}

/** Simulated time for each unit of real time: a reboot of five minutes takes five seconds. */
const SPEED = 60;
const VERSION = '10.2.9';
/** Of the user that the simulator knows; the inventory refers to it. */
const PASSWORD_VARIABLE = 'HITLESS_DEMO_PASSWORD';

/** Watches the pair itself: no sample is missed, as every change of it is told. */
class Observer {
  private outageMs = 0;
  private outSince: number | undefined;
  private failovers = 0;
  private mostOut = 0;
  private leads: string | undefined;
  private readonly from: number;

  constructor(private readonly served: ServedPair) {
    this.from = served.now();
    this.look(this.from);
    const told = served.pair.onChange;
    served.pair.onChange = (at, what) => {
      told?.(at, what);
      this.look(at);
    };
  }

  private look(at: number): void {
    const { devices } = this.served.pair;
    const serving = devices.filter((device) => device.serving);
    this.mostOut = Math.max(this.mostOut, devices.filter((d) => d.phase !== 'up' || d.haState === 'suspended').length);
    if (serving.length > 0 && this.outSince !== undefined) this.outageMs += at - this.outSince;
    this.outSince = serving.length > 0 ? undefined : (this.outSince ?? at);
    const leader = serving.find(({ haState }) => haState !== 'active-secondary')?.name;
    if (leader === undefined || leader === this.leads) return;
    if (this.leads !== undefined) this.failovers++;
    this.leads = leader;
  }

  report(): PanosReport {
    const now = this.served.now();
    const open = this.outSince === undefined ? 0 : now - this.outSince;
    return {
      elapsedMs: now - this.from,
      outageMs: this.outageMs + open,
      failovers: this.failovers,
      mostOut: this.mostOut,
    };
  }
}

interface PanosLab {
  readonly served: ServedPair;
  down(): Promise<void>;
}

export const panosScene: Scene<PanosLab, PanosReport, PanosFigures> = {
  cluster: 'pa-edge',
  kind: 'panos-pair',
  version: VERSION,
  async startLab(progress) {
    progress(`two simulated PAN-OS devices, ${SPEED} times as fast as real ones …`);
    const served = await startSimulatedPair({ speed: SPEED, devices: [{ preemptive: true }, { preemptive: true }] });
    for (const { name, url } of served.devices) progress(`${name} answers at ${url}`);
    return { served, down: () => served.stop() };
  },
  inventory({ served }, monitoring, directory) {
    process.env[PASSWORD_VARIABLE] = served.devices[0].password;
    return panosInventoryOf(served, {
      cluster: 'pa-edge',
      monitoring,
      password: `env:${PASSWORD_VARIABLE}`,
      panos: { backups: join(directory, 'backups') },
    });
  },
  async startTraffic({ served }): Promise<Measuring<PanosReport>> {
    const observer = new Observer(served);
    return { snapshot: () => observer.report(), stop: async () => observer.report() };
  },
  trafficRuns: 'the simulated pair itself says at every moment who passes traffic',
  soFar: ({ outageMs, failovers }) => `failovers: ${failovers}; ${outageMs} ms without a device that serves`,
  measured({ elapsedMs, outageMs, failovers, mostOut }) {
    return {
      figures: { simulated: { seconds: Math.round(elapsedMs / 1_000), outageMs, failovers, mostOut } },
      lines: [
        ['simulated time', `${formatDuration(elapsedMs)}, ${SPEED} times as fast as a real pair`],
        ['traffic', `${formatDuration(outageMs)} without a device that serves; failovers: ${failovers}`],
        ['out of service', `${mostOut} of 2 devices at once at most`],
      ],
      faults: [],
    };
  },
};

export interface PanosInventoryOptions {
  readonly cluster: string;
  readonly monitoring: string;
  /** Reference to the password of the devices’ user. */
  readonly password: string;
  /** Section `policy`; anyone may answer if left out. */
  readonly policy?: unknown;
  /** Section `panos`, besides its times. */
  readonly panos?: Record<string, unknown>;
}

/** A simulated pair as an inventory, as a person would write one for any pair. */
export function panosInventoryOf({ devices }: Pick<ServedPair, 'devices'>, options: PanosInventoryOptions): string {
  const { cluster, monitoring, password, policy, panos = {} } = options;
  return stringify({
    schema: 1,
    clusters: {
      [cluster]: {
        kind: 'panos-pair',
        nodes: Object.fromEntries(
          devices.map(({ name, address, port, fingerprint, user }) => [
            name,
            { address, port, tls: { fingerprint }, user, password },
          ]),
        ),
        // Devices whose time runs faster are asked more often.
        panos: {
          timing: { pollMs: '500ms', stateTimeoutMs: '30s', convergeTimeoutMs: '30s', rejoinTimeoutMs: '2m' },
          ...panos,
        },
        monitoring: {
          periodMs: monitoring,
          reseedEveryMs: 'never',
          escapeEveryMs: '5s',
          tolerance: { fail: 3, of: 5 },
          probes: [{ name: 'ha', kind: 'state-sync', intervalMs: '1s' }],
        },
        policy: policy ?? { gates: { start: {}, 'fail-over': {}, second: {} } },
      },
    },
  });
}
