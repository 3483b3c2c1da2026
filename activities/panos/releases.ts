/**
 * Releases of PAN-OS: order, base images, and the path from one to another. Pure. Source: facts/pan-os.md, section 3.
 */
import { compareFeatures, TRAINS, TRAINS_AS_OF, trainOf, trainsBetween } from './trains';

/** "10.2.9-h4": a feature release (10.2), a maintenance release, a hotfix. */
export interface Release {
  readonly text: string;
  readonly feature: string;
  readonly maintenance: number;
  readonly hotfix: number;
}

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

/** How many feature releases lie between two releases; undefined if one isn't known. */
export function featureDistance(a: string, b: string): number | undefined {
  const [from, to] = [parseRelease(a), parseRelease(b)];
  return from === undefined || to === undefined ? undefined : trainsBetween(from.feature, to.feature);
}

/** Whether the second is of an older feature release. */
export function isOlderFeature(a: string, b: string): boolean {
  const [from, to] = [parseRelease(a), parseRelease(b)];
  return from !== undefined && to !== undefined && compareFeatures(to.feature, from.feature) < 0;
}

/** An image that can be had. */
export interface AvailableImage {
  readonly version: string;
  /** 0 where it isn't known, as of a file that the inventory names. */
  readonly sizeMb: number;
}

/** A base image is twice as large as those that go on top of it. */
const MUCH_LARGER = 1.4;

/**
 * Image that must be on a device (downloaded, not installed) before a release of another feature release is installed: the
 * first of its train. As the vendor's pages have it where the train is known and the image can be had; otherwise the one that
 * stands out by its size among those of its train, the first of them; otherwise the first that can be had.
 */
export function baseOf(feature: string, images: readonly AvailableImage[]): string {
  const known = trainOf(feature)?.base ?? `${feature}.0`;
  const ofTrain = images
    .flatMap(({ version, sizeMb }) => {
      const release = parseRelease(version);
      return release?.feature === feature ? [{ release, sizeMb }] : [];
    })
    .sort((a, b) => compareReleases(a.release, b.release));
  if (trainOf(feature) !== undefined || ofTrain.length === 0 || ofTrain.some(({ release }) => release.text === known))
    return known;
  const sizes = ofTrain.map(({ sizeMb }) => sizeMb).sort((a, b) => a - b);
  const usual = sizes[Math.floor((sizes.length - 1) / 2)] ?? 0;
  const large = ofTrain.find(({ sizeMb }) => sizeMb > usual * MUCH_LARGER);
  return (large ?? ofTrain[0])?.release.text ?? known;
}

/** One upgrade of both devices. */
export interface Hop {
  readonly from: string;
  readonly to: string;
  /** Images that must be on both devices, in the order of their download. */
  readonly images: readonly string[];
  /** …and those without which there is no way back: a downgrade needs the older release and its base image, too. */
  readonly wayBack: readonly string[];
  /** What the vendor says that limits the way back, in sentences; left out where it says nothing, and by earlier builds. */
  readonly wayBackLimits?: readonly string[];
}

export interface PathOptions {
  /** Images that can be had, on both devices. */
  readonly images: readonly AvailableImage[];
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
  { images, whyNot = () => '', path, featureReleasesApart }: PathOptions,
): PathResult {
  const start = parseRelease(from);
  const target = parseRelease(to);
  if (start === undefined || target === undefined)
    return { faults: [`${start === undefined ? from : to} is no release of PAN-OS`] };
  if (compareReleases(start, target) === 0) return { faults: [`both devices run ${to} already: nothing to upgrade`] };
  if (compareReleases(start, target) > 0)
    return { faults: [`${to} is older than ${from}, which the devices run: a downgrade is no upgrade`] };
  const available = images.map(({ version }) => version);
  const distance = featureDistance(from, to);
  if (distance === undefined && path === undefined)
    return {
      faults: [
        `the way from ${from} to ${to} isn’t known: the feature releases known (${TRAINS_AS_OF}) are ${TRAINS.map((t) => t.feature).join(', ')}; name the releases to go through, the target last, under panos.path`,
      ],
    };
  const stops = path ?? stopsBetween(start, target, images, featureReleasesApart);
  const faults = [
    ...(stops.at(-1) === to ? [] : [`the path ends at ${stops.at(-1) ?? 'nothing'}, not at ${to}`]),
    ...[from, ...stops].slice(0, -1).flatMap((at, i) => hopFaults(at, stops[i] ?? '', featureReleasesApart)),
  ];
  const hops = stops.map((stop, i) => hop(stops[i - 1] ?? from, stop, images));
  const missing = (wanted: readonly string[], what: string): string[] =>
    [...new Set(wanted)]
      .filter((image) => !available.includes(image))
      .map((image) =>
        [`image ${image} can’t be had${what}`, whyNot(image), inItsPlace(image, available)]
          .filter((part) => part !== '')
          .join('; '),
      );
  // Nobody asked for the stops in between.
  const away = distance === undefined ? '' : `${distance} feature releases away: `;
  const onTheWay = hops.length > 1 ? ` (${away}${[from, ...stops].join(' → ')})` : '';
  faults.push(
    ...missing(
      hops.flatMap((each) => each.images),
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

function hop(from: string, to: string, images: readonly AvailableImage[]): Hop {
  const limits = wayBackLimits(from, to);
  return {
    ...{ from, to, images: imagesFor(to, from, images), wayBack: imagesFor(from, to, images) },
    ...(limits.length === 0 ? {} : { wayBackLimits: limits }),
  };
}

/** What the vendor says that limits the way back from a release to the one before it. */
function wayBackLimits(before: string, after: string): string[] {
  const [old, now] = [parseRelease(before), parseRelease(after)];
  if (old === undefined || now === undefined) return [];
  return TRAINS.flatMap(({ feature, wayBack }) => {
    const isCrossed = compareFeatures(old.feature, feature) < 0 && compareFeatures(feature, now.feature) <= 0;
    if (wayBack === undefined || !isCrossed) return [];
    const oldest = parseRelease(wayBack.oldest ?? '');
    if (oldest !== undefined && compareReleases(old, oldest) >= 0) return [];
    return [`${wayBack.limit} (${wayBack.source}, read ${TRAINS_AS_OF})`];
  });
}

/** Images that a device needs for going to a release from another one. */
function imagesFor(to: string, from: string, images: readonly AvailableImage[]): string[] {
  const feature = parseRelease(to)?.feature ?? '';
  if (parseRelease(from)?.feature === feature) return [to];
  const base = baseOf(feature, images);
  return base === to ? [to] : [base, to];
}

function hopFaults(from: string, to: string, apart: number): string[] {
  const [a, b] = [parseRelease(from), parseRelease(to)];
  if (a === undefined || b === undefined || compareReleases(a, b) >= 0) return [`${to} doesn’t come after ${from}`];
  const distance = featureDistance(from, to);
  // Of a train that isn't known only people can say, and they did: it is in the path that they named.
  if (distance === undefined || distance <= apart) return [];
  return [
    `from ${from} to ${to} are ${distance} feature releases; a pair may be ${apart} apart (featureReleasesApart)`,
  ];
}

/** The newest release of each feature release that has to be stopped at. */
function stopsBetween(from: Release, to: Release, images: readonly AvailableImage[], apart: number): string[] {
  const available = images.map(({ version }) => version);
  const first = TRAINS.findIndex(({ feature }) => feature === from.feature);
  const last = TRAINS.findIndex(({ feature }) => feature === to.feature);
  const stops: string[] = [];
  for (let i = first + apart; i < last; i += apart) {
    const feature = TRAINS[i]?.feature ?? '';
    stops.push(newestOf(feature, available) ?? baseOf(feature, images));
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
