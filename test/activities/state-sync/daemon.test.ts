import { clientFault } from '../../../activities/state-sync/conntrackd';
import {
  readLinks,
  readOverrunResync,
  readQueued,
  readStatus,
  statusFaults,
  type SyncStatus,
} from '../../../activities/state-sync/daemon';
import { readForwarded, servingFault } from '../../../activities/state-sync/serving';
import { stateSyncSpec } from '../../../activities/state-sync/spec';
import { sudoCommands } from '../../../activities/state-sync';
import { CLIENT_ERRORS, LINK, QUEUE, SNMP, STATUS_DIRECT, STATUS_EXTERNAL } from './fixtures';

describe('what conntrackd says of itself', () => {
  it('is read from its statistics', () => {
    expect(readStatus(STATUS_DIRECT)).toEqual({ variant: 'direct', owned: 80, failed: 3, malformed: 0, lost: 614 });
    expect(readStatus(STATUS_EXTERNAL)).toEqual({
      variant: 'external-cache',
      owned: 0,
      external: 40,
      failed: 0,
      malformed: 0,
      lost: 0,
    });
    expect(readStatus('')).toBeUndefined();
    expect(readLinks(LINK)).toEqual([{ device: 'sync0', running: true, active: true }]);
    expect(readQueued(QUEUE)).toBe(56);
    expect(readQueued('allocated queue nodes: 1')).toBeUndefined();
  });

  it.each([
    ['General {\n\tNetlinkOverrunResync Off\n}', undefined],
    ['\tNetlinkOverrunResync no', undefined],
    ['\tNetlinkOverrunResync 5', 5],
    ['\tNetlinkOverrunResync On', 30],
    ['\t# NetlinkOverrunResync Off', 30],
    // In one line and in two: the daemon takes both (findings, networks.md, D16).
    ['General { NetlinkOverrunResync Off\n  HashSize 32768 }\n', undefined],
    ['General{NetlinkOverrunResync Off}', undefined],
    ['General {\r\n  NetlinkOverrunResync # see the wiki\r\n    OFF # not On\r\n}\r\n', undefined],
    ['General { LockFile /var/lock/a#b NetlinkOverrunResync 7}', 7],
    [
      'Sync { Mode FTFW { DisableExternalCache On } }\nGeneral { UNIX { Path /run/c.ctl } NetlinkOverrunResync oFf }',
      undefined,
    ],
    ['General { NetlinkOverrunResync Off # NetlinkOverrunResync 9\n}', undefined],
    ['General {\n  NetlinkOverrunResync Off\n  NetlinkOverrunResync 5\n}', 5],
    ['General { LogFile /var/log/NetlinkOverrunResync }', 30],
    ['General { netlinkoverrunresync off }', 30],
    ['', 30],
  ])('tells when a standby would send its copies back: %j', (config, seconds) => {
    expect(readOverrunResync(config)).toBe(seconds);
  });

  it('becomes faults', () => {
    const good: SyncStatus = {
      answers: true,
      variant: 'direct',
      owned: 0,
      failed: 0,
      malformed: 0,
      lost: 0,
      queued: 0,
      links: [{ device: 'sync0', running: true, active: true }],
    };
    expect(statusFaults(good, 'direct')).toEqual([]);
    expect(statusFaults(good, 'external-cache')).toEqual([
      expect.stringMatching(/in the kernel .* the plan says external-cache/),
    ]);
    expect(statusFaults({ ...good, links: readLinks(LINK.replace('RUNNING', 'NO-CARRIER')) }, 'direct')).toEqual([
      'the link sync0 to the other node is down',
    ]);
    expect(statusFaults({ ...good, links: [] }, 'direct')).toEqual(['conntrackd uses no link to the other node']);
  });

  it('tells a silent daemon, which may come back, from a broken configuration', () => {
    expect(clientFault(0, '')).toBeUndefined();
    expect(clientFault(1, CLIENT_ERRORS.silent)).toMatchObject({ passes: true });
    expect(clientFault(1, CLIENT_ERRORS.noConfig)).toEqual({
      what: "“can't open config file `/nonexist'”",
      passes: false,
    });
    expect(clientFault(1, CLIENT_ERRORS.badConfig)?.what).toMatch(/line \(1\)/);
    expect(clientFault(1, '')).toEqual({ what: 'exit code 1', passes: false });
  });
});

describe('who serves', () => {
  const names = { from: 'a', to: 'b' };
  const guard = { sampleMs: 1_000, idlePackets: 5 };

  it('is counted in both families', () => {
    expect(readForwarded(SNMP)).toBe(25_420);
    expect(readForwarded(SNMP.replace(/Ip6Out.*\n/, ''))).toBe(25_280);
    expect(readForwarded('Icmp: 1')).toBeUndefined();
  });

  it.each([
    [1_000, 0, undefined],
    [1_000, 5, undefined],
    [0, 0, undefined],
    [1_000, 6, /both nodes forward/],
    [0, 6, /b is the node that serves/],
    [0, 3, /a doesn’t seem to serve/],
  ])('with %d and %d packets', (from, to, fault) => {
    const found = servingFault({ from, to }, names, guard);
    if (fault === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(fault);
  });
});

describe('the section of the plan', () => {
  const spec = stateSyncSpec.parse({ driver: 'conntrackd', variant: 'external-cache', ignoreYoungerThanMs: '3s' });

  it('fills in what is left out, and is left as it is when parsed again', () => {
    expect(spec).toMatchObject({ ignoreYoungerThanMs: 3_000, tolerance: { missing: 0 }, guard: { idlePackets: 5 } });
    expect(stateSyncSpec.parse(spec)).toEqual(spec);
  });

  it.each([
    { config: '/etc/a b' },
    { config: 'conntrackd.conf' },
    { ignoreAddresses: ['10.0.0.0/33'] },
    { ignoreAddresses: ['10.0.0'] },
    { variant: 'both' },
    { unknown: 1 },
  ])('refuses %j', (wrong) => {
    expect(stateSyncSpec.safeParse({ driver: 'conntrackd', variant: 'direct', ...wrong }).success).toBe(false);
  });

  it('names every command that runs as root', () => {
    const commands = sudoCommands({ cluster: 'c', nodes: { a: { host: 'a1' }, b: { host: 'b1' } }, stateSync: spec });
    expect(new Set(commands.map((c) => c.host))).toEqual(new Set(['a1', 'b1']));
    expect(commands.filter((c) => c.host === 'a1').map((c) => c.command)).toContain(
      '/usr/sbin/conntrackd -C /etc/conntrackd/conntrackd.conf -c',
    );
    for (const { command } of commands) expect(command).toMatch(/^\/usr\/sbin\/conntrackd? [-\w./ ]+$/);
  });
});
