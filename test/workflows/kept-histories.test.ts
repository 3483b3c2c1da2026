/** What is kept in test/histories, release by release; kept-histories-1.test.ts and -2 replay it. */
import { readdirSync } from 'node:fs';
import { packageVersion } from '../../client/version';
import { endOf } from '../support/histories';
import { cases, wholes } from '../support/kept';
import { keptFiles, PARTS, read } from '../support/kept/files';
import { endsIn } from '../support/kept/scenario';

const releases = [...new Set([...keptFiles.map(({ release }) => release), packageVersion()])];
const rows = [...cases.map(({ name, scenario: { ends } }) => ({ name, ends })), ...wholes];

// A row that this release has and whose history is missing is made by test/support/kept/keep.ts, before the core is changed.
it.each(rows)('$name is kept for each release that has it, and is what it says', async ({ name, ends }) => {
  const kept = await Promise.all(
    keptFiles
      .filter((each) => each.name === name)
      .map(async (each) => [each.release, endOf((await read(each)).history)] as const),
  );
  const wanted = releases.map((release) => [release, endsIn(ends, release)] as const);
  expect(Object.fromEntries(kept)).toEqual(Object.fromEntries(wanted.filter(([, end]) => end !== undefined)));
});

it('each history has a row', () => {
  const names = new Set(rows.map(({ name }) => name));
  expect(keptFiles.filter(({ name }) => !names.has(name))).toEqual([]);
});

it('each history is replayed by a test', () => {
  const parts = readdirSync(__dirname).filter((file) => /^kept-histories-\d+\.test\.ts$/.test(file));
  expect(parts).toEqual(Array.from({ length: PARTS }, (_, n) => `kept-histories-${n + 1}.test.ts`));
});

it.each([
  ['Completed', '0.1.0', 'Completed'],
  [{ '0.1.0': 'Cancelled', '0.2.0': 'open' }, '0.1.9', 'Cancelled'],
  [{ '0.2.0': 'open', '0.1.0': 'Cancelled' }, '0.10.0', 'open'],
  [{ '0.2.0': 'Completed' }, '0.1.0', undefined],
  [{ '0.2.0': 'Completed', '1.0.0': 'none' }, '1.0.0', undefined],
])('%j in %s: %s', (ends, release, end) => expect(endsIn(ends, release)).toBe(end));
