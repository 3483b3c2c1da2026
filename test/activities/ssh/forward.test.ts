/** A jump host that takes a request for a channel and never answers it: those who wait are told, and the next one asks anew. */
import { failureType } from '../../../activities/kit';
import { createHosts } from '../../../activities/ssh';
import { Flooding } from './support/flooding';

afterEach(() => jest.useRealTimers());

it('a jump host that never opens the channel: unreachable after 10 s, and asked anew by the next attempt', async () => {
  const jump = new Flooding();
  await jump.start();
  const hosts = createHosts();
  try {
    const spec = (jump.plan() as { hosts: { fw1: object } }).hosts.fw1;
    const plan = { hosts: { jump: spec, fw1: { ...spec, address: '192.0.2.1', port: 22, jump: 'jump' } } };
    const never = new AbortController().signal;
    jump.answer = (channel) => {
      channel.exit(0);
      channel.end();
    };
    await (await hosts.connect(plan, 'jump', never)).exec(['true']);
    let asked = 0;
    const request = (): Promise<void> =>
      new Promise((resolve) => {
        // Neither accepted nor refused.
        jump.connections[0]?.once('tcpip', () => {
          asked++;
          resolve();
        });
      });
    // What the network itself needs goes on.
    jest.useFakeTimers({
      doNotFake: [
        'nextTick',
        'setImmediate',
        'clearImmediate',
        'setInterval',
        'clearInterval',
        'queueMicrotask',
        'Date',
        'hrtime',
        'performance',
      ],
    });
    for (const times of [1, 2]) {
      const isAsked = request();
      const failure = hosts
        .connect(plan, 'fw1', never)
        .then((host) => host.exec(['true']))
        .catch((error: unknown) => error as Error);
      await isAsked;
      jest.advanceTimersByTime(10_000);
      const error = (await failure) as Error;
      expect(failureType(error)).toBe('Unreachable');
      expect(error.message).toMatch(/^fw1 .*the jump host jump didn’t answer within 10 s/);
      expect(asked).toBe(times);
    }
    expect(hosts.connections).toBe(1);
  } finally {
    hosts.close();
    jump.stop();
  }
});
