/** What is read in one turn of the event loop is bounded, however much comes from however many. Counted, not timed. */
import { PassThrough } from 'node:stream';
import { spend } from '../../../activities/kit';
import { TURN_BYTES } from '../../../activities/kit/turns';
import { runCommand, type Carrier } from '../../../activities/ssh/channel';

const AT_ONCE = 6;

/** Counts what is taken in each turn. */
function turnsOf() {
  let taken = 0;
  let most = 0;
  let isOver = false;
  const turn = (): void => {
    most = Math.max(most, taken);
    taken = 0;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    take: (bytes: number): void => void (taken += bytes),
    end: (): number => {
      isOver = true;
      return Math.max(most, taken);
    },
  };
}

it('of several commands, all of whose output has come in already, and nothing is lost', async () => {
  const piece = Buffer.alloc(32 * 1024, 'x');
  const turns = turnsOf();
  const lengths = await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      const channel = Object.assign(new PassThrough({ highWaterMark: 64 * piece.length }), {
        stderr: new PassThrough(),
        close: () => undefined,
      });
      for (let i = 0; i < 32; i++) channel.write(piece);
      const client = {
        exec: (_command: string, begun: (error: undefined, opened: unknown) => void) => {
          begun(undefined, channel);
          // The host may say how it ended, and be lost, before all has been read.
          channel.emit('exit', 0);
          lost.forEach((gone) => gone('reset'));
          channel.on('end', () => channel.emit('close'));
        },
      };
      const lost: ((cause: string) => void)[] = [];
      const carrier = {
        client,
        target: { name: 'fw1', address: '192.0.2.1', port: 22, user: 'ops' },
        alive: true,
        onLost: (gone: (cause: string) => void) => {
          lost.push(gone);
          return () => undefined;
        },
        end: () => undefined,
      } as unknown as Carrier;
      let length = 0;
      await runCommand(carrier, 'flows', 'flows', {
        timeoutMs: 50_000,
        signal: new AbortController().signal,
        limitBytes: 1e9,
        onStdout: (bytes) => {
          turns.take(bytes.length);
          length += bytes.length;
        },
      });
      return length;
    }),
  );
  expect(lengths).toEqual(lengths.map(() => 32 * piece.length));
  expect(turns.end()).toBeLessThanOrEqual(TURN_BYTES + AT_ONCE * piece.length);
});

it('goes on in the order in which it stopped, two a turn', async () => {
  const went: string[] = [];
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  expect(spend(1)).toBeUndefined();
  for (const name of ['a', 'b', 'c', 'd', 'e']) void spend(TURN_BYTES)?.then(() => went.push(name));
  const seen: string[] = [];
  for (let i = 0; i < 3; i++) {
    await turn();
    seen.push(went.join(''));
  }
  expect(seen).toEqual(['ab', 'abcd', 'abcde']);
  expect(spend(1)).toBeUndefined();
});
