import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitoringSpec, type Measurement } from '../../../activities/probes';
import { judgeElements, parseAnswer, prometheusProbe } from '../../../activities/probes/prometheus';
import type { PrometheusProbe } from '../../../activities/probes/spec';
import { prometheusProgram, startPrometheus } from './support/prometheus';
import { closedPort, httpServer, type TestServer } from './support/servers';

const probeOf = (part: Record<string, unknown>): PrometheusProbe =>
  monitoringSpec.parse({
    periodMs: 1,
    probes: [{ name: 'p', kind: 'prometheus', url: 'http://127.0.0.1:1', query: 'q', condition: '<= 0.01', ...part }],
  }).probes[0] as PrometheusProbe;
const limits = { timeoutMs: 2_000, signal: new AbortController().signal };

describe('answers', () => {
  const vector = (...values: string[]): string =>
    JSON.stringify({
      status: 'success',
      data: { resultType: 'vector', result: values.map((v, i) => ({ metric: { node: `fw${i}` }, value: [1, v] })) },
    });
  const verdict = (body: string, part: Record<string, unknown> = {}, baseline?: number): Measurement => {
    const elements = parseAnswer(body);
    if ('why' in elements) return { verdict: 'inconclusive', why: elements.why };
    return judgeElements(probeOf(part), elements, baseline);
  };

  test.each([
    ['holds', vector('0.005'), {}, 'pass'],
    ['doesn’t hold', vector('0.02'), {}, 'fail'],
    ['every element must fulfil', vector('0', '0.02'), {}, 'fail'],
    ['no element is no data', vector(), {}, 'inconclusive'],
    ['NaN is no data', vector('NaN'), {}, 'inconclusive'],
    ['a failure beside a NaN is a failure', vector('NaN', '0.5'), {}, 'fail'],
    ['infinite', vector('+Inf'), {}, 'fail'],
    ['a scalar', '{"status":"success","data":{"resultType":"scalar","result":[1,"0"]}}', {}, 'pass'],
    ['a matrix', '{"status":"success","data":{"resultType":"matrix","result":[]}}', {}, 'inconclusive'],
    ['an error', '{"status":"error","error":"parse error"}', {}, 'inconclusive'],
    ['a web page', '<html>', {}, 'inconclusive'],
  ])('%s', (_name, body, part, expected) => expect(verdict(body, part).verdict).toBe(expected));

  test('relative bounds take one element and the baseline', () => {
    const part = { condition: undefined, bound: { maxPercent: 120 } };
    expect(verdict(vector('11'), part, 10)).toEqual({ verdict: 'pass', value: 11 });
    expect(verdict(vector('13'), part, 10)).toMatchObject({ verdict: 'fail', value: 13 });
    expect(verdict(vector('11'), part).verdict).toBe('inconclusive');
    expect(verdict(vector('11', '12'), part, 10).why).toContain('write sum(…)');
  });

  test('say which element failed', () => {
    expect(verdict(vector('0', '0.02')).why).toBe('0.02 isn’t <= 0.01 for {node="fw1"}');
  });
});

describe('the way there', () => {
  let server: TestServer;
  const asked: { url: string | undefined; authorization: string | undefined }[] = [];
  beforeAll(async () => {
    server = await httpServer((request, response) => {
      asked.push({ url: request.url, authorization: request.headers.authorization });
      if (request.headers.authorization === undefined) {
        response.statusCode = 401;
        return void response.end('Unauthorized');
      }
      response.end('{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"0"]}]}}');
    });
  });
  afterAll(() => server.close());

  test('a token comes from its reference, anew each time, and a path prefix is kept', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hitless-token-'));
    try {
      writeFileSync(join(directory, 'token'), 'first\n', { mode: 0o600 });
      const probe = probeOf({
        url: `http://127.0.0.1:${server.port}/prom`,
        query: 'a + b',
        token: `file:${directory}/token`,
      });
      expect((await prometheusProbe(probe, undefined, limits)).verdict).toBe('pass');
      expect(asked.at(-1)).toEqual({
        url: '/prom/api/v1/query?query=a+%2B+b&timeout=2000ms',
        authorization: 'Bearer first',
      });
      writeFileSync(join(directory, 'token'), 'second');
      await prometheusProbe(probe, undefined, limits);
      expect(asked.at(-1)?.authorization).toBe('Bearer second');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.each([
    ['no token', {}, 'Prometheus answers 401'],
    ['a token that isn’t there', { token: 'env:NO_SUCH_TOKEN_HERE' }, 'no environment variable NO_SUCH_TOKEN_HERE'],
  ])('%s is inconclusive', async (_name, part, why) => {
    const seen = await prometheusProbe(probeOf({ url: `http://127.0.0.1:${server.port}`, ...part }), undefined, limits);
    expect(seen.verdict).toBe('inconclusive');
    expect(seen.why).toContain(why);
  });

  test('nobody there is inconclusive', async () => {
    const seen = await prometheusProbe(probeOf({ url: `http://127.0.0.1:${await closedPort()}` }), undefined, limits);
    expect(seen).toMatchObject({ verdict: 'inconclusive', why: expect.stringContaining('doesn’t answer') as string });
  });
});

const program = prometheusProgram();
const describeReal = 'path' in program || process.env['CI'] ? describe : describe.skip;
describeReal('a real Prometheus', () => {
  let server: { url: string; stop: () => Promise<void> } | undefined;
  beforeAll(async () => {
    if ('why' in program) throw new Error(program.why);
    server = await startPrometheus(program.path);
  });
  afterAll(() => server?.stop());

  test('answers queries as expected, faults of the query included', async () => {
    const ask = (query: string, condition: string): Promise<Measurement> =>
      prometheusProbe(probeOf({ url: server!.url, query, condition }), undefined, limits);
    // Until the first scrape is through there is no data, which is no pass.
    let first: Measurement | undefined;
    const look = async (): Promise<void> => {
      for (;;) {
        const seen = await ask('up{job="self"}', '== 1');
        first ??= seen;
        if (seen.verdict !== 'inconclusive') return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await look();
    expect(await ask('up{job="self"}', '== 1')).toEqual({ verdict: 'pass', value: 1 });
    expect(await ask('up{job="self"}', '== 0')).toMatchObject({ verdict: 'fail', value: 1 });
    expect(await ask('scalar(vector(7))', '> 6')).toEqual({ verdict: 'pass', value: 7 });
    expect(await ask('no_such_metric', '== 0')).toMatchObject({ verdict: 'inconclusive' });
    const broken = await ask('up{', '== 0');
    expect(broken).toMatchObject({ verdict: 'inconclusive', why: expect.stringContaining('parse error') as string });
    expect(await ask('up[1m]', '== 0')).toMatchObject({ verdict: 'inconclusive' });
  });
});
