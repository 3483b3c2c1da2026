/** Where the engine comes from. No test here reaches the internet: downloads are pointed at proxies on loopback. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildEngine, builtEnginePath } from '../../../worker/engine/build';
import { UnusableBinary } from '../../../worker/engine/binary';
import { NoEngineError, locate } from '../../../worker/engine/locate';
import { withLock } from '../../../worker/engine/paths';
import { freePort } from '../../../worker/engine/ports';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hitless-locate-'));
  mkdirSync(join(folder, 'bin'));
  // Nothing but what the programs here need, for the machine may have a real `go` or `temporal`.
  for (const tool of ['chmod', 'sleep']) symlinkSync(join('/bin', tool), join(folder, 'bin', tool));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program on the PATH of the test. */
const program = (name: string, body: string): string => {
  const path = join(folder, 'bin', name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
};
const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  PATH: join(folder, 'bin'),
  XDG_CACHE_HOME: join(folder, 'cache'),
  TMPDIR: folder,
  ...more,
});
const cli = (server: string): string => program('temporal', `echo 'temporal version 1.9.1 (Server ${server}, UI 2.54.1)'`);
/** Stands for the Go toolchain: fast, but run by the same code. What it "builds" is a program that prints a version. */
const go = (build = ''): string =>
  program(
    'go',
    `case "$1" in
       env) printf 'go1.26.8\\nlinux\\namd64\\n';;
       build) echo run >> "${folder}/builds"; ${build}
         while [ "$1" != -o ]; do shift; done
         printf '#!/bin/sh\\necho "hitless-engine (Server 1.32.1, UI 2.55.0)"\\n' > "$2"; chmod +x "$2";;
     esac`,
  );
const builds = (): number => (existsSync(join(folder, 'builds')) ? readFileSync(join(folder, 'builds'), 'utf8').split('run').length - 1 : 0);

async function noNetwork(): Promise<Record<string, string>> {
  return { https_proxy: `http://127.0.0.1:${await freePort()}` };
}

describe('the order', () => {
  test('HITLESS_ENGINE alone counts when it is set', async () => {
    cli('1.32.0');
    const path = program('mine', 'echo "hitless-engine (Server 1.32.1, UI 2.55.0)"');
    expect(await locate({ env: environment({ HITLESS_ENGINE: path }) })).toMatchObject({ path, kind: 'hitless' });
    const gone = locate({ env: environment({ HITLESS_ENGINE: join(folder, 'gone') }) });
    await expect(gone).rejects.toBeInstanceOf(UnusableBinary);
    await expect(gone).rejects.toThrow(`${join(folder, 'gone')}: not found`);
  });

  test('a new CLI on PATH comes first', async () => {
    cli('1.32.0');
    go();
    expect(await locate({ env: environment() })).toMatchObject({ path: 'temporal', kind: 'cli', server: '1.32.0' });
    expect(builds()).toBe(0);
  });

  test('an old CLI is passed over; without a network the engine is built, and found the next time', async () => {
    cli('1.29.1');
    go();
    const env = environment(await noNetwork());
    const told: string[] = [];
    const first = await locate({ env, onProgress: (message) => told.push(message) });
    expect(first).toMatchObject({ kind: 'hitless', server: '1.32.1', path: await builtEnginePath(env) });
    expect(told).toEqual([
      'downloading the Temporal CLI',
      'building the engine with Go: takes some minutes, the first time only',
      'the engine is built',
    ]);
    told.length = 0;
    expect(await locate({ env, onProgress: (message) => told.push(message) })).toEqual(first);
    expect(told).toEqual([]);
    expect(builds()).toBe(1);
  });

  test('the kind that made the database goes before the order', async () => {
    cli('1.32.0');
    go();
    const env = environment(await noNetwork());
    expect(await locate({ env, prefer: 'hitless' })).toMatchObject({ kind: 'hitless' });
    expect(await locate({ env, prefer: 'cli' })).toMatchObject({ kind: 'cli' });
  });

  test('when nothing works, one error says what was tried and what to do', async () => {
    cli('1.29.1');
    const error = await locate({ env: environment(await noNetwork()) }).catch((e: unknown) => e as Error);
    expect(error).toBeInstanceOf(NoEngineError);
    const { message } = error as NoEngineError;
    expect(message).toContain('`temporal` on PATH: temporal: its Temporal server is 1.29.1, Hitless needs 1.31.0 or newer');
    expect(message).toMatch(/the SDK's download of the Temporal CLI: .*(temporal\.download|error)/);
    expect(message).toContain('a build of engine/ with Go: no `go` on PATH');
    expect(message).toContain('TEMPORAL_ADDRESS');
  });
});

describe('the download', () => {
  let proxy: Server;
  afterEach(() => void proxy.close());

  test('is given up where packets vanish', async () => {
    const sockets: { destroy(): void }[] = [];
    proxy = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1'); // takes the request, answers never
    await once(proxy, 'listening');
    const { port } = proxy.address() as { port: number };
    const env = environment({ https_proxy: `http://127.0.0.1:${port}` });
    const error = await locate({ env, downloadTimeoutMs: 4_000 }).catch((e: unknown) => e as Error);
    for (const socket of sockets) socket.destroy();
    expect(sockets.length).toBeGreaterThan(0);
    expect((error as Error).message).toContain("the SDK's download of the Temporal CLI: given up after 4 s");
  });
});

describe('the build', () => {
  test('runs once for two who want it at once, and leaves nothing half done', async () => {
    go('sleep 1;');
    const env = environment();
    const told: string[] = [];
    const paths = await Promise.all([0, 1, 2].map(() => buildEngine((message) => told.push(message), env)));
    expect(new Set(paths).size).toBe(1);
    expect(builds()).toBe(1);
    expect(told.filter((message) => message.startsWith('waiting for process'))).toHaveLength(2);
    const [path] = paths as [string, string, string];
    expect(readdirSync(join(path, '..'))).toEqual(['hitless-engine']);
    expect(readdirSync(join(path, '../..'))).toHaveLength(1);
  });

  test('a failed build says what Go said, and the next one starts anew', async () => {
    go('echo "go: go.mod requires go >= 1.26.8 (running go 1.22.1; GOTOOLCHAIN=local)" >&2; exit 1;');
    const env = environment();
    await expect(buildEngine(undefined, env)).rejects.toThrow(/ended with 1:\ngo: go.mod requires go >= 1.26.8/);
    const path = await builtEnginePath(env);
    expect(readdirSync(join(path, '..'))).toEqual([]);
    go();
    expect(await buildEngine(undefined, env)).toBe(path);
  });

  test('other sources are another engine', async () => {
    go();
    const sources = join(folder, 'engine');
    mkdirSync(sources);
    writeFileSync(join(sources, 'go.mod'), 'module x');
    writeFileSync(join(sources, 'main.go'), 'package main');
    const before = await builtEnginePath(environment(), sources);
    writeFileSync(join(sources, 'main_test.go'), 'package main');
    expect(await builtEnginePath(environment(), sources)).toBe(before);
    writeFileSync(join(sources, 'main.go'), 'package main // changed');
    const changed = await builtEnginePath(environment(), sources);
    expect(changed).not.toBe(before);
    mkdirSync(join(sources, 'left-out'));
    writeFileSync(join(sources, 'left-out', 'stub.go'), 'package stub');
    expect(await builtEnginePath(environment(), sources)).not.toBe(changed);
  });
});

describe('the lock', () => {
  test('of a process that is gone is taken over', async () => {
    const file = join(folder, 'lock');
    writeFileSync(file, '999999999');
    expect(await withLock(file, async () => readFileSync(file, 'utf8'))).toBe(String(process.pid));
    expect(existsSync(file)).toBe(false);
  });

  test('is let go when the work fails', async () => {
    const file = join(folder, 'lock');
    await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(existsSync(file)).toBe(false);
  });
});
