/**
 * Section `readiness` of a plan: what must hold on the hosts before anything is changed, whatever runs on them.
 * Durations are milliseconds once parsed; parsing a parsed value again changes nothing.
 */
import { z } from 'zod';
import { patternFault } from '../kit/pattern';
import { duration } from '../kit/duration';

const absolutePath = z
  .string()
  .regex(/^\/([A-Za-z0-9._+-]+(\/[A-Za-z0-9._+-]+)*)?$/, { error: 'an absolute path without spaces' });
const unit = z.string().regex(/^[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|target|mount|path)$/, {
  error: 'a systemd unit with its suffix, as "puppet.service"',
});
const pattern = z.string().superRefine((text, context) => {
  const fault = patternFault(text);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
});

/** What changes a host without being asked: at set times, or because somebody elsewhere said so. */
const MANAGERS = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'apt-daily.service',
  'apt-daily-upgrade.service',
  'unattended-upgrades.service',
  'dnf-automatic.timer',
  'dnf-automatic-install.timer',
  'packagekit.service',
  'puppet.service',
  'chef-client.service',
  'chef-client.timer',
  'salt-minion.service',
  'cfengine3.service',
  'cf-execd.service',
  'ansible-pull.service',
  'ansible-pull.timer',
];
const MANAGES_PACKAGES = '^(/usr/bin/)?(apt|apt-get|aptitude|dnf|yum)( |$)';
// Not what only asks: monitoring does so all the time, and so does the rest of our own look at the node.
const DPKG_CHANGES =
  '^(/usr/bin/)?dpkg( .*)? (-[A-Za-z]*[irP]|--(install|unpack|configure|remove|purge|triggers-only|set-selections|add-architecture|remove-architecture))( |$)';
const RPM_CHANGES =
  '^(/usr/bin/)?rpm( *$| +[^ -]| +-([^qV-]|$)| +--([^qve]|$|q([^u]|$|u([^e]|$))|v([^e]|$|e([^r]|$|r([^i]|$)))|e([^v]|$)))';
const PROCESSES = [
  MANAGES_PACKAGES,
  DPKG_CHANGES,
  RPM_CHANGES,
  'unattended-upgrade( |$)',
  'do-release-upgrade',
  'puppet agent',
  'chef-client',
  'salt-call',
  'ansible-pull',
  'AnsiballZ_',
];
/**
 * Defaults as they stand in plans that earlier builds froze, and what they say now: patterns became those of RE2, which has no
 * lookahead, and took what only asks for a change.
 */
export const FORMER_PATTERNS: ReadonlyMap<string, string> = new Map([
  ['^(/usr/bin/)?(apt|apt-get|aptitude|dpkg|dnf|yum|rpm)( |$)', `${MANAGES_PACKAGES}|${DPKG_CHANGES}|${RPM_CHANGES}`],
  ['^(/usr/bin/)?(apt|apt-get|aptitude|dpkg|dnf|yum)( |$)', `${MANAGES_PACKAGES}|${DPKG_CHANGES}`],
  ['^(/usr/bin/)?rpm(?! +(-q|-V|--query|--verify|--eval))( |$)', RPM_CHANGES],
]);
/** Of grep -E, for lines of cron tables and scripts. */
const CRON =
  'puppet agent|chef-client|salt-call|cf-agent|ansible-pull|unattended-upgrade|(apt|apt-get|dnf|yum)( +-[^ ]+)* +(dist-|full-)?upgrade|/sbin/(reboot|shutdown)';
const LOCKS = [
  '/var/lib/dpkg/lock-frontend',
  '/var/lib/dpkg/lock',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
  '/var/lib/rpm/.rpm.lock',
];

export const readinessSpec = z.strictObject({
  disk: z
    .record(absolutePath, z.int().min(0))
    .default({ '/': 256, '/var': 256 })
    .describe('MiB that must be free on the nodes, by path'),
  clockSkewMs: duration()
    .default(2_000)
    .describe('how far the clocks of any two hosts may be apart: evidence is put in order by them'),
  managers: z
    .array(unit)
    .default(MANAGERS)
    .describe('units that change a host by themselves: none may run, wait for its time, or be started by a boot'),
  processes: z
    .array(pattern)
    .default(PROCESSES)
    .describe('regular expressions, as of RE2, for command lines of processes that change a host: none may run'),
  cron: z
    .string()
    .default(CRON)
    .describe('extended regular expression (grep -E) for lines of cron tables that change a host; "" looks at none'),
  locks: z
    .array(absolutePath)
    .default(LOCKS)
    .describe('files that package managers lock while they work: none may be locked'),
  ignoreFailedUnits: z.array(unit).default([]).describe('units that may be failed'),
});
export type ReadinessSpec = z.output<typeof readinessSpec>;

/** The part of a plan that this folder reads. */
export interface ReadinessPlan {
  readonly nodes: Readonly<Record<string, { readonly host: string }>>;
  readonly hosts: Readonly<Record<string, unknown>>;
  readonly readiness: ReadinessSpec;
}
