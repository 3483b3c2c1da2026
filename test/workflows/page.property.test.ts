/**
 * The page at 3 a.m., whatever a run's state holds: bounded, whole, with what is asked and how to answer; and nothing that
 * people or devices wrote is alive on it.
 */
import fc from 'fast-check';
import type { StatusView } from '../../workflows/contract';
import { details, publishedView } from '../../workflows/procedure/details';
import { json, md, mdClip } from '../../workflows/procedure/markdown';
import type { ItemState, Opening, State } from '../../workflows/procedure/state';
import { utf8Bytes } from '../../workflows/procedure/text';
import { reportView } from '../../workflows/procedure/report';
import { initialState } from '../../workflows/procedure/initial-state';
import { statusView, type Viewed } from '../../workflows/procedure/views';
import { pairPlan } from '../support/pair-run';

const RUNS = process.env['HITLESS_TEST_ALL'] === undefined ? 150 : 3_000;
/** A state of 200 steps takes minutes to shrink; the seed is printed. */
const UNSHRUNK = { endOnFailure: true };

const HOSTILE = [
  '[x](http://evil.example)',
  '![x](http://evil.example/x.png)',
  '<img src=x onerror=alert(1)><h1>big</h1>',
  '`code` ```fence``` ~~~',
  'a | b |--| c',
  '# head\n- list\n1. one\n> quote\n\n---\n===',
  '**bold** __bold__ *em* ~~gone~~ $x$ ^1^ {#id} {workflowId}',
  'http://evil.example www.evil.example eve@evil.example mailto:eve@evil.example',
  '<http://evil.example> &lt;b&gt; \\[x\\] \\',
  'al\u200bice\u202egnol\u2066\u{e0041}',
  '\ud83d half \udd25',
  '🔥'.repeat(400),
  'x'.repeat(20_000),
  'Überlänge '.repeat(2_000),
  '',
];
const foreign = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  fc.string({ unit: 'binary', maxLength: 120 }),
  fc.lorem({ maxCount: 200 }),
  fc.tuple(fc.constantFrom(...HOSTILE), fc.constantFrom(...HOSTILE)).map((two) => two.join(' ')),
);
const at = fc.integer({ min: 0, max: 4e12 });
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
/** As exact optional properties want them: what is undefined isn't there. */
const given = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;

const kinds = ['step', 'check', 'gate', 'wait', 'watch', 'watch-end', 'guard', 'guard-end', 'no-return'] as const;
const states = ['pending', 'running', 'done', 'failed', 'cut', 'undoing', 'undone', 'undo-failed', 'skipped'] as const;
const failure = fc.record({ type: fc.constant('CommandFailed'), message: foreign });
const result = some(fc.record({ summary: foreign }));
const item = fc
  .record({
    item: fc.record({ kind: fc.constantFrom(...kinds), name: foreign }),
    state: fc.constantFrom(...states),
    before: some(fc.constant({ value: 1 })),
    result,
    failure: some(failure),
    undo: some(fc.record({ at, result })),
    startedAt: some(at),
    endedAt: some(at),
    wait: some(fc.constant({ neededMs: 1_000, fromMs: 0, watch: 0 })),
  })
  .map((i) => given(i) as unknown as ItemState);

const holdChoices = ['retry', 'escape-again', 'go-on', 'waive', 'skip', 'roll-back', 'stop'];
const opening = (kind: Opening['kind']): fc.Arbitrary<Opening> =>
  fc
    .record({
      id: fc.constantFrom('start', 'fail-over', 'x'.repeat(63)).map((ask) => `${kind === 'gate' ? ask : kind}#7`),
      kind: fc.constant(kind),
      question: foreign,
      choices:
        kind === 'gate'
          ? fc.constant(['approve', 'reject'])
          : kind === 'pause'
            ? fc.constant(['resume'])
            : kind === 'task'
              ? fc.constant(['done', 'hold'])
              : fc.subarray(holdChoices, { minLength: 1 }),
      digest: fc.stringMatching(/^[0-9a-f]{64}$/),
      openedAt: at,
      expiresAt: some(at),
      onExpiry: some(fc.constantFrom('hold', 'roll-back', 'stop')),
      from: some(fc.array(foreign, { maxLength: 20 })),
      waivable: some(fc.array(foreign, { maxLength: 64 })),
      needed: fc.integer({ min: 1, max: 20 }),
      notRequester: fc.boolean(),
      answers: fc.array(fc.record({ at, by: foreign, choice: fc.constant('approve') }), { maxLength: 9 }),
    })
    .map((o) => given(o) as Opening);
const closed = fc
  .record({
    opening: opening('hold'),
    by: fc.array(foreign, { maxLength: 3 }),
    choice: fc.constantFrom(...holdChoices),
    comment: some(foreign),
  })
  .map(({ opening: o, ...outcome }) => ({ ...o, outcome: given(outcome) as NonNullable<Opening['outcome']> }));
const openings = fc
  .tuple(
    fc.array(closed, { maxLength: 3 }),
    some(fc.oneof(opening('hold'), opening('gate'), opening('task'))),
    some(opening('pause')),
  )
  .map(([old, ...open]) => [...old, ...open.filter((o) => o !== undefined)]);

const watch = fc
  .record({
    item: fc.nat(5),
    since: at,
    state: fc.constantFrom('watching' as const, 'blind' as const, 'regression' as const, 'ended' as const),
    heardAt: at,
    why: some(foreign),
    report: some(
      fc
        .record({
          verdict: fc.constant('checkpoint' as const),
          observedMs: fc.nat(2e9),
          pass: fc.nat(),
          fail: fc.nat(),
          inconclusive: fc.nat(),
          last: some(foreign),
          escape: some(fc.record({ ready: fc.boolean(), why: foreign })),
        })
        .map(given),
    ),
  })
  .map(given);
const fact = fc.oneof(foreign, fc.boolean(), fc.integer());
const nodes = fc.dictionary(foreign, fc.dictionary(fc.oneof(fc.constant('serving'), foreign), fact, { maxKeys: 8 }), {
  maxKeys: 30,
});
const phases = ['forward', 'undoing-step', 'escaping', 'mending', 'held', 'rolling-back', 'ended'] as const;

const state: fc.Arbitrary<State> = fc
  .record({
    phase: fc.constantFrom(...phases),
    startedAt: at,
    items: fc.oneof(fc.array(item, { maxLength: 20 }), fc.array(item, { minLength: 190, maxLength: 200 })),
    openings,
    openingCounts: fc.constant({}),
    watch: some(watch),
    guard: some(watch),
    requests: fc.constant({}),
    takenOver: fc.array(
      fc
        .record({
          at,
          from: fc.constantFrom('reset' as const, 'earlier run' as const),
          runId: foreign,
          steps: fc.nat(30),
          lost: some(foreign),
        })
        .map(given),
      { maxLength: 3 },
    ),
    stumble: some(
      fc.record({
        item: fc.nat(20),
        kind: fc.constantFrom('failed' as const, 'rejected' as const, 'expired' as const),
        why: foreign,
      }),
    ),
    escapes: fc.array(
      fc
        .record({
          why: fc.tuple(fc.constantFrom('regression: ', ''), foreign).map((two) => two.join('')),
          at,
          state: fc.constantFrom('running' as const, 'done' as const, 'failed' as const),
          failure: some(failure),
          result,
          repeatFrom: fc.nat(10),
        })
        .map(given),
      { maxLength: 4 },
    ),
    remedies: fc.array(fc.record({ why: foreign, at, failure: some(failure), result }).map(given), { maxLength: 4 }),
    refused: fc.array(fc.record({ at, signal: foreign, by: some(foreign), why: foreign }).map(given), {
      maxLength: 10,
    }),
    refusedCount: fc.nat(),
    nodes,
    nodesAt: some(at),
    noReturnBehind: fc.boolean(),
    cancelled: fc.boolean(),
    ending: some(
      fc.record({
        ending: fc.constantFrom('Completed' as const, 'RolledBack' as const, 'Stopped' as const, 'Cancelled' as const),
        standing: foreign,
        at,
      }),
    ),
  })
  .map((s) => ({ ...initialState([], 0, 'a'.repeat(64)), ...given(s) }) as unknown as State)
  .map((s) => (s.ending === undefined ? s : { ...s, phase: 'ended' as const }));

const viewedOf = (of: State): Viewed => ({
  state: of,
  plan: { ...pairPlan(), version: '[2.0](http://evil.example)' },
  planDigest: 'a'.repeat(64),
  now: () => Date.parse('2026-11-29T03:12:07.123Z'),
});

/** What is left once escapes, entities and code are taken away: our own markup alone. */
const alive = (text: string): string =>
  text
    .replace(/\\./gs, '')
    .replace(/`[^`\n]*`/g, '')
    .replace(/&#\d+;/g, '');

/** Pipes that aren't escaped. */
const pipes = (line: string): number => [...line.replace(/\\./g, '').matchAll(/\|/g)].length;

function expectSound(page: string): void {
  expect(Buffer.byteLength(page)).toBeLessThan(2_500);
  expect(utf8Bytes(page)).toBe(Buffer.byteLength(page));
  expect(Buffer.from(page).toString()).toBe(page);
  expect(encodeURIComponent(page).length).toBeLessThan(7_600);
  expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/);
  const lines = page.split('\n');
  for (const [index, line] of lines.entries()) {
    const bare = alive(line);
    expect(bare).not.toMatch(/[[\]<>_~$^{}#!&`\\]/);
    if (!line.startsWith('|'))
      expect(bare.replace(/\*\*|\*More Actions\* → \*Send a Signal\*/g, '')).not.toMatch(/[*|]/);
    // Nothing of others begins a block.
    expect(line).not.toMatch(/^\s*(?:[-+>#=:]|\d{1,9}[.)](?:\s|$)|\*\s)/);
    expect(bare).not.toMatch(/:\/\/|www\.|@|mailto:/i);
    const before = lines[index - 1] ?? '';
    if (line.startsWith('|') && before.startsWith('|')) expect(pipes(line)).toBe(pipes(before));
    else if (line.startsWith('|')) expect(before).toBe('');
  }
}

describe('the page', () => {
  it('is bounded and sound, and says what is asked and how to answer, whatever the state holds', () => {
    fc.assert(
      fc.property(state, (of) => {
        const run = viewedOf(of);
        const view = statusView(run);
        const page = details(view);
        expectSound(page);
        expect(view.sentence.length).toBeGreaterThan(0);
        expect(page).toMatch(/^\*\*\S/);
        expect(page).toContain('hitless status fw-dc1');
        for (const o of view.waitingFor) {
          expect(page).toContain(mdClip(o.id, 140));
          expect(page).toContain(o.digest);
          for (const { message, to, choice } of o.answers ?? []) {
            const text = json(message);
            expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(message)));
            if (utf8Bytes(text) <= 300) expect(page).toContain(`\`${text}\``);
            else expect(page).toContain(to === undefined ? `**${md(choice)}**` : `**${md(choice)} to the start**`);
          }
        }
      }),
      { ...UNSHRUNK, numRuns: RUNS },
    );
  });

  it('bounds what lists of runs are searched by', () => {
    fc.assert(
      fc.property(state, (of) => {
        const { phase, waitingFor } = publishedView(viewedOf(of), true);
        for (const value of [phase, waitingFor]) expect(Buffer.byteLength(value)).toBeLessThanOrEqual(255);
        expect(waitingFor === 'nobody').toBe(statusView(viewedOf(of)).waitingFor.length === 0);
      }),
      { ...UNSHRUNK, numRuns: 50 },
    );
  });

  it('and a report’s sentence is as bounded', () => {
    fc.assert(
      fc.property(state, (of) => {
        expect(reportView(viewedOf(of)).sentence.length).toBeLessThanOrEqual(500);
      }),
      { ...UNSHRUNK, numRuns: 50 },
    );
  });
});

describe('text of others', () => {
  it('is never alive', () => {
    fc.assert(
      fc.property(foreign, (text) => {
        const shown = md(text);
        expect(alive(shown)).not.toMatch(/[[\]<>()_~$^{}#!&`\\*|]|--/);
        expect(alive(shown)).not.toMatch(/:\/\/|www\.|@|mailto:/i);
        expect(shown).not.toContain('\n');
      }),
      { numRuns: 1_000 },
    );
  });
  it.each([
    ['[x](y) z', '\\[x\\]\\(y\\) z'],
    ['[x](http://evil)', '`[x](http://evil)`'],
    ['<img>', '\\<img\\>'],
    ['a|b', 'a\\|b'],
    ['- x', '\\- x'],
    ['1. x', '1\\. x'],
    ['10.2.9', '10.2.9'],
    ['bob@example.com said', '`bob@example.com` said'],
    ['use --force on ethernet1/1', 'use \\-\\-force on ethernet1&#47;1'],
    ['`x`', '\\`x\\`'],
    ['one\n# two', 'one \\# two'],
  ])('%s', (text, shown) => {
    expect(md(text)).toBe(shown);
  });
  it('stays JSON that nothing is read into', () => {
    const message = { by: '`</code>{runId}|ü🔥', waive: ['a"b\\c'] };
    expect(json(message)).not.toMatch(/[`<>|ü🔥]|\{runId\}/u);
    expect(JSON.parse(json(message))).toEqual(message);
  });
});

it('what is said first is dropped last', () => {
  const view = statusView(viewedOf({ ...fc.sample(state, { numRuns: 1, seed: 1 })[0]!, openings: [] }));
  const long: StatusView = { ...view, sentence: 'REGRESSION: web failed; traffic is on fw2.', nodes: {}, steps: [] };
  expect(details(long)).toMatch(/^\*\*REGRESSION: web failed; traffic is on fw2\.\*\*\n/);
});
