/** PAN-OS releases: their order, their feature release, their base image (facts §3). Pure. */

/** Feature releases in the order in which a device may go through them. */
const FEATURE_RELEASES = ['8.1', '9.0', '9.1', '10.0', '10.1', '10.2', '11.0', '11.1', '11.2', '12.1'];

/** First release of a feature release where it isn't X.Y.0. */
const BASE_IMAGES: Readonly<Record<string, string>> = { '12.1': '12.1.2' };

const PARTS = /^(\d+)\.(\d+)\.(\d+)(?:-h(\d+))?$/;

/** @throws Error where `version` isn't X.Y.Z or X.Y.Z-hN. */
function parts(version: string): readonly [number, number, number, number] {
  const [, major, minor, patch, hotfix] = PARTS.exec(version) ?? [];
  if (major === undefined) throw new Error(`${version} is no release of PAN-OS: X.Y.Z or X.Y.Z-hN`);
  return [Number(major), Number(minor), Number(patch), Number(hotfix ?? 0)];
}

export const isRelease = (version: string): boolean => PARTS.test(version);

/** Numeric; a hotfix comes after its release. */
export function compareReleases(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2] || left[3] - right[3];
}

/** "10.2" of "10.2.9-h1". */
export function featureRelease(version: string): string {
  const [major, minor] = parts(version);
  return `${major}.${minor}`;
}

/** The image that has to be on the device before one of its feature release is installed. */
export const baseImage = (version: string): string =>
  BASE_IMAGES[featureRelease(version)] ?? `${featureRelease(version)}.0`;

/** How many feature releases lie between two: 0 within one, 1 for the next. One that isn't known counts as far away. */
export function featureSteps(a: string, b: string): number {
  const [left, right] = [featureRelease(a), featureRelease(b)];
  if (left === right) return 0;
  const [from, to] = [FEATURE_RELEASES.indexOf(left), FEATURE_RELEASES.indexOf(right)];
  return from < 0 || to < 0 ? FEATURE_RELEASES.length : Math.abs(to - from);
}

/** How many feature releases a device may be taken further at once: none skipped before 10.1, up to 4 steps from there. */
export const stepsAllowed = (from: string): number =>
  compareReleases(`${featureRelease(from)}.0`, '10.1.0') < 0 ? 1 : 4;
