/** What nodes print, as values. Pure. */
import { shownUnits } from '../services/shown';

/** Values of an ini file by "section.key", both as written; comments begin with ; or #. */
export function parseIni(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let section = '';
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    const heading = /^\[([^\]]*)\]/.exec(line)?.[1];
    if (heading !== undefined) section = heading.trim();
    else {
      const at = line.search(/[=:]/);
      if (at > 0) values.set(`${section}.${line.slice(0, at).trim()}`, line.slice(at + 1).trim());
    }
  }
  return values;
}

export type NodeType = 'master' | 'slave' | 'standalone';

/** Type in node.ini: in any case of letters; what is missing or unknown is standalone, as for X-Road itself (facts §1). */
export function parseNodeType(nodeIni: string): NodeType {
  const type = parseIni(nodeIni).get('node.type')?.toLowerCase();
  return type === 'master' || type === 'slave' ? type : 'standalone';
}

/** Ports of a proxy, as its node's local.ini sets them. */
export interface ProxyPorts {
  /** 0 is X-Road's default and means that there is none. */
  readonly health: number;
  /** For other Security Servers. */
  readonly messages: number;
  /** For consumer information systems. Clusters installed before 7.4 have 80 and 443, which their upgrades wrote down. */
  readonly http: number;
  readonly https: number;
}

/** What X-Road has where nothing is set (from 7.4.0 on). */
export const DEFAULT_PORTS: ProxyPorts = { health: 0, messages: 5500, http: 8080, https: 8443 };

export function parseProxyPorts(localIni: string): ProxyPorts {
  const values = parseIni(localIni);
  const port = (key: string, byDefault: number): number => {
    const found = Number(values.get(`proxy.${key}`) ?? '');
    return Number.isInteger(found) && found > 0 && found < 65_536 ? found : byDefault;
  };
  return {
    health: port('health-check-port', DEFAULT_PORTS.health),
    messages: port('server-listen-port', DEFAULT_PORTS.messages),
    http: port('client-http-port', DEFAULT_PORTS.http),
    https: port('client-https-port', DEFAULT_PORTS.https),
  };
}

/** A package of X-Road as the node's package manager knows it. */
export interface PackageState {
  readonly name: string;
  readonly version: string;
  /** Files are in place and scripts have run. */
  readonly whole: boolean;
}

export interface PostgresCluster {
  readonly major: string;
  readonly name: string;
  readonly port: number;
  /** `online`, `online,recovery`, `down`, … */
  readonly status: string;
}

/** Of `pg_lsclusters --no-header`: version, name, port, status, owner, data directory, log file. */
export const parseClusters = (text: string): PostgresCluster[] =>
  text.split('\n').flatMap((line) => {
    const [major, name, port, status] = line.trim().split(/\s+/);
    return major && name && port && status ? [{ major, name, port: Number(port), status }] : [];
  });

export interface Unit {
  readonly unit: string;
  /** loaded, masked, not-found, … */
  readonly load: string;
  /** active, inactive, failed, activating, deactivating … */
  readonly active: string;
  readonly sub: string;
  /** enabled, disabled, static, masked, masked-runtime; "" where there is none. */
  readonly file: string;
  /** How the last run ended: success, exit-code, … */
  readonly result: string;
  /** How often systemd has started it again by itself. */
  readonly restarts: number;
}

export const UNIT_PROPERTIES = 'Id,LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts';

/** Blocks of `systemctl show`, one for each unit asked for, in the same order. */
export function parseUnits(text: string, units: readonly string[]): Unit[] {
  const shown = shownUnits(text);
  return units.map((unit, index) => {
    const value = (key: string): string => shown[index]?.get(key) ?? '';
    return {
      ...{ unit, load: value('LoadState'), active: value('ActiveState'), sub: value('SubState') },
      ...{ file: value('UnitFileState'), result: value('Result'), restarts: Number(value('NRestarts') || '0') },
    };
  });
}

export const describeUnit = ({ unit, load, active, sub, result }: Unit): string =>
  load === 'loaded' || active === 'active'
    ? `${unit} is ${active} (${active === 'failed' ? result : sub})`
    : `${unit} is ${load}`;

/** Whether the unit that copies the configuration tests for the flag before it does (comments don't count). */
export const honoursFlag = (unitText: string, flag: string): boolean =>
  unitText
    .split('\n')
    .some((line) => /^\s*(ExecStartPre|ExecCondition)=.*!\s*-[ef]\s/.test(line) && line.includes(flag)) ||
  unitText.split('\n').some((line) => /^\s*ConditionPathExists=!/.test(line) && line.includes(flag));

/** URL of the replicated database in db.properties, as `grep` shows the line. */
export const parseDatabaseUrl = (line: string): string | undefined =>
  /^[ \t]*serverconf\.hibernate\.connection\.url\s*[=:]\s*(\S+)/m.exec(line)?.[1]?.replaceAll('\\:', ':');

export interface Connections {
  readonly count: number;
  /** "192.0.2.7 → :5500 × 3", most first. */
  readonly remaining: readonly string[];
}

/** Lines of `ss -Htn state established FILTER`: Recv-Q, Send-Q, local address:port, peer address:port. */
export function parseConnections(text: string): Connections {
  const counts = new Map<string, number>();
  let count = 0;
  for (const line of text.split('\n')) {
    const [, , local, peer] = line.trim().split(/\s+/);
    if (local === undefined || peer === undefined) continue;
    count++;
    const at = (address: string): number => address.lastIndexOf(':');
    const [peerHost, peerPort] = [peer.slice(0, at(peer)), peer.slice(at(peer) + 1)];
    const localPort = local.slice(at(local) + 1);
    // Ports of the other end say nothing, but for connections that the node itself opened to a peer.
    const key = Number(localPort) >= 32_768 ? `→ ${peerHost}:${peerPort}` : `${peerHost} → :${localPort}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  return { count, remaining: sorted.map(([key, n]) => (n === 1 ? key : `${key} × ${n}`)) };
}

/** Ports of `ss -Htln`: Recv-Q and Send-Q follow the state only where several states are asked for. */
export const parseListeners = (text: string): number[] =>
  text.split('\n').flatMap((line) => {
    const local = line
      .trim()
      .split(/\s+/)
      .find((word) => /:\d+$/.test(word));
    return local === undefined ? [] : [Number(local.slice(local.lastIndexOf(':') + 1))];
  });

export interface Token {
  readonly id: string;
  readonly active: boolean;
  /** OK, USER_PIN_LOCKED, … */
  readonly status: string;
}

/** Of `signer-console list-tokens`: `Token: 0 (OK, writable, available, active)`. What an HSM calls its tokens may have blanks. */
export const parseTokens = (text: string): Token[] =>
  text.split('\n').flatMap((line) => {
    const words =
      /\(([^()]*)\)\s*$/
        .exec(line)?.[1]
        ?.split(',')
        .map((word) => word.trim()) ?? [];
    if (!line.startsWith('Token: ') || words.length < 3) return [];
    const id = line.slice('Token: '.length, line.lastIndexOf('(')).trim();
    return [{ id, status: words[0] ?? '', active: words.at(-1) === 'active' }];
  });

/** The signer lists a software token whether or not it is used: one that was never initialised holds no key. */
export const isUnused = ({ status }: Token): boolean => status === 'NOT_INITIALIZED';
