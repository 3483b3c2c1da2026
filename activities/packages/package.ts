/** Packages as every package manager knows them, whatever its own words are. */

/** One package as it is on a host. Foreign architectures have theirs in the name, as the package manager prints them. */
export interface Installed {
  readonly name: string;
  /** Exact, in the package manager's own form. */
  readonly version: string;
  readonly architecture: string;
  /**
   * `whole`: files are in place and scripts have run. `unfinished`: files are in place, scripts are to be run.
   * `damaged`: its files can't be trusted, it has to be installed again. `removed`: at most configuration files are left.
   */
  readonly state: 'whole' | 'unfinished' | 'damaged' | 'removed';
  /** What keeps it from being whole, in words that complete "PACKAGE VERSION is"; empty if nothing does. */
  readonly detail: string;
}

/** Present as files, in whatever state: neither removed nor never installed. */
export const isPresent = (installed: Installed | undefined): installed is Installed =>
  installed !== undefined && installed.state !== 'removed';
export const isWhole = (installed: Installed | undefined): boolean => installed?.state === 'whole';
export const isDamaged = (installed: Installed | undefined): boolean => installed?.state === 'damaged';

/** A package file that a repository offers, with what its metadata say about it. */
export interface Offered {
  readonly name: string;
  readonly version: string;
  readonly uri: string;
  /** Name under which the package manager keeps it. */
  readonly file: string;
  readonly sizeBytes: number;
  /** Undefined if the repository vouches with a weaker digest only. */
  readonly sha256?: string;
}

/** One package that a transaction changes: absent before without `from`, absent afterwards without `to`. */
export interface Change {
  readonly name: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Lines of sha256sum, as path → digest. Paths with a backslash or newline, which it escapes, are left out. */
export function parseSums(text: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) sums.set(match[2], match[1]);
  }
  return sums;
}
