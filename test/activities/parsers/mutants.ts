/** Answers as nobody would expect them: samples with pieces lost, doubled, swapped, blown up, nested, and texts of chance. */
import fc from 'fast-check';

const PIECES = [
  '', ' ', '\t', '\n', '\r', '\n\n', '\0', '\u2028', '\ud800', '\ufeff', '‮',
  '-', '*', '?', '"', "'", '[', ']', '{', '}', '(', '<', '>', '&', '=', ':', ',', '/', '|', '\\', '%', '●',
  '0', '-1', '99999999999999999999', '1e309', 'NaN', '__proto__', 'constructor', 'null', '[z-a]', '*****zz', 'fe80::1%eth0',
] as const; // prettier-ignore

const VALUES: readonly unknown[] = [
  null, true, 0, -1, 1e308, '', 'x', '1', '99999999999999999999', [], {}, [[]], [{}], [null], { a: null }, { ip: 1 },
  // What can't be made a text or a number.
  { toString: 1, valueOf: 1 },
  'fe80::1%eth0', '::', '1.2.3.4',
]; // prettier-ignore

/** One change of a text at a place, given by chance between 0 and 1. */
type Change = (text: string, at: number, length: number, piece: string) => string;
const CHANGES: readonly Change[] = [
  (text, at, length) => text.slice(0, at) + text.slice(at + length),
  (text, at, length) => text.slice(0, at + length) + text.slice(at),
  (text, at, _length, piece) => text.slice(0, at) + piece + text.slice(at),
  (text, at, length, piece) => text.slice(0, at) + piece + text.slice(at + length),
  (text, at) => text.slice(0, at),
  (text, at, length) => text.slice(at, at + length) + text,
  // Whole lines and words.
  (text, at) => text.split('\n').filter((_, i, all) => i !== at % all.length).join('\n'),
  (text, at, length) => swapped(text.split('\n'), at, length).join('\n'),
  (text, at, length) => swapped(text.split(' '), at, length).join(' '),
  (text, at, _length, piece) => text.split(' ').map((word, i, all) => (i === at % all.length ? piece : word)).join(' '),
  (text, at, _length, piece) => text.replace(/\d+/g, (number, offset: number) => (offset % 3 === at % 3 ? piece : number)),
]; // prettier-ignore

function swapped(parts: readonly string[], at: number, length: number): string[] {
  const other = [...parts];
  const [i, j] = [at % parts.length, (at + length) % parts.length];
  [other[i], other[j]] = [other[j] ?? '', other[i] ?? ''];
  return other;
}

const change = fc.record({
  how: fc.constantFrom(...CHANGES),
  at: fc.nat(10_000),
  length: fc.integer({ min: 1, max: 40 }),
  piece: fc.constantFrom(...PIECES),
});

const changedText = (fixtures: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...fixtures), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([text, changes]) =>
      changes.reduce((now, { how, at, length, piece }) => how(now, at % (now.length + 1), length, piece), text),
    );

/** JSON in a text, from the first bracket to the last, with one of its values replaced. */
const changedJson = (fixtures: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...fixtures), fc.nat(10_000), fc.constantFrom(...VALUES))
    .map(([text, at, value]) => withJson(text, (json) => replaced(json, at, value)));

function withJson(text: string, make: (json: unknown) => unknown): string {
  const [start, end] = [text.search(/[[{]/), Math.max(text.lastIndexOf(']'), text.lastIndexOf('}')) + 1];
  if (start < 0 || end <= start) return text;
  try {
    const made = make(JSON.parse(text.slice(start, end)));
    return text.slice(0, start) + (JSON.stringify(made) ?? '') + text.slice(end);
  } catch {
    return text;
  }
}

function replaced(json: unknown, at: number, value: unknown): unknown {
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const visit = (holder: Record<string, unknown>): void => {
    for (const [key, inner] of Object.entries(holder)) {
      places.push({ holder, key });
      if (typeof inner === 'object' && inner !== null) visit(inner as Record<string, unknown>);
    }
  };
  const root = { json } as Record<string, unknown>;
  visit(root);
  const place = places[at % places.length];
  if (place !== undefined) place.holder[place.key] = value;
  return root['json'];
}

export const mutants = (fixtures: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: changedText(fixtures) },
    { weight: 4, arbitrary: changedJson(fixtures) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
    { weight: 1, arbitrary: fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((pieces) => pieces.join('')) },
  );

const DEEP = 100_000;
/** Nested deeper than any stack: whole texts, and in place of a value of each sample. */
export const nested = (fixtures: readonly string[]): string[] => [
  '['.repeat(DEEP),
  '['.repeat(DEEP) + ']'.repeat(DEEP),
  '{"a":'.repeat(DEEP) + '1' + '}'.repeat(DEEP),
  '('.repeat(DEEP) + ')'.repeat(DEEP),
  'table inet x {\n' + '\t\telements = { '.repeat(2_000),
  ...fixtures.map((text) => text.replace(/:\s*("[^"]*"|\d+|null|true|false)/, `:${'['.repeat(DEEP)}${']'.repeat(DEEP)}`)),
]; // prettier-ignore

/** XML that nests deeper than any stack, where texts and elements of an answer stand. */
export const nestedXml = (fixtures: readonly string[]): string[] =>
  fixtures.flatMap((text) => {
    const deep = '<a>'.repeat(10_000) + '</a>'.repeat(10_000);
    return [text.replace('</result>', `${deep}</result>`), text.replace(/<(\w[\w-]*)>([^<]*)<\/\1>/, `<$1>${deep}</$1>`)];
  }); // prettier-ignore

/** Long, in lines and in one. */
export const long = (fixtures: readonly string[]): string[] => [
  ...fixtures.map((text) => text.repeat(Math.ceil(200_000 / (text.length + 1)))),
  ...fixtures.map((text) => text.replaceAll('\n', ' ').repeat(Math.ceil(100_000 / (text.length + 1)))),
  'x'.repeat(1_000_000),
  '1'.repeat(1_000_000),
  '\n'.repeat(1_000_000),
  '='.repeat(1_000_000),
];

/** Something that comes again and again at one place of a sample: how much more work are eight times as many? */
export interface Pump {
  readonly at: number;
  readonly piece: string;
  readonly end: string;
}

export const pumped = (text: string, { at, piece, end }: Pump, times: number): string =>
  text.slice(0, at) + piece.repeat(times) + end + text.slice(at);

export const pumps = (fixture: string): fc.Arbitrary<Pump> => {
  const places = [...fixture.matchAll(/\b|$/g)].map(({ index }) => index);
  const own = fc
    .tuple(fc.nat(fixture.length), fc.integer({ min: 1, max: 14 }))
    .map(([at, length]) => fixture.slice(at, at + length));
  const lines = fixture.split('\n').map((line) => `${line.slice(0, 80)}\n`);
  return fc.record({
    at: fc.constantFrom(0, ...places),
    piece: fc
      .oneof(fc.constantFrom(...PIECES), own, fc.constantFrom(...lines))
      .map((piece) => (piece === '' ? ' ' : piece)),
    end: fc.constantFrom('', '\u2028', '\r', 'x', ' x'),
  });
};
