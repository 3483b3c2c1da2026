/** What a node is: its type, its packages, its services. */
import type { Host } from '../kit';
import { driverOf, isPresent, isWhole } from '../packages';
import { sudoToRead } from '../ssh';
import { SYSTEMCTL } from '../services/systemd';
import { XROAD_USER, type XroadStatic } from './plan';
import {
  UNIT_PROPERTIES,
  parseClusters,
  parseProxyPorts,
  parseNodeType,
  parseUnits,
  type NodeType,
  type PackageState,
  type ProxyPorts,
  type PostgresCluster,
  type Unit,
} from './text';

const NODE_INI = '/etc/xroad/conf.d/node.ini';
const LOCAL_INI = '/etc/xroad/conf.d/local.ini';
const AUTOLOGIN = '/etc/xroad/autologin';
const PG_LSCLUSTERS = '/usr/bin/pg_lsclusters';

/**
 * Services in the order in which they are stopped: what takes messages first, what it relies on after it. Started in the
 * opposite order, the proxy last, as its start pulls in the others (facts §1). xroad-base isn't among them: stopping it
 * stops everything, in no order.
 */
export const SERVICES: readonly string[] = [
  'xroad-proxy.service',
  'xroad-addon-messagelog.service',
  'xroad-opmonitor.service',
  'xroad-monitor.service',
  'xroad-proxy-ui-api.service',
  'xroad-autologin.service',
  'xroad-confclient.service',
  'xroad-signer.service',
];

export const readNodeType = async (host: Host): Promise<NodeType> =>
  parseNodeType(await host.readFile(NODE_INI, { sudo: XROAD_USER }));

/** From the configuration, for a proxy that runs may have an older one. */
export const readProxyPorts = async (host: Host): Promise<ProxyPorts> =>
  // It may hold secrets of add-ons: not for the evidence.
  parseProxyPorts(await host.readFile(LOCAL_INI, { sudo: XROAD_USER, quiet: true }));

const autologinArgv = ['/usr/bin/test', '-e', AUTOLOGIN];

/** Whether the node enters the PIN by itself; the file isn't read. */
export async function hasAutologin(host: Host): Promise<boolean> {
  const file = await host.exec(autologinArgv, { sudo: XROAD_USER, okCodes: [0, 1] });
  return file.code === 0;
}

/** Packages that X-Road builds; others begin with its name, too, as those of X-Road Metrics (`xroad-metrics-…`). */
const OWN_PACKAGES =
  /^xroad-(addon-.+|autologin|backup.*|base|centralserver.*|center.*|common|confclient|confproxy|database-.+|jetty.*|monitor|nginx.*|opmonitor|proxy|proxy-ui-api|secret-store-.+|securityserver.*|signer)$/;

/** Every package of X-Road on the node, sorted by name: those that it builds, and whatever a release names. */
export async function readPackages({ software }: Pick<XroadStatic, 'software'>, host: Host): Promise<PackageState[]> {
  const named = Object.values(software.releases).flatMap(({ packages }) => Object.keys(packages));
  const found = [...(await driverOf(software).installedLike(host, 'xroad-*')).values()]
    .filter(isPresent)
    .filter(({ name }) => OWN_PACKAGES.test(name) || named.includes(name));
  return found
    .map((p) => ({ name: p.name, version: p.version, whole: isWhole(p) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Instances of PostgreSQL as Debian manages them; undefined where it doesn't. */
export async function readClusters(host: Host): Promise<PostgresCluster[] | undefined> {
  const { code, stdout } = await host.exec([PG_LSCLUSTERS, '--no-header'], { okCodes: 'any' });
  return code === 127 ? undefined : parseClusters(stdout);
}

export async function readUnits(host: Host, units: readonly string[]): Promise<Unit[]> {
  const { stdout } = await host.exec([SYSTEMCTL, 'show', `--property=${UNIT_PROPERTIES}`, '--', ...units]);
  return parseUnits(stdout, units);
}

/** X-Road's services that the node has, in the order of SERVICES. */
export const readServices = async (host: Host): Promise<Unit[]> =>
  (await readUnits(host, SERVICES)).filter((unit) => unit.load !== 'not-found');

/** Runs, or is about to, or is about to end: anything but stopped. */
export const isStopped = ({ active }: Unit): boolean => active === 'inactive' || active === 'failed';

/** Can't be started, by a package or by anyone. */
export const isMasked = ({ load, file }: Pick<Unit, 'load' | 'file'>): boolean =>
  load === 'masked' || file.startsWith('masked');

/** Release of each package of X-Road that isn't as the release has it; nothing if all are. */
export function packageFaults(
  plan: Pick<XroadStatic, 'software'>,
  release: string,
  packages: readonly PackageState[],
): string[] {
  const wanted = plan.software.releases[release]?.packages ?? {};
  // Packages of one release have one version: of those that the plan doesn't name, too.
  const common = Object.entries(wanted).find(([name]) => name.startsWith('xroad-'))?.[1];
  const missing = Object.keys(wanted).filter(
    (name) => name.startsWith('xroad-') && !packages.some((p) => p.name === name),
  );
  return [
    ...packages.flatMap(({ name, version, whole }) => {
      const expected = wanted[name] ?? common;
      if (version !== expected)
        return [`${name} is ${version}${expected === undefined ? '' : ` instead of ${expected}`}`];
      return whole ? [] : [`${name} ${version} is only half installed`];
    }),
    ...missing.map((name) => `${name} is missing`),
  ];
}

export const sudoForNode = (): { as: string; command: string }[] =>
  [...sudoToRead(NODE_INI), ...sudoToRead(LOCAL_INI), autologinArgv.join(' ')].map((command) => ({
    as: XROAD_USER,
    command,
  }));
