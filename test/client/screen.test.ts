/** `status --watch` on a terminal: state and question stay visible, whatever its size. */
import fc from 'fast-check';
import { fit, wrapLine, type Section } from '../../client/render/fit';
import { renderScreen } from '../../client/render/screen';
import { frameText } from '../../client/screen';
import type { StatusView } from '../../workflows/contract';
import { gate, hold, manySteps, running, status } from './fixtures/views';

const nowMs = Date.parse('2026-11-22T10:30:00.000Z');

/** Like the run that was seen scrolling off an 80×24 terminal: 27 steps, the 17th under way. */
const summary = 'a summary that is longer than any terminal that one would use for looking at it';
const steps = manySteps((number) => `Step that is the number ${number} of a procedure`, 16, true).map((step) =>
  step.state === 'done' ? { ...step, summary } : step,
);
const long: StatusView = {
  ...status,
  phase: 'held',
  sentence: 'REGRESSION: probe web-outside failed; traffic is on fw-a, which runs 10.2.3.',
  step: { number: 17, of: 27, name: 'Monitoring period', since: '2026-11-22T09:00:00.000Z' },
  requestedBy: 'alice',
  waitingFor: [{ ...hold, question: 'fw-b is non-functional (Dataplane down: brdagent exiting). What now?' }],
  wait: { name: 'Period', observedMs: 60_000, neededMs: 240_000, asOf: '2026-11-22T10:30:00.000Z', counting: true },
  watch: {
    name: 'Watch 11.0.4',
    since: '2026-11-22T09:00:00.000Z',
    state: 'watching',
    observedMs: 60_000,
    pass: 60,
    fail: 0,
    inconclusive: 0,
    escape: { ready: true },
  },
  refused: [
    { at: '2026-11-22T10:00:00.000Z', signal: 'approve', by: 'eve', why: 'an old one' },
    { at: '2026-11-22T10:01:00.000Z', signal: 'approve', by: 'eve', why: 'eve is not among those who may' },
  ],
  steps,
};
const screen = (view: StatusView, rows = 24, columns = 80): string[] =>
  renderScreen({ ...running, status: view }, { rows, columns, nowMs });

it('shows the phase in words', () => {
  const [head] = screen({ ...long, phase: 'undoing-step', doing: 'undoing a step that failed' });
  expect(head).toBe('fw-dc1 → 2.0: undoing a step that failed');
});

describe('at 80×24', () => {
  it('shows state, question, choices and the last refusal, then what there is room for', () => {
    const rows = screen(long);
    expect(rows.length).toBeLessThanOrEqual(24);
    const text = rows.join('\n');
    for (const part of [
      'fw-dc1 → 2.0: held',
      'REGRESSION: probe web-outside failed; traffic is on fw-a, which runs 10.2.3.',
      'Step 17 of 27: Monitoring period, for 1 h 30 min',
      'hold#1  fw-b is non-functional (Dataplane down: brdagent exiting). What now?',
      'hitless decide fw-dc1 hold#1 retry',
      'hitless decide fw-dc1 hold#1 stop',
      'eve is not among those who may',
      'Period: [#####',
      '3 min left',
      'the way back',
    ])
      expect(text).toContain(part);
    expect(text).not.toContain('an old one');
    expect(text).toMatch(/… \d+ more lines/);
    expect(rows.at(-1)).toContain('Ctrl-C');
  });

  it('shows the steps around the current one where nothing is asked', () => {
    const text = screen({ ...long, waitingFor: [], refused: [] }).join('\n');
    expect(text).toMatch(/17 {2}running/);
    expect(text).toMatch(/… \d+ more lines above/);
    expect(text).toMatch(/… \d+ more lines below/);
    expect(text).toContain('fw1   2.0      yes      -');
  });

  it('a question of any length leaves its choices on the screen', () => {
    const asked = { ...hold, question: 'It failed because of this and that. '.repeat(200) };
    const text = screen({ ...long, waitingFor: [asked] }).join('\n');
    expect(text).toContain('REGRESSION');
    expect(text).toContain('hold#1  It failed because');
    for (const choice of hold.choices) expect(text).toContain(`hitless decide fw-dc1 hold#1 ${choice}`);
  });

  it('without a worker: what the server knows', () => {
    const rows = renderScreen(
      {
        ...running,
        server: {
          silence: 'tasks-fail',
          why: 'x',
          taskQueue: 'hitless',
          tasks: { attempt: 14, cause: 'payloads too large', message: 'too much' },
          pending: [],
        },
      },
      { rows: 24, columns: 80, nowMs, trouble: 'the Temporal server is away' },
    );
    const text = rows.join('\n').replace(/\n +/g, ' ');
    expect(text).toContain('THE RUN IS STUCK');
    expect(text).toContain('attempt 14');
    expect(text).toContain('docs/operations.md#wedged-runs');
    expect(text).toContain('AS OF EARLIER: the Temporal server is away');
  });
});

it('never has more rows, nor longer ones, than the screen; the state is the last to go', () => {
  const sentence = fc.array(fc.stringMatching(/^[ -~]{0,30}$/), { maxLength: 40 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 10, max: 200 }),
      sentence,
      (rows, columns, question) => {
        const view = { ...long, waitingFor: [{ ...hold, question }, gate] };
        const shown = screen(view, rows, columns);
        expect(shown.length).toBeLessThanOrEqual(rows);
        for (const row of shown) expect(row.length).toBeLessThanOrEqual(columns);
        expect(shown.join('')).not.toMatch(/[\u0000-\u001f]/);
        if (rows >= 3) expect(shown[0]).toContain('fw-dc1 →'.slice(0, columns - 1));
      },
    ),
  );
});

describe('fit', () => {
  const lines = (count: number, name = ''): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);
  it('leaves everything as it is where there is room', () => {
    expect(fit([{ lines: ['a'] }, { lines: [] }, { lines: ['b', 'c'] }], 20, 80)).toEqual(['a', '', 'b', 'c']);
  });
  it('spends no row on space on a low screen', () => {
    expect(fit([{ lines: ['a'] }, { lines: ['b', 'c'] }], 10, 80)).toEqual(['a', 'b', 'c']);
  });
  it('says how many lines are missing', () => {
    expect(fit([{ lines: lines(9) }], 4, 80)).toEqual(['0', '1', '2', '… 6 more lines']);
    expect(fit([{ lines: lines(9), keep: 'ends' }], 7, 80)).toEqual(['0', '1', '… 3 more lines', '5', '6', '7', '8']);
    expect(fit([{ lines: lines(3, 'a') }, { lines: lines(4, 'b') }], 4, 80)).toEqual([
      'a0',
      'a1',
      'a2',
      '… 4 more lines',
    ]);
    expect(fit([{ lines: lines(2, 'a') }, { lines: ['b'] }], 2, 80)).toEqual(['a0', '… 2 more lines']);
    expect(fit([{ lines: lines(2, 'a') }, { lines: ['b'] }], 1, 80)).toEqual(['… 3 more lines']);
  });
  it('keeps the line that counts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(49), fc.integer({ min: 3, max: 60 }), (count, at, rows) => {
        const around = at % count;
        const section: Section = { lines: lines(count, 'L'), keep: { around } };
        const shown = fit([section], rows, 80);
        expect(shown).toContain(`L${around}`);
        expect(shown.length).toBe(Math.min(count, rows));
        // What is shown and what is said to be missing are all the lines.
        const missing = shown.map((row) => Number(/^… (\d+) more/.exec(row)?.[1] ?? 0)).reduce((a, b) => a + b, 0);
        expect(shown.filter((row) => row.startsWith('L')).length + missing).toBe(count);
      }),
    );
  });
});

it('breaks lines between words, and loses nothing', () => {
  expect(wrapLine('    one two three', 12)).toEqual(['    one two', '      three']);
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~]{0,300}$/), fc.integer({ min: 4, max: 40 }), (line, columns) => {
      const wrapped = wrapLine(line, columns);
      for (const row of wrapped) expect(row.length).toBeLessThanOrEqual(columns);
      expect(wrapped.join('').replaceAll(' ', '')).toBe(line.replaceAll(' ', ''));
    }),
  );
});

it('a frame moves to each row, and feeds no line', () => {
  const text = frameText(['a', 'b']);
  expect(text).not.toContain('\n');
  expect(text).toBe('\u001b[1;1Ha\u001b[K\u001b[2;1Hb\u001b[K\u001b[J');
});
