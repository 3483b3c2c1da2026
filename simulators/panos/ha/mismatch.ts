/** Why two members can't be a pair as they are (T12, U8; facts §1, state reasons). Pure. */
import { compareReleases, featureSteps } from '../releases';
import { isServing, type Member, type Situation } from './situation';

export interface Unfit {
  readonly to: 'suspended' | 'non-functional';
  readonly reason: string;
}

const TOO_NEW = 'Peer version too new';

/**
 * What keeps this member out of the pair; undefined if nothing does. The member that serves stays: which of two members
 * yields is told by no source but for the release (the newer says that its peer is too old) and the plugin.
 */
export function unfit(situation: Situation): Unfit | undefined {
  const { me, peer, rules, mismatch } = situation;
  if (peer === undefined) return undefined;
  const order = compareReleases(me.version, peer.version);
  const tooFar = featureSteps(me.version, peer.version) > rules.peerReleaseSteps;
  // Also where it serves; the newer takes over. What it gives as its reason no source tells.
  if (tooFar && rules.suspends === 'older' && order < 0) return { to: 'suspended', reason: TOO_NEW };
  if (!isServing(me.state)) {
    if (mismatch !== undefined) return { to: 'suspended', reason: mismatch };
    if (tooFar && rules.suspends === 'newer' && (order > 0 || isServing(peer.state)))
      return { to: 'suspended', reason: 'Peer version too old' };
  }
  const peerTakesOver = peer.state === 'passive' || isServing(peer.state);
  if (rules.pluginMismatch && order < 0 && peerTakesOver)
    return { to: 'non-functional', reason: 'Version mismatches with peer for VMS' };
  return rules.mode === 'active-active' ? unfitForBoth(situation, me, peer) : undefined;
}

/** Active/active: with settings of only one side, the member that isn't active-primary steps back. */
function unfitForBoth({ ha3Up }: Situation, me: Member, peer: Member): Unfit | undefined {
  if (me.state === 'active-primary' || (me.state === 'initial' && !isServing(peer.state))) return undefined;
  const [mine, theirs] = [me.settings, peer.settings];
  const reason =
    mine.deviceId === theirs.deviceId
      ? 'Device ID overlap with peer'
      : mine.packetForwarding !== theirs.packetForwarding
        ? 'Packet forwarding mismatch with peer'
        : mine.virtualRouterSync !== theirs.virtualRouterSync
          ? 'Router sync mismatch with peer'
          : mine.qosSync !== theirs.qosSync
            ? 'QoS sync mismatch with peer'
            : ha3Up
              ? undefined
              : 'HA3 link is down';
  return reason === undefined ? undefined : { to: 'non-functional', reason };
}
