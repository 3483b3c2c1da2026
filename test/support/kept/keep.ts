/**
 * Makes the histories of the tables beside this file and keeps those that aren't there yet; test/histories/README.md has the
 * command. No test of the suite: it has a name that jest doesn't look for.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageVersion } from '../../../client/version';
import { testEngine, type TestEngine } from '../engine-run';
import { keepHistory, replays } from '../histories';
import { cases, endOfCase, play, type Case } from './index';

/** What is kept by this checkout is of it. */
const release = packageVersion();
const directory = process.env['HITLESS_KEEP_HISTORY'];
const only = new RegExp(process.env['HITLESS_KEEP_ONLY'] ?? '');
/** Runs side by side; each has two workers. */
const AT_ONCE = Number(process.env['HITLESS_KEEP_AT_ONCE'] ?? 4);
const A_RUN_MS = 240_000;
const EVENTS_IN_A_SHORT_LINK = 40;

if (directory === undefined) throw new Error('HITLESS_KEEP_HISTORY must name the directory');

const path = ({ name }: Case): string => join(directory, `${name}.${release}`);
const isMissing = (each: Case): boolean =>
  endOfCase(each, release) !== undefined && !existsSync(`${path(each)}.binpb.gz`);
const missing = cases.filter((each) => only.test(each.name) && isMissing(each));

describe('histories', () => {
  /** One as anybody has it, and one that suggests another link after few events. */
  let engines: { readonly usual: TestEngine; readonly shortLinks: TestEngine };
  const results = new Map<string, Promise<Error | undefined>>();
  beforeAll(async () => {
    const usual = await testEngine();
    const dynamicConfig = { 'limit.historyCount.suggestContinueAsNew': EVENTS_IN_A_SHORT_LINK };
    engines = { usual, shortLinks: await testEngine({ dynamicConfig }) };
    const left = [...missing];
    const settled = new Map(missing.map((each) => [each.name, deferred()]));
    for (const [name, { promise }] of settled) results.set(name, promise);
    const worker = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const { resolve } = settled.get(next.name)!;
        await keep(next.scenario.isShortLinked ? engines.shortLinks : engines.usual, next).then(
          () => resolve(undefined),
          resolve,
        );
      }
    };
    for (let i = 0; i < AT_ONCE; i++) void worker();
  }, 900_000);
  afterAll(() => Promise.all(Object.values(engines).map((engine) => engine.close())));

  it.each(missing)(
    '$name',
    async ({ name }) => {
      const error = await results.get(name);
      if (error !== undefined) throw error;
    },
    A_RUN_MS * missing.length,
  );
  if (missing.length === 0) it('all are kept', () => undefined);
});

async function keep(engine: TestEngine, each: Case): Promise<void> {
  const { history, workflowId } = await play(engine, each, endOfCase(each, release)!, A_RUN_MS);
  await replays(workflowId, history);
  await keepHistory(path(each), history);
}

function deferred(): { promise: Promise<Error | undefined>; resolve: (value: Error | undefined) => void } {
  let resolve!: (value: Error | undefined) => void;
  const promise = new Promise<Error | undefined>((r) => (resolve = r));
  return { promise, resolve };
}
