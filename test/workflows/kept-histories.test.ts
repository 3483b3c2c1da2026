/** Whatever a run of a release may be in the middle of, this build goes on with it (test/histories/README.md). */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { endOf, readHistory, replayErrors, type NamedHistory } from '../support/histories';
import { cases } from '../support/kept';

// All are replayed before the first test: a minute of work, more on a busy machine.
jest.setTimeout(900_000);

const ENDING = '.binpb.gz';
const directory = join(__dirname, '../histories');
const files = readdirSync(directory).filter((name) => name.endsWith(ENDING));
/** `<kind>-<what happened>`, without the release. */
const nameOf = (file: string): string => file.replace(/\.\d+\.\d+\.\d+\.binpb\.gz$/, '');

let kept: readonly NamedHistory[];
let errors: ReadonlyMap<string, unknown>;
beforeAll(async () => {
  kept = await Promise.all(files.map(async (name) => ({ name, history: await readHistory(join(directory, name)) })));
  errors = await replayErrors(kept);
});

it('at least one history is kept', () => expect(files.length).toBeGreaterThan(0));

it.each(files)('this build replays %s', (file) => {
  expect(errors.has(file)).toBe(true);
  expect(errors.get(file)).toBeUndefined();
});

it.each(cases)('$name is kept, and is what it says', ({ name, scenario }) => {
  const ends = kept.filter((each) => nameOf(each.name) === name).map(({ history }) => endOf(history));
  expect(new Set(ends)).toEqual(new Set([scenario.ends]));
});
