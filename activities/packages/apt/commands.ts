/**
 * The command lines of the apt driver, in one place: what is run, what the sudoers file allows and what a dry run shows
 * must be the same. Options: apt-get(8), apt.conf(5), dpkg(1).
 */
import { DPKG_QUERY_FORMAT } from './parse';

export const APT_GET = '/usr/bin/apt-get';
export const APT_CACHE = '/usr/bin/apt-cache';
export const APT_MARK = '/usr/bin/apt-mark';
export const DPKG = '/usr/bin/dpkg';
export const DPKG_QUERY = '/usr/bin/dpkg-query';

/** How long apt waits for somebody else's lock before it gives up, seconds; the step then tries again. */
const LOCK_TIMEOUT_S = 60;

export interface Directories {
  /** `stageDirectory` of the plan. */
  readonly stage: string;
}

/**
 * Package lists of our own: looking for releases changes neither the lists nor the caches that the host's other users of
 * apt go by, and what they do doesn't change what was staged.
 */
const ownLists = ({ stage }: Directories): string[] => [
  ...['-o', `Dir::State::lists=${stage}/lists/`],
  ...['-o', 'Dir::Cache::pkgcache=', '-o', 'Dir::Cache::srcpkgcache='],
];

/** No repository at all: what is installed is what is named, and a repository that vanished is never missed. */
const offline = ({ stage }: Directories): string[] => [
  ...['-o', 'Dir::Etc::SourceList=/dev/null', '-o', 'Dir::Etc::SourceParts=/dev/null'],
  ...['-o', `Dir::State::lists=${stage}/offline/`, '-o', `Dir::Cache::archives=${stage}/offline/`],
  ...['-o', 'Dir::Cache::pkgcache=', '-o', 'Dir::Cache::srcpkgcache='],
];

/** Never recommended packages: a release is what its list names and what that needs. */
const RESOLVE = ['--no-install-recommends', '--allow-downgrades'];

/** As root. Its exit code proves nothing: a repository that doesn't answer is a warning. */
export const updateLists = (d: Directories): string[] => [
  ...[APT_GET, '--quiet', ...ownLists(d), '-o', 'Acquire::Languages=none', 'update'],
];
export const madison = (d: Directories, names: readonly string[]): string[] => [
  ...[APT_CACHE, ...ownLists(d), 'madison', ...names],
];
export const printUris = (d: Directories, exact: readonly string[]): string[] => [
  ...[APT_GET, '--quiet', ...ownLists(d), 'download', '--print-uris', ...exact],
];
export const simulateOnline = (d: Directories, exact: readonly string[]): string[] => [
  ...[APT_GET, '--quiet', '--simulate', '--assume-yes', ...ownLists(d), ...RESOLVE, 'install', ...exact],
];

/** As root, into `directory`: apt-get checks each file against the signed metadata and leaves complete ones alone. */
export const download = (d: Directories, directory: string, exact: readonly string[]): string[] => [
  ...['/usr/bin/env', '-C', directory],
  // Its sandbox user can't write to a directory that is root's alone, which this one must be.
  ...[APT_GET, '--quiet', ...ownLists(d), '-o', 'APT::Sandbox::User=root', 'download', ...exact],
];

const conffileOption = (conffiles: 'keep' | 'replace'): string =>
  // Without one of the two an edited file leaves the package half-configured. --force-confdef would win over confnew.
  conffiles === 'keep' ? '--force-confold' : '--force-confnew';

/**
 * Where an earlier run was cut off, apt refuses to install anything unless it may repair dependencies as well. It may, for
 * the rehearsal has shown that nothing else comes of it.
 */
const REPAIR = '--fix-broken';

/** What is exchanged: package files by path; names to take away with a trailing hyphen. */
export interface Staged {
  readonly what: readonly string[];
  readonly conffiles: 'keep' | 'replace';
  readonly reinstall: boolean;
}

export const installStaged = (d: Directories, { what, conffiles, reinstall }: Staged): string[] => [
  ...[APT_GET, '--quiet', '--assume-yes', REPAIR, ...offline(d), ...RESOLVE],
  ...['-o', `DPkg::Lock::Timeout=${LOCK_TIMEOUT_S}`, '-o', 'Dpkg::Use-Pty=0'],
  ...['-o', `Dpkg::Options::=${conffileOption(conffiles)}`, ...(reinstall ? ['--reinstall'] : []), 'install', ...what],
];
/** Not as root: it tells what would be done, and takes no lock. */
export const simulateStaged = (d: Directories, { what, reinstall }: Omit<Staged, 'conffiles'>): string[] => [
  ...[APT_GET, '--quiet', '--simulate', '--assume-yes', REPAIR, ...offline(d), ...RESOLVE],
  ...[...(reinstall ? ['--reinstall'] : []), 'install', ...what],
];

/** As root: finishes what an interrupted dpkg left. */
export const configurePending = (conffiles: 'keep' | 'replace'): string[] => [
  ...[DPKG, conffileOption(conffiles), '--configure', '--pending'],
];
/** As root: takes the lock for a moment, and says so if somebody else has it, dpkg was interrupted or dependencies are broken. */
export const checkState = [
  APT_GET,
  '--quiet',
  '-o',
  'Dir::Cache::pkgcache=',
  '-o',
  'Dir::Cache::srcpkgcache=',
  'check',
];
/** As root, for it must read every file. Exits with 1 where files differ. */
export const verifyFiles = (names: readonly string[]): string[] => [DPKG, '--verify', ...names];
export const markAuto = (names: readonly string[]): string[] => [APT_MARK, 'auto', ...names];
export const showAuto = (names: readonly string[]): string[] => [APT_MARK, 'showauto', ...names];
export const queryInstalled = (names: readonly string[]): string[] => [
  ...[DPKG_QUERY, '--show', `--showformat=${DPKG_QUERY_FORMAT}`, ...names],
];
/** As root: where it has something to report, it looks at the lock first, which others may not. Its exit code doesn’t tell. */
export const audit = [DPKG, '--audit'];
export const architecture = [DPKG, '--print-architecture'];

/** Nobody is there to answer questions, and nothing but the packages' own scripts restarts services. */
export const INSTALL_ENVIRONMENT: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  DEBIAN_FRONTEND: 'noninteractive',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
  APT_LISTCHANGES_FRONTEND: 'none',
  NEEDRESTART_SUSPEND: '1',
};
