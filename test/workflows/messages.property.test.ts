/**
 * Random messages (names, values of every shape and size, floods, answers, right and wrong) to runs of all three procedures in
 * memory, while they go on in new links at random: every run answers `status` within its limit, takes the right answer, keeps
 * its promises, and ends.
 */
import fc from 'fast-check';
import { details, reportView, statusView } from '../../workflows/procedure';
import { clusterRun } from '../support/cluster-run';
import { pairRun } from '../support/pair-run';
import { panosRun } from '../support/panos-run';
import { decoded, randomMessage, RIGHT_PERSON, updateFor } from '../support/random-messages';
import type { MemoryRuntime } from '../support/memory-runtime';
import type { Run } from '../../workflows/procedure';
import type { PlanBase } from '../../workflows/procedure/types';

jest.setTimeout(900_000);

const RUNS = Number(process.env['HITLESS_PROPERTY_RUNS'] ?? 1_000) / 10;
/** What a status and a report may be at most, whatever was sent: characters of JSON. */
const STATUS_CHARS = 128 * 1024;
const REPORT_CHARS = 256 * 1024;
/** Proxies refuse longer addresses than the Web UI makes of it. */
const DETAILS_BYTES = 2_500;

const message = fc.record({
  atMs: fc.integer({ min: 0, max: 1_500_000 }),
  what: randomMessage,
  times: fc.oneof(
    { weight: 9, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.integer({ min: 2, max: 2_100 }) },
  ),
});
const script = fc.record({
  messages: fc.array(message, { maxLength: 12 }),
  /** After how many calls the server suggests another link. */
  linkEvery: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  thinkMs: fc.integer({ min: 1, max: 60_000 }),
});
type Script = typeof script extends fc.Arbitrary<infer S> ? S : never;

interface Played {
  readonly runtime: MemoryRuntime;
  readonly run: Run<PlanBase>;
  readonly ending: Promise<string>;
  readonly world: { readonly broken: readonly string[] };
  open(): string | undefined;
  answer(choice: string, extra?: { by?: string; comment?: string }): void;
}

const procedures: Readonly<Record<string, () => Promise<unknown>>> = {
  'firewall-pair': () => pairRun(),
  'x-road-cluster': () => clusterRun(),
  'panos-pair': () => panosRun(),
};

function hold(run: Played): void {
  const { state } = run.run;
  const status = JSON.stringify(statusView(run.run));
  expect(status.length).toBeLessThan(STATUS_CHARS);
  expect(Buffer.byteLength(details(statusView(run.run)))).toBeLessThan(DETAILS_BYTES);
  expect(state.refused.length).toBeLessThanOrEqual(10);
}

async function play(run: Played, s: Script): Promise<string> {
  let done = false;
  const { linkEvery } = s;
  const began = new Map<number, number>();
  if (linkEvery !== undefined)
    run.runtime.isHistoryLong = () => {
      const { link, calls } = run.run.state.identity ?? { link: 0, calls: 0 };
      if (!began.has(link)) began.set(link, calls);
      return calls - (began.get(link) ?? 0) >= linkEvery;
    };
  for (const { atMs, what, times } of s.messages)
    run.runtime.at(atMs, () => {
      if (done) return;
      const raw = decoded(what);
      for (let i = 0; i < times; i++)
        if (what.asUpdate) run.runtime.update(updateFor(what), raw);
        else run.runtime.send(what.name, raw);
      hold(run);
    });
  const people = async (): Promise<void> => {
    for (;;) {
      await run.runtime.waitFor(() => done || run.open() !== undefined);
      await run.runtime.sleep(s.thinkMs);
      if (done) return;
      const opening = run.run.state.openings.find((o) => o.outcome === undefined);
      if (opening === undefined) continue;
      const { id, choices } = opening;
      run.answer(choices.includes('retry') && run.run.state.openings.length > 60 ? 'stop' : (choices[0] ?? ''), {
        by: RIGHT_PERSON,
        comment: 'because',
      });
      // The right answer always gets in.
      expect(run.run.state.openings.find((o) => o.id === id)?.outcome).toBeDefined();
    }
  };
  const answering = people();
  const ending = await run.runtime.drive(Promise.race([run.ending, answering.then(() => run.ending)]));
  done = true;
  hold(run);
  expect(JSON.stringify(reportView(run.run)).length).toBeLessThan(REPORT_CHARS);
  return ending;
}

it.each(Object.keys(procedures))('a run of %s keeps its promises, whatever is sent', async (kind) => {
  const links: number[] = [];
  await fc.assert(
    fc.asyncProperty(script, async (s) => {
      const run = (await procedures[kind]?.()) as Played;
      const ending = await play(run, s);
      links.push(run.run.state.identity?.link ?? 0);
      expect(run.world.broken).toEqual([]);
      expect(['Completed', 'RolledBack', 'Stopped']).toContain(ending);
    }),
    { numRuns: Math.max(10, kind === 'panos-pair' ? RUNS / 4 : RUNS) },
  );
  // The generator must lead over links, else it proves little.
  expect(Math.max(...links)).toBeGreaterThan(0);
});
