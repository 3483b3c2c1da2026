/** panos-upgrade-assurance against a simulated pair: what its tests share. */
import { startSimulatedPair, type ServedPair, type ServerOptions } from '../../../../simulators/panos/server';
import { loginOf, startClients, type Clients } from './driver';

export interface Result {
  readonly status?: string;
  readonly reason?: string;
  readonly exception?: string;
}
export type Snapshots = Record<string, Result & { readonly snapshot: Record<string, unknown> | null }>;

/** Starts the clients for a test file, and stops each pair after its test. */
export function assurance() {
  let clients: Clients | undefined;
  const started: ServedPair[] = [];
  beforeAll(async () => {
    clients = await startClients();
  }, 300_000);
  afterEach(async () => {
    for (const served of started.splice(0)) await served.stop();
  });
  afterAll(async () => clients?.stop());
  const ask = <T>(request: object): Promise<T> => {
    if (clients === undefined) throw new Error('the Python clients aren’t there');
    return clients.ask<T>(request);
  };
  return {
    ask,
    /** Time stands still: two clocks that are read one after the other must be the same (threshold 0 s). */
    pair: async (options: ServerOptions = {}): Promise<ServedPair> => {
      const served = await startSimulatedPair({ speed: 0, panorama: true, model: 'PA-3410', ...options });
      started.push(served);
      return served;
    },
    run: (what: 'readiness' | 'health', { devices }: ServedPair, checks: readonly unknown[], side: 0 | 1 = 0) =>
      ask<Record<string, Result>>({ do: what, device: loginOf(devices[side]), checks }),
    take: ({ devices }: ServedPair, snapshots: readonly unknown[], side: 0 | 1 = 0) =>
      ask<Snapshots>({ do: 'snapshots', device: loginOf(devices[side]), snapshots }),
  };
}

export const SNAPSHOTS = {
  common: [
    'arp_table',
    'content_version',
    'global_jumbo_frame',
    'ip_sec_tunnels',
    'license',
    'mtu',
    'nics',
    'session_stats',
  ],
  legacy: ['bgp_peers', 'fib_routes', 'routes'],
  advanced: ['are_fib_routes', 'are_routes'],
} as const;

/** Status of each, with the reason where there is one. */
export const statuses = (results: Record<string, Result>) =>
  Object.fromEntries(
    Object.entries(results).map(([name, { status, reason, exception }]) => [
      name,
      exception ?? (reason ? `${status}: ${reason}` : status),
    ]),
  );
/** Each name with one status. */
export const all = (names: readonly string[], status: string) =>
  Object.fromEntries(names.map((name) => [name, status]));
