/** The files of test/histories. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readHistory, replayErrors, type NamedHistory } from '../histories';

const directory = join(__dirname, '../../histories');
const NAME = /^(.*)\.(\d+\.\d+\.\d+)\.binpb\.gz$/;

export interface KeptFile {
  readonly file: string;
  /** `<kind>-<what happened>`. */
  readonly name: string;
  readonly release: string;
}

/** All of them. @throws Error for one whose name can't be read: nobody would replay it. */
export const keptFiles: readonly KeptFile[] = readdirSync(directory)
  .filter((file) => file !== 'README.md')
  .map((file) => {
    const [, name, release] = NAME.exec(file) ?? [];
    if (name === undefined || release === undefined)
      throw new Error(`test/histories/${file}: not a kept history's name`);
    return { file, name, release };
  });

export const read = async ({ file }: KeptFile): Promise<NamedHistory> => ({
  name: file,
  history: await readHistory(join(directory, file)),
});

/** A test file for each part, so that they are replayed side by side. */
export const PARTS = 2;

/** The tests of one part, from 1 on: this build replays each history of it. */
export function testReplays(part: number): void {
  // All are replayed before the first test: a minute of work, more on a busy machine.
  jest.setTimeout(900_000);
  const files = keptFiles.filter((_, index) => index % PARTS === part - 1);
  let errors: ReadonlyMap<string, unknown>;
  beforeAll(async () => (errors = await replayErrors(await Promise.all(files.map(read)))));

  it.each(files)('this build replays $file', ({ file }) => {
    expect(errors.has(file)).toBe(true);
    expect(errors.get(file)).toBeUndefined();
  });
}
