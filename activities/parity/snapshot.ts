/**
 * What nodes were, kept in history so that it can be compared days later: a digest of each section, and the text itself
 * as long as it is small (compressed; two nodes that are alike take hardly more than one).
 */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { countedFacts } from './counted';
import { differences, normalLine, type Difference } from './difference';
import type { About, Facts, NodeReading } from './facts';
import { NORMAL_FORM } from './normal';
import { SECTIONS, type Section } from './spec';

/** Largest kept text, characters: it is handed through the workflow, from the step that took it to the checks that need it. */
export const KEPT_LIMIT_CHARS = 8_000;

/** Of a section with more text nobody has ever seen so little left; packing it takes the event loop half a second. */
const PACKED_LIMIT_CHARS = 1024 * 1024;

const charsOf = (paths: Readonly<Record<string, readonly string[]>>): number =>
  Object.entries(paths).reduce(
    (sum, [path, lines]) => lines.reduce((s, line) => s + line.length, sum + path.length),
    0,
  );

export interface Snapshot {
  readonly schema: 1;
  /** The digests are of what counts, in this normal form; left out by builds before, whose digests are of the text as it was read. */
  readonly form?: number;
  /** By node; left out by builds before. */
  readonly about?: Readonly<Record<string, About>>;
  /** By node and section. */
  readonly digests: Readonly<Record<string, Readonly<Partial<Record<Section, string>>>>>;
  /** Sections whose text is kept. */
  readonly kept: readonly Section[];
  /** gzip, base64: {node: facts}. */
  readonly text: string;
}

/** Order of keys must not matter. */
export function digestOf(paths: Readonly<Record<string, readonly string[]>>): string {
  const sorted = Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

/** Of what counts of a section, whichever release printed it. */
function normalDigestOf(section: string, paths: Readonly<Record<string, readonly string[]>>): string {
  return digestOf(
    Object.fromEntries(
      Object.entries(paths).map(([path, lines]) => [path, lines.map((line) => normalLine(section as Section, line))]),
    ),
  );
}

export function takeSnapshot(
  readings: Readonly<Record<string, Pick<NodeReading, 'facts' | 'about'>>>,
  limitChars: number = KEPT_LIMIT_CHARS,
): Snapshot {
  const nodes = Object.fromEntries(Object.entries(readings).map(([node, { facts }]) => [node, countedFacts(facts)]));
  const about = Object.fromEntries(Object.entries(readings).map(([node, reading]) => [node, reading.about]));
  const digests = Object.fromEntries(
    Object.entries(nodes).map(([node, facts]) => [
      node,
      Object.fromEntries(Object.entries(facts).map(([section, paths]) => [section, normalDigestOf(section, paths)])),
    ]),
  );
  const present = SECTIONS.filter((section) => {
    const all = Object.values(nodes).flatMap((facts) => (facts[section] === undefined ? [] : [facts[section]]));
    return all.length > 0 && all.reduce((sum, paths) => sum + charsOf(paths), 0) <= PACKED_LIMIT_CHARS;
  });
  const packed = (sections: readonly Section[]): string => {
    const part = Object.fromEntries(
      Object.entries(nodes).map(([node, facts]) => [
        node,
        Object.fromEntries(sections.map((s) => [s, facts[s] ?? {}])),
      ]),
    );
    return gzipSync(JSON.stringify(part), { level: 9 }).toString('base64');
  };
  // The largest go first: with them most is gained, and the digest still tells that they changed.
  const bySize = [...present].sort((a, b) => packed([a]).length - packed([b]).length);
  let kept = bySize;
  while (kept.length > 0 && packed(kept).length > limitChars) kept = kept.slice(0, -1);
  return {
    schema: 1,
    form: NORMAL_FORM,
    about,
    digests,
    kept: SECTIONS.filter((s) => kept.includes(s)),
    text: packed(kept),
  };
}

export interface Since {
  readonly differences: readonly Difference[];
  /** Sections that changed and whose text wasn't kept. */
  readonly changedUnseen: readonly Section[];
}

/** What of `node` has changed since. Undefined if the snapshot doesn't know the node. */
export function changedSince(snapshot: Snapshot, node: string, read: Facts): Since | undefined {
  const digests = snapshot.digests[node];
  if (digests === undefined) return undefined;
  const now = countedFacts(read);
  const digestNow = (section: Section): string =>
    snapshot.form === undefined ? digestOf(read[section] ?? {}) : normalDigestOf(section, now[section] ?? {});
  const changed = SECTIONS.filter(
    (section) =>
      digests[section] !== digestNow(section) && (digests[section] !== undefined || now[section] !== undefined),
  );
  const seen = changed.filter((section) => snapshot.kept.includes(section));
  const before =
    (JSON.parse(gunzipSync(Buffer.from(snapshot.text, 'base64')).toString('utf8')) as Record<string, Facts>)[node] ??
    {};
  const only = (facts: Facts): Facts => Object.fromEntries(seen.map((section) => [section, facts[section] ?? {}]));
  return {
    differences: differences(only(now), only(countedFacts(before))),
    changedUnseen: changed.filter((section) => !snapshot.kept.includes(section)),
  };
}
