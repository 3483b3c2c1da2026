/** A pair as data: for the side port and for whoever watches a model. */
import { runningSync } from './config/requests';
import type { SimulatedPair } from './pair';

/** JSON-able. Times are ISO texts of the simulated clock. */
export function stateOf(pair: SimulatedPair) {
  const { ha, devices, options, faults, now } = pair;
  const next = pair.nextEventAt();
  return {
    now: iso(now),
    nextEventAt: next === undefined ? undefined : iso(next),
    mode: options.mode,
    links: { ...ha.links },
    devices: devices.map((device) => {
      const member = ha.members[device.side];
      const peer = ha.peer(device.side);
      return {
        name: device.name,
        serial: device.serial,
        phase: device.phase,
        haState: device.haState,
        since: iso(member.since),
        reason: member.reason,
        serving: device.serving,
        peerState: peer?.state ?? 'unknown',
        stateSync: ha.stateSync(device.side),
        runningSync: runningSync(device),
        preemptive: ha.self(device.side).settings.preemptive,
        version: device.software.running,
        nextBoot: device.software.nextBoot,
        content: device.content.current,
        bootedAt: iso(device.power.bootedAt),
        pendingChanges: device.config.hasPendingChanges(),
        jobs: device.jobs
          .list()
          .map(({ id, type, status, result, progress }) => ({ id, type, status, result, progress })),
      };
    }),
    faults: faults.list(),
  };
}

const iso = (epochMs: number): string => new Date(epochMs).toISOString();
