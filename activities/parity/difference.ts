import type { Facts } from './facts';
import { normalRule } from './normal';
import { SECTIONS, type Section } from './spec';

/** One difference: here it is so, there otherwise; undefined where there is nothing of the kind. */
export interface Difference {
  readonly section: Section;
  readonly path: string;
  readonly here: string | undefined;
  readonly there: string | undefined;
}

/** A line as it was printed, in its normal form, and that with names for what differs by design. */
interface Line {
  readonly raw: string;
  readonly normal: string;
  readonly named: string;
}
type Rename = (text: string) => string;
const asIs: Rename = (text) => text;

/** Above this many pairs of lines the order isn't looked into, only what there is: two chains of 2,000 rules that share nothing. */
const MOST_PAIRS = 4_000_000;

/** How a line is compared, whichever release printed it. */
export const normalLine = (section: Section, line: string): string => (section === 'ruleset' ? normalRule(line) : line);

/**
 * What differs between two nodes, or between a node and what it was. Lines are alike if their normal forms read the same, or
 * if they do with names for what differs by design.
 */
export function differences(
  here: Facts,
  there: Facts,
  renameHere: Rename = asIs,
  renameThere: Rename = asIs,
): Difference[] {
  return SECTIONS.flatMap((section) => {
    const [a, b] = [named(section, here[section], renameHere), named(section, there[section], renameThere)];
    const found: Difference[] = [];
    const taken = new Set<string>();
    for (const [path, lines] of a.raw) {
      const otherPath = b.raw.has(path) ? path : b.byName.get(renameHere(path));
      if (otherPath !== undefined) taken.add(otherPath);
      found.push(...ofLines(section, path, lines, otherPath === undefined ? undefined : b.raw.get(otherPath)));
    }
    for (const [path, lines] of b.raw) if (!taken.has(path)) found.push(...ofLines(section, path, undefined, lines));
    return found;
  });
}

function named(section: Section, paths: Readonly<Record<string, readonly string[]>> = {}, rename: Rename) {
  const raw = new Map<string, Line[]>();
  const byName = new Map<string, string>();
  for (const [path, lines] of Object.entries(paths)) {
    raw.set(
      path,
      lines.map((raw) => {
        const normal = normalLine(section, raw);
        return { raw, normal, named: rename(normal) };
      }),
    );
    byName.set(rename(path), path);
  }
  return { raw, byName };
}

const alike = (a: Line, b: Line): boolean => a.raw === b.raw || a.normal === b.normal || a.named === b.named;

function ofLines(
  section: Section,
  path: string,
  here: readonly Line[] | undefined,
  there: readonly Line[] | undefined,
): Difference[] {
  const whole = (lines: readonly Line[]): string =>
    lines.length === 0 ? '(empty)' : lines.map((l) => l.raw).join(' · ');
  if (here === undefined || there === undefined)
    return [
      {
        section,
        path,
        here: here === undefined ? undefined : whole(here),
        there: there === undefined ? undefined : whole(there),
      },
    ];
  let start = 0;
  while (start < here.length && start < there.length && alike(here[start]!, there[start]!)) start += 1;
  let [endHere, endThere] = [here.length, there.length];
  while (endHere > start && endThere > start && alike(here[endHere - 1]!, there[endThere - 1]!)) {
    endHere -= 1;
    endThere -= 1;
  }
  const [a, b] = [here.slice(start, endHere), there.slice(start, endThere)];
  const { onlyA, onlyB } = a.length * b.length <= MOST_PAIRS ? longestCommon(a, b) : unordered(a, b);
  // A line that is only here beside one that is only there is most likely one line that was changed.
  return Array.from({ length: Math.max(onlyA.length, onlyB.length) }, (_, i) => ({
    section,
    path,
    here: onlyA[i]?.raw,
    there: onlyB[i]?.raw,
  }));
}

/** What is left of two sequences without their longest common subsequence. */
function longestCommon(a: readonly Line[], b: readonly Line[]): { onlyA: Line[]; onlyB: Line[] } {
  const width = b.length + 1;
  const length = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => length[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      length[i * width + j] = alike(a[i]!, b[j]!) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const onlyA: Line[] = [];
  const onlyB: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (alike(a[i]!, b[j]!)) {
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) onlyA.push(a[i++]!);
    else onlyB.push(b[j++]!);
  }
  return { onlyA: [...onlyA, ...a.slice(i)], onlyB: [...onlyB, ...b.slice(j)] };
}

function unordered(a: readonly Line[], b: readonly Line[]): { onlyA: Line[]; onlyB: Line[] } {
  const inB = new Set(b.flatMap((line) => [line.normal, line.named]));
  const inA = new Set(a.flatMap((line) => [line.normal, line.named]));
  return {
    onlyA: a.filter((line) => !inB.has(line.normal) && !inB.has(line.named)),
    onlyB: b.filter((line) => !inA.has(line.normal) && !inA.has(line.named)),
  };
}
