/** Imports of files over real TLS: streamed, and nothing left open. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { certificateOf } from '../../../simulators/panos/server/certificate';
import { failureOf } from './support/bench';
import { httpsServer, INFO, PASSWORD, worker, yes, type Listening, type Place } from './support/https';

let fingerprint: string;
const open: Listening[] = [];
const at = (server: Listening): Listening => (open.push(server), server);
const pinned = ({ port }: Listening): Place => ({ port, tls: { fingerprint } });

beforeAll(async () => {
  process.env['PANOS_TEST_PASSWORD'] = PASSWORD;
  ({ fingerprint } = await certificateOf('fw-a', '127.0.0.1'));
});
afterEach(async () => {
  for (const server of open.splice(0)) await server.stop();
});

describe('the import of a file', () => {
  const MB = 1024 * 1024;

  it('streams: a large one doesn’t go through memory', async () => {
    let arrived = 0;
    const server = at(
      await httpsServer((message, response) => {
        if (message.headers['content-type'] === 'application/x-www-form-urlencoded') return yes(message, response);
        message.on('data', (chunk: Buffer) => (arrived += chunk.length));
        message.on('end', () => response.end('<response status="success"><msg><line>saved</line></msg></response>'));
      }),
    );
    const { device } = worker()(pinned(server));
    await device.op(INFO);
    const chunk = Buffer.alloc(MB, 'x');
    // How far the file was read ahead of what has arrived.
    let ahead = 0;
    const pieces = function* (): Generator<Buffer> {
      for (let sent = 0; sent < 128; sent++) {
        ahead = Math.max(ahead, sent * MB - arrived);
        yield chunk;
      }
    };
    const content = Readable.from(pieces(), { objectMode: false, highWaterMark: MB });
    await device.importSoftware({ name: 'PanOS_vm-10.2.9', bytes: 128 * MB, open: () => content });
    expect(arrived).toBeGreaterThan(128 * MB);
    expect(ahead).toBeLessThan(16 * MB);
  });

  it('that can’t be read any more says so, and leaves no file open', async () => {
    const server = at(await httpsServer(yes));
    const { device } = worker()(pinned(server));
    const content = new Readable({ read: () => content.destroy(new Error('EIO')) });
    const error = await failureOf(device.importSoftware({ name: 'image', bytes: 10, open: () => content }));
    expect(error).toMatchObject({ type: 'PackageMissing', message: 'the worker can’t read image any more: EIO' });
  });

  it('whose connection is lost closes the file', async () => {
    const server = at(
      await httpsServer((message, response) =>
        message.headers['content-type'] === 'application/x-www-form-urlencoded'
          ? yes(message, response)
          : void message.socket.destroy(),
      ),
    );
    const { device } = worker()(pinned(server));
    const content = new Readable({ read: () => undefined });
    content.push('some of it');
    const closed = once(content, 'close');
    expect(
      await failureOf(device.importSoftware({ name: 'image', bytes: 10 * MB, open: () => content })),
    ).toMatchObject({
      type: 'Unreachable',
    });
    await closed;
  });
});
