/**
 * The command lines of the dnf driver, in one place: what is run, what the sudoers file allows and what a dry run shows
 * must be the same. dnf(8) 4.x ("DNF Command Reference"), dnf-download(8), rpm(8).
 */
import { quoteArgument } from '../../ssh';

export const DNF = '/usr/bin/dnf';
export const RPM = '/usr/bin/rpm';

export interface Directories {
  /** `stageDirectory` of the plan. */
  readonly stage: string;
}

/** Package lists of our own: the host's are left alone, and what others do doesn't change what was staged. */
export const cacheDirectory = ({ stage }: Directories): string => `${stage}/dnf`;
/** What an exchange does, as a script that people can read. */
export const exchangePath = ({ stage }: Directories): string => `${stage}/dnf-exchange`;
/** Names of the packages of an exchange that was begun, until it has succeeded. */
export const unfinishedPath = ({ stage }: Directories): string => `${stage}/dnf-unfinished`;

const ownCache = (d: Directories): string => `--setopt=cachedir=${cacheDirectory(d)}`;
/** Somebody else's lock ends dnf with 200; otherwise it would wait for it without end. */
const NO_WAITING = '--setopt=exit_on_lock=True';
/** A release is what its list names and what that needs; and what nobody needs any more stays, unless it is named. */
const EXACTLY = [
  '--setopt=best=True',
  '--setopt=install_weak_deps=False',
  '--setopt=clean_requirements_on_remove=False',
];

/** Beside its own work dnf would write a list for the shell's completion into the host's cache. */
const NO_COMPLETION = '--disableplugin=generate_completion_cache';

/** As root: the directory, whatever umask root has. */
export const makeCacheDirectory = (d: Directories): string[] => [
  ...['/usr/bin/install', '-d', '-m', '0755', '--', cacheDirectory(d)],
];
/** As root. Reads every repository that answers, and keeps silent about the others. */
export const makeCache = (d: Directories): string[] => [
  ...[DNF, '--quiet', NO_COMPLETION, ownCache(d), '--setopt=*.skip_if_unavailable=True', 'makecache', '--refresh'],
];
/** As root. Tries those again that did not answer, and names them; on its own it would stop at the first. */
export const makeCacheAgain = (d: Directories): string[] => [
  ...[DNF, '--quiet', NO_COMPLETION, ownCache(d), '--setopt=*.skip_if_unavailable=False', 'makecache'],
];
/** As root: the lists are for the login user to read. */
export const openCache = (d: Directories): string[] => ['/usr/bin/chmod', '-R', 'go+rX', '--', cacheDirectory(d)];

/** NAME-VERSION[.ARCH] of a package that a plan names. */
export const spec = (name: string, version: string): string => {
  const [bare, architecture] = splitName(name);
  return `${bare}-${version}${architecture === undefined ? '' : `.${architecture}`}`;
};
const ARCHITECTURE = /^(i[3-6]86|x86_64|aarch64|ppc64le|s390x)$/;
function splitName(name: string): [name: string, architecture?: string] {
  const at = name.lastIndexOf('.');
  return ARCHITECTURE.test(name.slice(at + 1)) ? [name.slice(0, at), name.slice(at + 1)] : [name];
}

/**
 * As root, into `directory`: dnf checks each file against the metadata, and leaves complete ones alone. Were it quiet, it
 * would keep to itself why it couldn't.
 */
export const download = (d: Directories, directory: string, specs: readonly string[]): string[] => [
  // Lists as they were refreshed: what is fetched is what was looked up.
  ...[DNF, NO_COMPLETION, ownCache(d), '--setopt=metadata_expire=-1', '--setopt=*.metadata_expire=-1'],
  ...['download', '--destdir', directory, ...specs],
];
export const downloadHelp = [DNF, '--quiet', '--disablerepo=*', 'download', '--help'];

/** Signatures as well as digests, by keys that rpm trusts. rpmkeys(8); `_pkgverify_level` is a macro of rpm 4.14.2 and newer. */
export const checkSignatures = (files: readonly string[]): string[] => [
  ...['/usr/bin/rpmkeys', '--define', '_pkgverify_level all', '--checksig', '--', ...files],
];

/** No repository at all: what is installed is what is named. */
const offline = (d: Directories): string[] => [
  ...[DNF, '--assumeyes', '--disablerepo=*', ownCache(d), NO_WAITING, ...EXACTLY],
];

/** What is exchanged. dnf has a command for each kind, and none for all. */
export interface Parts {
  /** Paths of files whose packages are absent or of another version. */
  readonly install: readonly string[];
  /** Paths of files whose packages are installed in that very version, and damaged. */
  readonly reinstall: readonly string[];
  /** Names. */
  readonly remove: readonly string[];
}

export const partCommands = (d: Directories, { install, reinstall, remove }: Parts): string[][] => [
  // What it may erase the rehearsal has shown.
  ...(install.length > 0 ? [[...offline(d), '--allowerasing', 'install', ...install]] : []),
  ...(reinstall.length > 0 ? [[...offline(d), 'reinstall', ...reinstall]] : []),
  ...(remove.length > 0 ? [[...offline(d), 'remove', ...remove]] : []),
];

/** Exit code of the script where rpm went on after a package's script had failed. */
export const SCRIPT_FAILED = 70;

/**
 * The exchange as a script. rpm keeps no record of packages whose scripts didn't run, so a list of names stands for one
 * until all has ended well; and to rpm most scripts that fail are a warning, which they aren't here.
 */
export function exchangeScript(d: Directories, names: readonly string[], parts: Parts): string {
  const unfinished = quoteArgument(unfinishedPath(d));
  const said = quoteArgument(`${unfinishedPath(d)}.log`);
  const run = (argv: readonly string[]): string => `run ${argv.map(quoteArgument).join(' ')}`;
  return `#!/bin/sh
# Written by Hitless: one exchange of packages. Packages named in ${unfinished} are in doubt while it is there.
set -e
run() {
  { code=0; "$@" </dev/null || code=$?; echo "$code" >${unfinished}.code; } 2>&1 | /usr/bin/tee ${said}
  read -r code <${unfinished}.code
  [ "$code" = 0 ] || exit "$code"
  ! /usr/bin/grep -q 'scriptlet failed, exit status' ${said} || exit ${SCRIPT_FAILED}
}
printf '%s\\n' ${names.map(quoteArgument).join(' ')} >${unfinished}
${partCommands(d, parts).map(run).join('\n')}
/usr/bin/rm -f -- ${unfinished} ${unfinished}.code ${said}
`;
}
export const exchangeArgv = (d: Directories): string[] => ['/bin/sh', exchangePath(d)];

/** As root: takes the older of two versions away that an interrupted transaction left, its scripts run as they would have been. */
export const eraseLeftover = (packages: readonly string[]): string[] => [RPM, '--erase', '--nodeps', '--', ...packages];

/** As root, for it must read every file. Exits with other than 0 where files differ. */
export const verifyFiles = (names: readonly string[]): string[] => [
  ...[RPM, '--verify', '--nodeps', '--noscripts', '--', ...names],
];
/** As root. It says so, but takes the mark "installed by user" only. */
export const markDependency = (d: Directories, names: readonly string[]): string[] => [
  ...offline(d),
  'mark',
  'remove',
  ...names,
];

const FIELDS = ['%{NAME}', '%{ARCH}', '%{EPOCHNUM}', '%{VERSION}', '%{RELEASE}', '%{DBINSTANCE}'];
export const QUERY_FORMAT = `${FIELDS.join('\\t')}\\n`;
/** Exits with the number of names that aren't installed. */
export const queryInstalled = (names: readonly string[]): string[] => [
  ...[RPM, '--query', '--queryformat', QUERY_FORMAT, '--', ...names],
];
export const queryLike = (pattern: string): string[] => [
  ...[RPM, '--query', '--all', '--queryformat', QUERY_FORMAT, '--', pattern],
];
export const queryFiles = (files: readonly string[]): string[] => [
  ...[RPM, '--query', '--package', '--nosignature', '--queryformat', QUERY_FORMAT, '--', ...files],
];
/** Architecture of the host, and where rpm keeps its database. */
export const evaluate = [RPM, '--eval', '%{_arch} %{_dbpath}'];
/** Duplicates and unmet dependencies. Exits with 1 if there are some. */
export const check = [DNF, '--quiet', '--disablerepo=*', 'check'];

/** Where dnf notes who works on the packages (dnf/lock.py; `persistdir`). */
export const DNF_LOCK = '/var/lib/dnf/rpmdb_lock.pid';
/** As root: time of the last change, path. */
export const changedAt = (paths: readonly string[]): string[] => ['/usr/bin/stat', '--format=%.9Z %n', '--', ...paths];
/** As root. */
export const replaceFile = (from: string, to: string): string[] => [
  '/usr/bin/mv',
  '--force',
  '--no-target-directory',
  '--',
  from,
  to,
];
