/** What is read in one turn of the event loop is bounded, however much comes from however many. Counted, not timed. */
import { spend, streamed } from '../../../activities/kit';
import { TURN_BYTES } from '../../../activities/kit/turns';
import { eachAt } from '../../../activities/panos/api';
import { createHosts } from '../../../activities/ssh';
import { certificateOf } from '../../../simulators/panos/server/certificate';
import { httpsServer, keyThen, PASSWORD, success, worker } from '../panos/support/https';
import { Flooding } from '../ssh/support/flooding';

/** What sockets hand over at once when nobody has waited yet. */
const FIRST_BYTES = 64 * 1024;
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

it('of several devices', async () => {
  process.env['PANOS_TEST_PASSWORD'] = PASSWORD;
  const certificate = await certificateOf('fw-a', '127.0.0.1');
  const body = Buffer.from(success(`<entry>${'x'.repeat(1_000)}</entry>`.repeat(2_000)));
  const server = await httpsServer(keyThen((_message, _request, response) => response.end(body)));
  try {
    const turns = turnsOf();
    const counting = eachAt('characters', 'entry', () => {
      let sum = 0;
      return {
        take: ({ text }) => {
          turns.take(text.length);
          sum += text.length;
        },
        result: () => sum,
      };
    });
    const devices = Array.from(
      { length: AT_ONCE },
      () => worker()({ port: server.port, tls: { fingerprint: certificate.fingerprint } }).device,
    );
    const sums = await Promise.all(devices.map((device) => device.table('<show/>', counting)));
    expect(sums).toEqual(devices.map(() => 2_000_000));
    expect(turns.end()).toBeLessThanOrEqual(TURN_BYTES + FIRST_BYTES);
  } finally {
    await server.stop();
  }
});

it('of several hosts, and nothing is lost', async () => {
  const flooding = new Flooding();
  await flooding.start();
  const all = Buffer.alloc(3 * 1024 * 1024, `${'flow '.repeat(20)}\n`);
  flooding.answer = (channel) => {
    channel.write(all);
    channel.exit(0);
    channel.end();
  };
  const hosts = createHosts();
  try {
    const host = await hosts.connect(flooding.plan(), 'fw1', new AbortController().signal);
    const turns = turnsOf();
    const lengths = await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        let length = 0;
        await streamed(host, ['flows'], {}, (text) => {
          turns.take(text.length);
          length += text.length;
        });
        return length;
      }),
    );
    expect(lengths).toEqual(lengths.map(() => all.length));
    expect(turns.end()).toBeLessThanOrEqual(TURN_BYTES + AT_ONCE * FIRST_BYTES);
  } finally {
    hosts.close();
    flooding.stop();
  }
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
