/** The simulated pair behind real sockets: TLS, closed listeners, cut connections, the side port. */
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { startSimulatedPair, type ServedPair } from '../../../simulators/panos/server';
import { call, control, keyOf } from './client';

const INFO = '<show><system><info></info></system></show>';
const RESTART = '<request><restart><system></system></restart></request>';

let served: ServedPair;
let key: string;
const [A, B] = [0, 1] as const;

/** Simulated time stands still but for what tests let pass. */
beforeEach(async () => {
  served = await startSimulatedPair({ speed: 0 });
  key = await keyOf(served.devices[A]);
});
afterEach(() => served.stop());

const op = (cmd: string, more: object = {}) => call(served.devices[A], { params: { type: 'op', cmd, key }, ...more });

/** Tells when a device is reachable again, or not any more; no more than 5 s of real time. */
async function until(code: string | undefined, device = served.devices[A]): Promise<void> {
  const deadline = AbortSignal.timeout(5_000);
  for (;;) {
    const answer = await call(device, { params: { type: 'op' } }).catch((error: NodeJS.ErrnoException) => error.code);
    if ((typeof answer === 'string' ? answer : undefined) === code) return;
    deadline.throwIfAborted();
  }
}

describe('TLS', () => {
  it.each([A, B])('device %d shows the certificate whose fingerprint is told', async (side) => {
    const { address, port, fingerprint, certificate } = served.devices[side];
    const shown = await new Promise<DetailedPeerCertificate>((resolve, reject) => {
      const socket = connect({ host: address, port, ca: certificate }, () => {
        resolve(socket.getPeerCertificate(true));
        socket.destroy();
      });
      socket.on('error', reject);
    });
    expect(shown.fingerprint256).toBe(fingerprint);
  });

  it('each device has a certificate and an address of its own', () => {
    const [a, b] = served.devices;
    expect(a.fingerprint).not.toBe(b.fingerprint);
    expect([a.address, b.address]).toEqual(['127.0.0.2', '127.0.0.3']);
  });
});

describe('HTTP', () => {
  it('takes GET, POST, a key in the form un-urlencoded, the header, and Basic', async () => {
    expect(key).toMatch(/==$/);
    const basic = `Basic ${Buffer.from('admin:simulated').toString('base64')}`;
    const asked = { type: 'op', cmd: INFO };
    const ways = [
      { params: { ...asked, key } },
      { params: { ...asked, key }, get: true },
      { params: { ...asked, key }, path: '/api' },
      { raw: `${new URLSearchParams(asked).toString()}&key=${key}` },
      { params: asked, headers: { 'X-PAN-KEY': key } },
      { params: asked, headers: { Authorization: basic } },
    ];
    for (const way of ways) {
      const { status, headers, body } = await call(served.devices[A], way);
      expect(status).toBe(200);
      expect(headers['content-type']).toMatch(/^application\/xml/);
      expect(body.toString()).toContain('<sw-version>10.2.3</sw-version>');
    }
  });

  it('refuses Basic for keygen', async () => {
    const basic = `Basic ${Buffer.from('admin:simulated').toString('base64')}`;
    const { status } = await call(served.devices[A], { params: { type: 'keygen' }, headers: { Authorization: basic } });
    expect(status).toBe(403);
  });

  it('knows no other page', async () => {
    expect((await op(INFO, { path: '/php/login.php' })).status).toBe(404);
  });

  it('takes an image as a multipart form, and no file of another name', async () => {
    const upload = (name: string) =>
      call(served.devices[A], {
        raw: `--x\r\nContent-Disposition: form-data; name="key"\r\n\r\n${key}\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\nan image\r\n--x--\r\n`,
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        path: '/api/?type=import&category=software',
      });
    const wrong = await upload('PanOS_3400-10.2.9');
    expect(wrong.body.toString()).toContain('status="error"');
    const right = await upload('PanOS_vm-10.2.9');
    expect(right.body.toString()).toBe(
      '<response status="success"><msg><line>PanOS_vm-10.2.9 saved</line></msg></response>',
    );
    const list = await op('<request><system><software><info/></software></system></request>');
    expect(list.body.toString()).toMatch(
      /<version>10.2.9<\/version>.*<downloaded>yes<\/downloaded>.*<uploaded>yes<\/uploaded>/,
    );
  });

  it('sends files as attachments', async () => {
    const { headers, body } = await call(served.devices[A], {
      params: { type: 'export', category: 'device-state', key },
    });
    expect(headers['content-disposition']).toBe('attachment; filename=device_state_cfg.tgz');
    expect(body.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
  });
});

describe('down and up again', () => {
  it('refuses connections while it is down, answers 403 while it starts, and then answers on the same port', async () => {
    const { port } = served.devices[A];
    expect((await op(RESTART)).status).toBe(200);
    expect((await op(INFO)).status).toBe(200);
    served.clock.advance(2_000);
    await until('ECONNREFUSED');
    expect(await call(served.devices[B], { params: { type: 'op' } })).toMatchObject({ status: 403 });
    served.clock.advance(150_000);
    await until(undefined);
    expect(await op(INFO)).toMatchObject({ status: 403 });
    served.clock.advance(60_000);
    expect((await op(INFO)).body.toString()).toContain('<uptime>0 days, 0:03:30</uptime>');
    expect(served.devices[A].port).toBe(port);
  });

  it('destroys open connections when it goes down, those that hang too', async () => {
    served.pair.faults.inject({ kind: 'request', how: 'hang', device: 0 });
    const hanging = op(INFO).then(
      () => 'answered',
      (error: NodeJS.ErrnoException) => error.code,
    );
    await op(INFO); // the second isn't struck; by then the first has been
    served.pair.faults.inject({ kind: 'crash', device: 0 });
    expect(await hanging).toBe('ECONNRESET');
  });
});

describe('cut connections', () => {
  it.each([
    ['none', 'passive'],
    ['done', 'suspended'],
  ] as const)('effect %s: the client can’t tell, the device is %s', async (effect, state) => {
    const [, device] = served.devices;
    const itsKey = await keyOf(device);
    served.pair.faults.inject({
      kind: 'request',
      how: 'drop',
      effect,
      operation: 'request high-availability state',
      device: 1,
    });
    const cmd = '<request><high-availability><state><suspend/></state></high-availability></request>';
    await expect(call(device, { params: { type: 'op', cmd, key: itsKey } })).rejects.toThrow('socket hang up');
    expect(served.pair.devices[B].haState).toBe(state);
  });
});

describe('the side port', () => {
  it('shows the pair, takes and ends faults, and lets time pass', async () => {
    const { url } = served.control;
    const given = await control(url, 'POST', '/faults', { kind: 'ha1-down' });
    expect(given).toEqual({ status: 201, value: { id: 1 } });
    await control(url, 'POST', '/time', { advanceMs: 10_000 });
    const split = await control(url, 'GET', '/state');
    expect(split.value).toMatchObject({
      links: { ha1: false },
      devices: [{ haState: 'active' }, { haState: 'active' }],
    });
    expect(await control(url, 'DELETE', '/faults/1')).toEqual({ status: 200, value: [] });
    expect(served.pair.devices.map(({ haState }) => haState)).toEqual(['active', 'passive']);
  });

  it.each([
    [{ kind: 'no-such-fault' }, 'kind'],
    [{ kind: 'crash', device: 'fw-z' }, 'no device fw-z'],
    [{ kind: 'crash' }, 'device'],
    [{ kind: 'ha1-down', forMs: -1, surprise: 1 }, 'surprise'],
  ])('refuses %j', async (fault, word) => {
    const { status, value } = await control(served.control.url, 'POST', '/faults', fault);
    expect(status).toBe(400);
    expect(value['error']).toContain(word);
    expect(served.pair.faults.list()).toEqual([]);
  });

  it('configures devices as if they had always been so', async () => {
    const group = "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/high-availability/group";
    const change = { xpath: `${group}/election-option`, element: '<preemptive>yes</preemptive>' };
    const { value } = await control(served.control.url, 'POST', '/config', { ...change, device: 'fw-a' });
    expect(value).toMatchObject({
      devices: [
        { preemptive: true, pendingChanges: false },
        { preemptive: false, pendingChanges: false },
      ],
    });
    expect(await control(served.control.url, 'POST', '/config', { ...change, element: '<x>' })).toMatchObject({
      status: 400,
      value: { error: '<x> is not well-formed' },
    });
  });

  it('changes facts, and no unknown one', async () => {
    const { url } = served.control;
    await control(url, 'POST', '/facts', { device: 'fw-b', facts: { deviceCertificate: 'Expired' } });
    const { value } = await control(url, 'GET', '/facts');
    expect(value).toMatchObject({ 'fw-a': { deviceCertificate: 'Valid' }, 'fw-b': { deviceCertificate: 'Expired' } });
    for (const facts of [{ nothing: 1 }, { ntp: {} }, { jumboFrame: 'yes' }])
      expect(await control(url, 'POST', '/facts', { facts })).toMatchObject({ status: 400 });
  });

  it('takes JSON only, so that no page in a browser can use it', async () => {
    const response = await fetch(`${served.control.url}/faults`, { method: 'POST', body: '{"kind":"ha1-down"}' });
    expect(response.status).toBe(415);
  });
});

it('runs by itself, as much faster as it is told', async () => {
  const fast = await startSimulatedPair({ addresses: ['127.0.0.4', '127.0.0.5'], speed: 1_000 });
  try {
    const ready = new Promise<void>((resolve) => {
      fast.pair.onChange = (_at, what) => {
        if (what.includes('initial → active')) resolve();
      };
    });
    fast.pair.faults.inject({ kind: 'crash', device: 1 });
    fast.pair.faults.inject({ kind: 'ha1-down' });
    await fetch(`${fast.control.url}/state`);
    // More than five minutes of simulated time.
    await ready;
    expect(fast.pair.devices[B].haState).toBe('active');
  } finally {
    await fast.stop();
  }
});

it('leaves nothing behind, and no address that isn’t loopback', async () => {
  const other = await startSimulatedPair({ addresses: ['127.0.0.6', '127.0.0.7'] });
  await other.stop();
  for (const { url } of [...other.devices, other.control]) await expect(fetch(url)).rejects.toThrow('fetch failed');
  await expect(startSimulatedPair({ addresses: ['127.0.0.1', '192.0.2.1'] })).rejects.toThrow(
    '192.0.2.1 is no loopback',
  );
});
