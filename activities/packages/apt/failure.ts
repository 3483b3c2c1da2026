/** Why apt-get or dpkg ended with an error, from what they printed (LC_ALL=C). */
import { anyOf, inOneLine, type Sign } from '../signs';

export type AptFailure =
  /** Somebody else holds the lock; passes by itself. */
  | 'busy'
  /** A repository didn't answer or didn't have the file (any more). */
  | 'fetch'
  /** A package or version that apt doesn't know. */
  | 'missing'
  | 'held'
  | 'unmet'
  /** An earlier run of dpkg was cut off. */
  | 'interrupted'
  /** dpkg was killed on the way. */
  | 'killed'
  /** No room on the disk. */
  | 'full'
  | 'other';

const SIGNS: readonly (readonly [AptFailure, Sign])[] = [
  ['busy', /Could not get lock|Unable to (acquire|lock)|is locked by another process|frontend lock/],
  ['full', /No space left on device|don't have enough free space/],
  ['held', anyOf(/Held packages were changed/, inOneLine('held package', 'will be changed'))],
  // Unmet dependencies also speak of "held broken packages" when nothing is held.
  ['unmet', /unmet dependencies|held broken packages|dependency problems/],
  [
    'missing',
    anyOf(
      /Unable to locate package|has no installation candidate/,
      inOneLine("Version '", "' for '", "' was not found"),
    ),
  ],
  ['fetch', /Failed to fetch|Unable to fetch|Could not resolve|Could not connect|Hash Sum mismatch/],
  ['interrupted', /dpkg was interrupted/],
  ['killed', /Sub-process \S+ (received (a segmentation fault|signal)|exited unexpectedly)/],
];

export const aptFailure = (output: string): AptFailure => SIGNS.find(([, sign]) => sign.test(output))?.[0] ?? 'other';

const TELLING = /^(E: |dpkg: error|Err:|Errors were| .*(Depends|Conflicts|Breaks|PreDepends): )/;
/** What a package's own script said stands before dpkg's complaint about it, its exit code after it. */
const AROUND_SCRIPT = [-2, -1, 1];

/** The lines that say why: apt's errors, unmet dependencies, what a script said that failed; else the last lines. */
export function aptReason(output: string, lines = 8): string {
  const all = output
    .split(/[\r\n]+/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.startsWith('(Reading database'));
  const kept = new Set<number>();
  all.forEach((line, index) => {
    if (TELLING.test(line)) kept.add(index);
    if (line.startsWith('dpkg: error processing')) for (const offset of AROUND_SCRIPT) kept.add(index + offset);
  });
  const telling = all.filter((_, index) => kept.has(index));
  return (telling.length > 0 ? telling : all).slice(-lines).join('\n');
}
