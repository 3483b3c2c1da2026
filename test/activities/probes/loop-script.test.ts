import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { monitoringSpec, type Measurement } from '../../../activities/probes';
import { measurementOf } from '../../../activities/probes/host-loop';
import { loopScript, parseLine, quote, type LoopedProbe } from '../../../activities/probes/loop-script';
import { toolScript } from '../../../activities/probes/checks';
import { scheduleOf } from '../../../activities/probes/spec';
import { describeAsRoot, eventually, localLines, marked } from './support/bash';
import { closedPort, httpServer, tcpServer, type TestServer } from './support/servers';

/** Probes as a plan has them. */
function looped(...probes: Record<string, unknown>[]): LoopedProbe[] {
  const monitoring = monitoringSpec.parse({ periodMs: '1h', probes });
  return monitoring.probes.map((probe) => ({ ...probe, ...scheduleOf(probe, monitoring) }) as LoopedProbe);
}

/** One round of each probe, by the real script in a real bash. */
async function round(
  probes: LoopedProbe[],
  options: { netns?: string; baseline?: Record<string, number> } = {},
): Promise<Record<string, Measurement>> {
  const found: Record<string, Measurement> = {};
  const process = localLines(
    ['bash', '-c', loopScript(probes, 1)],
    (line) => {
      const one = measurementOf(line, { probes, baseline: options.baseline ?? {}, isBaseline: false });
      if (one !== undefined) found[one.name] = one.measurement;
    },
    options,
  );
  expect(await process.ended).toBe('it ended with code 0');
  return found;
}

let open: TestServer;
let web: TestServer;
let closed: number;
beforeAll(async () => {
  open = await tcpServer();
  closed = await closedPort();
  web = await httpServer((request, response) => {
    if (request.url === '/slow') return; // never answers
    if (request.url === '/half') {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('half of it');
      return void setTimeout(() => response.destroy(), 20);
    }
    if (request.url === '/binary') return void response.end(Buffer.from([0, 1, 2, 0x6f, 0x6b, 0, 255]));
    response.statusCode = request.url === '/broken' ? 503 : request.url === '/moved' ? 302 : 200;
    response.end("it's all “fine”\nhere & there\n");
  });
});
afterAll(async () => {
  await open.close();
  await web.close();
});

const from = 'client';
const url = (path: string): string => `http://127.0.0.1:${web.port}${path}`;

test('tcp: open, refused, and what must be refused', async () => {
  const found = await round(
    looped(
      { name: 'open', kind: 'tcp', from, to: open.to },
      { name: 'closed', kind: 'tcp', from, to: `127.0.0.1:${closed}` },
      { name: 'must-not', kind: 'tcp', from, to: open.to, expect: 'refused' },
      { name: 'does-not', kind: 'tcp', from, to: `127.0.0.1:${closed}`, expect: 'refused' },
      { name: 'no-name', kind: 'tcp', from, to: 'no-such-name.invalid:80' },
    ),
  );
  expect(found['open']).toEqual({ verdict: 'pass', latencyMs: expect.any(Number) as number });
  expect(found['closed']).toEqual({ verdict: 'fail', why: `127.0.0.1:${closed}: Connection refused` });
  expect(found['must-not']).toMatchObject({ verdict: 'fail' });
  expect(found['does-not']).toEqual({ verdict: 'pass' });
  expect(found['no-name']).toMatchObject({ verdict: 'inconclusive' });
});

test('http: statuses, text, what breaks off, what is refused', async () => {
  const found = await round(
    looped(
      { name: 'fine', kind: 'http', from, url: url('/'), contains: "it's all “fine”" },
      { name: 'two-lines', kind: 'http', from, url: url('/'), contains: '”\nhere & there' },
      { name: 'other-text', kind: 'http', from, url: url('/'), contains: 'it?s all' },
      { name: 'binary', kind: 'http', from, url: url('/binary'), contains: 'ok' },
      { name: 'broken', kind: 'http', from, url: url('/broken') },
      { name: 'moved', kind: 'http', from, url: url('/moved'), status: '300-399' },
      { name: 'slow', kind: 'http', from, url: url('/slow'), intervalMs: '2s', timeoutMs: '1500ms' },
      { name: 'half', kind: 'http', from, url: url('/half'), contains: 'half' },
      { name: 'closed', kind: 'http', from, url: `http://127.0.0.1:${closed}/` },
      { name: 'refused', kind: 'http', from, url: `http://127.0.0.1:${closed}/`, expect: 'refused' },
      { name: 'answers', kind: 'http', from, url: url('/broken'), expect: 'refused' },
      { name: 'no-name', kind: 'http', from, url: 'http://no-such-name.invalid/' },
    ),
  );
  expect(Object.fromEntries(Object.entries(found).map(([name, m]) => [name, m.verdict]))).toEqual({
    fine: 'pass',
    'two-lines': 'pass',
    'other-text': 'fail',
    binary: 'pass',
    broken: 'fail',
    moved: 'pass',
    slow: 'fail',
    half: 'fail',
    closed: 'fail',
    refused: 'pass',
    answers: 'fail',
    'no-name': 'inconclusive',
  });
  expect(found['broken']?.why).toBe(`${url('/broken')}: status 503, not 200-299`);
  expect(found['closed']?.why).toContain('Failed to connect');
  expect(found['half']?.why).toContain('status 200, then');
});

test('commands: numbers, bounds, and every way to give none', async () => {
  const command = (name: string, argv: string[], more: Record<string, unknown> = {}): Record<string, unknown> => ({
    name,
    kind: 'command',
    from,
    argv,
    bound: { max: 10 },
    intervalMs: '1s',
    ...more,
  });
  const found = await round(
    looped(
      command('number', ['printf', '%s', 'entries: 7\n']),
      command('too-high', ['printf', '%s\\n', '11']),
      command('below-baseline', ['echo', '5'], { bound: { minPercent: 80 } }),
      command('nothing', ['true']),
      command('fails', ['bash', '-c', 'echo "it is\tbroken" >&2; exit 3']),
      command('code-that-is-fine', ['bash', '-c', 'echo 0; exit 1'], { okCodes: [0, 1] }),
      command('missing', ['no-such-command-here']),
      command('slow', ['sleep', '20'], { timeoutMs: 200 }),
      command('long', ['seq', '1', '100000'], { pattern: '^(7)$' }),
      command('words', ['printf', '%s', '  6 "\'$HOME` \\ *\n'], { pattern: '(\\d) "\'\\$HOME` \\\\ \\*' }),
    ),
    { baseline: { 'below-baseline': 10 } },
  );
  expect(found['number']).toEqual({ verdict: 'pass', value: 7 });
  expect(found['too-high']).toEqual({ verdict: 'fail', value: 11, why: 'printf: 11 is above 10' });
  expect(found['below-baseline']).toMatchObject({ verdict: 'fail', value: 5 });
  expect(found['nothing']).toMatchObject({ verdict: 'inconclusive' });
  expect(found['fails']).toEqual({ verdict: 'inconclusive', why: 'bash ended with code 3: it is broken' });
  expect(found['code-that-is-fine']).toEqual({ verdict: 'pass', value: 0 });
  expect(found['missing']).toMatchObject({
    verdict: 'inconclusive',
    why: expect.stringContaining('isn’t installed') as string,
  });
  expect(found['slow']).toEqual({ verdict: 'inconclusive', why: 'sleep took too long' });
  expect(found['long']).toEqual({ verdict: 'pass', value: 7 });
  expect(found['words']).toEqual({ verdict: 'pass', value: 6 });
});

test('any word survives bash', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }), (words) => {
      const clean = words.map((word) => word.replaceAll('\0', ''));
      const { stdout } = spawnSync('bash', ['-c', `printf '%s\\0' ${clean.map(quote).join(' ')}`], {
        encoding: 'utf8',
      });
      expect(stdout.split('\0').slice(0, -1)).toEqual(clean);
    }),
    { numRuns: 50 },
  );
});

test('noise isn’t taken for a result', () => {
  const probes = looped({ name: 'a', kind: 'tcp', from, to: 'a:1' });
  const meaning = (line: string): unknown => measurementOf(line, { probes, baseline: {}, isBaseline: false });
  expect(meaning('P\t0\t1\t5\topen\t\t')).toEqual({ name: 'a', measurement: { verdict: 'pass', latencyMs: 5 } });
  for (const line of [
    '',
    'Welcome!',
    'P',
    'P\t0\t1\t5\topen',
    'P\t7\t1\t5\topen\t\t',
    'P\t0\tx\t5\topen\t\t',
    'P\t0\t1\t5\tyes\t\t',
  ])
    expect(meaning(line)).toBeUndefined();
  expect(parseLine('P\t0\t1\t-3\topen\t\t')).toMatchObject({ ms: 0 });
  expect(parseLine('H\t5.2\r')).toEqual({ type: 'hello', version: '5.2' });
});

describe('the loop', () => {
  const endless = (mark: string, deadManS?: number): { lines: string[]; process: ReturnType<typeof localLines> } => {
    const lines: string[] = [];
    const probes = looped(
      { name: 'a', kind: 'tcp', from, to: open.to, intervalMs: 100 },
      { name: 'b', kind: 'command', from, argv: ['sleep', '60'], bound: { min: 0 }, intervalMs: '2s', timeoutMs: '1s' },
    );
    const process = localLines(['bash', '-c', loopScript(probes, 0, deadManS)], (line) => lines.push(line), {
      env: { ...globalThis.process.env, HITLESS_MARK: mark },
    });
    return { lines, process };
  };
  const rounds = (lines: string[]): number => lines.filter((line) => line.startsWith('P\t0\t')).length;

  test('says hello, repeats its rounds, and leaves nothing behind when the channel closes', async () => {
    const mark = `loop-${process.pid}-closes`;
    const loop = endless(mark);
    await eventually('five rounds', () => rounds(loop.lines) >= 5);
    expect(loop.lines[0]).toMatch(/^H\t5\./);
    expect(marked(mark).length).toBeGreaterThan(2);
    loop.process.close();
    await loop.process.ended;
    await eventually('nothing left', () => marked(mark).length === 0);
  });

  test('ends by itself when the worker has gone silent, and not before', async () => {
    const mark = `loop-${process.pid}-silent`;
    const loop = endless(mark, 2);
    let alive = true;
    const beat = setInterval(() => alive && loop.process.write('\n'), 200);
    // Far longer than the dead man's time: signs of life keep it going.
    await eventually('fifty rounds', () => rounds(loop.lines) >= 50);
    alive = false;
    await loop.process.ended;
    clearInterval(beat);
    await eventually('nothing left', () => marked(mark).length === 0);
  });

  test('a killed master takes the loops with it', async () => {
    const mark = `loop-${process.pid}-killed`;
    const loop = endless(mark);
    await eventually('a round', () => rounds(loop.lines) >= 1);
    process.kill(loop.process.pid, 'SIGTERM');
    await loop.process.ended;
    await eventually('nothing left', () => marked(mark).length === 0);
  });

  test.each([
    ['back', -7_200],
    ['forward', 7_200],
  ])('a step of the host’s clock %s neither stops its rounds nor makes them burst', async (_, seconds) => {
    const folder = mkdtempSync(join(tmpdir(), 'hitless-clock-'));
    const file = join(folder, 'offset');
    writeFileSync(file, '0\n');
    const probes = looped({ name: 'a', kind: 'tcp', from, to: open.to, intervalMs: 100 });
    // The host's clock, as far as the script sees it, is set by this file.
    const script = loopScript(probes).replace(/^wall\(\) .*$/m, (line) => {
      expect(line).toContain('EPOCHREALTIME');
      return `wall() { local off; read -r off < ${file}; WALL=\${EPOCHREALTIME/[.,]/}; (( WALL += off * 1000000 )); }`;
    });
    const lines: string[] = [];
    const process = localLines(['bash', '-c', script], (line) => lines.push(line));
    await eventually('rounds', () => rounds(lines) >= 3);
    writeFileSync(file, `${seconds}\n`);
    const before = rounds(lines);
    await eventually('rounds after it', () => rounds(lines) >= before + 20);
    process.close();
    await process.ended;
    rmSync(folder, { recursive: true, force: true });
    const [times, took] = [2, 3].map((column) =>
      lines.filter((line) => line.startsWith('P')).map((line) => Number(line.split('\t')[column])),
    ) as [number[], number[]];
    // The rounds keep their phase, and none is said to have taken hours.
    expect(times.slice(1).every((at, i) => at - times[i]! >= 0 && at - times[i]! < 60_000)).toBe(true);
    expect(Math.max(...took)).toBeLessThan(60_000);
    // An interval of 100 ms, less what the first one was late.
    expect((times.at(-1)! - times[0]!) / (times.length - 1)).toBeGreaterThan(50);
  });

  test('a bash that is too old says so instead of looping', async () => {
    const lines: string[] = [];
    const old = loopScript(looped({ name: 'a', kind: 'tcp', from, to: open.to }), 1).replaceAll(
      '$EPOCHREALTIME',
      '$NO_SUCH',
    );
    const process = localLines(['bash', '-c', old], (line) => lines.push(line));
    expect(await process.ended).toBe('it ended with code 3');
    expect(parseLine(lines[0]!)).toMatchObject({ type: 'fault', why: expect.stringContaining('too old') as string });
  });
});

test('a host that is too busy to tell says so instead of blaming the path', async () => {
  const silent = await httpServer(() => undefined);
  const probes = looped(
    { name: 'tight', kind: 'http', from, url: `http://127.0.0.1:${silent.port}/`, timeoutMs: 300 },
    {
      name: 'tight-refused',
      kind: 'http',
      from,
      url: `http://127.0.0.1:${silent.port}/`,
      timeoutMs: 300,
      expect: 'refused',
    },
  );
  // As on a host without processor time to spare: every process takes half a second to start.
  const script = loopScript(probes, 1).replace('now() {', 'timeout() { sleep 0.5; command timeout "$@"; }\nnow() {');
  const found: Record<string, Measurement> = {};
  const loops = localLines(['bash', '-c', script], (line) => {
    const one = measurementOf(line, { probes, baseline: {}, isBaseline: false });
    if (one !== undefined) found[one.name] = one.measurement;
  });
  await loops.ended;
  await silent.close();
  for (const name of ['tight', 'tight-refused']) {
    expect(found[name]?.verdict).toBe('inconclusive');
    expect(found[name]?.why).toContain('this host is too busy to tell');
  }
});

describeAsRoot('faults of the probing host, in a network namespace of its own', () => {
  const netns = `hlp${process.pid}`;
  const ip = (...argv: string[]): void => {
    const { status, stderr } = spawnSync('ip', argv, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`ip ${argv.join(' ')}: ${stderr}`);
  };
  beforeAll(() => {
    ip('netns', 'add', netns);
    const inside = (...argv: string[]): void => ip('-n', netns, ...argv);
    inside('link', 'set', 'lo', 'up');
    // A network on which nobody answers, and one whose cable is out.
    inside('link', 'add', 'silent0', 'type', 'veth', 'peer', 'name', 'silent1');
    inside('addr', 'add', '198.51.100.1/24', 'dev', 'silent0');
    inside('link', 'set', 'silent1', 'up');
    inside('link', 'set', 'silent0', 'up');
    for (const last of [2, 3])
      inside('neigh', 'add', `198.51.100.${last}`, 'lladdr', `02:00:00:00:00:0${last}`, 'dev', 'silent0');
    inside('link', 'add', 'cable0', 'type', 'veth', 'peer', 'name', 'cable1');
    inside('addr', 'add', '203.0.113.1/24', 'dev', 'cable0');
    inside('link', 'set', 'cable0', 'up');
  });
  afterAll(() => {
    spawnSync('ip', ['netns', 'del', netns]);
  });

  test('are inconclusive, whatever was expected; silence beyond them is not', async () => {
    // On a busy machine a shorter try is inconclusive, and rightly so.
    const patient = { intervalMs: '4s', timeoutMs: '3s' };
    const tcp = (name: string, to: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
      name,
      kind: 'tcp',
      from,
      to,
      ...patient,
      ...more,
    });
    const found = await round(
      looped(
        tcp('filtered', '198.51.100.2:80'),
        tcp('filtered-well', '198.51.100.2:80', { expect: 'refused' }),
        tcp('no-route', '192.0.2.1:80'),
        tcp('no-route-refused', '192.0.2.1:80', { expect: 'refused' }),
        tcp('no-cable', '203.0.113.2:80'),
        tcp('no-cable-refused', '203.0.113.2:80', { expect: 'refused' }),
        tcp('control-alive', '198.51.100.2:80', { control: '127.0.0.1:9' }),
        tcp('control-dead', '198.51.100.2:80', { control: '198.51.100.3:9' }),
        tcp('control-dead-refused', '198.51.100.2:80', { control: '198.51.100.3:9', expect: 'refused' }),
        { name: 'http-no-route', kind: 'http', from, url: 'http://192.0.2.1/', expect: 'refused' },
        { name: 'http-filtered', kind: 'http', from, url: 'http://198.51.100.2/', ...patient },
        {
          name: 'http-control-dead',
          kind: 'http',
          from,
          url: 'http://198.51.100.2/',
          ...patient,
          control: '198.51.100.3:9',
        },
      ),
      { netns },
    );
    expect(Object.fromEntries(Object.entries(found).map(([name, m]) => [name, m.verdict]))).toEqual({
      filtered: 'fail',
      'filtered-well': 'pass',
      'no-route': 'inconclusive',
      'no-route-refused': 'inconclusive',
      'no-cable': 'inconclusive',
      'no-cable-refused': 'inconclusive',
      'control-alive': 'fail',
      'control-dead': 'inconclusive',
      'control-dead-refused': 'inconclusive',
      'http-no-route': 'inconclusive',
      'http-filtered': 'fail',
      'http-control-dead': 'inconclusive',
    });
    expect(found['no-route']?.why).toBe('this host has no way to 192.0.2.1: Network is unreachable');
    expect(found['no-cable']?.why).toBe("this host's interface cable0 is lowerlayerdown");
  });
});

describe('tools', () => {
  const faults = (script: string, path = process.env['PATH']): string[] =>
    spawnSync('/bin/bash', ['-c', script], { encoding: 'utf8', env: { PATH: path } })
      .stdout.split('\n')
      .filter(Boolean);

  test('nothing is missing here, but for what isn’t installed', () => {
    const probes = looped(
      { name: 'a', kind: 'http', from, url: 'http://a/' },
      { name: 'b', kind: 'command', from, argv: ['no-such-command-here'], bound: { min: 0 } },
    );
    expect(faults(toolScript(probes))).toEqual(['probe b: command no-such-command-here not found']);
  });

  test('a host without them says which', () => {
    const script = toolScript(looped({ name: 'a', kind: 'http', from, url: 'http://a/' })).replace(
      /PATH="[^"]*"/,
      'PATH=/nowhere',
    );
    expect(faults(script)).toContain('curl is missing\tinstall it');
    expect(faults(script)).toContain('timeout is missing\tinstall it');
  });
});
