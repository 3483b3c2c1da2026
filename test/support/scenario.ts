/** Random faults, durations, clicks and answers for a run over a model. */
import fc from 'fast-check';
import type { ModelRun } from './model-run';
import type { Mischief } from './model-world';
import type { Run } from '../../workflows/procedure';
import type { PlanBase } from '../../workflows/procedure/types';

export const RUNS = Number(process.env['HITLESS_PROPERTY_RUNS'] ?? 1_000);

export interface Scenario {
  readonly faults: readonly ('none' | 'transient' | 'permanent' | 'late')[];
  readonly durationsMs: readonly number[];
  /** The upgraded release is sick in these spans of virtual time. */
  readonly sickFromMs: readonly number[];
  readonly clicks: readonly {
    readonly atMs: number;
    readonly what: 'cancel' | 'pause' | 'resume' | 'switchBack' | 'junk';
  }[];
  /** Which choice each question gets, in turn; high numbers favour going on. */
  readonly answers: readonly number[];
  readonly thinkMs: readonly number[];
}

const faults = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.constant('none' as const) },
    { weight: 3, arbitrary: fc.constant('transient' as const) },
    { weight: 1, arbitrary: fc.constant('permanent' as const) },
    { weight: 1, arbitrary: fc.constant('late' as const) },
  ),
  { maxLength: 40 },
);
export const scenario: fc.Arbitrary<Scenario> = fc.record({
  faults,
  durationsMs: fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 20 }),
  sickFromMs: fc.array(fc.integer({ min: 0, max: 1_500_000 }), { maxLength: 3 }),
  clicks: fc.array(
    fc.record({
      atMs: fc.integer({ min: 0, max: 1_500_000 }),
      what: fc.constantFrom(
        'cancel' as const,
        'pause' as const,
        'resume' as const,
        'switchBack' as const,
        'junk' as const,
      ),
    }),
    { maxLength: 4 },
  ),
  answers: fc.array(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 12 }),
  thinkMs: fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 5 }),
});

const SICK_FOR_MS = 60_000;

/** The upgraded release, as `isNew` knows it, is sick in the spans of the scenario. */
export function mischiefOf<Node>(s: Scenario, isNew: (node: Node) => boolean): Mischief<Node> {
  let fault = 0;
  let duration = 0;
  return {
    fault: () => s.faults[fault++] ?? 'none',
    takes: () => s.durationsMs[duration++ % s.durationsMs.length] ?? 1_000,
    sick: (node, _, now) => isNew(node) && s.sickFromMs.some((from) => now >= from && now < from + SICK_FOR_MS),
  };
}

type AnyRun = Omit<ModelRun<unknown, PlanBase>, 'run'> & { readonly run: Pick<Run<PlanBase>, 'state'> };

/** Questions; each may stand for hours of looks and attempts in between. */
const TIRED_AFTER = 20;

/** Answers every question after a while; whoever is asked for ever says stop in the end, so that every run ends. */
async function people(run: AnyRun, s: Scenario, over: () => boolean): Promise<void> {
  for (let n = 0; !over(); n++) {
    await run.runtime.waitFor(() => over() || run.open() !== undefined);
    await run.runtime.sleep(s.thinkMs[n % s.thinkMs.length] ?? 0);
    const opening = run.run.state.openings.find((o) => o.outcome === undefined);
    if (over() || opening === undefined) continue;
    const pick = s.answers[n % s.answers.length] ?? 0;
    const tired = n > TIRED_AFTER && opening.choices.includes('stop') ? 'stop' : undefined;
    const choice = tired ?? opening.choices[pick < opening.choices.length ? pick : 0] ?? '';
    run.answer(choice, {
      comment: 'because',
      ...(pick % 2 === 0 && choice === 'roll-back' ? { to: 'start' as const } : {}),
    });
  }
}

/** Plays a scenario to the end of its run. */
export async function play(run: AnyRun, s: Scenario): Promise<{ ending: string; skipped: boolean }> {
  let done = false;
  for (const { atMs, what } of s.clicks) {
    run.runtime.at(atMs, () => {
      if (done) return;
      if (what === 'cancel') run.runtime.cancel();
      else run.runtime.send(what, what === 'junk' ? { opening: 7 } : { by: 'ann', reason: 'a click' });
    });
  }
  void people(run, s, () => done);
  const ending = await run.runtime.drive(run.ending);
  done = true;
  return { ending, skipped: run.run.state.items.some((i) => i.state === 'skipped') };
}

/** The same without anything that goes wrong. */
export const cleaned = (s: Scenario): Scenario => ({ ...s, faults: [], sickFromMs: [], clicks: [], answers: [0] });
