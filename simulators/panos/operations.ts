/** Operational commands of one device, but for the reads of reads/ (facts §5). */
import type { XmlElement } from '@rgrove/parse-xml';
import type { SimulatedDevice } from './device';
import { syncToRemote } from './config/requests';
import { render } from './config/tree';
import { haStateXml } from './ha/state-xml';
import { jobXml } from './jobs';
import { ApiError, readReply } from './reads';
import { commandPath } from './reads/command';
import { systemInfoXml } from './system-info';
import { failure, failureWithoutCode, success, unknownCommand, type ApiReply } from './wire';
import { childText, elements, leaf, node, parseCommand, yesNo } from './xml';

interface Asked {
  readonly device: SimulatedDevice;
  readonly user: string;
  /** Text of an argument, wherever below the command it is. */
  readonly argument: (name: string) => string | undefined;
}

type Operation = (asked: Asked) => ApiReply;

/** What a command's path may end with that belongs to its arguments. */
const ARGUMENTS = new Set([
  'version',
  'sync-to-peer',
  'load-config',
  'latest',
  'commit',
  'partial',
  'admin',
  'member',
  'comment',
]);

const changeState =
  (to: 'suspend' | 'functional'): Operation =>
  ({ device }) => {
    // While it boots there is no agent to be told. What a device says then isn't documented.
    if (device.phase !== 'up') return failureWithoutCode('HA agent is not running');
    device.pair.ha[to](device.side);
    return success(`Successfully changed HA state to ${to === 'suspend' ? 'suspended' : 'functional'}`);
  };

const softwareDownload: Operation = ({ device, user, argument }) =>
  device.software.download(argument('version') ?? '', argument('sync-to-peer') === 'yes', user);
const softwareInstall: Operation = ({ device, user, argument }) =>
  device.software.install(argument('version') ?? '', argument('load-config'), user);
const contentDownload: Operation = ({ device, user, argument }) =>
  device.content.download(argument('sync-to-peer') === 'yes', user);
const contentInstall: Operation = ({ device, user, argument }) =>
  device.content.install(argument('version') ?? 'latest', argument('sync-to-peer') === 'yes', user);

const restart: Operation = ({ device }) => {
  device.power.restart();
  const { restartReply } = device.options;
  if (restartReply === 'drop') return { kind: 'drop' };
  // Some releases call it an error; both are what a client has to take for a success (facts §5).
  return restartReply === 'no-output'
    ? failureWithoutCode('Command succeeded with no output')
    : success('Executing this command will restart the system. System is going down for restart NOW');
};

const showJob: Operation = ({ device, argument }) => {
  const id = argument('id') ?? '';
  const job = device.jobs.find(Number(id));
  return job === undefined ? failureWithoutCode(`job ${id} not found`) : success(jobXml(job));
};

/** The newest first. */
const showJobs: Operation = ({ device }) => success([...device.jobs.list()].reverse().map(jobXml).join(''));

const saveConfig: Operation = ({ device, argument }) => {
  const name = argument('to') ?? '';
  if (!/^[\w.-]+$/.test(name)) return failure(17, `${name === '' ? 'No name' : name} is not a valid file name`);
  device.config.saved.set(name, device.config.candidate);
  return success(`Config saved to ${name}`);
};

const loadConfig: Operation = ({ device, argument }) => {
  const name = argument('from') ?? '';
  const config = device.config.saved.get(name);
  if (config === undefined) return failure(7, `${name} does not exist`);
  device.config.load(config);
  return success(`Config loaded from ${name}`);
};

const showChanges: Operation = ({ device }) =>
  success(
    node(
      'journal',
      ...device.config.changes.map(({ xpath, owner, action }) =>
        node(
          'entry',
          leaf('xpath', xpath),
          leaf('owner', owner),
          leaf('action', action.toUpperCase()),
          leaf('admin-history', owner),
        ),
      ),
    ),
  );

const takeLock =
  (kind: 'commit' | 'config'): Operation =>
  ({ device, user, argument }) => {
    const held = device.facts.locks[kind].find(({ location }) => location === 'shared');
    if (held !== undefined) return failureWithoutCode(`Configuration is locked by ${held.admin}`);
    device.facts.locks[kind].push({
      admin: user,
      location: 'shared',
      createdAt: device.events.now,
      comment: argument('comment') ?? '',
    });
    return success('Successfully acquired lock');
  };

const releaseLock =
  (kind: 'commit' | 'config'): Operation =>
  ({ device, user }) => {
    const locks = device.facts.locks[kind];
    const index = locks.findIndex(({ admin }) => admin === user);
    if (index < 0) return failureWithoutCode('Lock is not currently held');
    locks.splice(index, 1);
    return success('Successfully released lock');
  };

const OPERATIONS: Readonly<Record<string, Operation>> = {
  'show/system/info': ({ device }) => success(systemInfoXml(device)),
  'show/chassis-ready': ({ device }) => success(`${yesNo(device.phase === 'up')}\n`),
  'show/high-availability/state': ({ device }) => success(haStateXml(device)),
  'show/high-availability/all': ({ device }) => success(haStateXml(device)),
  'request/high-availability/state/suspend': changeState('suspend'),
  'request/high-availability/state/functional': changeState('functional'),
  'request/high-availability/sync-to-remote/running-config': ({ device, user }) => syncToRemote(device, user),
  'request/system/software/check': ({ device }) => device.software.check(),
  'request/system/software/info': ({ device }) => device.software.info(),
  'request/system/software/download': softwareDownload,
  'request/system/software/install': softwareInstall,
  'delete/software': ({ device, argument }) => device.software.delete(argument('version') ?? ''),
  'request/content/upgrade/check': ({ device }) => device.content.check(),
  'request/content/upgrade/info': ({ device }) => device.content.info(),
  'request/content/upgrade/download': contentDownload,
  'request/content/upgrade/install': contentInstall,
  'request/content/downgrade/install': ({ device, user }) => device.content.downgrade(user),
  'request/restart/system': restart,
  'show/jobs/id': showJob,
  'show/jobs/all': showJobs,
  'show/jobs': showJobs,
  'save/config/to': saveConfig,
  'load/config/from': loadConfig,
  'revert/config': ({ device }) => {
    device.config.revert();
    return success('Config reverted');
  },
  'show/config/running': ({ device }) => success(render(device.config.running)),
  'show/config/candidate': ({ device }) => success(render(device.config.candidate)),
  'show/config/list/changes': showChanges,
  'check/pending-changes': ({ device }) => success(yesNo(device.config.hasPendingChanges())),
  'check/full-commit-required': ({ device }) => success(yesNo(device.config.fullCommitRequired)),
  'request/commit-lock/add': takeLock('commit'),
  'request/commit-lock/remove': releaseLock('commit'),
  'request/config-lock/add': takeLock('config'),
  'request/config-lock/remove': releaseLock('config'),
};

/** Text of the first element of a name below `element`, or of itself. */
function find(element: XmlElement, name: string): string | undefined {
  if (element.name === name) return element.text.trim() || undefined;
  const own = childText(element, name);
  return own ?? elements(element).reduce<string | undefined>((found, child) => found ?? find(child, name), undefined);
}

function operationAt(path: string): Operation | undefined {
  const parts = path.split('/');
  for (;;) {
    const operation = OPERATIONS[parts.join('/')];
    if (operation !== undefined) return operation;
    if (!ARGUMENTS.has(parts.pop() ?? '')) return undefined;
  }
}

export function operate(device: SimulatedDevice, cmd: string | null, user: string): ApiReply {
  const command = parseCommand(cmd ?? '');
  if (command === undefined) return failure(18, 'Malformed Request');
  const { path } = commandPath(command);
  const operation = operationAt(path);
  if (operation !== undefined) return operation({ device, user, argument: (name) => find(command, name) });
  try {
    const read = readReply(command, device.view());
    return read === undefined ? unknownCommand(path.split('/')) : success(read);
  } catch (error) {
    if (error instanceof ApiError) return failure(error.code, ...error.lines);
    throw error;
  }
}
