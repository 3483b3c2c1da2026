/**
 * Palo Alto Networks' own readiness and health checks (panos-upgrade-assurance 2.1.1 from PyPI) against the simulated pair, over
 * TLS. Its quirks are in facts/pan-os.md, section 6.
 */
import { configured } from '../../activities/panos/readiness/changes';
import { all, assurance, SNAPSHOTS, statuses } from './python/assurance';
import { CASES } from './python/assurance-cases';
import { loginOf } from './python/driver';

const { ask, pair, run } = assurance();

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
type CheckName = keyof typeof CHECKS;
const withParameters = (names: readonly CheckName[]) => names.map((name) => ({ [name]: CHECKS[name] }));
const NAMES = Object.keys(CHECKS) as CheckName[];

const HEALTH = ['cdss_and_panorama_certificate_issue', 'device_root_certificate_issue'];

test('nothing that the package offers is left out here', async () => {
  const { devices } = await pair();
  expect(await ask({ do: 'names', device: loginOf(devices[0]) })).toEqual({
    checks: NAMES,
    health: HEALTH,
    snapshots: [...SNAPSHOTS.common, ...SNAPSHOTS.legacy, ...SNAPSHOTS.advanced].sort(),
  });
});

describe.each([false, true])('a healthy active/passive pair, advanced routing %s', (advancedRouting) => {
  test('passes every readiness check, on the active member', async () => {
    const results = await run('readiness', await pair({ advancedRouting }), withParameters(NAMES));
    expect(statuses(results)).toEqual(all(NAMES, 'SUCCESS'));
  });

  test('passes every readiness check on the passive one, but for sessions, neighbours and tunnels', async () => {
    const results = await run('readiness', await pair({ advancedRouting }), withParameters(NAMES), 1);
    expect(statuses(results)).toEqual({
      ...all(NAMES, 'SUCCESS'),
      session_exist: "ERROR: Device's session table is empty.",
      arp_entry_exist: 'ERROR: ARP table empty.',
      ip_sec_tunnel_status: 'FAIL: Tunnel to-branch in state: init.',
    });
  });
});

test.each([
  ['10.2.3', '8700-8000', 'FAIL', 'FAIL'],
  ['10.2.4', '8700-8000', 'FAIL', 'SUCCESS'],
  ['10.2.4', '8799-8509', 'SUCCESS', 'SUCCESS'],
  ['11.1.4', '8700-8000', 'SUCCESS', 'SUCCESS'],
])('health checks go by the release %s and content %s', async (version, content, cdss, root) => {
  const results = await run('health', await pair({ version, content }), HEALTH);
  expect(HEALTH.map((name) => results[name]?.status)).toEqual([cdss, root]);
});

test('the root certificate check asks for redistribution, and the older User-ID service before 10.0', async () => {
  const check = [{ device_root_certificate_issue: { fail_when_affected_version_only: false } }];
  const modern = await pair({ version: '10.2.3', content: '8799-8509' });
  expect(statuses(await run('health', modern, check))).toEqual(all(HEALTH.slice(1), 'SUCCESS'));
  modern.pair.devices[0].facts.redistribution.clients.push({ host: '192.0.2.7', port: 5007 });
  expect((await run('health', modern, check))['device_root_certificate_issue']?.reason).toContain('redistribute data');
  await modern.stop();
  const old = await pair({ version: '9.1.11', content: '8799-8509' });
  expect(statuses(await run('health', old, check))).toEqual(all(HEALTH.slice(1), 'SUCCESS'));
  old.pair.devices[0].facts.userIdService = true;
  expect((await run('health', old, check))['device_root_certificate_issue']?.reason).toContain(
    'redistribute user-id data',
  );
});

describe('what was changed on the simulated pair is found', () => {
  test.each(CASES)('%s %j', async (check, parameters, change, expected) => {
    const served = await pair();
    change(served.pair.devices[0].facts, served);
    expect(statuses(await run('readiness', served, [{ [check]: parameters }]))).toEqual({ [check]: expected });
  });

  test('a configuration that differs from the peer’s, unless it is told to pass over that', async () => {
    const served = await pair();
    configured('/config/shared', '<address><entry name="x"/></address>', [1])(served.pair);
    const results = async (parameters: object) => statuses(await run('readiness', served, [{ ha: parameters }]));
    expect(await results({})).toEqual({ ha: 'ERROR: Device configuration is not synchronized between the nodes.' });
    expect(await results({ skip_config_sync: true })).toEqual({ ha: 'SUCCESS' });
  });

  test('scheduled updates in the window', async () => {
    const served = await pair();
    const schedule =
      '<update-schedule><wildfire><recurring><every-15-mins><at>4</at><action>download-only</action></every-15-mins></recurring></wildfire></update-schedule>';
    const xpath = "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/system";
    await ask({ do: 'device', device: loginOf(served.devices[0]), call: 'set', with: [xpath, schedule] });
    const results = await run('readiness', served, ['dynamic_updates']);
    expect(results['dynamic_updates']?.reason).toBe(
      'Following schedules fall into test window: wildfire (every 15 minutes).',
    );
  });

  test('what the package itself gets wrong: an image that doesn’t exist passes', async () => {
    const results = await run('readiness', await pair(), [{ free_disk_space: { image_version: '99.9.9' } }]);
    expect(statuses(results)).toEqual({ free_disk_space: 'SUCCESS: Image 99.9.9 does not exist.' });
  });
});

test('an active/active pair is no pair to the package', async () => {
  const results = await run('readiness', await pair({ mode: 'active-active' }), ['ha', 'jobs']);
  expect(statuses(results)).toEqual({ ha: 'ERROR: HA pair is not in Active-Passive mode.', jobs: 'SUCCESS' });
});
