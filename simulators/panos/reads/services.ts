/** Locks, user identification, and what HA says besides its state. */
import { ApiError } from './api-error';
import type { DeviceView } from '../view';
import type { Commands } from './command';
import type { LockFact } from './facts';
import { cdata, escapeXml, leaf, leaves, stampText } from './xml';

const locks = (name: string, list: readonly LockFact[]): string =>
  `<${name}>${list
    .map(
      ({ admin, location, createdAt, comment }) =>
        `<entry name="${escapeXml(admin)}">${leaves({
          type: location === 'shared' ? 'shared' : 'vsys',
          name: location,
          created: stampText(createdAt),
          'last-activity': stampText(createdAt),
          loggedin: 'yes',
        })}<comment>${cdata(comment)}</comment></entry>`,
    )
    .join('')}</${name}>`;

const configLocks = ({ facts }: DeviceView): string => locks('config-locks', facts.locks.config);
const commitLocks = ({ facts }: DeviceView): string => locks('commit-locks', facts.locks.commit);

/** Data redistribution came with 10.0; before, there is only the User-ID service. */
function redistribution(view: DeviceView): void {
  if (Number(view.version.split('.')[0]) < 10) throw new ApiError(17, [' show -> redistribution  is unexpected']);
}

function clients(view: DeviceView): string {
  redistribution(view);
  const rows = view.facts.redistribution.clients.map(
    ({ host, port }) =>
      `<entry>${leaves({ host, port, vsys: 'vsys1', version: 6, status: 'idle', redistribution: 'I    ' })}</entry>`,
  );
  return rows.length === 0 ? '<entry/>' : rows.join('');
}

function agents(view: DeviceView): string {
  redistribution(view);
  const rows = view.facts.redistribution.agents.map(
    ({ name, host, port }) =>
      `<entry name="${escapeXml(name)}">${leaves({ vsys: 'vsys1', vsys_hub: 'no', host, 'peer-address': host, port, state: view.serving ? 'conn:idle' : 'disconnected', 'status-msg': '-', version: '0x6', num_sent_msgs: 0, num_recv_msgs: 0, 'job-id': 0 })}</entry>`,
  );
  return rows.length === 0 ? '<entry/>' : rows.join('');
}

const userIdService = ({ facts }: DeviceView): string =>
  cdata(
    facts.userIdService
      ? '\nUser ID service info:\n\tUser id service:               up\n\tlistening port:                5007\n\tnumber of clients:             1\n'
      : '\nUser ID service info:\n\tUser id service:               down\n\tReason:                        user_id service is not enabled\n',
  );

/** Extrapolated, as all of HA's side commands: only their names are documented. */
const transitions = ({ facts }: DeviceView): string =>
  `<enabled>yes</enabled><group><transitions>${leaves(facts.haTransitions)}</transitions></group>`;

const pathMonitoring = ({ facts }: DeviceView): string =>
  `<enabled>yes</enabled><group><path-monitoring><enabled>yes</enabled><failure-condition>any</failure-condition><virtual-router>${facts.haPathGroups
    .map(
      ({ router, destination, up }) =>
        `<entry name="${escapeXml(router)}">${leaves({ destination, status: up ? 'up' : 'down' })}</entry>`,
    )
    .join('')}</virtual-router></path-monitoring></group>`;

/** HA1 and HA2 of this member (`ha1`, `ha2`, and their backups). */
const haInterface =
  (port: string) =>
  ({ facts }: DeviceView): string => {
    const name = port === 'ha2' ? 'hsci' : port === 'ha1-backup' ? 'ha1-b' : 'ha1-a';
    const state = facts.interfaces.find((fact) => fact.name === name)?.state ?? 'down';
    return `<interface>${leaf('port', name)}${leaf('state', state)}</interface>`;
  };

export const services: Commands = {
  'show/config-locks': configLocks,
  'show/config-locks/vsys': configLocks,
  'show/commit-locks': commitLocks,
  'show/commit-locks/vsys': commitLocks,
  'show/redistribution/service/client/all': clients,
  'show/redistribution/service/agent/all': agents,
  'show/user/user-id-service/status': userIdService,
  'show/high-availability/transitions': transitions,
  'show/high-availability/path-monitoring': pathMonitoring,
  'show/high-availability/interface/ha1': haInterface('ha1'),
  'show/high-availability/interface/ha1-backup': haInterface('ha1-backup'),
  'show/high-availability/interface/ha2': haInterface('ha2'),
};
