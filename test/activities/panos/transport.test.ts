/** What reaches a device, and what doesn't: certificates, five calls at once, cuts, lost connections, secrets, uploads. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { connectVerified } from '../../../activities/panos/api/connection';
import { certificateOf, type Certificate } from '../../../simulators/panos/server/certificate';
import { failureOf } from './support/bench';
import {
  httpsServer,
  INFO,
  KEY,
  keyThen,
  PASSWORD,
  silentServer,
  success,
  worker,
  yes,
  type Listening,
  type Place,
} from './support/https';

let certificate: Certificate;
let folder: string;
const open: Listening[] = [];
const at = (server: Listening): Listening => (open.push(server), server);

beforeAll(async () => {
  process.env['PANOS_TEST_PASSWORD'] = PASSWORD;
  certificate = await certificateOf('fw-a', '127.0.0.1');
  folder = await mkdtemp(join(tmpdir(), 'hitless-panos-'));
  await writeFile(join(folder, 'ca.pem'), certificate.cert);
});
afterEach(async () => {
  for (const server of open.splice(0)) await server.stop();
});
afterAll(() => rm(folder, { recursive: true }));

const pinned = (server: Listening): Place => ({ port: server.port, tls: { fingerprint: certificate.fingerprint } });

describe('certificates', () => {
  it('pinned, and verified by a CA, by address or by name', async () => {
    const server = at(await httpsServer(yes));
    const ca = join(folder, 'ca.pem');
    for (const tls of [
      { fingerprint: certificate.fingerprint },
      { fingerprint: `sha256:${certificate.fingerprint.replaceAll(':', '').toLowerCase()}` },
      { ca },
      { ca, serverName: 'fw-a' },
    ])
      expect((await worker()({ port: server.port, tls }).device.op(INFO)).text).toBe('yes');
  });

  it('~ is the home of the worker', async () => {
    const error = await failureOf(worker()({ port: 1, tls: { ca: '~/hitless-no-such-ca.pem' } }).device.op(INFO));
    expect(error.message).toContain(join(homedir(), 'hitless-no-such-ca.pem'));
  });

  it.each([
    [
      'another fingerprint',
      () => ({ fingerprint: 'AB'.repeat(32) }),
      /isn’t the one that is pinned: SHA-256 (AB){32} is pinned, and it shows [0-9A-F]{64}\. Nothing was sent to it\. See on the console/,
    ],
    [
      'another name',
      () => ({ ca: join(folder, 'ca.pem'), serverName: 'fw-z' }),
      /can’t be verified with .*ca\.pem.*fw-z/,
    ],
    ['another CA', () => ({ ca: join(folder, 'other.pem') }), /can’t be verified with .*other\.pem/],
    ['a CA file that is none', () => ({ ca: join(folder, 'none.pem') }), /can’t be verified with .*none\.pem/],
  ] as const)('%s: nothing is sent, and people must look', async (_, tls, message) => {
    await writeFile(join(folder, 'other.pem'), (await certificateOf('fw-z', '127.0.0.9')).cert);
    await writeFile(join(folder, 'none.pem'), 'no certificate');
    const server = at(await httpsServer(yes));
    const error = await failureOf(worker()({ port: server.port, tls: tls() }).device.op(INFO));
    expect(error).toMatchObject({ type: 'HostKeyMismatch', nonRetryable: true });
    expect(error.message).toMatch(message);
    expect([server.connections(), server.received()]).toEqual([1, 0]);
  });

  it('a CA file that isn’t there is told by its path', async () => {
    const error = await failureOf(worker()({ port: 1, tls: { ca: join(folder, 'gone.pem') } }).device.op(INFO));
    expect(error).toMatchObject({ type: 'InvalidInput', nonRetryable: true });
    expect(error.message).toMatch(/can’t read the CA .* fw-a .*gone\.pem/);
  });
});

describe('calls at once', () => {
  it('are five for a device, of however many activities; those that wait can be cut', async () => {
    let now = 0;
    let most = 0;
    const held: (() => void)[] = [];
    let fifth = (): void => undefined;
    const five = new Promise<void>((resolve) => (fifth = resolve));
    const server = at(
      await httpsServer(
        keyThen((_message, _body, response) => {
          most = Math.max(most, ++now);
          const answer = (): void => {
            now--;
            response.end(success('yes'));
          };
          if (held.length >= 5) return answer();
          held.push(answer);
          if (held.length === 5) fifth();
        }),
      ),
    );
    const ask = worker();
    const askings = Array.from({ length: 20 }, () => ask(pinned(server)));
    const asked = askings.map(({ device }) =>
      device.op(INFO).then(
        ({ text }) => text,
        (error: Error) => error.message,
      ),
    );
    await five;
    // One that waits for its turn, cut: it ends while the five are still held.
    askings[19]?.cut(new Error('cut'));
    expect(await asked[19]).toBe('cut');
    expect([now, server.connections()]).toEqual([5, 6]);
    for (const answer of held) answer();
    expect(await Promise.all(asked.slice(0, 19))).toEqual(Array(19).fill('yes'));
    expect(most).toBe(5);
  });

  it('a connection that fails gives its place up', async () => {
    const ask = worker();
    const server = await httpsServer(yes);
    const place = pinned(server);
    await server.stop();
    const asked = Array.from({ length: 12 }, () => failureOf(ask(place).device.op(INFO)));
    for (const error of await Promise.all(asked)) expect(error).toMatchObject({ type: 'Unreachable' });
  });
});

describe('a device that doesn’t answer', () => {
  const reset = keyThen((message) => message.socket.destroy());
  const half = keyThen((_message, _body, response) => {
    response.writeHead(200, { 'content-length': 1_000 });
    response.write('<response');
    setImmediate(() => response.socket?.destroy());
  });

  it.each([
    ['resets the connection', reset],
    ['breaks off in the middle of its answer', half],
  ])('because it %s: may pass', async (_, handler) => {
    const server = at(await httpsServer(handler));
    const error = await failureOf(worker()(pinned(server)).device.op(INFO));
    expect(error).toMatchObject({ type: 'Unreachable', nonRetryable: false });
    expect(error.message).toMatch(/^fw-a \(127\.0\.0\.1:\d+\) doesn’t answer: \S/);
  });

  it('because nobody listens, at any address of its name', async () => {
    const server = await httpsServer(yes);
    await server.stop();
    for (const address of ['127.0.0.1', 'localhost']) {
      const error = await failureOf(worker()({ ...pinned(server), address }).device.op(INFO));
      expect(error).toMatchObject({ type: 'Unreachable', nonRetryable: false });
      expect(error.message).toContain('ECONNREFUSED');
    }
  });

  it('is given up at once when the activity is cut: in its answer, or before TLS is up', async () => {
    let arrived = (): void => undefined;
    const come = new Promise<void>((resolve) => (arrived = resolve));
    const hung = at(await httpsServer(keyThen(() => arrived())));
    const inAnswer = worker()(pinned(hung));
    const first = failureOf(inAnswer.device.op(INFO));
    await come;
    inAnswer.cut(new Error('cut in the answer'));
    expect((await first).message).toBe('cut in the answer');

    // The key is there: what hangs is a connection of this activity itself.
    let accept = (): void => undefined;
    const accepted = new Promise<void>((resolve) => (accept = resolve));
    const silent = at(await silentServer(() => accept()));
    const controller = new AbortController();
    const place = { address: '127.0.0.1', port: silent.port, tls: { fingerprint: certificate.fingerprint } };
    const second = failureOf(connectVerified('fw-a', place, controller.signal));
    await accepted;
    controller.abort(new Error('cut in the handshake'));
    expect((await second).message).toBe('cut in the handshake');
    await silent.emptied();
  });
});

it('password and key are in no error and no evidence', async () => {
  const shown: unknown[] = [];
  const bad: Parameters<typeof keyThen>[0][] = [
    (_m, _b, response) => response.writeHead(500).end('broken'),
    (_m, _b, response) => response.end('<html>starting'),
    (_m, _b, response) => response.end('<response status="error" code="17"><msg><line>no</line></msg></response>'),
    (message) => message.socket.destroy(),
    (_m, _b, response) => response.writeHead(403).end(),
  ];
  for (const answer of bad) {
    const server = at(await httpsServer(keyThen(answer)));
    const { device, ran } = worker()(pinned(server));
    shown.push(await failureOf(device.op(INFO)), await failureOf(device.request('<x/>')), ran);
    const whatever = (error: unknown): unknown => error;
    shown.push(await device.export('configuration').catch(whatever), await failureOf(device.commit('admin', 'x')));
  }
  for (const status of [403, 500]) {
    const refusing = at(await httpsServer((_message, response) => response.writeHead(status).end()));
    shown.push(await failureOf(worker()(pinned(refusing)).device.op(INFO)));
  }
  shown.push(await failureOf(worker()({ port: 1, tls: { fingerprint: certificate.fingerprint } }).device.op(INFO)));
  const text = inspect(shown, { depth: 10, showHidden: true });
  expect(text).not.toContain(PASSWORD);
  expect(text).not.toContain(KEY);
  // …and neither are they where a key was put into a URL or a form.
  expect(text).not.toContain(encodeURIComponent(KEY));
});

it.each([
  [undefined, 'AuthenticationFailed', 2],
  // So soon after the first there is no second one.
  [{}, 'Unreachable', 1],
] as const)('a fresh key that is refused, in a plan that has found %j: %s, after %i', async (found, type, fetched) => {
  let keys = 0;
  const server = at(
    await httpsServer((message, response) => {
      const isKeygen = message.headers['x-pan-key'] === undefined;
      if (isKeygen) keys++;
      message
        .resume()
        .on('end', () => (isKeygen ? response.end(success(`<key>${KEY}</key>`)) : response.writeHead(403).end()));
    }),
  );
  const { device } = worker()({ ...pinned(server), ...(found === undefined ? {} : { found }) });
  expect(await failureOf(device.op(INFO))).toMatchObject({ type });
  expect(keys).toBe(fetched);
});
