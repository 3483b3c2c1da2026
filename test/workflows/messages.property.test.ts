/**
 * Random messages (names, values of every shape and size, floods, answers, right and wrong) to runs of all three procedures in
 * memory, while they go on in new links at random: every run answers `status` within its limit, takes the right answer, keeps
 * its promises, and ends.
 */
import fc from 'fast-check';
import { details, reportView, statusView } from '../../workflows/procedure';
import { undecodable } from '../../workflows/procedure/undecodable';
import { clusterRun } from '../support/cluster-run';
import { pairRun } from '../support/pair-run';
import { panosRun } from '../support/panos-run';
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

const big = fc.integer({ min: 1, max: 200_000 }).map((n) => 'Ab🦊<'.repeat(Math.ceil(n / 5)));
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 40, unit: 'grapheme' }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'ann',
      'Ann ',
      'rita',
      '',
      '   ',
      '[**x**](http://evil)',
      '| a |\n# b',
      '\u202eevil\u200b',
    ),
  },
  { weight: 1, arbitrary: big },
);
const nested = fc.integer({ min: 10, max: 20_000 }).map((depth) => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { by: value };
  return value;
});
const wide = fc
  .integer({ min: 1, max: 3_000 })
  .map((n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i])));
const field = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 80 }));
const shaped = fc.record(
  {
    opening: fc.oneof(fc.constantFrom('start#1', 'return#1', 'hold#1', 'pause#1', 'pause#-1', '__proto__#1'), text),
    digest: fc.oneof(fc.constant('a'.repeat(12)), text),
    by: field,
    choice: field,
    reason: field,
    comment: field,
    waive: field,
    to: field,
    command: field,
  },
  { requiredKeys: [] },
);
const payload = fc.oneof(
  { weight: 5, arbitrary: shaped },
  { weight: 1, arbitrary: nested },
  { weight: 1, arbitrary: wide },
  { weight: 1, arbitrary: fc.json().map((json): unknown => JSON.parse(json)) },
  { weight: 1, arbitrary: big.map((why) => ({ __undecodable: true, encoding: 'x', why })) },
  { weight: 1, arbitrary: big.map((why) => undecodable('json/protobuf', why)) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);
const name = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('approve', 'reject', 'decide', 'pause', 'resume', 'switchBack') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('cancel', '__temporal_x', 'toString', '__proto__', 'constructor', '__stack_trace'),
  },
  { weight: 1, arbitrary: text },
);
const message = fc.record({
  atMs: fc.integer({ min: 0, max: 1_500_000 }),
  name,
  payload,
  times: fc.oneof(
    { weight: 9, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.integer({ min: 2, max: 2_100 }) },
  ),
  asUpdate: fc.boolean(),
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
  for (const { atMs, name, payload, times, asUpdate } of s.messages)
    run.runtime.at(atMs, () => {
      if (done) return;
      for (let i = 0; i < times; i++)
        if (asUpdate) run.runtime.update(name === 'pause' ? 'command' : 'answer', payload);
        else run.runtime.send(name, payload);
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
