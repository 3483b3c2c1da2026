/** The facts of a healthy device, to start from. */
import type { HaMode } from '../view';
import { CERTIFICATES } from './certificates';
import type {
  ArpEntry,
  BgpPeer,
  DeviceFacts,
  InterfaceFact,
  Licence,
  MountPoint,
  RouterFact,
  Sensor,
  SessionFact,
} from './facts';

export interface FactsOptions {
  readonly serial: string;
  readonly advancedRouting: boolean;
  readonly haMode: HaMode;
  /** PA-VM has no sensors. */
  readonly model?: string;
  /** 0 or 1: in active/active the members have addresses and neighbours of their own. */
  readonly deviceId?: number;
}

const FAR = Date.UTC(2099, 11, 31);
const ISSUED = Date.UTC(2023, 4, 2);

/** A healthy device of a small site: two uplinks with a BGP peer each, one inside network, one tunnel. */
export function freshFacts({
  serial,
  advancedRouting,
  haMode,
  model = 'PA-3410',
  deviceId = 0,
}: FactsOptions): DeviceFacts {
  // The members of an active/passive pair take over each other's addresses, those of an active/active pair don't.
  const own = haMode === 'active-active' ? 1 + deviceId : 1;
  const routerName = advancedRouting ? 'lr-default' : 'default';
  const port = (name: string, address: string, zone: string): InterfaceFact => ({
    name,
    state: 'up',
    mtu: 1_500,
    router: routerName,
    zone,
    address,
  });
  const virtual = model.startsWith('PA-VM');
  return {
    serial,
    ntp: [
      { name: '0.pool.ntp.org', reachable: true, status: 'available' },
      { name: '1.pool.ntp.org', reachable: true, status: 'synched' },
    ],
    panorama: [{ address: '192.0.2.100', connected: true }],
    updateServerReachable: true,
    licences: [
      licence('PA-VM', virtual ? 'Standard VM-300' : 'Standard', undefined),
      licence('PAN-DB URL Filtering', 'Palo Alto Networks URL Filtering License', FAR),
      licence('Threat Prevention', 'Threat Prevention', FAR),
      licence('Premium', '24 x 7 phone support; advanced replacement hardware service', FAR),
    ],
    support: { level: 'Premium', expiresAt: FAR },
    disks: [
      mount('/dev/root', '/', 7_065, 5_222),
      mount('none', '/dev', 8_089, 1),
      mount('/dev/sda5', '/opt/pancfg', 16_384, 1_228),
      mount('/dev/sda6', '/opt/panrepo', 16_384, 4_096),
      mount('tmpfs', '/dev/shm', 12_288, 1_024),
      mount('/dev/sda8', '/opt/panlogs', 21_504, 63),
    ],
    dataplaneClockSkewMs: [0],
    certificates: [{ ...CERTIFICATES.rsa }, { ...CERTIFICATES.ec }],
    environmentals: virtual ? [] : sensors(),
    cpu: { managementPercent: 7, dataplaneCores: 4, dataplanePercent: 22 },
    pastLoad: [],
    memory: { totalMb: 16_384, usedMb: 6_144, cacheMb: 4_096 },
    interfaces: [
      port('ethernet1/1', `198.51.100.${own}/30`, 'untrust'),
      port('ethernet1/2', `198.51.100.${own + 16}/30`, 'untrust'),
      port('ethernet1/3', `10.0.0.${own}/24`, 'trust'),
      { ...port('ethernet1/3.20', `10.0.20.${own}/24`, 'guests'), mtu: 1_400 },
      { name: 'tunnel.1', state: 'up', mtu: 1_427, router: routerName, zone: 'vpn' },
      { name: 'ha1-a', state: 'up' },
      { name: 'ha1-b', state: 'up' },
      { name: 'hsci', state: 'up' },
    ],
    jumboFrame: false,
    arp: [
      arpEntry('ethernet1/1', '198.51.100.10', '02:00:5e:00:01:10'),
      arpEntry('ethernet1/2', '198.51.100.26', '02:00:5e:00:01:26'),
      arpEntry('ethernet1/3', '10.0.0.20', '02:00:5e:00:02:20'),
    ],
    routers: [router(own, routerName)],
    sessions: {
      active: 1_200,
      max: haMode === 'active-active' ? 100_000 : 819_200,
      kbps: 84_000,
      pps: 9_500,
      cps: 40,
      listed: [
        session('10.0.0.20', '203.0.113.80', 51_000, 443, 'ssl'),
        session('10.0.0.21', '203.0.113.53', 40_000, 53, 'dns'),
      ],
    },
    tunnels: [
      {
        name: 'to-branch',
        state: 'active',
        innerInterface: 'tunnel.1',
        outerInterface: 'ethernet1/1',
        localAddress: `198.51.100.${own}`,
        peerAddress: '203.0.113.9',
      },
    ],
    updateSchedules: [
      { kind: 'threats', recurring: 'none' },
      { kind: 'anti-virus', recurring: 'none' },
    ],
    locks: { config: [], commit: [] },
    redistribution: { clients: [], agents: [] },
    userIdService: false,
    deviceCertificate: 'Valid',
    autoCommitWarnings: [],
    haTransitions: {},
    haPathGroups: [{ router: routerName, destination: '198.51.100.10', up: true }],
  };
}

const licence = (feature: string, description: string, expiresAt: number | undefined): Licence => ({
  feature,
  description,
  issuedAt: ISSUED,
  ...(expiresAt === undefined ? {} : { expiresAt }),
});

const mount = (filesystem: string, mountedOn: string, sizeMb: number, usedMb: number): MountPoint => ({
  filesystem,
  mountedOn,
  sizeMb,
  usedMb,
});

const arpEntry = (name: string, ip: string, mac: string): ArpEntry => ({ interface: name, ip, mac, ttl: 1_777 });

const session = (
  source: string,
  destination: string,
  sourcePort: number,
  destinationPort: number,
  application: string,
): SessionFact => ({
  source,
  destination,
  sourcePort,
  destinationPort,
  protocol: application === 'dns' ? 17 : 6,
  application,
  ingress: 'ethernet1/3',
  egress: 'ethernet1/1',
});

function router(own: number, name: string): RouterFact {
  const peer = (name: string, index: number, prefixes: string[]): BgpPeer => ({
    name,
    group: 'uplinks',
    remoteAs: 64_512 + index,
    peerAddress: `198.51.100.${index === 1 ? 10 : 26}`,
    localAddress: `198.51.100.${index === 1 ? own : own + 16}`,
    routerId: `203.0.113.${index}`,
    interface: `ethernet1/${index}`,
    prefixes,
    rejected: 0,
    advertised: 2,
    establishAfterMs: 10_000,
  });
  return {
    name,
    routerId: `10.255.0.${own}`,
    localAs: 64_500,
    routes: [
      {
        destination: '10.0.0.0/24',
        nexthop: `10.0.0.${own}`,
        interface: 'ethernet1/3',
        metric: 0,
        protocol: 'connected',
      },
      { destination: '192.168.0.0/16', nexthop: '10.0.0.20', interface: 'ethernet1/3', metric: 10, protocol: 'static' },
    ],
    peers: [
      peer('isp-a', 1, ['0.0.0.0/0', '203.0.113.0/25', '203.0.113.128/26']),
      peer('isp-b', 2, ['203.0.113.0/25', '203.0.113.192/26']),
    ],
  };
}

const sensor = (kind: Sensor['kind'], slot: number, description: string, measured: Record<string, string>): Sensor => ({
  kind,
  slot,
  description,
  alarm: false,
  measured,
});

const sensors = (): Sensor[] => [
  sensor('thermal', 0, 'Temperature: MP Core', { DegreesC: '29.8', min: '-5.0', max: '70.0' }),
  sensor('fantray', 1, 'Fan Tray', { Inserted: 'True', min: '1' }),
  sensor('fan', 1, 'Fan #1 RPM', { RPMs: '3689', min: '1000' }),
  sensor('fan', 1, 'Fan #2 RPM', { RPMs: '3655', min: '1000' }),
  sensor('power', 1, 'Power: DP - Switch 1.0V Core', { Volts: '1.008', min: '0.9', max: '1.1' }),
  sensor('power-supply', 1, 'Power Supply #1 (left)', { Inserted: 'True', min: 'True' }),
  sensor('power-supply', 1, 'Power Supply #2 (right)', { Inserted: 'True', min: 'True' }),
];
