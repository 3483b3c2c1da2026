/**
 * What lies in the stage directory of a release on a node, and what has to happen so that the node runs it. Each release
 * of a run has its own manifest beside its package files, so that going forward and going back are the same act.
 */
import { z } from 'zod';
import { isPresent, isWhole, type Change, type Installed } from './package';

const stagedPackage = z.strictObject({
  name: z.string(),
  version: z.string(),
  /** Name within the release's directory. */
  file: z.string().regex(/^[^/]+$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.number(),
  /** Installed only because another package needs it (apt-mark auto, dnf mark remove): stays so. */
  auto: z.boolean(),
});
export type StagedPackage = z.output<typeof stagedPackage>;

export const manifestSchema = z.strictObject({
  schema: z.literal(1),
  release: z.string(),
  packages: z.array(stagedPackage),
  /** Packages that must be absent in this release: what the other one brought along. */
  absent: z.array(z.string()),
  /** The exchange that it was made for, from what the node ran when it was staged. */
  exchange: z.strictObject({
    from: z.string(),
    to: z.string(),
    changes: z.array(z.strictObject({ name: z.string(), from: z.string().optional(), to: z.string().optional() })),
  }),
});
export type Manifest = z.output<typeof manifestSchema>;

/** What a release needs to have on a node: exact versions, and names that must not be there. */
export interface Wanted {
  readonly packages: Readonly<Record<string, string>>;
  readonly absent: readonly string[];
}

/**
 * Both ends of an exchange: the target with everything that it needs besides, and the previous release with everything
 * that the exchange takes away, so that going back restores each package that going forward touched.
 */
export function endsOf(
  target: Readonly<Record<string, string>>,
  previous: Readonly<Record<string, string>>,
  changes: readonly Change[],
): { readonly target: Wanted; readonly previous: Wanted } {
  const versions = (side: 'from' | 'to'): Record<string, string> =>
    Object.fromEntries(changes.flatMap((c) => (c[side] === undefined ? [] : [[c.name, c[side]]])));
  const lacking = (side: 'from' | 'to'): string[] => changes.filter((c) => c[side] === undefined).map((c) => c.name);
  return {
    target: { packages: { ...versions('to'), ...target }, absent: lacking('to') },
    previous: { packages: { ...versions('from'), ...previous }, absent: lacking('from') },
  };
}

/** Removals that the release's list doesn't allow. */
export const unwantedRemovals = (changes: readonly Change[], mayRemove: readonly string[]): Change[] =>
  changes.filter((change) => change.to === undefined && !mayRemove.includes(change.name));

/**
 * Whether a manifest still fits its node: each package that the exchange touches is where one of its ends has it, and the
 * plan's packages are in it. Otherwise somebody changed the node since, and it must be staged again.
 */
export function isFresh(
  manifest: Manifest,
  exchange: { readonly from: string; readonly to: string },
  planned: Readonly<Record<string, string>>,
  installed: ReadonlyMap<string, Installed>,
): boolean {
  const { from, to, changes } = manifest.exchange;
  const version = (name: string): string | undefined => {
    const found = installed.get(name);
    return isPresent(found) ? found.version : undefined;
  };
  return (
    from === exchange.from &&
    to === exchange.to &&
    changes.every((c) => [c.from, c.to].includes(version(c.name))) &&
    Object.entries(planned).every(([name, v]) => manifest.packages.some((p) => p.name === name && p.version === v))
  );
}

/** What is left to do until a node has what the manifest wants, as sentences; empty if nothing is. */
export function differences(wanted: Wanted, installed: ReadonlyMap<string, Installed>): string[] {
  const missing = Object.entries(wanted.packages).flatMap(([name, version]) => {
    const found = installed.get(name);
    if (!isPresent(found)) return [`${name} is not installed instead of ${version}`];
    if (found.version !== version) return [`${name} is ${found.version} instead of ${version}`];
    return isWhole(found) ? [] : [`${name} ${version} is ${found.detail}`];
  });
  const surplus = wanted.absent.flatMap((name) => {
    const found = installed.get(name);
    return isPresent(found) ? [`${name} ${found.version} is still installed`] : [];
  });
  return [...missing, ...surplus];
}

export const wantedBy = (manifest: Manifest): Wanted => ({
  packages: Object.fromEntries(manifest.packages.map((p) => [p.name, p.version])),
  absent: manifest.absent,
});
