/** What faults do to the pair when they begin, and how that is taken back when they end. */
import type { SimulatedDevice } from '../device';
import type { SimulatedPair } from '../pair';
import { DEVICE_PATH } from '../config/initial';
import { parseXpath } from '../config/tree';
import type { Fault } from './schema';

const STRANGER = 'somebody-else';

/** Ends what the fault began; faults that strike once, or are looked up when their time comes, have nothing to end. */
type Undo = () => void;

/**
 * Brings the pair in line with the faults that are on now: called when one begins and when one ends, so that of two that
 * overlap the first to end takes nothing from the other.
 */
export function derive(pair: SimulatedPair): void {
  const { ha, faults, devices } = pair;
  for (const name of ['ha1', 'ha2', 'ha3'] as const) ha.link(name, !faults.any(`${name}-down`, 0));
  ha.stateSyncStuck = faults.any('state-sync-stuck', 0);
  ha.mismatch = faults.find('peer-mismatch', 0)?.reason;
  for (const device of devices) {
    ha.members[device.side].stuck = faults.any('tentative-stuck', device.side);
    ha.members[device.side].failure = device.failure();
    if (faults.any('power-off', device.side)) device.power.off();
    else device.power.on();
    device.power.reconsider();
  }
  ha.settle();
}

/** What a fault does once, at the moment when it begins. */
export function begin(fault: Fault, device: SimulatedDevice): Undo {
  const { facts } = device;
  switch (fault.kind) {
    case 'crash':
      device.power.crash();
      return nothing;
    case 'lock': {
      const lock = {
        admin: fault.admin ?? STRANGER,
        location: 'shared',
        createdAt: device.events.now,
        comment: fault.comment ?? '',
      };
      const list = facts.locks[fault.lock];
      list.push(lock);
      return () => {
        const index = list.indexOf(lock);
        if (index >= 0) list.splice(index, 1);
      };
    }
    case 'pending-change':
      return changeSomething(device, fault.admin ?? STRANGER);
    case 'commit-running':
      return runJob(device, 'Commit', fault.admin ?? STRANGER);
    case 'panorama-push':
      return runJob(device, 'CommitAll', 'Panorama-admin');
    case 'no-internet':
      facts.updateServerReachable = false;
      return () => {
        facts.updateServerReachable = device.options.internet && !device.pair.faults.any('no-internet', device.side);
      };
    case 'keys-expire':
      device.auth.expireKeys();
      return nothing;
    default:
      return nothing;
  }
}

const nothing = (): void => undefined;

/** A tag that somebody else has added, and not committed. */
function changeSomething(device: SimulatedDevice, admin: string): Undo {
  const path = `${DEVICE_PATH}/vsys/entry[@name='vsys1']/tag`;
  const entry = `${path}/entry[@name='by-${admin}']`;
  const comments = { name: 'comments', attributes: {}, children: [], text: 'not committed yet' };
  device.config.set(entry, parseXpath(entry) ?? [], [comments], admin);
  return () => {
    if (device.config.changes.some(({ owner }) => owner === admin)) device.config.discard(admin);
  };
}

/** A job of somebody else that goes on until the fault ends. */
function runJob(device: SimulatedDevice, type: 'Commit' | 'CommitAll', user: string): Undo {
  const id = device.jobs.enqueue({
    type,
    user,
    durationMs: Infinity,
    details: ['Configuration committed successfully'],
  });
  return () => device.jobs.finish(id);
}
