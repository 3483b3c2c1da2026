/**
 * What hosts, devices and services may print: whatever it is, a parser reads it or says in one word that it can't, and what it
 * costs grows with the text. Counted, not timed; seeded, so that a failure comes again.
 */
import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { UnexpectedOutput } from '../../../activities/kit';
import { UnknownReply } from '../../../activities/panos/readiness/parse';
import { long, mutants, nested, nestedXml, pumped, pumps } from './mutants';
import { PARSERS, type Parser } from './table';
import { TooMuchWork, workOf } from './work';

const SEED = 20_261_129;
/** What a failure says must fit where failures are shown. */
const MESSAGE_LIMIT_CHARS = 4_000;

/** Undefined if a parser does as it should, else what it does instead. */
async function misbehaviour({ parse }: Parser, text: string): Promise<string | undefined> {
  try {
    await parse(text);
    return undefined;
  } catch (error) {
    const isOurs =
      error instanceof UnexpectedOutput || error instanceof ApplicationFailure || error instanceof UnknownReply;
    if (!isOurs) return `throws ${String(error).slice(0, 300)} for ${JSON.stringify(text.slice(0, 300))}`;
    return error.message.length > MESSAGE_LIMIT_CHARS ? `a message of ${error.message.length} characters` : undefined;
  }
}

describe.each(PARSERS.map((parser) => [parser.of, parser] as const))('%s', (of, parser) => {
  const { fixtures } = parser;

  test('never throws a raw error', async () => {
    await fc.assert(
      fc.asyncProperty(mutants(fixtures), async (text) => expect(await misbehaviour(parser, text)).toBeUndefined()),
      { seed: SEED, numRuns: 100 },
    );
  });

  test('nor for what nests deep, or is long', async () => {
    for (const text of [...nested(fixtures), ...long(fixtures)])
      expect(await misbehaviour(parser, text)).toBeUndefined();
  });

  if (of.startsWith('panos/'))
    test('nor for XML that nests deep', async () => {
      for (const text of nestedXml(fixtures)) expect(await misbehaviour(parser, text)).toBeUndefined();
    });

  if (parser.isLater !== true)
    test('costs eight times as much for eight times as much', () => {
      for (const fixture of fixtures.map((text) => text.slice(0, 1_200)))
        for (const pump of fc.sample(pumps(fixture), { seed: SEED, numRuns: 25 }))
          expect([pump, growth(parser, fixture, pump)]).toEqual([pump, undefined]);
    });
});

const [FEW, MANY] = [32, 256];
/** Between eight, which is linear, and sixty-four, which is quadratic. */
const TOO_STEEP = 16;
/** Below this it is the rest of the text that costs. */
const NEGLIGIBLE = 4_000;

/** What is wrong with how the work grows; undefined if nothing is. */
function growth({ parse, prepare }: Parser, fixture: string, pump: Parameters<typeof pumped>[1]): string | undefined {
  const work = (times: number, limit: number): number => {
    const text = times === 0 ? fixture : pumped(fixture, pump, times);
    const call = prepared(prepare, parse, text);
    return call === undefined ? 0 : workOf(call, limit);
  };
  const few = work(FEW, 1e7);
  // What the sample itself costs is left out, unless a text that can't be read is given up before.
  const base = Math.min(work(0, 1e7), few / 2);
  const limit = base + TOO_STEEP * Math.max(few - base, NEGLIGIBLE / 8);
  try {
    work(MANY, limit);
    return undefined;
  } catch (error) {
    if (!(error instanceof TooMuchWork)) throw error;
    return `${FEW} times: ${few - base}, ${MANY} times: more than ${limit - base} steps`;
  }
}

/** Undefined if the text is refused before it gets to what is counted. */
function prepared(prepare: Parser['prepare'], parse: Parser['parse'], text: string): (() => unknown) | undefined {
  if (prepare === undefined) return () => parse(text);
  try {
    return prepare(text);
  } catch {
    return undefined;
  }
}
