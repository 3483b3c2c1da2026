/**
 * A seeded sample of random messages to runs of all three procedures on the real engine, as messages.property.test.ts sends
 * them in memory: before the plan is resolved, during acts, at questions, in watch and pause, over the ends of links, with
 * failures, cancellations, resets and workers that are restarted. HITLESS_SEED repeats a sample, HITLESS_TEST_ALL makes it larger.
 */
import fc from 'fast-check';
import type { ClusterKind, StatusView } from '../../workflows/contract';
import { useEngine } from '../support/engine-run';
import { replayErrors } from '../support/histories';
import { EVERY } from '../support/kept/scenario';
import { RandomRun, scriptOf, told, type Script, type Seen } from '../support/random-run';

jest.setTimeout(1_200_000);

const ALL = process.env['HITLESS_TEST_ALL'] === '1';
// The same sample in every default run: what differs from run to run is the larger one's.
const SEED = Number(process.env['HITLESS_SEED'] ?? (ALL ? Math.floor(Math.random() * 1e9) : 7));
const RUNS = ALL ? 60 : 6;
/** More than a link takes; a smaller one shows the rest, and is quick. */
const FLOOD = ALL ? 2_100 : 60;
/** Runs side by side; each has two workers. */
const AT_ONCE = 3;
const A_RUN_MS = 180_000;
/** Events after which the server suggests another link. A whole run has some 300. */
const LINK_EVENTS = 120;

/** What may be shown at most, whatever was sent: characters of JSON, and bytes of the page. */
const STATUS_CHARS = 64_000;
const REPORT_CHARS = 192 * 1024;
const PAGE_BYTES = 2_499;
/** Of the state with its plan, as the next link is started with it: bytes. */
const CARRIED_BYTES = 300_000;

interface Case {
  readonly name: string;
  readonly kind: ClusterKind;
  readonly script: Script;
}

const cases = fc
  .sample(scriptOf(FLOOD), { numRuns: RUNS, seed: SEED })
  .map((script, n): Case => ({ name: `${EVERY[n % EVERY.length]} ${n}`, kind: EVERY[n % EVERY.length]!, script }));

const { engine } = useEngine({ dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': LINK_EVENTS } });

function within(status: StatusView, details: string): void {
  expect(JSON.stringify(status).length).toBeLessThan(STATUS_CHARS);
  expect(Buffer.byteLength(details)).toBeLessThanOrEqual(PAGE_BYTES);
  expect(status.refused?.length ?? 0).toBeLessThanOrEqual(10);
}

const wordsOf = (cause: unknown): string => (cause instanceof Error ? cause.message : 'no cause told');

async function play({ name, kind, script }: Case): Promise<Seen> {
  const run = await RandomRun.start(engine, kind, script, within);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${A_RUN_MS} ms`)), A_RUN_MS);
  });
  try {
    return await Promise.race([run.play(), late]);
  } catch (error) {
    const status = await run.status().catch((e: unknown) => String(e));
    throw new Error(
      `${name}: ${String(error)} (${wordsOf((error as Error).cause)})\n${told(script)}\n${JSON.stringify(status, null, 1)}`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    await run.stop();
  }
}

async function playAll(): Promise<ReadonlyMap<Case, Seen>> {
  const seen = new Map<Case, Seen>();
  const left = [...cases];
  const next = async (): Promise<void> => {
    for (let each = left.shift(); each !== undefined; each = left.shift()) seen.set(each, await play(each));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return seen;
}

const carriedBytes = ({ histories }: Seen): number =>
  Math.max(
    0,
    ...histories.slice(0, -1).map(({ events }) => {
      const input = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
      return input.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
    }),
  );

it(`each run answers its status, takes the right answer, ends and replays (seed ${SEED})`, async () => {
  const all = await playAll();
  for (const [{ name, kind, script }, seen] of all) {
    const { ending, report, broken } = seen;
    const found = {
      name,
      ending,
      isTold: report?.ending === ending,
      reportIsBounded: JSON.stringify(report ?? '').length < REPORT_CHARS,
      stateIsBounded: carriedBytes(seen) < CARRIED_BYTES,
      // Devices of a simulated pair run on real time here: their promises are held in memory.
      broken: kind === 'panos-pair' ? broken.filter((b) => b.startsWith('unexpected')) : broken,
    };
    const wanted = { name, isTold: true, reportIsBounded: true, stateIsBounded: true, broken: [] };
    expect({ ...found, script: told(script) }).toEqual({
      ...wanted,
      ending: expect.stringMatching(/^(Completed|RolledBack|Stopped|Cancelled)$/),
      script: told(script),
    });
  }
  const histories = [...all].flatMap(([{ name }, seen]) =>
    seen.histories.map((history, link) => ({ name: `${name}, link ${seen.histories.length - link - 1}`, history })),
  );
  for (const [name, error] of await replayErrors(histories))
    expect({ name, error }).toEqual({ name, error: undefined });
  // Else it proves little.
  expect(histories.length).toBeGreaterThan(cases.length);
});
