/** Which Temporal the product talks to. Each test has a home of its own, so no engine or profile of this machine is touched. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { connect, connectIfRunning, runningLocalEngine, startEngine, stopLocalEngine } from '../../../worker/engine';
import { isAlive, processIdentity } from '../../../worker/engine/paths';
import { engineTimeoutMs, testBinary } from '../../support/engine';

let home: string;
let env: Record<string, string>;
let binaryPath: string;
beforeAll(async () => void (binaryPath = (await testBinary()).path), engineTimeoutMs);
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'hitless-connect-'));
  env = {
    HOME: home,
    PATH: '/nowhere',
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_CONFIG_HOME: join(home, 'config'),
    TEMPORAL_CONFIG_FILE: join(home, 'temporal.toml'),
    HITLESS_ENGINE: binaryPath,
  };
});
afterEach(async () => {
  await stopLocalEngine(env);
  await rm(home, { recursive: true, force: true });
});

test('TEMPORAL_ADDRESS goes first, and nothing is started', async () => {
  const target = await connect({ env: { ...env, TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_NAMESPACE: 'ops' } });
  expect(target).toMatchObject({ connectionOptions: { address: 'temporal.example:7233' }, namespace: 'ops' });
  expect(target.embedded).toBeUndefined();
  expect(await runningLocalEngine(env)).toBeUndefined();
});

test('so does the default profile of the CLI, and a profile by name', async () => {
  await writeFile(
    env['TEMPORAL_CONFIG_FILE']!,
    '[profile.default]\naddress = "a:1"\n[profile.cloud]\naddress = "b:2"\nnamespace = "n.acct"\napi_key = "k"\n',
  );
  expect(await connect({ env })).toMatchObject({ connectionOptions: { address: 'a:1' }, namespace: 'default' });
  expect(await connect({ env: { ...env, TEMPORAL_PROFILE: 'cloud' } })).toMatchObject({
    connectionOptions: { address: 'b:2', apiKey: 'k', tls: true },
    namespace: 'n.acct',
  });
});

test('else the embedded engine: started once for all who ask, kept over kill -9, on the same ports', async () => {
  expect(await connectIfRunning(env)).toBeUndefined();
  const told: string[] = [];
  const targets = await Promise.all([0, 1].map(() => connect({ env, onProgress: (message) => told.push(message) })));
  const [first, second] = targets as [(typeof targets)[0], (typeof targets)[0]];
  expect(second).toEqual(first);
  expect(told.filter((message) => message.startsWith('starting the engine'))).toHaveLength(1);
  expect(await connectIfRunning(env)).toEqual(first);
  expect((await fetch(first.uiUrl!)).status).toBe(200);
  expect((await stat(join(env['XDG_DATA_HOME']!, 'hitless', 'engine.db'))).mode & 0o077).toBe(0);

  const use = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const connection = await Connection.connect({ address: first.connectionOptions.address });
    try {
      return await work(new Client({ connection, namespace: first.namespace }));
    } finally {
      await connection.close();
    }
  };
  await use((client) => client.workflow.start('none', { workflowId: 'kept', taskQueue: 'none' }));
  process.kill(first.embedded!.pid, 'SIGKILL');
  while (isAlive(first.embedded!.pid)) await new Promise(setImmediate);
  expect(await connectIfRunning(env)).toBeUndefined();

  const again = await connect({ env });
  expect(again.embedded!.pid).not.toBe(first.embedded!.pid);
  expect(again.connectionOptions).toEqual(first.connectionOptions);
  expect(again.uiUrl).toBe(first.uiUrl);
  expect((await use((client) => client.workflow.getHandle('kept').describe())).status.name).toBe('RUNNING');

  await expect(connect({ env: { ...env, TEMPORAL_NAMESPACE: 'ops' } })).rejects.toThrow(
    `The embedded engine that runs here (process ${again.embedded!.pid}) has the namespace default, not ops`,
  );
  expect(await stopLocalEngine(env)).toBe(true);
  expect(await processIdentity(again.embedded!.pid)).toBeUndefined();
  expect(await stopLocalEngine(env)).toBe(false);
});

test('a state file of an engine that is gone, or broken, starts a new one', async () => {
  const first = await connect({ env });
  const state = join(env['XDG_DATA_HOME']!, 'hitless', 'engine.json');
  const text = await readFile(state, 'utf8');
  await stopLocalEngine(env);
  // Its process ID and its port belong to other programs now.
  const other = spawn('/bin/sleep', ['60']);
  const listener = createServer((socket) => socket.destroy()).listen(first.embedded!.port, '127.0.0.1');
  try {
    await once(listener, 'listening');
    await writeFile(state, JSON.stringify({ ...(JSON.parse(text) as object), pid: other.pid }));
    expect(await connectIfRunning(env)).toBeUndefined();
    expect(await stopLocalEngine(env)).toBe(false);
    expect(isAlive(other.pid!)).toBe(true);
    const { embedded } = await connect({ env });
    expect(embedded!.pid).not.toBe(other.pid);
    expect(embedded!.port).not.toBe(first.embedded!.port);
  } finally {
    other.kill();
    listener.close();
  }
  await stopLocalEngine(env);
  await writeFile(state, '{');
  expect((await connect({ env })).embedded).toBeDefined();
});

test('an engine whose starter was killed before it served is found, not started again', async () => {
  const { embedded } = await connect({ env });
  await stopLocalEngine(env);
  const db = join(env['XDG_DATA_HOME']!, 'hitless', 'engine.db');
  // What a starter leaves behind that is killed right after it remembered the engine.
  const state = join(env['XDG_DATA_HOME']!, 'hitless', 'engine.json');
  let found: ReturnType<typeof connect> | undefined;
  const orphan = await startEngine({
    binary: await testBinary(),
    dbFile: db,
    port: embedded!.port,
    uiPort: embedded!.uiPort,
    onSpawned: async ({ pid }) => {
      await writeFile(state, JSON.stringify({ ...embedded, pid, identity: await processIdentity(pid) }));
      found = connect({ env });
    },
  });
  expect((await found!).embedded!.pid).toBe(orphan.pid);
  await orphan.stop();
});
