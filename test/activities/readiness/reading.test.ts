import {
  eraseLeftover,
  evaluate,
  queryInstalled,
  queryLike,
  verifyFiles,
} from '../../../activities/packages/dnf/commands';
import { patternOf } from '../../../activities/kit/pattern';
import { exampleOf } from '../../../activities/readiness/access';
import {
  clockFault,
  lockedFiles,
  managerFault,
  readCron,
  readDf,
  readFailedUnits,
  readProcesses,
  readShutdown,
  readUnits,
} from '../../../activities/readiness/reading';
import { FORMER_PATTERNS, readinessSpec } from '../../../activities/readiness/spec';
import { ANYTHING, hexDigits, sudoersCommand } from '../../../activities/ssh';

/** Printed by Debian 12: coreutils 9.1, systemd 252, procps 4.0, grep 3.8. */
const DF = `Filesystem     1048576-blocks  Used Available Capacity Mounted on
/dev/vda               128694M 9541M   112588M       8% /
tmpfs                    2358M    1M     2358M       1% /run/with space
`;
const DF_INODES = `Filesystem      Inodes  IUsed   IFree IUse% Mounted on
/dev/vda       8388608 241519 8147089    3% /
btrfs                0      0       0     - /srv
none                 -      -       -     - /x
`;
const UNITS = `Id=apt-daily.timer
LoadState=loaded
ActiveState=active
UnitFileState=enabled

Id=unattended-upgrades.service
LoadState=not-found
ActiveState=inactive
UnitFileState=

Id=puppet.service
LoadState=loaded
ActiveState=inactive
UnitFileState=enabled

Id=salt-minion.service
LoadState=masked
ActiveState=inactive
UnitFileState=masked
`;
const LOCKS = `1: POSIX  ADVISORY  WRITE 24987 00:75:10387465 0 EOF
1: -> POSIX  ADVISORY  WRITE 24990 00:75:10387465 0 EOF
2: POSIX  ADVISORY  READ 1 fe:00:5 0 EOF
3: FLOCK  ADVISORY  WRITE 0 fe:100:991255 0 EOF
`;

describe('what tools print', () => {
  it('becomes free room', () => {
    expect(readDf(DF)).toEqual([
      { mount: '/', free: 112588 },
      { mount: '/run/with space', free: 2358 },
    ]);
    expect(readDf(DF_INODES).map((d) => d.free)).toEqual([8147089, 0, undefined]);
  });

  it('becomes units that are in the way: scheduled, running, or started by the next boot', () => {
    const names = ['apt-daily.timer', 'unattended-upgrades.service', 'puppet.service', 'salt-minion.service'];
    const units = readUnits(UNITS, names);
    expect(names.map((name) => managerFault(name, units[name]!)?.what)).toEqual([
      'apt-daily.timer is scheduled: it may change the host at any time',
      undefined,
      'puppet.service would be started by the next boot',
      undefined,
    ]);
    expect(managerFault('x.service', { loaded: true, active: 'activating', file: 'static' })?.what).toMatch(
      /is running/,
    );
    expect(managerFault('x.service', { loaded: true, active: 'inactive', file: 'static' })).toBeUndefined();
  });

  it('becomes a scheduled shutdown', () => {
    expect(readShutdown('USEC=1795371600000000\nWARN_WALL=1\nMODE=reboot\n')).toEqual({
      at: new Date(1795371600000),
      mode: 'reboot',
    });
    expect(readShutdown('')).toBeUndefined();
  });

  it('becomes failed units, processes, lines of cron tables', () => {
    expect(readFailedUnits('a.service loaded failed failed A\n\n')).toEqual(['a.service']);
    expect(readProcesses('    1 /sbin/init\n 4711 /usr/bin/dpkg --status-fd 9 --configure\n')).toEqual([
      { pid: 1, command: '/sbin/init' },
      { pid: 4711, command: '/usr/bin/dpkg --status-fd 9 --configure' },
    ]);
    expect(readCron('/etc/cron.d/p:*/30 * * * * root puppet agent --onetime\n/etc/cron.d/q: # puppet agent\n')).toEqual(
      [{ file: '/etc/cron.d/p', line: '*/30 * * * * root puppet agent --onetime' }],
    );
  });

  it('becomes locked files, by device and inode', () => {
    expect(lockedFiles('75 10387465 /a\n75 10387466 /b\nfe00 5 /read\n', LOCKS)).toEqual([{ file: '/a', pid: 24987 }]);
    // 254:256: the minor number is spread over two parts of st_dev.
    expect(lockedFiles('10fe00 991255 /c\n', LOCKS)).toEqual([{ file: '/c', pid: 0 }]);
  });
});

describe('patterns of the section', () => {
  const spec = readinessSpec.parse({});
  const others = spec.processes.slice(3);
  /** Defaults that plans were frozen with, by build. */
  const frozen = [
    ['^(/usr/bin/)?(apt|apt-get|aptitude|dpkg|dnf|yum|rpm)( |$)', ...others],
    [
      '^(/usr/bin/)?(apt|apt-get|aptitude|dpkg|dnf|yum)( |$)',
      '^(/usr/bin/)?rpm(?! +(-q|-V|--query|--verify|--eval))( |$)',
      ...others,
    ],
    ['^(/usr/bin/)?(apt|apt-get|aptitude|dpkg|dnf|yum)( |$)', spec.processes[2] ?? '', ...others],
    spec.processes,
  ];
  /** What each of them says of a command. */
  const said = (command: string): Set<boolean> =>
    new Set(frozen.map((patterns) => patterns.some((p) => patternOf(FORMER_PATTERNS.get(p) ?? p).test(command))));

  it.each([
    ['apt-get install x', true],
    ['/usr/bin/dpkg --configure -a', true],
    [
      '/usr/bin/dpkg --force-confold --status-fd 20 --no-triggers --unpack --auto-deconfigure /var/cache/apt/archives/x.deb',
      true,
    ],
    ['dpkg -i x.deb', true],
    ['dpkg -Pr x', true],
    ['/usr/bin/dpkg --print-architecture', false],
    ['/usr/bin/dpkg --print-foreign-architectures', false],
    ['dpkg -l', false],
    ['dpkg --verify x', false],
    ['dpkg -S /usr/bin/vtysh', false],
    ['rpm -Uvh x.rpm', true],
    [eraseLeftover(['x-1-1.el9.noarch']).join(' '), true],
    ['rpm -qa', false],
    [evaluate.join(' '), false],
    [queryLike('xroad-*').join(' '), false],
    [queryInstalled(['gate']).join(' '), false],
    [verifyFiles(['gate']).join(' '), false],
    ['/usr/bin/python3 /usr/bin/unattended-upgrade', true],
    ['/usr/bin/python3 /usr/share/unattended-upgrades/unattended-upgrade-shutdown --wait-for-signal', false],
    ['/opt/puppetlabs/puppet/bin/ruby puppet agent: applying configuration', true],
    ['/usr/lib/apt/methods/http', false],
    ['grep apt', false],
  ])('tell of “%s” whether it changes a host, in plans that earlier builds froze, too: %s', (command, changes) => {
    expect(said(command)).toEqual(new Set([changes]));
  });

  it('leave a parsed section as it is', () => {
    expect(readinessSpec.parse(spec)).toEqual(spec);
    expect(readinessSpec.safeParse({ processes: ['('] }).success).toBe(false);
    expect(readinessSpec.safeParse({ disk: { 'var log': 1 } }).success).toBe(false);
  });
});

describe('clocks', () => {
  const at = (where: string, offsetMs: number, toleranceMs = 10) => ({ where, offsetMs, toleranceMs });

  it('are compared with each other and with the worker’s', () => {
    expect(clockFault([at('a', 100), at('b', -100)], 2_000)).toBeUndefined();
    expect(clockFault([at('a', 1_500), at('b', -1_500)], 2_000)).toEqual({
      where: 'a',
      what: 'clocks differ: a is 3.0 s ahead of b',
    });
    expect(clockFault([at('a', -5_000), at('b', 100)], 2_000)?.what).toBe('clocks differ: b is 5.1 s ahead of a');
    expect(clockFault([at('a', 9_000)], 2_000)?.what).toBe('clocks differ: a is 9.0 s ahead of the worker');
  });

  it('aren’t blamed for a slow line', () => {
    expect(clockFault([at('a', 3_000, 1_500)], 2_000)).toBeUndefined();
  });
});

describe('an example of a sudoers command', () => {
  it.each([
    [
      ['/usr/bin/vtysh', '-c', 'show run'],
      ['/usr/bin/vtysh', '-c', 'show run'],
    ],
    [
      ['/usr/bin/echo', 'a,b=c:d'],
      ['/usr/bin/echo', 'a,b=c:d'],
    ],
    [['/usr/sbin/reboot'], ['/usr/sbin/reboot']],
    [
      ['/usr/bin/systemd-run', ['--unit=hitless-', hexDigits(4)], ANYTHING],
      ['/usr/bin/systemd-run', '--unit=hitless-0000', 'x'],
    ],
  ])('%j', (argv, example) => {
    expect(exampleOf(sudoersCommand(argv as Parameters<typeof sudoersCommand>[0]))).toEqual(example);
  });
});
