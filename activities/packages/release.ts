import { messageOf, permanent } from '../kit/errors';
import { patternOf } from '../kit/pattern';
import type { ReleaseReading, SoftwareSpec } from './spec';

/**
 * Which release a reading names: the version of the telling package, or the text of a file or command. A reading that no
 * release of the plan explains is returned as what it is, so that it can be shown; undefined if there is nothing to read.
 * @throws InvalidInput for a pattern that can't be used
 */
export function releaseOf(
  spec: Pick<SoftwareSpec, 'releases' | 'release'>,
  reading: string | undefined,
): string | undefined {
  if (reading === undefined) return undefined;
  const { release } = spec;
  if ('package' in release) {
    const known = Object.entries(spec.releases).find(([, { packages }]) => packages[release.package] === reading);
    return known?.[0] ?? `${release.package} ${reading}`;
  }
  try {
    return patternOf(release.pattern).firstGroup(reading);
  } catch (error) {
    // Plans that were frozen by an older release may have one.
    throw permanent(
      'InvalidInput',
      `software.release.pattern ${JSON.stringify(release.pattern)} can’t be used: ${messageOf(error)}. Nothing was changed. Next: correct the inventory and start anew.`,
    );
  }
}

/**
 * Whether new packages change the reading at once. What a command answers may come from a running kernel or daemon, so
 * before a reboot that is still to come it proves nothing.
 */
export const isReadableBeforeReboot = (release: ReleaseReading, reboot: boolean): boolean =>
  !reboot || !('command' in release);
