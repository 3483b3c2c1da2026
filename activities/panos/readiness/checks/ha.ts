/** What the pair says of itself. Source: facts/pan-os.md, sections 1, 2, 4.1 (steps 0, 2) and 6. */
import { at, childrenOf, type Reader, type XmlElement } from '../../api';
import { isBackupLink, type HaReading } from '../../ha';
import { pairFaults, type Identity } from '../../identify';
import { describeJobs, isActive, isBlocking, readJobs, type Job } from '../../jobs';
import { readSystem } from '../../system';
import type { Checks, Found } from '../check';
import { haLeaf, haOf, configOf, XPATHS } from '../read';

const STATE = '<show><high-availability><state></state></high-availability></show>';

const identityOf = async (reader: Reader): Promise<Identity> => ({
  node: reader.name,
  ha: await haOf(reader),
  system: await readSystem(reader),
  images: [],
});

/** Roles, releases, and links. Pure. */
export function haFaults(identities: readonly Identity[]): Found[] {
  const links = identities.flatMap(({ node, ha }) => {
    // Backup links alone are told by ha1_backup.
    if (ha === undefined || (ha.peer.connected && ha.peer.down.every(isBackupLink))) return [];
    const down = ha.peer.down.join(', ') || 'the device doesn’t say which';
    return [
      {
        where: node,
        what: `HA links to its peer aren’t up (${down})`,
        next: 'mend the links first: a member that boots without HA1 becomes active beside the other',
      },
    ];
  });
  return [...pairFaults({ nodes: {}, cluster: 'both members' }, identities), ...links];
}

/** Pure. */
export function stateSyncFaults({ state, stateSync }: Pick<HaReading, 'state' | 'stateSync'>): Found[] {
  if (/^complete$/i.test(stateSync)) return [];
  if (/^user-disabled$/i.test(stateSync))
    return [
      {
        what: 'session synchronization is switched off (User-disabled): a failover drops every session',
        next: 'switch it on (Device > High Availability > HA Communications > State Synchronization), or waive the loss',
      },
    ];
  return [
    {
      what: `sessions aren’t synchronized: state-sync is ${stateSync || 'not told'} (it is ${state})`,
      next: 'wait until it is Complete; look at HA2 if it doesn’t become so',
      waivable: false,
    },
  ];
}

/** Pure. */
export const configSyncFaults = ({
  runningSync,
  runningSyncEnabled,
}: Pick<HaReading, 'runningSync' | 'runningSyncEnabled'>): Found[] =>
  !runningSyncEnabled || runningSync === 'synchronized'
    ? []
    : [
        {
          what: `the running configuration isn’t the peer’s: running-sync is "${runningSync || 'not told'}"`,
          next: 'compare both, and synchronize from the member whose configuration is right',
        },
      ];

/** Parts that tell a match with the peer, as `app-compat` or the plugins `DLP` and `VMS`. Pure. */
export function compatibilityFaults(state: XmlElement): Found[] {
  const mismatched = childrenOf(at(state, 'group/local-info'))
    .filter((leaf) => leaf.text.trim() === 'Mismatch')
    .map(({ name }) => name.replace(/-compat$/, ''));
  return mismatched.length === 0
    ? []
    : [
        {
          what: `not the same on both members: ${mismatched.join(', ')}`,
          next: 'bring both to the same content, plugins and licences; a member with another plugin may become non-functional',
        },
      ];
}

/** Pure. */
export const flapFaults = ({ flaps, maxFlaps }: Pick<HaReading, 'flaps' | 'maxFlaps'>): Found[] =>
  maxFlaps > 0 && flaps >= maxFlaps
    ? [
        {
          what: `it has flapped ${flaps} times lately, and max-flaps is ${maxFlaps}: one more suspends it for good`,
          next: 'wait for 15 minutes without a failover',
        },
      ]
    : [];

/** Pure. */
export function jobFaults(jobs: readonly Job[]): Found[] {
  const running = jobs.filter((job) => isBlocking(job));
  return running.length === 0
    ? []
    : [
        {
          what: `jobs aren’t finished: ${describeJobs(running)}`,
          next: 'wait until they are done',
          passes: 'Busy',
        },
      ];
}

/**
 * Pushes come to a device as CommitAll jobs; what is only pending on Panorama itself a device can't know. Pure. That the
 * job has this name is an inference.
 */
export function pushFaults(jobs: readonly Job[]): Found[] {
  const pushes = jobs.filter((job) => isActive(job) && /^commit-?all/i.test(job.type));
  return pushes.length === 0
    ? []
    : [
        {
          what: `Panorama pushes configuration: ${describeJobs(pushes)}`,
          next: 'wait until the push is done, and stop pushes to this pair until the upgrade is over',
          passes: 'Busy',
        },
      ];
}

/** HA1 alone keeps two members that boot from both becoming active. Pure. */
export function ha1BackupFaults(heartbeatBackup: string | undefined, backupLink: boolean): Found[] {
  return heartbeatBackup === 'yes' || backupLink
    ? []
    : [
        {
          what: 'HA1 has neither a backup link nor the heartbeat backup: if HA1 fails while a member boots, both become active',
          next: 'configure HA1 Backup, or the heartbeat backup over the management port',
        },
      ];
}

/** Backup links that are down while those that they back up are up. Pure. */
export function backupLinkFaults({ peer }: Pick<HaReading, 'peer'>): Found[] {
  if (!peer.connected || peer.down.length === 0 || !peer.down.every(isBackupLink)) return [];
  return [
    {
      what: `backup HA links are down (${peer.down.join(', ')}); HA works on the others`,
      next: 'mend them, or go on without: if the other link of the kind fails too while a member boots, both become active, or sessions are lost',
    },
  ];
}

export const haChecks = {
  ha: { both: async (members) => haFaults(await Promise.all(members.map(identityOf))) },
  ha_state_sync: { each: async (reader) => stateSyncFaults(await haOf(reader)) },
  ha_config_sync: { each: async (reader) => configSyncFaults(await haOf(reader)) },
  ha_compatibility: { each: async (reader) => compatibilityFaults(await reader.op(STATE)) },
  ha_flaps: { each: async (reader) => flapFaults(await haOf(reader)) },
  ha1_backup: {
    async each(reader) {
      const ha = await configOf(reader, XPATHS.ha);
      const backup = childrenOf(at(ha, 'interface/ha1-backup')).length > 0;
      return [
        ...ha1BackupFaults(await haLeaf(reader, 'election-option/heartbeat-backup'), backup),
        ...backupLinkFaults(await haOf(reader)),
      ];
    },
  },
  jobs: { each: async (reader) => jobFaults(await readJobs(reader)) },
  panorama_push: { each: async (reader) => pushFaults(await readJobs(reader)) },
} satisfies Partial<Checks>;
