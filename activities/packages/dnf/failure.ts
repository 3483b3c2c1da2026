/** Why dnf ended with an error, from its exit code and what it printed (LC_ALL=C). */
import { anyOf, inOneLine, type Sign } from '../signs';
import { SCRIPT_FAILED } from './commands';

export type DnfFailure =
  /** Somebody else works on the packages; passes by itself. */
  | 'busy'
  /** A repository didn't answer or didn't have the file (any more). */
  | 'fetch'
  /** A package or version that dnf doesn't know. */
  | 'missing'
  | 'unmet'
  /** A package's script failed. */
  | 'script'
  /** No room on the disk. */
  | 'full'
  | 'killed'
  | 'other';

const SIGNS: readonly (readonly [DnfFailure, Sign])[] = [
  ['busy', /already locked by \d+|Failed to obtain the transaction lock|can't create transaction lock/],
  ['full', /No space left on device|more space needed on the|needs \d\S* (more space )?on the/],
  ['script', /scriptlet failed, exit status/],
  ['fetch', /Curl error|Status code: \d+|Failed to download|Error downloading packages|No more mirrors to try/],
  ['unmet', /^ *Problem[ :]|nothing provides|conflicting requests|Transaction test error|is needed by/m],
  ['missing', anyOf(/Unable to find a match|No match for argument/, inOneLine('No package ', ' available'))],
];

/** dnf(8): 200 is a lock of somebody else; above 128 the shell tells of a signal. */
export function dnfFailure(code: number, output: string): DnfFailure {
  if (code === 200) return 'busy';
  if (code === SCRIPT_FAILED) return 'script';
  if (code > 128) return 'killed';
  return SIGNS.find(([, sign]) => sign.test(output))?.[0] ?? 'other';
}

const TELLING =
  /^ *(Error|error:|Problem[ :]|warning: %|Curl error|No package |\[(MIRROR|FAILED)\]|- (nothing provides|package|conflicting|cannot|Curl|Status))/;
/** What a package's own script said stands before rpm's complaint about it. */
const BEFORE_SCRIPT = [-2, -1];

/** The lines that say why: errors, unmet dependencies, what a script said that failed; else the last lines. */
export function dnfReason(output: string, lines = 8): string {
  const all = output
    .split(/[\r\n]+/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  const kept = new Set<number>();
  all.forEach((line, index) => {
    if (TELLING.test(line)) kept.add(index);
    if (line.includes('scriptlet failed')) for (const offset of BEFORE_SCRIPT) kept.add(index + offset);
  });
  // Of each mirror, and each attempt, it says the same again.
  const telling = [...new Set(all.filter((_, index) => kept.has(index)))];
  return (telling.length > 0 ? telling : all).slice(-lines).join('\n');
}
