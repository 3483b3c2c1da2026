import { createHash } from 'node:crypto';
import type { HostFile, HostSpec } from '../host/host-files';
import { renderHaproxy } from './haproxy';
import { addressesOf, nodesOf, ports, tokenPin, type ResolvedOptions } from './options';
import { postgresFiles } from './postgres';
import type { Secrets } from './secrets';

const length = 24;
const owner = 'xroad:xroad';

export const syncFlag = '/var/tmp/xroad/sync-disabled';

/** Where a unit isn't wanted: `postgresql.service` brings the instances. */
const nodeUnits = [
  ...['postgresql.service', 'xroad-base.service', 'xroad-proxy.service', 'xroad-signer.service'],
  ...['xroad-confclient.service', 'xroad-proxy-ui-api.service', 'xroad-monitor.service'],
  'xroad-addon-messagelog.service',
];

/** What the guide tells to put beside the secondaries' services (IG-XLB 5.2; facts/x-road.md section 2). */
const syncService = (primary: string): string => `[Unit]
Description=X-Road synchronization task
After=network.target
Before=xroad-proxy.service xroad-signer.service xroad-confclient.service xroad-proxy-ui-api.service

[Service]
User=xroad
Group=xroad
Type=oneshot
Environment=XROAD_USER=xroad-slave
Environment=MASTER=${primary}
ExecStartPre=/usr/bin/test ! -f ${syncFlag}
ExecStart=/usr/bin/rsync -e "ssh -o ConnectTimeout=5 " -aqz --timeout=10 --delete-delay --exclude db.properties --exclude "/conf.d/node.ini" --exclude "*.tmp" --exclude "/postgresql" --exclude "/globalconf" --exclude "/gpghome" --delay-updates --log-file=/var/log/xroad/slave-sync.log \${XROAD_USER}@\${MASTER}:/etc/xroad/ /etc/xroad/

[Install]
WantedBy=multi-user.target xroad-proxy.service
`;

/** systemd's own accuracy of a minute would hide a period of seconds. */
const syncTimer = (seconds: number): string => `[Unit]
Description=Sync X-Road configuration

[Timer]
OnBootSec=${seconds}
OnUnitActiveSec=${seconds}
AccuracySec=100ms

[Install]
WantedBy=timers.target
`;

const localIni = ({ healthPort, pooledConnections }: ResolvedOptions): string =>
  [
    '[proxy]',
    ...(healthPort ? [`health-check-port=${ports.health}`, 'health-check-interface=0.0.0.0'] : []),
    `server-support-clients-pooled-connections=${pooledConnections}`,
  ].join('\n') + '\n';

function nodeSpec(
  options: ResolvedOptions,
  secrets: Secrets,
  node: string,
  hostKeyOf: (host: string) => string,
): HostSpec {
  const { names } = options;
  const primary = node === names.primary;
  const addresses = addressesOf(names);
  const others = Object.entries(addresses.nodes).map(([name, address]) => `${address} ${name}\n`);
  const files: HostFile[] = [
    { path: '/etc/hosts', content: `127.0.0.1 localhost\n::1 localhost\n${others.join('')}` },
    { path: '/etc/default/xroad', content: `XROAD_PROXY_START_SECONDS=${options.proxyStartSeconds}\n` },
    {
      path: '/etc/xroad/conf.d/node.ini',
      content: `[node]\ntype=${primary ? 'master' : 'slave'}\n`,
      mode: 0o640,
      owner,
    },
    { path: '/etc/xroad/conf.d/local.ini', content: localIni(options), mode: 0o640, owner },
    {
      path: '/etc/xroad/signer/softtoken/pin.sha256',
      content: createHash('sha256').update(tokenPin).digest('hex') + '\n',
      mode: 0o640,
      owner,
    },
    ...(options.autologin ? [{ path: '/etc/xroad/autologin', content: `${tokenPin}\n`, mode: 0o640, owner }] : []),
    ...postgresFiles(options, secrets, node),
  ];
  const interfaces = [{ name: 'lan0', addresses: [`${addresses.nodes[node]}/${length}`] }];
  const common = { name: node, interfaces, mask: ['haproxy.service'] };
  if (primary) {
    // Owned by root, so that whoever gets in by it can't let anybody else in.
    files.push({ path: '/home/xroad-slave/.ssh/authorized_keys', content: secrets.sync.publicKey });
    return { ...common, files };
  }
  const ssh = '/var/lib/xroad/.ssh';
  const known = `${names.primary} ${hostKeyOf(names.primary)}\n`;
  files.push(
    { path: `${ssh}/id_ed25519`, content: secrets.sync.privateKey, mode: 0o600, owner },
    { path: `${ssh}/known_hosts`, content: known, mode: 0o644, owner },
    { path: '/etc/systemd/system/xroad-sync.service', content: syncService(names.primary) },
    { path: '/etc/systemd/system/xroad-sync.timer', content: syncTimer(options.syncPeriodSeconds) },
  );
  const enable = [
    { unit: 'xroad-sync.service', by: 'multi-user.target' },
    { unit: 'xroad-sync.service', by: 'xroad-proxy.service' },
    { unit: 'xroad-sync.timer', by: 'timers.target' },
  ];
  // It fails while the primary is off, and while it is switched off on purpose.
  return { ...common, files, enable, mayFail: ['xroad-sync.service'] };
}

/** All hosts of the lab, with their configuration files. */
export function hostSpecs(options: ResolvedOptions, secrets: Secrets, hostKeyOf: (host: string) => string): HostSpec[] {
  const { names } = options;
  const addresses = addressesOf(names);
  const end = (name: string, address: string): HostSpec => ({
    name,
    interfaces: [{ name: 'lan0', addresses: [`${address}/${length}`] }],
    files: [],
    mask: [...nodeUnits, 'haproxy.service'],
  });
  const lb: HostSpec = {
    name: names.lb,
    interfaces: [
      { name: 'out0', addresses: [`${addresses.lbOutside}/${length}`] },
      { name: 'lan0', addresses: [`${addresses.lbInside}/${length}`] },
    ],
    files: [{ path: '/etc/haproxy/haproxy.cfg', content: renderHaproxy(options, addresses) }],
    mask: nodeUnits,
  };
  return [
    end(names.client, addresses.client),
    lb,
    ...nodesOf(names).map((node) => nodeSpec(options, secrets, node, hostKeyOf)),
    end(names.provider, addresses.provider),
  ];
}
