/** Bounds on texts that people, devices and time put in. */
import fc from 'fast-check';
import {
  boundQuestion,
  clipBytes,
  clipText,
  oneLine,
  QUESTION_CHARS,
  seen,
  shortLine,
  TIMELINE_BYTES,
  timelineSummary,
  utf8Bytes,
} from '../../workflows/procedure/text';

/** Half a surrogate pair can't be sent as UTF-8, nor put into an address by the Web UI. */
const isWhole = (text: string): boolean => Buffer.from(text, 'utf8').toString('utf8') === text;
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 400 }),
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.lorem({ mode: 'sentences', maxCount: 30 }),
  fc.constantFrom('x'.repeat(5_000), '🔥'.repeat(3_000), 'a b '.repeat(2_000), '\n'.repeat(3_000)),
);

describe('clipText', () => {
  it('leaves alone what fits', () => {
    expect(clipText('as it is.', 9)).toBe('as it is.');
  });
  it('ends with a whole sentence', () => {
    const text = 'Probe web failed 3 of 5. Traffic has been moved away: fw-a serves. What now?';
    expect(clipText(text, 70)).toBe('Probe web failed 3 of 5. Traffic has been moved away: fw-a serves. …');
  });
  it('ends with a whole word where no sentence ends in time', () => {
    expect(clipText('fw-b is non-functional (Dataplane down: brdagent exiting)', 45)).toBe(
      'fw-b is non-functional (Dataplane down: …',
    );
    expect(clipText('fw-b runs 11.0.4-h1 since noon', 24)).toBe('fw-b runs 11.0.4-h1 …');
  });
  it('never cuts a character in two', () => {
    expect(clipText('🔥🔥🔥', 4)).toBe('🔥…');
    expect(clipText('🔥🔥🔥', 5)).toBe('🔥🔥…');
  });
  it('keeps its limit, whatever it is given, and says where something was left out', () => {
    fc.assert(
      fc.property(anyText, fc.nat(300), (raw, chars) => {
        const text = seen(raw);
        const clipped = clipText(text, chars);
        expect(clipped.length).toBeLessThanOrEqual(chars);
        expect(isWhole(clipped)).toBe(true);
        if (text.length > chars && chars > 0) expect(clipped).toMatch(/…$/);
        if (text.length <= chars) expect(clipped).toBe(text);
      }),
    );
  });
  it('clips by bytes as well', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 3, max: 300 }), (raw, bytes) => {
        const clipped = clipBytes(seen(raw), bytes);
        expect(utf8Bytes(clipped)).toBe(Buffer.byteLength(clipped));
        expect(utf8Bytes(clipped)).toBeLessThanOrEqual(bytes);
        expect(isWhole(clipped)).toBe(true);
      }),
    );
    expect(clipBytes('Überprüfung läuft weiter', 18)).toBe('Überprüfung …');
  });
});

describe('what can’t be seen', () => {
  it('is shown as such', () => {
    expect(oneLine('al\u200bice \u202egnol\n\ta\u0000')).toBe('al�ice �gnol a�');
    expect(oneLine('\ud83d')).toBe('�');
    expect(oneLine('a\ud83d\udd25b \udd25\ud83d')).toBe('a🔥b ��');
    expect(oneLine('\u{e0041}x')).toBe('�x');
  });
  it('is never left in a line', () => {
    fc.assert(
      fc.property(anyText, fc.nat(200), (text, chars) => {
        const line = shortLine(text, chars);
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/);
        expect(isWhole(line)).toBe(true);
        expect(line.length).toBeLessThanOrEqual(chars);
      }),
    );
  });
  it('says that it left something out also where only blanks were', () => {
    expect(shortLine(`one${' '.repeat(100_000)}two`, 20)).toMatch(/^one …$/);
  });
});

describe('boundQuestion', () => {
  it('leaves alone what can be read', () => {
    expect(boundQuestion('Fail over to fw-b, which now runs 11.0.4?')).toBe(
      'Fail over to fw-b, which now runs 11.0.4?',
    );
  });
  it('keeps what is asked where the reason is long, in whole sentences', () => {
    const reason = 'fw-b is non-functional (Dataplane down: brdagent exiting). '.repeat(20);
    const question = boundQuestion(`${reason}What now? To go on means: the pair stays as it is.`);
    expect(question.length).toBeLessThanOrEqual(QUESTION_CHARS);
    expect(question).toMatch(
      /exiting\)\. … \(the rest: hitless status\) What now\? To go on means: the pair stays as it is\.$/,
    );
  });
  it('is bounded by whatever a device says, in the middle too', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 6 }), (parts) => {
        const question = boundQuestion(parts.join('? '));
        expect(question.length).toBeLessThanOrEqual(QUESTION_CHARS);
        expect(isWhole(question)).toBe(true);
      }),
    );
    expect(boundQuestion('x'.repeat(3_000_000)).length).toBeLessThanOrEqual(QUESTION_CHARS);
  });
});

it('the timeline says which question is open', () => {
  expect(timelineSummary({ id: 'fail-over#1', question: 'Fail over to fw-b, which now runs 11.0.4?' })).toBe(
    'fail-over#1: Fail over to fw-b, which now runs 11.0.4?',
  );
  fc.assert(
    fc.property(anyText, anyText, (id, question) => {
      const summary = timelineSummary({ id, question });
      expect(utf8Bytes(summary)).toBeLessThanOrEqual(TIMELINE_BYTES);
      expect(summary).not.toContain('\n');
    }),
  );
});
