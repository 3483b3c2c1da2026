import { chooseOpening, judgeAnswer } from '../../client/answer';
import { ClientError, exitCodes } from '../../client/exit';
import { gate, hold, pause, status } from './fixtures/views';

const open = (...waitingFor: (typeof gate)[]) => ({ ...status, waitingFor });

function refusal(work: () => unknown): ClientError {
  try {
    work();
  } catch (error) {
    if (error instanceof ClientError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('chooseOpening', () => {
  it('takes the only one that fits', () => {
    const all = open(gate, hold, pause);
    expect(chooseOpening(all, { verb: 'approve' })).toBe(gate);
    expect(chooseOpening(all, { verb: 'reject' })).toBe(gate);
    expect(chooseOpening(all, { verb: 'decide', choice: 'retry' })).toBe(hold);
    expect(chooseOpening(all, { verb: 'decide', choice: 'approve' })).toBe(gate);
  });

  it('takes the one that is named', () => {
    const second = { ...gate, id: 'return#3' };
    expect(chooseOpening(open(gate, second), { verb: 'approve', opening: 'return#3' })).toBe(second);
  });

  it.each([
    [
      'nothing is open',
      open(),
      { verb: 'approve' as const },
      exitCodes.failed,
      'there is nothing to approve',
      'nothing is asked',
    ],
    [
      'nothing fits',
      open(hold),
      { verb: 'approve' as const },
      exitCodes.failed,
      'there is nothing to approve',
      'hold#1 (retry, roll-back, stop)',
    ],
    [
      'a pause is no gate',
      open(pause),
      { verb: 'decide' as const, choice: 'resume' },
      exitCodes.failed,
      'nothing to resume',
      'pause#1',
    ],
    [
      'more than one fits',
      open(gate, { ...gate, id: 'x#1' }),
      { verb: 'reject' as const },
      exitCodes.usage,
      'return#2, x#1',
      'name the one',
    ],
    [
      'the named one is closed',
      open(gate),
      { verb: 'approve' as const, opening: 'start#1' },
      exitCodes.failed,
      "start#1 isn't open",
      'return#2',
    ],
    [
      'the named one has other choices',
      open(hold),
      { verb: 'decide' as const, opening: 'hold#1', choice: 'skip' },
      exitCodes.failed,
      "can't be answered with skip",
      'retry, roll-back, stop',
    ],
    [
      'the choice is none of those that there are',
      open(gate, hold),
      { verb: 'decide' as const, choice: 'nope' },
      exitCodes.failed,
      'no open question has that choice',
      `asked now: return#2 (approve, reject): ${gate.question}; hold#1 (retry, roll-back, stop): ${hold.question}`,
    ],
    [
      'the named one has no such choice',
      open(gate, hold),
      { verb: 'decide' as const, opening: 'hold#1', choice: 'nope' },
      exitCodes.failed,
      "hold#1 can't be answered with nope",
      `choices: retry, roll-back, stop; it asks: ${hold.question}`,
    ],
    [
      'a question was named, and no choice',
      open(gate, hold),
      { verb: 'decide' as const, choice: 'hold#1' },
      exitCodes.usage,
      'hold#1 is a question; its choice is missing: retry, roll-back, stop',
      'hitless decide fw-dc1 hold#1 CHOICE',
    ],
    [
      'the digest is another',
      open(gate),
      { verb: 'approve' as const, digest: 'ffffffffffff' },
      exitCodes.failed,
      'has changed since you looked',
      'hitless status',
    ],
  ])('refuses when %s', (_, view, request, code, message, next) => {
    const error = refusal(() => chooseOpening(view, request));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.next).toContain(next);
  });

  it('takes a pinned digest of any length that a digest may have', () => {
    const full = gate.digest + 'c'.repeat(52);
    expect(chooseOpening(open(gate), { verb: 'approve', digest: full })).toBe(gate);
    expect(chooseOpening(open(gate), { verb: 'approve', digest: gate.digest })).toBe(gate);
  });
});

describe('judgeAnswer', () => {
  const sent = { verb: 'approve' as const, opening: gate.id, by: 'bob', choice: 'approve' };
  const before = open(gate);

  it('counted, closed, refused, or not seen yet', () => {
    expect(judgeAnswer(sent, before, before)).toBeUndefined();
    const counted = { ...gate, answered: [...gate.answered, 'bob: approve'] };
    expect(judgeAnswer(sent, before, open(counted))).toEqual({ kind: 'counted', opening: counted });
    expect(judgeAnswer(sent, before, open())).toEqual({ kind: 'closed', opening: gate.id });
    const refused = { at: '2026-11-22T10:00:00.000Z', signal: 'approve', why: 'no' };
    expect(judgeAnswer(sent, before, { ...before, refused: [refused] })).toEqual({ kind: 'refused', why: 'no' });
  });

  it('isn’t misled by what was refused before, or of others', () => {
    const old = { at: '2026-11-22T09:00:00.000Z', signal: 'approve', why: 'old' };
    const view = { ...before, refused: [old] };
    expect(judgeAnswer(sent, view, view)).toBeUndefined();
    expect(judgeAnswer(sent, view, { ...view, refused: [old, { ...old, signal: 'pause' }] })).toBeUndefined();
  });
});
