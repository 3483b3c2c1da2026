/**
 * What is known of PAN-OS' feature releases ("trains"), each with where and when it was read. Nothing here is needed for an
 * upgrade within a train, or along a path that people name: a train that isn't here is one that came later. Pure.
 */

export interface Train {
  readonly feature: string;
  /** Its first image, where that isn't the .0 release. */
  readonly base?: string;
  /** What a downgrade out of it runs into. */
  readonly wayBack?: {
    /** The oldest release that can be gone back to, where that is all of it. */
    readonly oldest?: string;
    readonly limit: string;
    readonly source: string;
  };
}

/** When the vendor's pages were read. */
export const TRAINS_AS_OF = '2026-11-29';

/** In the order in which they came. None may be skipped before 10.1 (facts/pan-os.md, section 3). */
export const TRAINS: readonly Train[] = [
  ...['8.0', '8.1', '9.0', '9.1', '10.0', '10.1'].map((feature) => ({ feature })),
  {
    feature: '10.2',
    wayBack: {
      oldest: '10.1.3',
      limit: 'from 10.2 a device goes back to 10.1.3 or a later 10.1 only',
      source: 'PAN-OS 10.2 upgrade/downgrade considerations',
    },
  },
  ...['11.0', '11.1', '11.2'].map((feature) => ({ feature })),
  {
    feature: '12.1',
    base: '12.1.2',
    wayBack: {
      limit:
        'from 12.1 the way back is blocked above 30 shared objects of a kind, and the vendor wants three steps of preparation before it',
      source: 'PAN-OS 12.1 upgrade/downgrade considerations',
    },
  },
];

export const trainOf = (feature: string): Train | undefined => TRAINS.find((train) => train.feature === feature);

const numbers = (feature: string): readonly [number, number] => {
  const [major = 0, minor = 0] = feature.split('.').map(Number);
  return [major, minor];
};

/** Negative if the first is the older one; by their numbers, known or not. */
export function compareFeatures(a: string, b: string): number {
  const [x, y] = [numbers(a), numbers(b)];
  return x[0] - y[0] || x[1] - y[1];
}

/** How many feature releases from one to the other; undefined where one that isn't known lies at an end. */
export function trainsBetween(from: string, to: string): number | undefined {
  if (from === to) return 0;
  const [a, b] = [from, to].map((feature) => TRAINS.findIndex((train) => train.feature === feature));
  return a === undefined || b === undefined || a < 0 || b < 0 ? undefined : b - a;
}
