/** What faults do at the moment when they begin, and how it is taken back when they end. */
import type { SimulatedDevice } from '../device';
import type { SimulatedPair } from '../pair';
import { DEVICE_PATH } from '../config/initial';
import { parseXpath } from '../config/tree';
import type { Fault } from './schema';

const STRANGER = 'somebody-else';

/** Ends what the fault began; faults that strike once, or are looked up when their time comes, have nothing to end. */
type Undo = () => void;

/**
 * @param devices those that the fault is about.
 * @throws Error where it can't be, as a pending change of a device that is down.
 */
export function begin(fault: Fault, devices: readonly SimulatedDevice[], pair: SimulatedPair): Undo {
  const undos = devices.map((device) => beginOn(fault, device));
  const undoPair = beginOnPair(fault, pair);
  return () => {
    for (const undo of [...undos, undoPair]) undo();
  };
}

const nothing = (): void => undefined;

function beginOnPair(fault: Fault, pair: SimulatedPair): Undo {
  const { ha } = pair;
  switch (fault.kind) {
    case 'ha1-down':
    case 'ha2-down':
    case 'ha3-down': {
      const link = fault.kind.slice(0, 3) as 'ha1' | 'ha2' | 'ha3';
      ha.link(link, false);
      return () => ha.link(link, true);
    }
    case 'state-sync-stuck':
      ha.stateSyncStuck = true;
      ha.settle();
      return () => {
        ha.stateSyncStuck = false;
        ha.settle();
      };
    case 'peer-mismatch':
      ha.mismatch = fault.reason;
      ha.settle();
      return () => {
        ha.mismatch = undefined;
        ha.settle();
      };
    default:
      return nothing;
  }
}

function beginOn(fault: Fault, device: SimulatedDevice): Undo {
  const { ha } = device.pair;
  const { side, facts } = device;
  switch (fault.kind) {
    case 'monitor-failure':
      ha.fail(side, { kind: fault.reason === 'Path down' ? 'path' : 'link', reason: fault.reason ?? 'Link down' });
      return () => ha.fail(side, undefined);
    case 'dataplane-down':
      ha.fail(side, { kind: 'dataplane', reason: `Dataplane down: ${fault.reason ?? 'brdagent exiting'}` });
      return () => ha.fail(side, undefined);
    case 'power-off':
      device.power.off();
      return () => device.power.on();
    case 'crash':
      device.power.crash();
      return nothing;
    case 'boot-stuck':
      return () => device.power.reconsider();
    case 'tentative-stuck':
      ha.members[side].stuck = true;
      ha.settle();
      return () => {
        ha.members[side].stuck = false;
        ha.settle();
      };
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
    case 'no-internet': {
      const before = facts.updateServerReachable;
      facts.updateServerReachable = false;
      return () => {
        facts.updateServerReachable = before;
      };
    }
    case 'keys-expire':
      device.auth.expireKeys();
      return nothing;
    default:
      return nothing;
  }
}

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
