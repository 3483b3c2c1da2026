/**
 * Palo Alto Networks' own readiness checks and snapshots (panos-upgrade-assurance 2.1.1 from PyPI) against the simulated
 * pair, over TLS. Its quirks are in facts/pan-os.md, section 6.
 */
import { startSimulatedPair, type ServedPair, type ServerOptions } from '../../../simulators/panos/server';
import type { DeviceFacts } from '../../../simulators/panos/reads';
import { loginOf, startClients, type Clients } from './python/driver';

interface Result {
  readonly status?: string;
  readonly reason?: string;
  readonly exception?: string;
}

let clients: Clients;
let served: ServedPair | undefined;
beforeAll(async () => {
  clients = await startClients();
}, 300_000);
afterEach(async () => {
  await served?.stop();
  served = undefined;
});
afterAll(async () => clients?.stop());

/** Time stands still: two clocks that are read one after the other must be the same (threshold 0 s). */
async function pair(options: ServerOptions = {}): Promise<ServedPair> {
  served = await startSimulatedPair({ speed: 0, panorama: true, model: 'PA-3410', ...options });
  return served;
}

const ask = (what: 'readiness' | 'health', { devices }: ServedPair, checks: readonly unknown[], side: 0 | 1 = 0) =>
  clients.ask<Record<string, Result>>({ do: what, device: loginOf(devices[side]), checks });

const CHECKS = {
  active_support: {},
  arp_entry_exist: { ip: '10.0.0.20' },
  candidate_config: {},
  certificates_requirements: {},
  config_locks: {},
  content_version: { version: '8700-8000' },
  dp_cpu_utilization: {},
  dynamic_updates: {},
  environmentals: {},
  expired_licenses: {},
  free_disk_space: { image_version: '10.2.9' },
  global_jumbo_frame: { mode: false },
  ha: {},
  ip_sec_tunnel_status: { tunnel_name: 'to-branch' },
  jobs: {},
  mp_cpu_utilization: {},
  mp_mem_utilization: {},
  ntp_sync: {},
  panorama: {},
  planes_clock_sync: {},
  session_exist: { source: '10.0.0.20', destination: '203.0.113.80', dest_port: '443' },
};
const configured = Object.entries(CHECKS).map(([name, parameters]) => ({ [name]: parameters }));

test('try', async () => {
  const p = await pair();
  console.log(await clients.ask({ do: 'names', device: loginOf(p.devices[0]) }));
  console.log(await ask('readiness', p, configured));
  console.log(await ask('health', p, ['device_root_certificate_issue', {device_root_certificate_issue: {fail_when_affected_version_only: false}}, 'cdss_and_panorama_certificate_issue']));
  console.log(await clients.ask({ do: 'snapshots', device: loginOf(p.devices[0]), snapshots: ['nics', 'routes', 'bgp_peers', 'license', 'arp_table', 'content_version', 'session_stats', 'ip_sec_tunnels', 'fib_routes', 'global_jumbo_frame', 'mtu', 'are_routes', 'are_fib_routes']}));
}, 120_000);
