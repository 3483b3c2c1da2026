/**
 * Random messages, as they stand on the wire: names, payloads of every encoding, shape and size. The same ones go to runs in
 * memory and to runs on the real engine.
 */
import fc from 'fast-check';
import { payloadConverter } from '../../worker/payload-converter';

/** One payload: its metadata's encoding (none if left out) and its bytes. */
export interface WirePayload {
  readonly encoding?: string;
  readonly data: Buffer;
}

export interface RandomMessage {
  /** Of the signal. An Update has the name of the one that takes such a message. */
  readonly name: string;
  readonly payloads: readonly WirePayload[];
  readonly asUpdate: boolean;
}

/** Whoever answers rightly: no random message has this name, so a refusal that names it is a refusal of the right answer. */
export const RIGHT_PERSON = 'zoe';

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

/** JSON by hand: what is nested so deep can't be printed by JSON.stringify. */
const nested = fc
  .tuple(fc.integer({ min: 10, max: 20_000 }), fc.constantFrom(['[', ']'], ['{"by":', '}'], ['{"a":[', ']}']))
  .map(([depth, [open = '', close = '']]) => `${open.repeat(depth)}1${close.repeat(depth)}`);
const wide = fc
  .integer({ min: 1, max: 3_000 })
  .map((n) => JSON.stringify(Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i]))));
const field = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 80 }));
const asked = ['start#1', 'return#1', 'secondaries#1', 'second#1', 'hold#1', 'pause#1', 'pause#-1', '__proto__#1'];
const shaped = fc.record(
  {
    opening: fc.oneof(fc.constantFrom(...asked), text),
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
/** A command as people give it: obeyed where it can be. */
const command = fc.record({
  by: fc.constantFrom('ann', 'rita', 'bob'),
  reason: fc.oneof(fc.constant('storm'), big),
});
const mark = big.map((why) => JSON.stringify({ __undecodable: true, encoding: 'x', why }));
const json = fc.oneof(
  { weight: 5, arbitrary: shaped.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: command.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: nested },
  { weight: 1, arbitrary: wide },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: mark },
);
/** Cut short: no JSON any more. */
const broken = fc
  .tuple(json, fc.double({ min: 0, max: 0.99, noNaN: true }))
  .map(([t, part]) => t.slice(0, t.length * part));

const plain = json.map((data): WirePayload => ({ encoding: 'json/plain', data: Buffer.from(data) }));
const encoding = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'json/protobuf',
      'binary/protobuf',
      'binary/plain',
      'binary/null',
      'binary/encrypted',
      '',
    ),
  },
  { weight: 1, arbitrary: text.map((name) => name.slice(0, 2_000)) },
);
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const payload: fc.Arbitrary<WirePayload> = fc.oneof(
  { weight: 9, arbitrary: plain },
  { weight: 1, arbitrary: broken.map((data) => ({ encoding: 'json/plain', data: Buffer.from(data) })) },
  { weight: 1, arbitrary: bytes.map((data) => ({ encoding: 'json/plain', data })) },
  {
    weight: 1,
    arbitrary: fc.record({
      encoding,
      data: fc.oneof(
        bytes,
        json.map((data) => Buffer.from(data)),
      ),
    }),
  },
  { weight: 1, arbitrary: bytes.map((data) => ({ data })) },
);
const payloads = fc.oneof(
  { weight: 9, arbitrary: payload.map((one) => [one]) },
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(payload, { minLength: 2, maxLength: 3 }) },
);

const name = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('approve', 'reject', 'decide', 'pause', 'resume', 'switchBack') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'cancel',
      '__temporal_x',
      '__temporal_signal_approve',
      'toString',
      '__proto__',
      'constructor',
      '__stack_trace',
    ),
  },
  { weight: 1, arbitrary: text },
);

export const randomMessage: fc.Arbitrary<RandomMessage> = fc.record({ name, payloads, asUpdate: fc.boolean() });

/** What workflow code is handed: the first payload, through the converter of the worker. */
export function decoded({ payloads: [first] }: RandomMessage): unknown {
  if (first === undefined) return undefined;
  const metadata = first.encoding === undefined ? {} : { encoding: Buffer.from(first.encoding) };
  return payloadConverter.fromPayload({ metadata, data: first.data });
}

/** The Update that takes what such a signal carries. */
export const updateFor = ({ name }: RandomMessage): string =>
  ['pause', 'resume', 'switchBack'].includes(name) ? 'command' : 'answer';

/** For a failure's report: the messages without their megabytes. */
export const shortly = ({ name, payloads, asUpdate }: RandomMessage): string =>
  `${asUpdate ? 'Update' : 'signal'} ${JSON.stringify(name.slice(0, 40))} ${payloads
    .map(
      ({ encoding, data }) =>
        `${encoding?.slice(0, 40) ?? 'no encoding'}: ${data.length} B ${data.toString().slice(0, 80)}`,
    )
    .join(' + ')}`;
