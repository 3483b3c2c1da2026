/** Devices over real TLS against a simulated pair: keys, refusals, files of the worker. */
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { join } from 'node:path';
import { permanent } from '../../../activities/kit';
import { panosServices } from '../../../activities/panos';
import { otherCertificate } from '../../../activities/panos/devices';
import { panosSpec } from '../../../activities/panos/spec';
import { operationOf } from '../../../simulators/panos/api';
import { certificateOf } from '../../../simulators/panos/server/certificate';
import { startSimulatedPair, type ServedPair } from '../../../simulators/panos/server';
import { Bench, failureOf } from './support/bench';
import { httpsServer, INFO, keyThen, worker, type Listening, type Place } from './support/https';

let served: ServedPair;
let folder: string;
const asked: string[] = [];

beforeAll(async () => {
  process.env['PANOS_TEST_PASSWORD'] = 'simulated';
  folder = await mkdtemp(join(tmpdir(), 'hitless-panos-'));
  served = await startSimulatedPair({ addresses: ['127.0.0.12', '127.0.0.13'] });
  const [device] = served.pair.devices;
  const answer = device.request.bind(device);
  device.request = (request) => {
    asked.push(operationOf(request));
    return answer(request);
  };
});
beforeEach(() => void asked.splice(0));
afterAll(async () => {
  await served.stop();
  await rm(folder, { recursive: true });
});

const place = (more: Partial<Place> = {}): Place => {
  const { address, port, fingerprint } = served.devices[0];
  return { address, port, tls: { fingerprint }, ...more };
};
const keygens = (): number => asked.filter((operation) => operation === 'keygen').length;

describe('the API key', () => {
  it('is fetched once for many calls of many activities, and once more when it has expired', async () => {
    const ask = worker();
    const all = () => Promise.all(Array.from({ length: 12 }, () => ask(place()).device.op(INFO)));
    await all();
    await all();
    expect(keygens()).toBe(1);
    served.pair.faults.inject({ kind: 'keys-expire', device: 0 });
    await all();
    expect(keygens()).toBe(2);
  });
});

describe('a refusal (HTTP 403)', () => {
  const wrong = { user: 'mallory' };

  it('while planning is one of credentials, which people put right', async () => {
    const error = await failureOf(worker()(place(wrong)).device.op(INFO));
    expect(error).toMatchObject({ type: 'AuthenticationFailed', nonRetryable: true });
    expect(error.message).toMatch(/^fw-a refuses the credentials \(HTTP 403\): check user, password/);
  });

  it('of a device that was talked to before is one of a device that starts up, exports and imports too', async () => {
    const { device } = worker()(place({ ...wrong, found: {} }));
    for (const work of [device.op(INFO), device.request('<x/>'), device.export('configuration')])
      expect(await failureOf(work)).toMatchObject({ type: 'Unreachable', nonRetryable: false });
  });

  it('a password that the worker can’t read is not the device’s refusal', async () => {
    const error = await failureOf(worker()(place({ password: 'env:NO_SUCH_SECRET', found: {} })).device.op(INFO));
    expect(error).toMatchObject({ type: 'InvalidInput', nonRetryable: true });
    expect(error.message).toBe(
      'the password of admin on fw-a can’t be had: the worker has no environment variable NO_SUCH_SECRET',
    );
    expect(asked).toEqual([]);
  });

  it('a password from a file may end with a line break', async () => {
    await writeFile(join(folder, 'password'), 'simulated\n', { mode: 0o600 });
    const { device } = worker()(place({ password: `file:${join(folder, 'password')}` }));
    expect((await device.op(INFO)).text).toContain('10.2.3');
  });
});

it('a node that the plan doesn’t have is told, with those that it has', () => {
  const context = {
    plan: { nodes: {}, panos: panosSpec.parse({}) },
    signal: new AbortController().signal,
    evidence: () => undefined,
  };
  expect(() => panosServices().device(context, 'fw-z')).toThrow(/no node fw-z/);
  expect(() => panosServices().device(context, 'constructor')).toThrow(/no node constructor/);
});

it('what is waited for goes by a clock that never steps', () => {
  const wall = jest.spyOn(Date, 'now');
  try {
    const services = panosServices();
    const atFirst = services.now();
    for (const steppedTo of [0, 8.64e15]) {
      wall.mockReturnValue(steppedTo);
      const later = services.now();
      expect(later).toBeGreaterThanOrEqual(atFirst);
      expect(later - atFirst).toBeLessThan(24 * 3_600_000);
    }
  } finally {
    wall.mockRestore();
  }
});

it('evidence has what was changed, and what the device said', async () => {
  const { device, ran } = worker()(place());
  await device.op(INFO);
  await device.request('<save><config><to>x.xml</to></config></save>');
  await failureOf(device.request('<no><such/></no>'));
  await device.export('device-state');
  expect(ran).toMatchObject([
    { host: 'fw-a', command: 'save config to x.xml', code: 0, out: 'Config saved to x.xml' },
    { host: 'fw-a', code: 1, out: expect.stringContaining('is unexpected') as string },
    { host: 'fw-a', command: 'export device-state', code: 0, out: expect.stringMatching(/^\d+ bytes$/) as string },
  ]);
});

const silently = async ({ port }: Listening): Promise<Place> => {
  const { fingerprint } = await certificateOf('fw-a', '127.0.0.1');
  return { port, tls: { fingerprint } };
};

it('an answer may take as long as the inventory says, an export and an import longer', async () => {
  const silent = await httpsServer(keyThen(() => undefined));
  try {
    const timing = { callTimeoutMs: 300, downloadTimeoutMs: 500 };
    const { device } = worker()({ ...(await silently(silent)), timing });
    const told = async (work: Promise<unknown>): Promise<string> => (await failureOf(work)).message;
    expect(await told(device.op(INFO))).toMatch(/no answer within 300 ms/);
    expect(await told(device.request(INFO))).toMatch(/no answer within 300 ms/);
    expect(await told(device.export('device-state'))).toMatch(/no answer within 500 ms/);
    const image = { name: 'PanOS_vm-10.2.9', bytes: 1, open: () => Readable.from([Buffer.from('x')]) };
    expect(await told(device.importSoftware(image))).toMatch(/no answer within 500 ms/);
  } finally {
    await silent.stop();
  }
});

it('keygen may take as long', async () => {
  const silent = await httpsServer(() => undefined);
  try {
    const { device } = worker()({ ...(await silently(silent)), timing: { callTimeoutMs: 300 } });
    expect((await failureOf(device.op(INFO))).message).toMatch(/no answer within 300 ms/);
  } finally {
    await silent.stop();
  }
});

describe('files of the worker', () => {
  const { files } = panosServices();
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

  it('an image is known by its checksum, and read anew for each import', async () => {
    const path = join(folder, 'PanOS_vm-10.2.9');
    await writeFile(path, 'an image');
    const file = await files.open(path);
    expect(file).toMatchObject({ bytes: 8, sha256: sha256('an image') });
    for (const _ of [1, 2])
      expect(Buffer.concat((await file.open().toArray()) as Buffer[]).toString()).toBe('an image');
    expect(await failureOf(files.open(join(folder, 'gone')))).toMatchObject({ type: 'PackageMissing' });
  });

  it('a backup is the worker’s alone, and replaced whole', async () => {
    const path = join(folder, 'backups', 'pa', 'fw-a-configuration.xml');
    expect(await files.keep(path, (write) => write(Buffer.from('one')))).toBe(sha256('one'));
    await chmod(path, 0o644);
    expect(await files.keep(path, (write) => write(Buffer.from('two')))).toBe(sha256('two'));
    expect(await readFile(path, 'utf8')).toBe('two');
    const modes = await Promise.all(
      [path, join(folder, 'backups'), join(folder, 'backups', 'pa')].map((each) => stat(each)),
    );
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o700, 0o700]);
    expect(await readdir(join(folder, 'backups', 'pa'))).toEqual(['fw-a-configuration.xml']);
  });
});

describe('what people are told of another certificate', () => {
  const fingerprint = { fingerprint: 'AB'.repeat(32) };

  it('names the inventory only before a run, which has its pins in its plan', () => {
    expect(otherCertificate('fw-b', fingerprint, false)).toMatch(/pin it in the inventory/);
    const inRun = otherCertificate('fw-b', fingerprint, true);
    expect(inRun).toMatch(/one that is changed in the inventory doesn’t reach it/);
    expect(inRun).toMatch(/have fw-b show the pinned certificate again.*then retry/);
    expect(inRun).not.toMatch(/pin it in the inventory/);
  });

  it('a CA’s file can be mended in a run', () => {
    for (const inRun of [true, false])
      expect(otherCertificate('fw-b', { ca: '/etc/ca.pem' }, inRun)).toMatch(/add the CA .* to \/etc\/ca\.pem/);
  });

  it('how the device is that isn’t talked to, its peer tells', async () => {
    const bench = await Bench.start({ attempts: 1 });
    const before = await bench.step('suspend', { node: 'fw-b' });
    const device = bench.world.services.device.bind(bench.world.services);
    const other = () => Promise.reject(permanent('HostKeyMismatch', 'the certificate of fw-b isn’t the one'));
    bench.world.services.device = (context, name) =>
      name === 'fw-a' ? device(context, name) : { ...device(context, name), op: other, request: other };
    const restart = { node: 'fw-b', version: '10.2.9' };
    for (const work of [
      () => bench.act('rejoin', { node: 'fw-b' }, before),
      () => bench.act('restart', restart, { version: '10.2.3' }),
    ]) {
      const error = await failureOf(work());
      expect(error).toMatchObject({ type: 'HostKeyMismatch', nonRetryable: true });
      expect(error.message).toMatch(
        /Now: fw-a is active, runs 10\.2\.3, and sees its peer suspended \(User requested\) with 10\.2\.3/,
      );
    }
  });
});
