/** What rpm and dnf print, as values. All commands are run with LC_ALL=C. Formats: rpm(8), dnf(8). */
import { glob } from '../../kit/glob';
import type { Change, Installed } from '../package';

/** A package that is installed, or a package file. */
export interface RpmPackage {
  /** With `.ARCH` for a foreign architecture. */
  readonly name: string;
  /** [EPOCH:]VERSION-RELEASE; epoch 0 is left out, as dnf does. */
  readonly version: string;
  readonly architecture: string;
  /** Number of the record in rpm's database: what was installed later has the higher one. */
  readonly instance: number;
  /** NAME-VERSION-RELEASE.ARCH, by which rpm tells this one from others of its name. */
  readonly label: string;
}

/** Lines of QUERY_FORMAT; others ("package x is not installed") are left out. */
export function parseQuery(text: string, nativeArchitecture: string): RpmPackage[] {
  return text.split('\n').flatMap((line) => {
    const [bare, architecture, epoch, version, release, instance] = line.split('\t');
    if (bare === undefined || architecture === undefined || release === undefined) return [];
    const isNative = architecture === 'noarch' || architecture === nativeArchitecture;
    return [
      {
        name: isNative ? bare : `${bare}.${architecture}`,
        version: `${epoch === '0' || epoch === '(none)' ? '' : `${epoch}:`}${version}-${release}`,
        label: `${bare}-${version}-${release}.${architecture}`,
        architecture,
        instance: Number(instance) || 0,
      },
    ];
  });
}

/** Names that rpm says it doesn't have. */
export const parseAbsent = (text: string): string[] =>
  [...text.matchAll(/^package (\S+) is not installed$/gm)].map((match) => match[1] ?? '');

/** All but the last installed of each name: what an interrupted transaction left to be taken away. */
export function leftovers(packages: readonly RpmPackage[]): RpmPackage[] {
  const last = new Map<string, number>();
  for (const { name, instance } of packages) last.set(name, Math.max(instance, last.get(name) ?? 0));
  return packages.filter(({ name, instance }) => instance < (last.get(name) ?? 0));
}

/** Kernels apart there are two at most. */
const SHOWN_TWINS = 9;

/** By name. rpm knows no half-done packages: two versions of one, and names in `unfinished`, tell of a cut transaction. */
export function installedOf(packages: readonly RpmPackage[], unfinished: readonly string[]): Map<string, Installed> {
  const older = leftovers(packages);
  const isOlder = new Set(older.map(({ name, instance }) => `${name} ${instance}`));
  const twins = new Map<string, string[]>();
  for (const { name, version } of older) twins.set(name, [...(twins.get(name) ?? []).slice(-SHOWN_TWINS), version]);
  const found = new Map<string, Installed>();
  for (const { name, version, architecture, instance } of packages) {
    if (isOlder.has(`${name} ${instance}`)) continue;
    const beside = twins.get(name);
    const detail =
      beside !== undefined
        ? `installed beside ${beside.join(', ')}`
        : unfinished.includes(name)
          ? 'part of an installation that did not end well'
          : '';
    found.set(name, { name, version, architecture, state: detail === '' ? 'whole' : 'damaged', detail });
  }
  return found;
}

/** Configuration files whose content isn't what their package shipped, of `rpm --verify`: `S.5....T.  c /etc/gate.conf`. */
export const parseEditedConffiles = (text: string): string[] =>
  [...text.matchAll(/^[.?S][.?M]5\S* +c (\/.+)$/gm)].map((match) => match[1] ?? '');

/**
 * Which of `names` the versionlock plugin keeps from changing. Entries are patterns as `gate-0:1.0-1.el9.*`, with `!` before
 * those that exclude one version only, or bare names.
 */
export function lockedNames(locks: readonly string[], names: readonly string[]): string[] {
  const matching = locks.filter((lock) => !lock.startsWith('!')).map((lock) => glob(nameIn(lock), { sets: true }));
  return names.filter((name) => matching.some((matches) => matches(name)));
}

/** What stands before the last but one hyphen, and the version and release after it; a bare name as it is. */
function nameIn(lock: string): string {
  const release = lock.lastIndexOf('-');
  const version = lock.lastIndexOf('-', release - 1);
  const isWhole = version > 0 && release > version + 1 && release < lock.length - 1;
  return isWhole ? lock.slice(0, version) : lock;
}

/** What a transaction changes, from versions by name before and after. */
export function changesOf(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): Change[] {
  return Object.keys({ ...before, ...after })
    .sort()
    .map((name) => ({
      name,
      ...(before[name] === undefined ? {} : { from: before[name] }),
      ...(after[name] === undefined ? {} : { to: after[name] }),
    }));
}

/** IDs of repositories whose metadata `dnf makecache` couldn't fetch. */
export const failedRepositories = (output: string): string[] => [
  ...new Set([...output.matchAll(/metadata for repo(?:sitory)? '([^']+)'/g)].map((match) => match[1] ?? '')),
];

/** Lines of `stat --format=%.9Z %n`: seconds since 1970 by path. */
export const parseChangedAt = (text: string): Map<string, number> =>
  new Map([...text.matchAll(/^(\d+\.\d+) (\/.+)$/gm)].map((match) => [match[2] ?? '', Number(match[1])]));
