/** No parser is left out: whatever is exported as parse… or read… is in the table, or named with the reason why it isn't. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { EXEMPT, PARSERS } from './table';

const ROOT = join(__dirname, '../../../activities');

const exported = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) =>
    [
      ...readFileSync(join(ROOT, file), 'utf8').matchAll(
        /^export (?:async )?(?:function|const) ((?:parse|read)[A-Z]\w*)/gm,
      ),
    ].map(([, name]) => `${relative('.', file).replace(/\.ts$/, '')}#${name}`),
  );
const known = [...PARSERS.map(({ of }) => of), ...Object.keys(EXEMPT)];

test('every parser is in the table, or exempt with a reason', () => {
  expect(exported.length).toBeGreaterThan(90);
  expect(exported.filter((name) => !known.includes(name))).toEqual([]);
});

test('nothing is listed twice, or is gone', () => {
  expect(known.filter((name, i) => known.indexOf(name) !== i)).toEqual([]);
  expect(known.filter((name) => /#(parse|read)[A-Z]/.test(name) && !exported.includes(name))).toEqual([]);
});

test('functions of other names are where they are said to be', () => {
  for (const of of known) {
    const [file = '', name = ''] = of.split('#');
    expect([of, readFileSync(join(ROOT, `${file}.ts`), 'utf8')]).toEqual([
      of,
      expect.stringMatching(new RegExp(`\\b${name}\\b`)),
    ]);
  }
});

test('every sample is read without a word, so that what is made of it is close to the real thing', async () => {
  for (const { of, parse, fixtures } of PARSERS) {
    expect([of, fixtures.length]).not.toEqual([of, 0]);
    for (const fixture of fixtures) {
      const said = await Promise.resolve()
        .then(() => parse(fixture))
        .then(() => undefined)
        .catch((error: unknown) => error);
      if (!MAY_REFUSE.has(of)) expect([of, said]).toEqual([of, undefined]);
    }
  }
});

/** Given the samples of others, or several questions at once: not every sample is an answer to what they ask. */
const MAY_REFUSE = new Set([
  'packages/dnf/look#parseAnswer',
  'routing/frr/json#forwardingOf',
  'routing/frr/json#neighborOf',
  'routing/frr/json#prependsOf',
]);
