/** The configuration that a simulated device starts with, and what of it HA goes by. */
import { certificateEntries, updateScheduleElement, type DeviceFacts } from '../reads';
import type { DeviceOptions, Resolved, Timers } from '../options';
import { featureRelease } from '../releases';
import { escapeXml, leaf, node, parseRoot, yesNo } from '../xml';
import { fromXml, parseXpath, select, textAt, type ConfigNode } from './tree';

export const DEVICE_PATH = "/config/devices/entry[@name='localhost.localdomain']";
const steps = (path: string) => parseXpath(`${DEVICE_PATH}/deviceconfig/${path}`) ?? [];
const HA = steps('high-availability');

function highAvailability(options: Resolved, own: DeviceOptions, peer: DeviceOptions): string {
  const { timers, mode } = options;
  const seconds = (ms: number): number => Math.round(ms / 1_000);
  const minutes = (ms: number): number => Math.round(ms / 60_000);
  const modeElement =
    mode === 'active-passive'
      ? node(
          'active-passive',
          leaf('passive-link-state', options.passiveLinkState),
          leaf('monitor-fail-hold-down-time', minutes(timers.monitorFailHoldDownMs)),
        )
      : node(
          'active-active',
          leaf('device-id', own.deviceId),
          leaf('tentative-hold-time', seconds(timers.tentativeHoldMs)),
          leaf('packet-forwarding', 'yes'),
          node('session-owner-selection', node('first-packet', node('session-setup', '<ip-modulo/>'))),
          node('network-configuration', node('sync', leaf('virtual-router', 'yes'), leaf('qos', 'yes'))),
        );
  return node(
    'high-availability',
    leaf('enabled', 'yes'),
    node(
      'group',
      leaf('group-id', 1),
      leaf('peer-ip', peer.address),
      node('mode', modeElement),
      node('configuration-synchronization', leaf('enabled', 'yes')),
      node(
        'state-synchronization',
        leaf('enabled', 'yes'),
        leaf('transport', 'ip'),
        node('ha2-keep-alive', leaf('enabled', 'no')),
      ),
      node(
        'election-option',
        leaf('device-priority', own.priority),
        leaf('preemptive', yesNo(own.preemptive)),
        leaf('heartbeat-backup', 'yes'),
        node(
          'timers',
          node(
            'advanced',
            leaf('promotion-hold-time', timers.promotionHoldMs),
            leaf('hello-interval', timers.helloIntervalMs),
            leaf('heartbeat-interval', timers.heartbeatIntervalMs),
            leaf('flap-max', timers.maxFlaps),
            leaf('preemption-hold-time', minutes(timers.preemptionHoldMs)),
            leaf('monitor-fail-hold-up-time', timers.monitorFailHoldUpMs),
            leaf('additional-master-hold-up-time', timers.additionalMasterHoldUpMs),
          ),
        ),
      ),
      node(
        'monitoring',
        node('link-monitoring', leaf('enabled', 'yes'), leaf('failure-condition', 'any')),
        node('path-monitoring', leaf('enabled', 'yes'), leaf('failure-condition', 'any')),
      ),
    ),
  );
}

/** Of one device; @throws Error where facts don't fit into XML, which is a mistake of whoever made them. */
export function initialConfig(options: Resolved, index: 0 | 1, facts: DeviceFacts): ConfigNode {
  const own = options.devices[index];
  const system = node(
    'system',
    leaf('hostname', own.name),
    leaf('ip-address', own.address),
    leaf('netmask', '255.255.255.0'),
    updateScheduleElement(facts.updateSchedules),
  );
  const router = options.advancedRouting ? 'logical-router' : 'virtual-router';
  const routers = facts.routers.map(({ name }) => `<entry name="${escapeXml(name)}"/>`);
  const text = `<config version="${featureRelease(own.version ?? options.version)}.0" urldb="paloaltonetworks">${node(
    'mgt-config',
    node(
      'users',
      `<entry name="${escapeXml(options.user)}">${node('permissions', node('role-based', leaf('superuser', 'yes')))}</entry>`,
    ),
  )}${node('shared', node('certificate', certificateEntries(facts.certificates)), '<tag/>')}${node(
    'devices',
    `<entry name="localhost.localdomain">${node('network', node(router, ...routers))}${node(
      'deviceconfig',
      system,
      highAvailability(options, own, options.devices[index === 0 ? 1 : 0]),
      node('setting', node('management', leaf('hostname-type-in-syslog', 'FQDN'))),
    )}${node('vsys', '<entry name="vsys1"><tag/><zone/></entry>')}</entry>`,
  )}</config>`;
  const root = parseRoot(text);
  if (root === undefined) throw new Error(`the configuration of ${own.name} is no XML`);
  return fromXml(root);
}

/** What HA goes by, of the running configuration. */
export interface HaSettings extends Timers {
  readonly enabled: boolean;
  readonly priority: number;
  readonly preemptive: boolean;
  readonly deviceId: number;
  readonly packetForwarding: boolean;
  readonly virtualRouterSync: boolean;
  readonly qosSync: boolean;
  readonly stateSync: boolean;
  readonly configSync: boolean;
  readonly passiveLinkState: string;
}

const settingsOf = new WeakMap<ConfigNode, HaSettings>();

/** Leaves that aren't in the configuration have the vendor's recommended value. */
export function haSettings(config: ConfigNode): HaSettings {
  const known = settingsOf.get(config);
  if (known !== undefined) return known;
  const [ha] = select(config, HA);
  const group = (...path: string[]) => textAt(ha, 'group', ...path);
  const number = (fallback: number, ...path: string[]): number => Number(group(...path) ?? fallback);
  const flag = (fallback: 'yes' | 'no', ...path: string[]): boolean => (group(...path) ?? fallback) === 'yes';
  const timer = (name: string, fallback: number): number =>
    number(fallback, 'election-option', 'timers', 'advanced', name);
  const settings: HaSettings = {
    enabled: textAt(ha, 'enabled') === 'yes',
    priority: number(100, 'election-option', 'device-priority'),
    preemptive: flag('no', 'election-option', 'preemptive'),
    deviceId: number(0, 'mode', 'active-active', 'device-id'),
    packetForwarding: flag('yes', 'mode', 'active-active', 'packet-forwarding'),
    virtualRouterSync: flag('no', 'mode', 'active-active', 'network-configuration', 'sync', 'virtual-router'),
    qosSync: flag('no', 'mode', 'active-active', 'network-configuration', 'sync', 'qos'),
    stateSync: flag('yes', 'state-synchronization', 'enabled'),
    configSync: flag('yes', 'configuration-synchronization', 'enabled'),
    passiveLinkState: group('mode', 'active-passive', 'passive-link-state') ?? 'auto',
    promotionHoldMs: timer('promotion-hold-time', 2_000),
    helloIntervalMs: timer('hello-interval', 8_000),
    heartbeatIntervalMs: timer('heartbeat-interval', 2_000),
    maxFlaps: timer('flap-max', 3),
    preemptionHoldMs: 60_000 * timer('preemption-hold-time', 1),
    monitorFailHoldUpMs: timer('monitor-fail-hold-up-time', 0),
    additionalMasterHoldUpMs: timer('additional-master-hold-up-time', 500),
    monitorFailHoldDownMs: 60_000 * number(1, 'mode', 'active-passive', 'monitor-fail-hold-down-time'),
    tentativeHoldMs: 1_000 * number(60, 'mode', 'active-active', 'tentative-hold-time'),
  };
  settingsOf.set(config, settings);
  return settings;
}
