/** What is changed on a simulated pair, and what panos-upgrade-assurance says to it. */
import type { DeviceFacts } from '../../../../simulators/panos/reads';
import type { ServedPair } from '../../../../simulators/panos/server';

export type Change = (facts: DeviceFacts, served: ServedPair) => void;
/** Check, its parameters, the change on the first device, status and reason. */
export const CASES: readonly (readonly [string, object, Change, string])[] = [
  ['panorama', {}, (f) => (f.panorama[0]!.connected = false), 'FAIL: Device not connected to Panorama.'],
  ['panorama', {}, (f) => (f.panorama = []), 'ERROR: Device not configured with Panorama.'],
  [
    'ntp_sync',
    {},
    (f) => (f.ntp[1]!.status = 'rejected'),
    'FAIL: No NTP synchronization in active, servers in following state: 0.pool.ntp.org - available, 1.pool.ntp.org - rejected.',
  ],
  ['ntp_sync', {}, (f) => (f.ntp = []), 'ERROR: No NTP server configured.'],
  [
    'candidate_config',
    {},
    (_f, { pair }) => pair.faults.inject({ kind: 'pending-change', device: 0 }),
    'FAIL: Pending changes found on device.',
  ],
  [
    'candidate_config',
    {},
    (_f, { pair }) => pair.devices[0].config.load(pair.devices[0].config.running),
    'FAIL: Full commit required on device.',
  ],
  [
    'expired_licenses',
    {},
    (f) => (f.licences[1]!.expiresAt = 0),
    'FAIL: Found expired licenses:  PAN-DB URL Filtering.',
  ],
  ['expired_licenses', { skip_licenses: ['PAN-DB URL Filtering'] }, (f) => (f.licences[1]!.expiresAt = 0), 'SUCCESS'],
  [
    'expired_licenses',
    {},
    (f) => (f.licences = []),
    'ERROR: Device possibly not licenced - no license information available in the API response.',
  ],
  ['active_support', {}, (f) => (f.support.expiresAt = Date.UTC(2020, 0, 1)), 'FAIL: Support License expired.'],
  [
    'active_support',
    {},
    (f) => (f.updateServerReachable = false),
    'ERROR: Can not reach update servers to check active support license.',
  ],
  [
    'content_version',
    {},
    () => undefined,
    'FAIL: Installed content DB version (8700-8000) is not the latest one (8799-8509).',
  ],
  [
    'session_exist',
    { source: '10.0.0.20', destination: '203.0.113.80', dest_port: '22' },
    () => undefined,
    'FAIL: Session not found in session table.',
  ],
  ['arp_entry_exist', { ip: '10.0.0.99' }, () => undefined, 'FAIL: Entry not found in ARP table.'],
  [
    'ip_sec_tunnel_status',
    { tunnel_name: 'to-branch' },
    (f) => (f.tunnels[0]!.state = 'inactive'),
    'FAIL: Tunnel to-branch in state: inactive.',
  ],
  [
    'ip_sec_tunnel_status',
    { tunnel_name: 'to-branch', proxy_ids: ['b'] },
    (f) => (f.tunnels = ['a', 'b'].map((id) => ({ ...f.tunnels[0]!, name: `to-branch:${id}` }))),
    'SUCCESS',
  ],
  [
    'free_disk_space',
    {},
    (f) => f.disks.forEach((disk) => (disk.usedMb = disk.sizeMb - 2_048)),
    'FAIL: There is not enough free space, only 2.0GB is available.',
  ],
  [
    'planes_clock_sync',
    {},
    (f) => (f.dataplaneClockSkewMs = [5_000]),
    'FAIL: The data plane clock and management clock are different by 5.0 seconds.',
  ],
  [
    'planes_clock_sync',
    {},
    (f) => (f.dataplaneClockSkewMs = [0, 5_000]),
    'FAIL: Time values between dataplane clocks are different.',
  ],
  [
    'certificates_requirements',
    { rsa: { key_size: 4_096 } },
    () => undefined,
    'FAIL: Following certificates do not meet required criteria: vpn-gateway (size: 2048, hash: SHA256).',
  ],
  [
    'jobs',
    {},
    (_f, { pair }) => pair.faults.inject({ kind: 'commit-running', device: 0 }),
    'FAIL: At least one job (ID=2) is not in finished state (state=PEND).',
  ],
  [
    'global_jumbo_frame',
    { mode: false },
    (f) => (f.jumboFrame = true),
    'FAIL: Global jumbo frame is enabled, but desired mode is disabled.',
  ],
  [
    'environmentals',
    {},
    (f) => (f.environmentals[5]!.alarm = true),
    'FAIL: Alarms detected in the following components: power-supply',
  ],
  ['environmentals', {}, (f) => (f.environmentals = []), 'ERROR: Device did not return environmentals, likely a VM.'],
  [
    'dp_cpu_utilization',
    { minutes: 10 },
    (f) => (f.cpu.dataplanePercent = 85),
    'FAIL: Average data plane CPU utilization (85.00%) is above or equal to the threshold (80%)',
  ],
  [
    'mp_cpu_utilization',
    {},
    (f) => (f.cpu.managementPercent = 95),
    'FAIL: Management plane CPU utilization (95%) is above or equal to the threshold (80%)',
  ],
  [
    'mp_mem_utilization',
    {},
    (f) => (f.memory.usedMb = f.memory.totalMb * 0.95),
    'FAIL: Current memory usage 95% greater than threshold 90',
  ],
  [
    'config_locks',
    {},
    (_f, { pair }) => pair.faults.inject({ kind: 'lock', lock: 'config', admin: 'alice', device: 0 }),
    'FAIL: Configuration is currently locked by alice. ',
  ],
  [
    'config_locks',
    {},
    (_f, { pair }) => pair.faults.inject({ kind: 'lock', lock: 'commit', admin: 'alice', device: 0 }),
    'FAIL: Commits are currently locked by alice.',
  ],
  ['ha', {}, (_f, { pair }) => pair.ha.suspend(1), 'FAIL: Peer device is not in active or passive state.'],
];
