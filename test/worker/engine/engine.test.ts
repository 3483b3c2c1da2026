import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import { activityInfo } from '@temporalio/activity';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { startEngine, type Engine, type EngineBinary } from '../../../worker/engine';
import { isAlive } from '../../../worker/engine/paths';
import { isListening } from '../../../worker/engine/ports';
import { engineTimeoutMs, startTestEngine, testBinary, type TestEngine } from '../../support/engine';
import { enableTimeSkipping } from '../../support/time-skipping';

const portOf = (address: string): number => Number(address.split(':')[1]);

async function withClient<T>(engine: Engine, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: engine.address });
  try {
    return await use(new Client({ connection, namespace: engine.namespace }));
  } finally {
    await connection.close();
  }
}

let folder: string;
let binary: EngineBinary;
let engines: Engine[];
const start = async (...args: Parameters<typeof startEngine>): Promise<Engine> => {
  const engine = await startEngine(...args);
  engines.push(engine);
  return engine;
};
beforeAll(async () => void (binary = await testBinary()), engineTimeoutMs);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hitless-engine-'));
  engines = [];
});
afterEach(async () => {
  for (const engine of engines) await engine.stop();
  await rm(folder, { recursive: true, force: true });
});

test('runs survive kill -9, and new search attributes reach the existing database', async () => {
  const dbFile = join(folder, 'new folder', 'engine?#%.db');
  const first = await start({ binary, dbFile, searchAttributes: { UpgradeCluster: 'Keyword' }, uiPort: 0 });
  expect(first.uiUrl).toBeUndefined();
  const cluster = defineSearchAttributeKey('UpgradeCluster', SearchAttributeType.KEYWORD);
  const count = defineSearchAttributeKey('Extra', SearchAttributeType.INT);
  await withClient(first, async (client) => {
    await client.workflow.start('none', {
      workflowId: 'upgrade-fw',
      taskQueue: 'none',
      typedSearchAttributes: [{ key: cluster, value: 'fw' }],
    });
    await client.workflow.getHandle('upgrade-fw').signal('approve', { by: 'alice' });
  });
  await first.kill();
  expect(isAlive(first.pid)).toBe(false);

  const second = await start({
    binary,
    dbFile,
    uiPort: 0,
    searchAttributes: { Extra: 'Int', UpgradePhase: 'Keyword', UpgradeCluster: 'Keyword' },
  });
  await withClient(second, async (client) => {
    const handle = client.workflow.getHandle('upgrade-fw');
    const description = await handle.describe();
    expect(description.status.name).toBe('RUNNING');
    expect(description.typedSearchAttributes.get(cluster)).toBe('fw');
    const { events } = await handle.fetchHistory();
    expect(events?.some((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'approve')).toBe(true);
    // From the first request on, without a wait for the server's caches.
    const other = await client.workflow.start('none', {
      workflowId: 'other',
      taskQueue: 'none',
      typedSearchAttributes: [{ key: count, value: 3 }],
    });
    expect((await other.describe()).typedSearchAttributes.get(count)).toBe(3);
    const { namespaceInfo, config } = await client.workflowService.describeNamespace({ namespace: 'default' });
    expect(namespaceInfo?.name).toBe('default');
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(365 * 86_400);
  });
  await second.stop();

  await expect(start({ binary, dbFile, searchAttributes: { Extra: 'Keyword' } })).rejects.toThrow(
    /at its start ended with exit code 1.*search attribute Extra is registered as Int, not as Keyword/s,
  );
});

test('two run side by side; two over one database do not', async () => {
  const [one, two] = await Promise.all(['one', 'two'].map((name) => start({ binary, dbFile: join(folder, name) })));
  expect(one!.address).not.toBe(two!.address);
  await withClient(one!, (client) => client.workflow.start('none', { workflowId: 'only-here', taskQueue: 'none' }));
  await withClient(two!, async (client) => {
    await expect(client.workflow.getHandle('only-here').describe()).rejects.toThrow(/not found/i);
  });
  await expect(start({ binary, dbFile: join(folder, 'one') })).rejects.toThrow(
    `is in use by another engine (process ${one!.pid})`,
  );
});

test('the Web UI answers, knows the namespace, and asks the internet for nothing', async () => {
  const engine = await start({ binary, dbFile: join(folder, 'db') });
  const index = await fetch(engine.uiUrl!);
  expect(index.status).toBe(200);
  expect((await index.text()).match(/(?:src|href)="(?:https?:)?\/\/[^"]*"/g)).toBeNull();
  const namespaces = await fetch(`${engine.uiUrl}/api/v1/namespaces`);
  expect(namespaces.status).toBe(200);
  expect(JSON.stringify(await namespaces.json())).toContain('"name":"default"');
  const settings = (await (await fetch(`${engine.uiUrl}/api/v1/settings`)).json()) as Record<string, unknown>;
  expect(settings).toMatchObject({ DisableNewsFetch: true, WorkflowPauseDisabled: true });
});

test('stop leaves neither a process nor a listener, and the database whole', async () => {
  const engine = await start({ binary, dbFile: join(folder, 'db') });
  const ports = [portOf(engine.address), portOf(engine.uiUrl!.replace('http://', ''))];
  await engine.stop();
  await engine.stop();
  expect(isAlive(engine.pid)).toBe(false);
  expect(await Promise.all(ports.map(isListening))).toEqual([false, false]);
});

test('a program that is no engine, or ends, gives its own last words', async () => {
  const broken = { ...binary, path: '/bin/false' };
  await expect(start({ binary: broken, dbFile: join(folder, 'db') })).rejects.toThrow(/ended with exit code 1/);
  const gone = { ...binary, path: join(folder, 'gone') };
  await expect(start({ binary: gone, dbFile: join(folder, 'db') })).rejects.toThrow(/ENOENT/);
});

describe('the program by itself', () => {
  const run = (...args: string[]) => {
    const child = spawn(binary.path, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    const exit = once(child, 'close').then(([code]) => ({ code: code as number, out, err }));
    return { child, exit, line: once(child.stdout, 'data').then(() => out) };
  };

  test('picks ports, says in one line of JSON where it serves, and ends with its parent', async () => {
    if (binary.kind !== 'hitless') return;
    const db = join(folder, 'db');
    const { child, exit, line } = run('--db', db, '--port', '0', '--ui-port', 'free', '--exit-with-parent', '--log', `${db}.log`);
    const ready = JSON.parse(await line) as { frontend: string; ui: string };
    expect(await isListening(portOf(ready.frontend))).toBe(true);
    expect((await fetch(ready.ui)).status).toBe(200);
    child.stdin.end(); // as the kernel does for a parent that was killed
    const { code, out, err } = await exit;
    expect({ code, err, lines: out.trim().split('\n').length }).toEqual({ code: 0, err: '', lines: 1 });
  });

  test.each([
    [['--dynamic-config', 'frontend.WorkflowTimeSkipingEnabled=true'], 'unregistered key'],
    [['--dynamic-config', 'frontend.WorkflowTimeSkippingEnabled="maybe"'], 'validation failed'],
    [['--dynamic-config', 'frontend.WorkflowTimeSkippingEnabled=maybe'], 'want KEY=JSON'],
    [['--search-attribute', 'UpgradeCluster=keyword list'], 'want NAME=Type'],
    [['--retention', 'long'], 'invalid duration'],
    [['extra'], 'no other arguments'],
  ])('refuses %j', async (args, message) => {
    if (binary.kind !== 'hitless') return;
    const { code, err } = await run('--db', join(folder, 'db'), '--port', '0', '--ui-port', '0', ...args).exit;
    expect(code).not.toBe(0);
    expect(err).toContain(message);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('native time skipping', () => {
  let engine: TestEngine;
  let worker: Worker;
  let connection: NativeConnection;
  let running: Promise<void>;
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    engine = await startTestEngine({ uiPort: 0 });
    connection = await NativeConnection.connect({ address: engine.address });
    worker = await Worker.create({
      connection,
      taskQueue: 'days',
      workflowsPath: require.resolve('./workflows'),
      activities: {
        async untilContent() {
          if (activityInfo().attempt < 20) throw new Error('not yet');
        },
      },
    });
    running = worker.run();
  }, engineTimeoutMs);
  afterAll(async () => {
    worker?.shutdown();
    await running;
    await connection?.close();
    await engine?.remove();
  });

  test('ten days of timers and twenty minutes of retries pass', async () => {
    const started = Date.now();
    const [passed, events] = await withClient(engine, async (client) => {
      const handle = await client.workflow.start('tenDays', { workflowId: 'days', taskQueue: 'days' });
      await enableTimeSkipping(client, 'days');
      return [(await handle.result()) as number, (await handle.fetchHistory()).events ?? []] as const;
    });
    expect(passed).toBeGreaterThanOrEqual(10 * 86_400_000 + 19 * 60_000);
    expect(Date.now() - started).toBeLessThan(passed); // it did skip: no test could wait for ten days
    expect(events.filter((e) => e.workflowExecutionTimeSkippingTransitionedEventAttributes != null).length).toBeGreaterThanOrEqual(10);
  });
});
