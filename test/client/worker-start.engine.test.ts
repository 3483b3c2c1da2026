/** A worker that can't start says why in one message and ends: the process is waited for, whatever it is refused by. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../worker/engine/ports';
import { engineTimeoutMs, startTestEngine, type TestEngine } from '../support/engine';
import { startProgram } from './fixtures/program';
import { certificate, Servers, type Pair } from './fixtures/servers';

jest.setTimeout(120_000);

const inventory = join(__dirname, '../../docs/inventory.panos.example.yaml');
const servers = new Servers();
let folder: string;
let ours: Pair;
let engine: TestEngine;

const file = async (name: string, content: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hitless-start-'));
  ours = await certificate();
  // One of the product's attributes is there, of a type that it can't use.
  engine = await startTestEngine({ uiPort: 0, searchAttributes: { UpgradePhase: 'Int' } });
}, engineTimeoutMs);
afterAll(async () => {
  await servers.close();
  await engine?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a worker until it ends by itself. */
async function refused(env: Readonly<Record<string, string>>): Promise<{ code: number | null; message: string }> {
  const { code, out, err } = await startProgram(env, 'worker', '--inventory', inventory).ended;
  expect(out).toBe('');
  // One message; no line of a log, no stack.
  expect(err.match(/^hitless: /gm)).toHaveLength(1);
  expect(err).not.toMatch(/^ {4}at |^\d{4}-\d\d-\d\dT/m);
  return { code, message: err };
}

describe('no connection', () => {
  it('nothing listens', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const { code, message } = await refused({ TEMPORAL_ADDRESS: address });
    expect(code).toBe(4);
    expect(message).toContain(
      `the Temporal server at ${address} can't be used: nothing listens there (connection refused)`,
    );
    expect(message).toContain('TEMPORAL_ADDRESS');
  });

  it('an unknown host name', async () => {
    const { code, message } = await refused({ TEMPORAL_ADDRESS: 'nosuch.invalid:7233' });
    expect(code).toBe(4);
    expect(message).toContain("at nosuch.invalid:7233 can't be used: its host name is unknown");
  });

  it('one that takes connections and never answers', async () => {
    const { code, message } = await refused({ TEMPORAL_ADDRESS: await servers.silent() });
    expect(code).toBe(4);
    expect(message).toContain('it does not answer within 10 s');
  });

  it('an address that is none', async () => {
    const { code, message } = await refused({ TEMPORAL_ADDRESS: 'not an address' });
    expect(code).toBe(2);
    expect(message).toContain('no connection to not an address');
  });
});

describe('TLS', () => {
  it('a certificate that nobody vouches for', async () => {
    const { code, message } = await refused({ TEMPORAL_ADDRESS: await servers.tls(ours), TEMPORAL_TLS: 'true' });
    expect(code).toBe(4);
    expect(message).toContain('its certificate is not trusted');
    expect(message).toContain('TEMPORAL_TLS_SERVER_CA_CERT_PATH');
  });

  it('a certificate for another name', async () => {
    const other = await certificate({ type: 2, value: 'other.example' });
    const { code, message } = await refused({
      TEMPORAL_ADDRESS: await servers.tls(other),
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: await file('other.pem', other.cert),
    });
    expect(code).toBe(4);
    expect(message).toContain('its certificate is for another name: it says DnsName(other.example)');
    expect(message).toContain('TEMPORAL_TLS_SERVER_NAME');
  });

  it('a certificate that has expired', async () => {
    const old = await certificate(undefined, new Date('2021-01-01'));
    const { code, message } = await refused({
      TEMPORAL_ADDRESS: await servers.tls(old),
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: await file('old.pem', old.cert),
    });
    expect(code).toBe(4);
    expect(message).toContain('its certificate has expired');
  });

  it('a server that doesn’t speak it', async () => {
    const { code, message } = await refused({ TEMPORAL_ADDRESS: engine.address, TEMPORAL_TLS: 'true' });
    expect(code).toBe(4);
    expect(message).toContain('we are to speak TLS, and it speaks something else');
    expect(message).toContain('unset TEMPORAL_TLS');
  });

  it('a server that wants it', async () => {
    const { code, message } = await refused({ TEMPORAL_ADDRESS: await servers.tls(ours) });
    expect(code).toBe(4);
    expect(message).toContain('it may want TLS');
    expect(message).toContain('TEMPORAL_TLS=true');
  });

  it('a server that wants a client certificate', async () => {
    const { code, message } = await refused({
      TEMPORAL_ADDRESS: await servers.tls(ours, { requestCert: true, rejectUnauthorized: true, ca: ours.cert }),
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: await file('ours.pem', ours.cert),
    });
    expect(code).toBe(4);
    expect(message).toContain('it wants a client certificate, and none is configured');
    expect(message).toContain('TEMPORAL_TLS_CLIENT_CERT_PATH');
  });

  it('a client certificate with another’s key', async () => {
    const { code, message } = await refused({
      TEMPORAL_ADDRESS: await servers.tls(ours, { requestCert: true, rejectUnauthorized: true, ca: ours.cert }),
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: await file('ours.pem', ours.cert),
      TEMPORAL_TLS_CLIENT_CERT_PATH: await file('client.pem', ours.cert),
      TEMPORAL_TLS_CLIENT_KEY_PATH: await file('client.key', (await certificate()).private),
    });
    expect(code).toBe(2);
    expect(message).toContain('our client certificate and our key do not belong together');
  });

  it('a certificate file that isn’t there', async () => {
    const { code, message } = await refused({
      TEMPORAL_ADDRESS: engine.address,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/nonexistent/ca.pem',
    });
    expect(code).toBe(2);
    expect(message).toContain('/nonexistent/ca.pem');
  });
});

describe('a server that refuses', () => {
  it.each([
    ['permission', 7, 'Request unauthorized.'],
    ['an API key that doesn’t count', 16, 'no valid token'],
  ])('%s, from the first call on', async (_, code, message) => {
    const address = await servers.grpc(() => ({ code, message }));
    const ended = await refused({ TEMPORAL_ADDRESS: address });
    expect(ended.code).toBe(4);
    expect(ended.message).toContain(`at ${address} can't be used: it refuses us: ${message}`);
    expect(ended.message).toContain('TEMPORAL_API_KEY');
  });

  it('permission for the namespace', async () => {
    const address = await servers.grpc((method) =>
      method === 'GetSystemInfo' ? { code: 0 } : { code: 7, message: 'Request unauthorized.' },
    );
    const ended = await refused({ TEMPORAL_ADDRESS: address });
    expect(ended.code).toBe(4);
    expect(ended.message).toContain(`the Temporal server at ${address} refuses us: Request unauthorized.`);
  });

  it('to register search attributes', async () => {
    const codes: Readonly<Record<string, number>> = { AddSearchAttributes: 7 };
    const address = await servers.grpc((method) => ({ code: codes[method] ?? 0, message: 'Request unauthorized.' }));
    const ended = await refused({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'ops' });
    expect(ended.code).toBe(1);
    expect(ended.message).toContain(
      `lacks the search attributes UpgradeCluster, UpgradePhase, UpgradeWaitingFor, UpgradeTarget, and refused to register them`,
    );
    expect(ended.message).toContain(`temporal operator search-attribute create --address ${address} --namespace ops`);
  });
});

describe('a Temporal server that doesn’t fit', () => {
  it('without the namespace', async () => {
    const { code, message } = await refused({ TEMPORAL_ADDRESS: engine.address, TEMPORAL_NAMESPACE: 'nowhere' });
    expect(code).toBe(4);
    expect(message).toContain(`the Temporal server at ${engine.address} has no namespace "nowhere"`);
    expect(message).toContain('TEMPORAL_NAMESPACE');
  });

  it('with a search attribute of another type', async () => {
    const { code, message } = await refused({ TEMPORAL_ADDRESS: engine.address });
    expect(code).toBe(1);
    expect(message).toContain('have another type than Hitless needs: UpgradePhase');
  });
});
