/**
 * Releases of PAN-OS: order, base images, and the path from one to another. Pure. Source: facts/pan-os.md, section 3.
 */

/** "10.2.9-h4": a feature release (10.2), a maintenance release, a hotfix. */
export interface Release {
  readonly text: string;
  readonly feature: string;
  readonly maintenance: number;
  readonly hotfix: number;
}

/** Feature releases in the order in which they came. None may be skipped before 10.1. */
export const FEATURE_RELEASES = [
  '8.0',
  '8.1',
  '9.0',
  '9.1',
  '10.0',
  '10.1',
  '10.2',
  '11.0',
  '11.1',
  '11.2',
  '12.1',
] as const;

/** Base images that aren't the .0 release. */
const BASE_OVERRIDES: Readonly<Record<string, string>> = { '12.1': '12.1.2' };

export function parseRelease(text: string): Release | undefined {
  const match = /^(\d+\.\d+)\.(\d+)(?:-h(\d+))?$/.exec(text);
  if (match === null) return undefined;
  return { text, feature: match[1] ?? '', maintenance: Number(match[2]), hotfix: Number(match[3] ?? 0) };
}

const numbersOf = ({ feature, maintenance, hotfix }: Release): number[] => [
  ...feature.split('.').map(Number),
  maintenance,
  hotfix,
];

/** Negative if `a` is older: numbers are compared as numbers, and -hN comes after the plain release. */
export function compareReleases(a: Release, b: Release): number {
  const other = numbersOf(b);
  return (
    numbersOf(a)
      .map((n, i) => n - (other[i] ?? 0))
      .find((n) => n !== 0) ?? 0
  );
}

/** Image that must be on a device (downloaded, not installed) before a release of another feature release is installed. */
export const baseOf = (feature: string): string => BASE_OVERRIDES[feature] ?? `${feature}.0`;

/** How many feature releases lie between two releases; undefined if one isn't known. */
export function featureDistance(a: string, b: string): number | undefined {
  const [from, to] = [a, b].map((text) => {
    const feature = parseRelease(text)?.feature;
    return FEATURE_RELEASES.findIndex((known) => known === feature);
  });
  return from === undefined || to === undefined || from < 0 || to < 0 ? undefined : to - from;
}

/** One upgrade of both devices. */
export interface Hop {
  readonly from: string;
  readonly to: string;
  /** Images that must be on both devices, in the order of their download. */
  readonly images: readonly string[];
  /** …and those without which there is no way back: a downgrade needs the older release and its base image, too. */
  readonly wayBack: readonly string[];
}

export interface PathOptions {
  /** Releases that can be had, on both devices. */
  readonly available: readonly string[];
  /** Why a release can't be had, as "the update server doesn’t offer it to fw-a"; empty if that isn't known. */
  readonly whyNot?: (version: string) => string;
  /** Asked for by people, the target last. */
  readonly path?: readonly string[];
  /** How many feature releases the members of a pair may be apart. */
  readonly featureReleasesApart: number;
}

export type PathResult = { readonly hops: readonly Hop[] } | { readonly faults: readonly string[] };

/** The hops from one release to another, both devices on each before the next. */
export function pathBetween(
  from: string,
  to: string,
  { available, whyNot = () => '', path, featureReleasesApart }: PathOptions,
): PathResult {
  const start = parseRelease(from);
  const target = parseRelease(to);
  if (start === undefined || target === undefined)
    return { faults: [`${start === undefined ? from : to} is no release of PAN-OS`] };
  if (compareReleases(start, target) === 0) return { faults: [`both devices run ${to} already: nothing to upgrade`] };
  if (compareReleases(start, target) > 0)
    return { faults: [`${to} is older than ${from}, which the devices run: a downgrade is no upgrade`] };
  const distance = featureDistance(from, to);
  if (distance === undefined)
    return {
      faults: [
        `the way from ${from} to ${to} isn’t known: the feature releases known are ${FEATURE_RELEASES.join(', ')}`,
      ],
    };
  const stops = path ?? stopsBetween(start, target, available, featureReleasesApart);
  const faults = [
    ...(stops.at(-1) === to ? [] : [`the path ends at ${stops.at(-1) ?? 'nothing'}, not at ${to}`]),
    ...[from, ...stops].slice(0, -1).flatMap((at, i) => hopFaults(at, stops[i] ?? '', featureReleasesApart)),
  ];
  const hops = stops.map((stop, i) => hop(stops[i - 1] ?? from, stop));
  const missing = (images: readonly string[], what: string): string[] =>
    [...new Set(images)]
      .filter((image) => !available.includes(image))
      .map((image) =>
        [`image ${image} can’t be had${what}`, whyNot(image), inItsPlace(image, available)]
          .filter((part) => part !== '')
          .join('; '),
      );
  // Nobody asked for the stops in between.
  const onTheWay = hops.length > 1 ? ` (${distance} feature releases away: ${[from, ...stops].join(' → ')})` : '';
  faults.push(
    ...missing(
      hops.flatMap(({ images }) => images),
      onTheWay,
    ),
  );
  faults.push(
    ...missing(
      hops.flatMap(({ wayBack }) => wayBack),
      ', without which there is no way back',
    ),
  );
  return faults.length > 0 ? { faults } : { hops };
}

/** How many releases are named in place of one that isn't there. */
const NEAREST = 3;

/** What there is in place of an image that isn't there. */
function inItsPlace(image: string, available: readonly string[]): string {
  const near = nearestTo(image, available);
  if (near.length > 0) return `the nearest that can: ${near.join(', ')}`;
  const newest = newestOf(undefined, available);
  return `no release of ${parseRelease(image)?.feature ?? image} can${newest === undefined ? '' : `; the newest that can: ${newest}`}`;
}

/** Releases of the same feature release that are nearest to one, older first. */
function nearestTo(text: string, available: readonly string[]): string[] {
  const release = parseRelease(text);
  if (release === undefined) return [];
  const away = (r: Release): number =>
    Math.abs(r.maintenance - release.maintenance) * 1_000 + Math.abs(r.hotfix - release.hotfix);
  return [...new Set(available)]
    .flatMap((one) => parseRelease(one) ?? [])
    .filter(({ feature }) => feature === release.feature)
    .sort((a, b) => away(a) - away(b))
    .slice(0, NEAREST)
    .sort(compareReleases)
    .map((r) => r.text);
}

const hop = (from: string, to: string): Hop => ({
  from,
  to,
  images: imagesFor(to, from),
  wayBack: imagesFor(from, to),
});

/** Images that a device needs for going to a release from another one. */
function imagesFor(to: string, from: string): string[] {
  const feature = parseRelease(to)?.feature ?? '';
  const base = baseOf(feature);
  return parseRelease(from)?.feature !== feature && base !== to ? [base, to] : [to];
}

function hopFaults(from: string, to: string, apart: number): string[] {
  const [a, b] = [parseRelease(from), parseRelease(to)];
  if (a === undefined || b === undefined || compareReleases(a, b) >= 0) return [`${to} doesn’t come after ${from}`];
  const distance = featureDistance(from, to);
  if (distance === undefined || distance > apart)
    return [
      `from ${from} to ${to} are ${distance ?? 'an unknown number of'} feature releases; a pair may be ${apart} apart (featureReleasesApart)`,
    ];
  return [];
}

/** The newest release of each feature release that has to be stopped at. */
function stopsBetween(from: Release, to: Release, available: readonly string[], apart: number): string[] {
  const first = FEATURE_RELEASES.findIndex((f) => f === from.feature);
  const last = FEATURE_RELEASES.findIndex((f) => f === to.feature);
  const stops: string[] = [];
  for (let i = first + apart; i < last; i += apart) {
    const feature = FEATURE_RELEASES[i] ?? '';
    stops.push(newestOf(feature, available) ?? baseOf(feature));
  }
  return [...stops, to.text];
}

/** Of one feature release, or of all. */
function newestOf(feature: string | undefined, available: readonly string[]): string | undefined {
  return available
    .flatMap((text) => parseRelease(text) ?? [])
    .filter((r) => feature === undefined || r.feature === feature)
    .sort(compareReleases)
    .at(-1)?.text;
}
