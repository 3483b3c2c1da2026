import type { LabHost } from '../host/lab-host';
import { nodesOf, ports, type Addresses, type ResolvedOptions } from './options';

export const runtimeSocket = '/run/haproxy/admin.sock';

/** Backends, each with all nodes as servers under their own names. */
export const backends = [
  { name: 'xroad-messages', port: ports.message },
  { name: 'xroad-clients', port: ports.client },
] as const;

/**
 * /etc/haproxy/haproxy.cfg: TCP with HTTP checks on the health port (facts/x-road.md section 3). Sessions of a server that is
 * marked down go on, so `on-marked-down` must not be there.
 */
export function renderHaproxy({ names, check }: ResolvedOptions, { nodes }: Addresses): string {
  const { intervalMs, fall, rise } = check;
  const proxies = backends.map(({ name, port }) =>
    [
      `frontend ${name}-in`,
      `    bind *:${port}`,
      `    default_backend ${name}`,
      '',
      `backend ${name}`,
      '    log global',
      '    balance roundrobin',
      '    option httpchk GET /',
      '    http-check expect status 200',
      `    default-server check port ${ports.health} inter ${intervalMs}ms fall ${fall} rise ${rise}`,
      ...nodesOf(names).map((node) => `    server ${node} ${nodes[node]}:${port}`),
    ].join('\n'),
  );
  return `global
    log stdout format raw local0
    user haproxy
    group haproxy
    maxconn 4000
    stats socket ${runtimeSocket} user haproxy group haproxy mode 660 level admin

defaults
    mode tcp
    retries 3
    option redispatch
    timeout connect 3s
    # A pooled connection that says nothing stays: ending it would be a drain that nobody asked for.
    timeout client 1h
    timeout server 1h
    timeout check 6s

${proxies.join('\n\n')}
`;
}

/** A server of a backend as HAProxy sees it. */
export interface ServerState {
  backend: string;
  server: string;
  /** `UP`, `DOWN`, `DRAIN`, `MAINT`, `UP 1/2` while it goes down … */
  status: string;
  /** Sessions that are going on. */
  sessions: number;
  /** Status of the last health check, and its HTTP status where there was one. */
  check: string;
}

/** Commands of the runtime API, by somebody in the group haproxy. @throws Error with what HAProxy said against it. */
export async function runtime(lb: LabHost, command: string): Promise<string> {
  const said = await lb.exec(`runuser -u hitless -- socat - UNIX-CONNECT:${runtimeSocket}`, { input: `${command}\n` });
  // Commands that change something say nothing when all is well.
  if (command.startsWith('set ') && said.trim() !== '') throw new Error(`HAProxy refused "${command}": ${said.trim()}`);
  return said;
}

/** Reads the answer to `show stat` (CSV, the names of the columns in its first line). */
export function parseStat(text: string): ServerState[] {
  const [head = '', ...lines] = text.replace(/^# /, '').trim().split('\n');
  const columns = head.split(',');
  return lines
    .map((line) => Object.fromEntries(line.split(',').map((value, index) => [columns[index]!, value])))
    .filter(({ svname }) => svname !== 'FRONTEND' && svname !== 'BACKEND')
    .map((row) => ({
      backend: row['pxname']!,
      server: row['svname']!,
      status: row['status']!,
      sessions: Number(row['scur']),
      check: `${row['check_status']} ${row['check_code']}`.trim(),
    }));
}
