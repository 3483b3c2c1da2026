/** A host that floods costs its own command: the channel ends at once, nothing more is held, the message says what to do. */
import { createHash } from 'node:crypto';
import { failureType, streamed, type Host } from '../../../activities/kit';
import { createHosts, type Hosts } from '../../../activities/ssh';
import { Flooding } from './support/flooding';

const MIB = 1024 * 1024;

let flooding: Flooding;
let hosts: Hosts;
let host: Host;
beforeEach(async () => {
  flooding = new Flooding();
  await flooding.start();
  hosts = createHosts();
  host = await hosts.connect(flooding.plan(), 'fw1', new AbortController().signal);
});
afterEach(() => {
  hosts.close();
  flooding.stop();
});
const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: Error) => error,
  );
const chunk = Buffer.alloc(32 * 1024, 'x');
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

it.each(['stdout', 'stderr'] as const)('endless %s: the command fails, and the next one runs', async (to) => {
  flooding.answer = (channel, command) => {
    if (command.includes('flood')) return flooding.endlessly(channel, chunk, to);
    channel.write('fine\n');
    channel.exit(0);
    channel.end();
  };
  const failure = await failureOf(host.exec(['flood'], { okCodes: 'any' }));
  expect(failureType(failure)).toBe('CommandFailed');
  expect(failure.message).toMatch(
    /^fw1 \(ops@127\.0\.0\.1:\d+\): "flood" printed more than 1 MiB, .*may still run\. Next: run it there by hand/,
  );
  await until(() => flooding.closed.length > 0);
  // What was on its way: windows of the channel, no more.
  expect(flooding.writtenBytes).toBeLessThan(8 * MIB);
  expect((await host.exec(['next'])).stdout).toBe('fine\n');
  expect(flooding.connections).toHaveLength(1);
});

it('both outputs count together, and a caller may ask for more or less', async () => {
  flooding.answer = (channel) => {
    channel.write(Buffer.alloc(MIB * 0.75, 'o'));
    channel.stderr.write(Buffer.alloc(MIB * 0.75, 'e'));
    channel.exit(0);
    channel.end();
  };
  expect((await failureOf(host.exec(['both']))).message).toContain('more than 1 MiB');
  const { stdout, stderr } = await host.exec(['both'], { outputLimitBytes: 2 * MIB });
  expect([stdout.length, stderr.length]).toEqual([0.75 * MIB, 0.75 * MIB]);
  expect((await failureOf(host.exec(['both'], { outputLimitBytes: 1_000 }))).message).toContain('more than 1000 bytes');
});

it('a file that is too large', async () => {
  flooding.answer = (channel) => flooding.endlessly(channel, chunk);
  expect((await failureOf(host.readFile('/etc/hosts'))).message).toMatch(
    /^fw1: \/etc\/hosts is too large to be read whole/,
  );
});

it('a host that goes on sending on a closed channel loses its connection', async () => {
  flooding.answer = (channel) => {
    // Past the library's own rules: windows and closes don't count.
    const { _client: client, outgoing } = channel as unknown as {
      _client: { _protocol: { channelData(id: number, data: Buffer): void; channelClose(): void } };
      outgoing: { id: number };
    };
    client._protocol.channelClose = () => undefined;
    let ended = false;
    flooding.connections[0]?.on('close', () => (ended = true));
    const push = (): void => {
      if (ended) return;
      for (let i = 0; i < 64; i++) client._protocol.channelData(outgoing.id, chunk);
      flooding.writtenBytes += 64 * chunk.length;
      setImmediate(push);
    };
    push();
  };
  const work = failureOf(host.exec(['flood']));
  expect((await work).message).toContain('printed more than 1 MiB');
  await until(() => hosts.connections === 0);
});

it('a byte a packet is no more memory than the bytes', async () => {
  flooding.answer = (channel) => {
    for (let i = 0; i < 20_000; i++) channel.write(Buffer.from('y'));
    channel.exit(0);
    channel.end();
  };
  expect((await host.exec(['drip'])).stdout).toBe('y'.repeat(20_000));
});

describe('a stream', () => {
  const line = (n: number): string => `flow ${n} ’${'.'.repeat(n % 200)}\n`;

  it('comes in pieces of whole lines, and isn’t held', async () => {
    const all = Array.from({ length: 100_000 }, (_, n) => line(n)).join('');
    flooding.answer = (channel) => {
      channel.write(all);
      channel.exit(0);
      channel.end();
    };
    const hash = createHash('sha256');
    let pieces = 0;
    const result = await streamed(host, ['flows'], {}, (text) => {
      pieces++;
      expect(text.endsWith('\n')).toBe(true);
      hash.update(text);
    });
    expect(result).toMatchObject({ code: 0, stdout: '' });
    expect(pieces).toBeGreaterThan(10);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(all).digest('hex'));
  });

  it('ends with what the taker throws', async () => {
    flooding.answer = (channel) => flooding.endlessly(channel, Buffer.from(line(7).repeat(1_000)));
    const failure = await failureOf(
      streamed(host, ['flows'], {}, () => {
        throw new Error('enough');
      }),
    );
    expect(failure.message).toBe('enough');
    await until(() => flooding.closed.length > 0);
  });

  it('of a host that can’t stream comes at once', async () => {
    const whole: Pick<Host, 'exec'> = { exec: async () => ({ code: 0, stdout: 'a\nb\n', stderr: '', ms: 1 }) };
    const taken: string[] = [];
    await streamed(whole, ['x'], {}, (text) => taken.push(text));
    expect(taken).toEqual(['a\nb\n']);
  });
});
