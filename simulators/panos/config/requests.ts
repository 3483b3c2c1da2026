/** `type=config` and `type=commit` of one device (facts §5), and what HA does with a commit. */
import type { SimulatedDevice } from '../device';
import { elements, leaf, parseCommand, type XmlElement } from '../xml';
import {
  badRequest,
  enqueued,
  failure,
  failureWithoutCode,
  success,
  successWith,
  type ApiReply,
  type ApiRequest,
} from '../wire';
import { adoptShared, sharedPart } from './synced';
import { parseElements, parseXpath, render } from './tree';

const done = (): ApiReply => successWith(20, leaf('msg', 'command succeeded'));

export function configRequest(device: SimulatedDevice, params: ApiRequest['params'], user: string): ApiReply {
  const [action, xpath, element] = ['action', 'xpath', 'element'].map((name) => params.get(name));
  if (action == null) return badRequest('Missing value for parameter "action".');
  if (xpath == null) return failure(6, 'Missing value for parameter "xpath".');
  const steps = parseXpath(xpath);
  if (steps === undefined) return failure(6, `${xpath} is not a valid xpath`);
  const { config } = device;
  switch (action) {
    case 'show': {
      const found = config.select('running', steps);
      return found.length === 0 ? failureWithoutCode('No such node') : success(found.map(render).join(''));
    }
    case 'get': {
      const found = config.select('candidate', steps);
      if (found.length === 0) return successWith(7, '<result/>');
      const count = found.length;
      return successWith(19, `<result total-count="${count}" count="${count}">${found.map(render).join('')}</result>`);
    }
    case 'set':
    case 'edit':
    case 'delete':
      break;
    default:
      return badRequest(`Illegal value for parameter "action" [${action}].`);
  }
  const locked = lockOf(device, user, 'config');
  if (locked !== undefined) return failureWithoutCode(locked);
  if (action === 'delete') {
    if (config.select('candidate', steps).length === 0) return successWith(7, leaf('msg', "Object doesn't exist"));
    config.delete(xpath, steps, user);
    return done();
  }
  const added = element == null ? undefined : parseElements(element);
  if (added === undefined) return failure(12, `${xpath} -> element is not well-formed`);
  if (action === 'set') config.set(xpath, steps, added, user);
  else {
    const [replacement] = added;
    if (added.length !== 1 || replacement?.name !== steps.at(-1)?.name)
      return failure(12, `${xpath} -> element has to be the node of the xpath`);
    if (replacement !== undefined) config.edit(xpath, steps, replacement, user);
  }
  return done();
}

/** What is said to others while somebody holds a lock. */
function lockOf(
  { facts }: SimulatedDevice,
  user: string,
  ...kinds: readonly ('config' | 'commit')[]
): string | undefined {
  const lock = kinds.flatMap((kind) => facts.locks[kind]).find(({ admin }) => admin !== user);
  return lock === undefined ? undefined : `Configuration is locked by ${lock.admin}`;
}

export function commit(device: SimulatedDevice, cmd: string | null, user: string): ApiReply {
  const root = parseCommand(cmd ?? '');
  if (root?.name !== 'commit') return failure(17, `${cmd ?? ''} is not a valid command`);
  const locked = lockOf(device, user, 'config', 'commit');
  if (locked !== undefined) return failureWithoutCode(locked);
  const { config, jobs, events } = device;
  if (jobs.running('Commit', 'CommitAll', 'AutoCom'))
    return failureWithoutCode('Another commit/validate is in progress. Please try again later');
  if (jobs.running('SWInstall'))
    return failureWithoutCode('You cannot commit while an install is in progress. Please try again later.');
  const admins = adminsOf(root);
  const forced = has(root, 'force');
  const candidate = config.commitCandidate(admins);
  if (!forced && render(candidate) === render(config.running))
    return successWith(19, leaf('msg', 'There are no changes to commit.'));
  const startedAt = events.now;
  const job = jobs.enqueue({
    type: 'Commit',
    user,
    durationMs: device.options.durations.commitMs,
    details: ['Configuration committed successfully'],
    finish: () => {
      const before = config.running;
      config.adopt(candidate, admins, startedAt);
      device.pair.ha.settle();
      if (sharedPart(before) !== sharedPart(candidate)) pushToPeer(device, user);
      return undefined;
    },
  });
  return enqueued(`Commit job enqueued with jobid ${job}`, job);
}

const descendants = (element: XmlElement): XmlElement[] =>
  elements(element).flatMap((child) => [child, ...descendants(child)]);
const has = (root: XmlElement, name: string): boolean => descendants(root).some((element) => element.name === name);

/** Of a partial commit: whose changes; undefined for a whole one. */
function adminsOf(root: XmlElement): string[] | undefined {
  const admin = descendants(root).find(({ name }) => name === 'admin');
  return admin === undefined ? undefined : elements(admin).map(({ text }) => text.trim());
}

/** Config synchronization after a commit: only between equals that hear each other. */
function pushToPeer(device: SimulatedDevice, user: string): void {
  const { ha } = device.pair;
  if (ha.self(device.side).settings.configSync && ha.comparison() !== 'different releases or no connection')
    synchronize(device, user);
}

/** `request high-availability sync-to-remote running-config`. */
export function syncToRemote(device: SimulatedDevice, user: string): ApiReply {
  const peer = device.reachablePeer();
  if (peer === undefined) return failureWithoutCode('Failed to synchronize running configuration with HA peer');
  if (device.jobs.running('HA-Sync') || peer.jobs.running('HA-Sync'))
    return failureWithoutCode('HA synchronization is already in progress');
  synchronize(device, user);
  return success(
    `<msg>${leaf('line', 'HA synchronization job has been queued on peer. Please check job status on peer.')}</msg>`,
  );
}

/** Overwrites what the peer has, whatever release it runs: a device doesn't ask either (facts §3). */
function synchronize(device: SimulatedDevice, user: string): void {
  const peer = device.reachablePeer();
  if (peer === undefined) return;
  peer.jobs.enqueue({
    type: 'HA-Sync',
    user,
    durationMs: device.options.durations.configSyncMs,
    details: ['Configuration committed successfully'],
    finish: () => {
      if (peer.reachablePeer() === undefined) return ['Failed to synchronize running configuration with HA peer'];
      peer.config.replaceRunning(adoptShared(device.config.running, peer.config.running));
      peer.pair.ha.settle();
      return undefined;
    },
  });
}

/** What `running-sync` says. */
export function runningSync(device: SimulatedDevice): string {
  const { pair, side } = device;
  const [a, b] = pair.devices;
  if (!pair.ha.self(side).settings.configSync || pair.faults.any('config-sync-stuck', side)) return 'not synchronized';
  const comparison = pair.ha.comparison();
  if (comparison === 'different releases or no connection') return 'not synchronized';
  if (comparison === 'in progress' || a.jobs.running('HA-Sync') || b.jobs.running('HA-Sync'))
    return 'synchronization in progress';
  return sharedPart(a.config.running) === sharedPart(b.config.running) ? 'synchronized' : 'not synchronized';
}
