/**
 * From which release a release can be reached (facts §5; LAST_SUPPORTED_VERSION of X-Road's build-deb.sh). Its packages
 * refuse any other in their preinst, which is too late: the primary is drained and stopped by then. Pure.
 */
import type { Fault } from '../kit';
import type { XroadStatic } from './plan';

/** 7.8.0 from 7.6.0 on, 7.7.x from 7.5.0 on. */
const MINORS_APART = 2;
/** What tells the release of a cluster: every other package is named after it. */
const PROXY = 'xroad-proxy';

interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** Of a package's version, as `7.8.0-1.ubuntu24.04` or `1:7.8.0-1.el9`. */
export function versionOf(packageVersion: string | undefined): Version | undefined {
  const [, major, minor, patch] = /^(?:\d+:)?(\d+)\.(\d+)(?:\.(\d+))?/.exec(packageVersion ?? '') ?? [];
  return major === undefined || minor === undefined
    ? undefined
    : { major: Number(major), minor: Number(minor), patch: Number(patch ?? 0) };
}

/** Why the upgrade of a plan can't be done as this procedure; nothing where a version says nothing. */
export function windowFaults({ software, version }: Pick<XroadStatic, 'software' | 'version'>, from: string): Fault[] {
  const was = versionOf(software.releases[from]?.packages[PROXY]);
  const to = versionOf(software.releases[version]?.packages[PROXY]);
  if (was === undefined || to === undefined) return [];
  const where = `release ${version}`;
  if (to.major !== was.major)
    return [
      {
        where,
        what: `is another major release than ${from}: that isn’t an upgrade of packages`,
        next: `follow the upgrade guide of X-Road ${to.major} (from 8.0 on a wizard moves keys and configuration, and its way back is a snapshot)`,
      },
    ];
  if (to.minor < was.minor || (to.minor === was.minor && to.patch < was.patch))
    return [{ where, what: `is older than ${from}, and migrations can’t be taken back`, next: 'name a later release' }];
  if (to.minor - was.minor > MINORS_APART)
    return [
      {
        where,
        what: `can’t be reached from ${from}: its packages upgrade ${to.major}.${to.minor - MINORS_APART}.0 or newer (IG-SS, "Upgrading")`,
        next: `upgrade to ${was.major}.${was.minor + MINORS_APART} first, then on`,
      },
    ];
  return [];
}
