/** Questions that several checks or the snapshot ask, with their answers as values. */
import { textAt, type Reader, type XmlElement } from '../api';
import { isServing, readHa, type HaReading } from '../ha';
import { readSystem } from '../system';
import { permanent } from '../../kit/errors';
import { parseAdvancedPeers, parseLegacyPeers, parseSessionStats, type BgpPeer } from './parse';

export const COMMANDS = {
  arp: "<show><arp><entry name = 'all'/></arp></show>",
  sessionInfo: '<show><session><info></info></session></show>',
  tunnels: '<show><running><tunnel><flow><all></all></flow></tunnel></running></show>',
  clock: '<show><clock></clock></show>',
  licences: '<request><license><info></info></license></request>',
  legacyPeers: '<show><routing><protocol><bgp><peer></peer></bgp></protocol></routing></show>',
  advancedPeers: '<show><advanced-routing><bgp><peer><status></status></peer></bgp></advanced-routing></show>',
} as const;

const DEVICE = "/config/devices/entry[@name='localhost.localdomain']";
export const XPATHS = {
  ha: `${DEVICE}/deviceconfig/high-availability`,
  network: `${DEVICE}/network`,
  vsys: `${DEVICE}/vsys`,
  updateSchedule: `${DEVICE}/deviceconfig/system/update-schedule`,
  certificates: '/config/shared/certificate',
} as const;

/** @throws NotReady if high availability isn't enabled */
export async function haOf(reader: Reader): Promise<HaReading> {
  const reading = await readHa(reader);
  if (reading === undefined) throw permanent('NotReady', `high availability isn’t enabled on ${reader.name}`);
  return reading;
}

export const servesNow = async (reader: Reader): Promise<boolean> => isServing((await haOf(reader)).state);

export async function peersOf(reader: Reader): Promise<BgpPeer[]> {
  return (await readSystem(reader)).advancedRouting
    ? parseAdvancedPeers(await reader.op(COMMANDS.advancedPeers))
    : parseLegacyPeers(await reader.op(COMMANDS.legacyPeers));
}

/** How many sessions it has now. */
export const activeSessions = async (reader: Reader): Promise<number> =>
  parseSessionStats(await reader.op(COMMANDS.sessionInfo)).active;

/** Text of `show system state filter …`. */
export const stateText = async (reader: Reader, filter: string): Promise<string> =>
  (await reader.op(`<show><system><state><filter>${filter}</filter></state></system></show>`)).text;

/**
 * Configuration as it is in force. Read as the candidate, for what Panorama's templates add is shown only there; the check
 * candidate_config makes sure that the two are the same.
 */
export const configOf = (reader: Reader, xpath: string): Promise<XmlElement | undefined> =>
  reader.config('get', xpath, PLACES[xpath]);

/** Large parts of the configuration, and the places in them that checks look at: rules of a large site are tens of MB. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  [XPATHS.network]: [
    ...['interface', 'dhcp/interface'],
    ...['virtual-router/entry/protocol', 'logical-router/entry/vrf'],
  ],
  [XPATHS.vsys]: [
    ...['entry/rulebase/nat', 'entry/rulebase/pbf'],
    ...['entry/certificate', 'entry/user-id-agent', 'entry/redistribution-agent'],
  ],
};

/** A leaf of the HA configuration's group. Before 8.1 the group was an entry by its ID. */
export async function haLeaf(reader: Reader, path: string): Promise<string | undefined> {
  const ha = await configOf(reader, XPATHS.ha);
  return textAt(ha, `group/${path}`) ?? textAt(ha, `group/entry/${path}`);
}
