/**
 * `show high-availability state` (facts §1). The active/passive form follows samples of 7.1, 10.0 and 10.2. Of
 * active/active no complete public sample exists: its elements beyond those of active/passive are extrapolated.
 */
import type { SimulatedDevice } from '../device';
import { runningSync } from '../config/requests';
import { featureRelease } from '../releases';
import { leaf, node, yesNo } from '../xml';
import { other } from './model';
import type { Member } from './situation';

const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1_000));
const compat = (mine: string, theirs: string | undefined): string =>
  theirs === undefined || mine === theirs ? 'Match' : 'Mismatch';

/** Locally administered: the same for the same side. */
const mac = (side: number, port: number): string => `02:00:5e:0a:0${port}:0${side + 1}`;

/** Plugins go with the feature release in this model. */
const plugin = (version: string): string => {
  const [major = '', minor = ''] = featureRelease(version).split('.');
  return `${Number(major) - 7}.${minor}.3`;
};

const modeName = ({ options }: SimulatedDevice): string =>
  options.mode === 'active-active' ? 'Active-Active' : 'Active-Passive';

/** Inner XML of <result>. */
export function haStateXml(device: SimulatedDevice): string {
  const { pair, side } = device;
  const me = pair.ha.self(side);
  if (!me.settings.enabled)
    return `<enabled>no</enabled><group><local-info>${leaf('ha1-encrypt-imported', 'no')}</local-info></group>`;
  const shown = pair.ha.peer(side);
  return `<enabled>yes</enabled>${node(
    'group',
    leaf('mode', modeName(device)),
    localInfo(device, me, shown ?? pair.ha.members[side].lastKnown),
    peerInfo(device, shown),
    '<link-monitoring><enabled>yes</enabled><failure-condition>any</failure-condition><groups/></link-monitoring>',
    '<path-monitoring><enabled>yes</enabled><failure-condition>any</failure-condition><virtual-wire/><vlan/><virtual-router/></path-monitoring>',
    leaf('running-sync', runningSync(device)),
    leaf('running-sync-enabled', yesNo(me.settings.configSync)),
  )}`;
}

function localInfo(device: SimulatedDevice, me: Member, peer: Member | undefined): string {
  const { side, options, own, events } = device;
  const { ha } = device.pair;
  const member = ha.members[side];
  const { settings } = me;
  const activeActive = options.mode === 'active-active';
  const virtual = options.model === 'PA-VM';
  return node(
    'local-info',
    '<url-compat>Match</url-compat>',
    leaf('app-version', me.contentVersion),
    leaf('app-compat', compat(me.contentVersion, peer?.contentVersion)),
    leaf('build-rel', me.version),
    leaf('build-compat', compat(me.version, peer?.version)),
    '<av-version>0</av-version><av-compat>Match</av-compat>',
    leaf('threat-version', me.contentVersion),
    leaf('threat-compat', compat(me.contentVersion, peer?.contentVersion)),
    '<url-version>0000.00.00.000</url-version><iot-version>0</iot-version><iot-compat>Match</iot-compat>',
    '<gpclient-version>Not Installed</gpclient-version><gpclient-compat>Match</gpclient-compat>',
    '<vpnclient-version>Not Installed</vpnclient-version><vpnclient-compat>Match</vpnclient-compat>',
    '<DLP>Match</DLP>',
    leaf('VMS', options.pluginMismatch ? compat(plugin(me.version), peer && plugin(peer.version)) : 'Match'),
    virtual
      ? '<vm-license>VM-300</vm-license><vm-license-compat>Match</vm-license-compat><vm-license-type>vm300</vm-license-type>'
      : '',
    leaf('platform-model', options.model),
    '<version>1</version>',
    leaf('mode', modeName(device)),
    '<ha1-port>management</ha1-port>',
    leaf('ha1-ipaddr', `${own.address}/24`),
    leaf('ha1-macaddr', mac(side, 1)),
    '<ha1-gateway>192.0.2.1</ha1-gateway><ha1-encrypt-enable>no</ha1-encrypt-enable>',
    '<ha1-encrypt-imported>no</ha1-encrypt-imported><ha1-link-mon-intv>3000</ha1-link-mon-intv>',
    leaf('ha2-port', activeActive && !virtual ? 'hsci' : 'ethernet1/3'),
    leaf('ha2-ipaddr', `198.18.2.${side + 1}/30`),
    leaf('ha2-macaddr', mac(side, 2)),
    '<ha2-gateway/>',
    leaf('mgmt-ip', `${own.address}/24`),
    '<mgmt-ipv6/>',
    leaf('priority', settings.priority),
    leaf('preemptive', yesNo(settings.preemptive)),
    leaf('preempt-hold', settings.preemptionHoldMs / 60_000),
    leaf('promotion-hold', settings.promotionHoldMs),
    leaf('hello-interval', settings.helloIntervalMs),
    leaf('heartbeat-interval', settings.heartbeatIntervalMs),
    leaf('monitor-fail-holdup', settings.monitorFailHoldUpMs),
    leaf('addon-master-holdup', settings.additionalMasterHoldUpMs),
    leaf('max-flaps', settings.maxFlaps),
    leaf('preempt-flap-cnt', member.flaps.preempt),
    leaf('nonfunc-flap-cnt', member.flaps.nonfunc),
    activeActive
      ? node(
          'active-active',
          leaf('device-id', settings.deviceId),
          leaf('tentative-hold', settings.tentativeHoldMs / 1_000),
          leaf('packet-forwarding', yesNo(settings.packetForwarding)),
          leaf('virtual-router-sync', yesNo(settings.virtualRouterSync)),
          leaf('qos-sync', yesNo(settings.qosSync)),
          leaf('tentative-flap-cnt', member.flaps.tentative),
        )
      : node(
          'active-passive',
          leaf('passive-link-state', settings.passiveLinkState),
          leaf('monitor-fail-holddown', settings.monitorFailHoldDownMs / 60_000),
        ),
    activeActive ? leaf('device-id', settings.deviceId) + leaf('ha3-port', virtual ? 'ethernet1/4' : 'hsci') : '',
    standing(me, events.now),
    leaf('state-sync', ha.stateSync(side)),
    '<state-sync-type>ip</state-sync-type>',
  );
}

/** What both members show of one: its state, since when, and why. `state-reason` is there only where there is one. */
function standing(member: Member, now: number): string {
  return (
    leaf('state', member.state) +
    leaf('state-duration', seconds(now - member.since)) +
    (member.reason === undefined ? '' : leaf('state-reason', member.reason)) +
    leaf('last-error-state', member.lastErrorState ?? '') +
    leaf('last-error-reason', member.lastErrorReason ?? '')
  );
}

/** @param peer undefined while it isn't connected. */
function peerInfo(device: SimulatedDevice, peer: Member | undefined): string {
  const { side, options, events } = device;
  const { links, members } = device.pair.ha;
  const theirSide = other(side);
  const { address } = options.devices[theirSide];
  const up = (value: boolean): string => leaf('conn-status', value ? 'up' : 'down');
  const heard = peer !== undefined && members[side].lastHeard === undefined;
  // HA1 counts as up for as long as the loss isn't noticed; the other links show their own state.
  const ha2 = links.ha2 && members[theirSide].running && members[side].running && (heard || !links.ha1);
  const activeActive = options.mode === 'active-active';
  const known = peer ?? members[side].lastKnown;
  return node(
    'peer-info',
    up(peer !== undefined),
    node('conn-ha1', up(peer !== undefined), '<conn-primary>yes</conn-primary><conn-desc>heartbeat status</conn-desc>'),
    node(
      'conn-ha2',
      up(ha2),
      '<conn-ka-enbled>no</conn-ka-enbled><conn-primary>yes</conn-primary><conn-desc>link status</conn-desc>',
    ),
    activeActive
      ? node(
          'conn-ha3',
          up(links.ha3 && members[theirSide].running),
          '<conn-primary>yes</conn-primary><conn-desc>link status</conn-desc>',
        )
      : '',
    known === undefined ? '' : leaf('app-version', known.contentVersion) + leaf('build-rel', known.version),
    known === undefined ? '' : `<DLP>3.0.2</DLP>${leaf('VMS', plugin(known.version))}`,
    leaf('platform-model', options.model),
    leaf('mode', modeName(device)),
    '<version>1</version>',
    leaf('mgmt-ip', `${address}/24`),
    '<mgmt-ipv6/>',
    leaf('ha1-ipaddr', address),
    leaf('ha1-macaddr', mac(theirSide, 1)),
    leaf('ha2-ipaddr', `198.18.2.${theirSide + 1}`),
    leaf('ha2-macaddr', mac(theirSide, 2)),
    known === undefined ? '' : leaf('priority', known.settings.priority),
    known === undefined ? '' : leaf('preemptive', yesNo(known.settings.preemptive)),
    activeActive && known !== undefined ? leaf('device-id', known.settings.deviceId) : '',
    peer === undefined ? '<state>unknown</state><state-duration>0</state-duration>' : standing(peer, events.now),
  );
}
