/** The command line without a server. */
import { createServer, type Socket } from 'node:net';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodes } from '../../client/exit';
import { sudoersFiles } from '../../client/sudoers';
import { hitless } from './fixtures/command';

const example = join(__dirname, '../../docs/inventory.example.yaml');
const nowhere = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

describe('usage', () => {
  it('help says what the exit codes mean, and costs nothing', async () => {
    const help = await hitless(nowhere, ['--help']);
    expect(help.code).toBe(0);
    for (const code of Object.values(exitCodes)) expect(help.out).toMatch(new RegExp(`^ {2}${code} {2}\\w`, 'm'));
  });

  const commands = [
    'check',
    'plan',
    'start',
    'status',
    'approve',
    'reject',
    'decide',
    'pause',
    'resume',
    'switch-back',
    'cancel',
    'worker',
  ];
  it.each([
    ...commands.map((c) => [c]),
    ['inventory', 'validate'],
    ['engine', 'status'],
    ['engine', 'stop'],
    ['inventory'],
    ['engine'],
    ['simulate'],
    ['simulate', 'panos'],
  ])('%s %s has examples', async (...command) => {
    const help = await hitless(nowhere, [...command, '--help']);
    expect(help.code).toBe(0);
    expect(help.out).toContain('Examples:\n  ');
  });

  it.each([
    [['frobnicate'], 'unknown command'],
    [['start', 'fw-dc1'], "missing required argument 'version'"],
    [['status'], 'missing required argument'],
    [['status', 'fw-dc1', '--wach'], '--watch'],
    [['pause', 'fw-dc1'], '--reason'],
    [['approve', 'FW DC1'], 'cluster:'],
    [['start', 'fw-dc1', '2.0', '--procedure', 'toaster'], 'procedures: firewall-pair'],
  ])('%j is wrong usage', async (args, words) => {
    const ran = await hitless(nowhere, args);
    expect(ran.code).toBe(exitCodes.usage);
    expect(ran.err).toContain(words);
    expect(ran.out).toBe('');
  });
});

describe('without a server', () => {
  it.each([[['status', 'fw-dc1']], [['start', 'fw-dc1', '2.0']], [['approve', 'fw-dc1']], [['check', 'fw-dc1']]])(
    '%j says so, and what to do',
    async (args) => {
      const ran = await hitless(nowhere, args);
      expect(ran.code).toBe(exitCodes.unreachable);
      expect(ran.err).toContain('the Temporal server at 127.0.0.1:1');
      expect(ran.err).toContain('TEMPORAL_ADDRESS');
    },
  );

  it('as JSON too', async () => {
    const ran = await hitless(nowhere, ['status', 'fw-dc1', '--json']);
    expect(ran.json).toMatchObject({
      error: { exitCode: 4, message: expect.stringContaining('127.0.0.1:1') as string },
    });
    expect(ran.err).toBe('');
  });

  it('with a server that accepts and never answers', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      const ran = await hitless({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` }, ['status', 'fw-dc1']);
      expect(ran.code).toBe(exitCodes.unreachable);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  it('with neither an address nor an engine here', async () => {
    const home = mkdtempSync(join(tmpdir(), 'hitless-home-'));
    try {
      const ran = await hitless({ HOME: home, XDG_DATA_HOME: home, XDG_STATE_HOME: home }, ['status', 'fw-dc1']);
      expect(ran.code).toBe(exitCodes.unreachable);
      expect(ran.err).toContain('TEMPORAL_ADDRESS is not set');
      expect(ran.err).toContain('hitless worker');
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});

describe('inventory validate', () => {
  it('the example', async () => {
    const ran = await hitless({}, ['inventory', 'validate', example]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain(
      'is valid: 7 hosts, 1 cluster\n  fw-dc1  firewall-pair  nodes fw1, fw2  releases 1.0, 2.0',
    );
  });

  it('a broken one, for people and for scripts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hitless-inventory-'));
    const file = join(folder, 'inventory.yaml');
    writeFileSync(file, 'schema: 1\nhost: {}\n', { mode: 0o644 });
    try {
      const ran = await hitless({ HITLESS_INVENTORY: file }, ['inventory', 'validate']);
      expect(ran.code).toBe(exitCodes.usage);
      expect(ran.err).toContain('- line 2, column 1: host: unknown key → did you mean "hosts"?');
      const json = (await hitless({}, ['inventory', 'validate', file, '--json'])).json;
      expect(json).toMatchObject({
        error: {
          exitCode: 2,
          details: {
            faults: [
              { path: 'clusters', line: 1 },
              { path: 'host', line: 2, column: 1 },
            ],
          },
        },
      });
      // A worker looks at it before it looks for an engine.
      const worker = await hitless({}, ['worker', '--inventory', file]);
      expect(worker.code).toBe(exitCodes.usage);
      expect(worker.err).toContain('unknown key');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('worker', () => {
  it('says what is wrong with an option, without a stack', async () => {
    const ran = await hitless({}, ['worker', '--watch-slots', 'x']);
    expect(ran.code).toBe(exitCodes.usage);
    expect(ran.err).toContain(
      "option '--watch-slots <number>' argument 'x' is invalid. It is no whole number above 0.",
    );
  });
});

describe('engine', () => {
  it('says so where none runs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hitless-cli-'));
    const env = { XDG_DATA_HOME: folder };
    try {
      expect(await hitless(env, ['engine', 'status', '--json'])).toMatchObject({ code: 0, json: { running: false } });
      expect((await hitless(env, ['engine', 'stop'])).out).toContain('no engine of yours runs');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('plan --sudoers', () => {
  it('needs no server where an inventory is at hand', async () => {
    const ran = await hitless(nowhere, ['plan', 'fw-dc1', '2.0', '--sudoers', '--inventory', example, '--json']);
    expect(ran.code).toBe(0);
    const { files } = ran.json as { files: { host: string; user: string; text: string }[] };
    // Where root isn't needed, or nothing is run as root, there is no file.
    expect(files.map((f) => f.host)).toEqual(['border', 'edge', 'fw1', 'fw2']);
    const only = await hitless(nowhere, [
      'plan',
      'fw-dc1',
      '2.0',
      '--sudoers',
      '--host',
      'fw1',
      '--inventory',
      example,
    ]);
    expect(only.out).toBe(files[2]?.text);
    expect(only.out).toContain('hitless ALL=(root) NOPASSWD: /');
  });

  it('are files that visudo takes', async () => {
    if (!existsSync('/usr/sbin/visudo')) return console.warn('no visudo on this machine: the syntax was not checked');
    const folder = mkdtempSync(join(tmpdir(), 'hitless-sudoers-'));
    try {
      const ran = await hitless(nowhere, ['plan', 'fw-dc1', '2.0', '--sudoers', '--inventory', example, '--json']);
      const odd = sudoersFiles(
        { h: { user: 'CORP\\o,dd', root: 'sudo' } },
        [{ host: 'h', as: 'root', command: '/bin/true ""' }],
        { cluster: 'c', version: '' },
      );
      for (const { text } of [...(ran.json as { files: typeof odd }).files, ...odd]) {
        const file = join(folder, 'hitless');
        writeFileSync(file, text, { mode: 0o440 });
        execFileSync('/usr/sbin/visudo', ['-cf', file], { stdio: 'pipe' });
        rmSync(file);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('tells an unknown cluster and an unknown release', async () => {
    const cluster = await hitless(nowhere, ['plan', 'fw-dc2', '2.0', '--sudoers', '--inventory', example]);
    expect(cluster.code).toBe(exitCodes.notFound);
    expect(cluster.err).toContain('did you mean "fw-dc1"?');
    const release = await hitless(nowhere, ['plan', 'fw-dc1', '3.0', '--sudoers', '--inventory', example]);
    expect(release.code).toBe(exitCodes.usage);
    expect(release.err).toContain('there is no release "3.0"');
  });
});
