/** What an activity fails with arrives: below Temporal's limit of 4 KiB where it is tried again, bounded where it is final. */
import { CompleteAsyncError } from '@temporalio/activity';
import {
  ApplicationFailure,
  CancelledFailure,
  DefaultFailureConverter,
  defaultPayloadConverter,
} from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import fc from 'fast-check';
import { boundedFailure, leaving, permanent, transient, type Fault } from '../../../activities/kit';
import { shorten } from '../../../activities/kit/failure';

/** limit.mutableStateActivityFailureSize of the server, less what it adds. */
const LIMIT_BYTES = 3_900;
const FINAL_LIMIT_BYTES = 32 * 1024;
const converter = new DefaultFailureConverter();
const wireBytes = (error: unknown): number =>
  temporal.api.failure.v1.Failure.encode(converter.errorToFailure(error, defaultPayloadConverter)).finish().length;
const bounded = (error: unknown): ApplicationFailure => boundedFailure(error) as ApplicationFailure;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc
    .tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 5_000 }))
    .map(([s, n]) => s.repeat(n).slice(0, 100_000)),
  fc.array(fc.string(), { maxLength: 300 }).map((parts) => parts.join('. ')),
  fc
    .array(fc.string(), { maxLength: 300 })
    .map((parts) => `faults:\n${parts.map((part) => `- fw1: ${part}`).join('\n')}`),
);
const details = fc.oneof(
  fc.jsonValue({ maxDepth: 6 }),
  text,
  fc.record({ faults: fc.array(fc.record({ where: text, what: text, next: text }), { maxLength: 60 }) }),
  fc.record({
    waivable: fc.array(fc.stringMatching(/^[a-z_]{3,20}$/), { maxLength: 40 }),
    faults: fc.array(fc.anything()),
    output: text,
  }),
  fc.anything(),
);
const thrown = fc.oneof(
  fc.tuple(text, details).map(([message, all]) => transient('Busy', message, all)),
  fc.tuple(text, details).map(([message, all]) => permanent('NotReady', message, all)),
  fc.tuple(text, text).map(([message, cause]) => new TypeError(message, { cause: new Error(cause, { cause }) })),
  fc
    .tuple(text, text, details)
    .map(([message, type, all]) => new ApplicationFailure(message, type, false, [all, all], new Error(message))),
  fc.anything(),
);

it('whatever is thrown: bounded, with its type', () => {
  fc.assert(
    fc.property(thrown, (error) => {
      const left = bounded(error);
      expect(wireBytes(left)).toBeLessThanOrEqual(left.nonRetryable === true ? FINAL_LIMIT_BYTES : LIMIT_BYTES);
      if (!(error instanceof ApplicationFailure)) return;
      expect(left.type).toBe(error.type?.slice(0, 60));
      expect(left.nonRetryable).toBe(error.nonRetryable);
    }),
    { numRuns: 200 },
  );
});

it('a small one arrives as it is', () => {
  const left = bounded(permanent('NotDrained', 'fw1 has 2 connections', { node: 'fw1', remaining: ['a', 'b'] }));
  expect(left).toMatchObject({ type: 'NotDrained', nonRetryable: true, message: 'fw1 has 2 connections' });
  expect(left.details).toEqual([{ node: 'fw1', remaining: ['a', 'b'] }]);
  expect(left.stack).toMatch(/\n {4}at /);
});

it('says as before when it is tried again', () => {
  const error = ApplicationFailure.create({ message: 'x', type: 'Busy', nextRetryDelay: 60_000 });
  expect(bounded(error).nextRetryDelay).toBe(60_000);
});

it('names that answers repeat stay complete, of faults as many as fit', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.stringMatching(/^[a-z_]{3,24}$/), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 20_000 }),
      (waivable, chars) => {
        const faults: Fault[] = waivable.map((name) => ({ where: 'fw-a', what: `${name} ${'x'.repeat(chars)}` }));
        const left = bounded(permanent('Waivable', 'not ready', { faults, waivable }));
        const [told] = left.details as [{ waivable: string[]; faults: Fault[]; leftOut?: number }];
        expect(told.waivable).toEqual(waivable);
        expect(told.faults.length + (told.leftOut ?? 0)).toBe(faults.length);
        expect(told.faults.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 50 },
  );
});

it('of a list of faults whole lines, and how many more there are', () => {
  const lines = Array.from({ length: 500 }, (_, i) => `- fw-a: fault number ${i} → mend it`);
  const { message } = bounded(
    permanent('NotReady', `not ready, nothing was changed; 500 faults:\n${lines.join('\n')}`),
  );
  const shown = message.split('\n');
  expect(shown[0]).toBe('not ready, nothing was changed; 500 faults:');
  expect(shown.slice(1, -1).every((line) => lines.includes(line))).toBe(true);
  expect(shown.at(-1)).toBe(`… and ${500 - (shown.length - 2)} more; \`hitless check\` lists them all`);
});

it('of prose whole sentences, and what to do next', () => {
  const said = Array.from({ length: 400 }, (_, i) => `It said thing ${i}.`).join(' ');
  const { message } = bounded(transient('Busy', `fw1: apt failed. ${said} Nothing was installed. Next: make room.`));
  expect(message).toMatch(
    /^fw1: apt failed\. It said thing 0\. .*It said thing \d+\. \[…\] It said thing \d+\. .*Nothing was installed\. Next: make room\.$/,
  );
  expect(shorten('x'.repeat(5_000), 100)).toMatch(/^x+ \[…\]$/);
  for (const limit of [50, 100, 1_000])
    expect(Buffer.byteLength(shorten('’'.repeat(5_000), limit))).toBeLessThanOrEqual(limit);
});

it('a cut, and an end that comes later, are no failures', async () => {
  for (const error of [new CancelledFailure('cut'), new CompleteAsyncError()]) {
    expect(boundedFailure(error)).toBe(error);
    await expect(leaving(() => Promise.reject(error))()).rejects.toBe(error);
  }
  await expect(leaving(async () => 7)()).resolves.toBe(7);
});
