import { classifyHttp, classifyTcp } from '../../../activities/probes/classify';
import { get, httpFromWorker, ownRoute, tcpFromWorker } from '../../../activities/probes/local';
import { closedPort, httpServer, tcpServer, type TestServer } from './support/servers';

let open: TestServer;
let web: TestServer;
let closed: number;
beforeAll(async () => {
  open = await tcpServer();
  closed = await closedPort();
  web = await httpServer((request, response) => {
    if (request.url === '/slow') return;
    if (request.url === '/half') {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('half of it');
      return void setTimeout(() => response.destroy(), 20);
    }
    if (request.url === '/big') return void response.end(`${'x'.repeat(600_000)}the end`);
    response.statusCode = request.url === '/broken' ? 503 : 200;
    response.end('fine');
  });
});
afterAll(async () => {
  await open.close();
  await web.close();
});
const limits = { timeoutMs: 1_000, signal: new AbortController().signal };
const url = (path: string): string => `http://127.0.0.1:${web.port}${path}`;

test('tcp from the worker', async () => {
  expect(await tcpFromWorker(open.to, undefined, limits)).toMatchObject({ state: 'open' });
  const refused = await tcpFromWorker(`127.0.0.1:${closed}`, undefined, limits);
  expect(refused).toMatchObject({ state: 'refused' });
  expect(classifyTcp({ to: 'x:1', expect: 'open' }, refused).verdict).toBe('fail');
  const unknown = await tcpFromWorker('no-such-name.invalid:80', undefined, limits);
  expect(classifyTcp({ to: 'x:1', expect: 'refused' }, unknown).verdict).toBe('inconclusive');
});

test('a control target that is silent too makes it the worker’s own fault', async () => {
  expect(await tcpFromWorker(`127.0.0.1:${closed}`, open.to, limits)).not.toHaveProperty('own');
  expect(await tcpFromWorker(`127.0.0.1:${closed}`, `127.0.0.1:${closed}`, limits)).not.toHaveProperty('own');
  expect(await tcpFromWorker(`127.0.0.1:${closed}`, 'no-such-name.invalid:80', limits)).toHaveProperty('own');
});

test('http from the worker', async () => {
  const verdict = async (path: string, part: { contains?: string; timeoutMs?: number } = {}): Promise<string> => {
    const probe = { url: url(path), status: '200-299', contains: part.contains, expect: 'answer' as const };
    return classifyHttp(probe, await httpFromWorker(probe, { ...limits, timeoutMs: part.timeoutMs ?? 2_000 })).verdict;
  };
  expect(await verdict('/', { contains: 'fine' })).toBe('pass');
  expect(await verdict('/', { contains: 'else' })).toBe('fail');
  expect(await verdict('/broken')).toBe('fail');
  expect(await verdict('/half')).toBe('fail');
  expect(await verdict('/slow', { timeoutMs: 100 })).toBe('fail');
  expect(await verdict('/big', { contains: 'the end' })).toBe('pass');
  const none = { url: `http://127.0.0.1:${closed}/`, status: '200', contains: undefined, expect: 'answer' as const };
  expect(classifyHttp(none, await httpFromWorker(none, limits)).verdict).toBe('fail');
  expect(classifyHttp({ ...none, expect: 'refused' }, await httpFromWorker(none, limits)).verdict).toBe('pass');
});

test('a CA file that isn’t there is the worker’s own fault', async () => {
  const seen = await httpFromWorker({ url: 'https://127.0.0.1:1/', ca: '/no/such/file.pem' }, limits);
  expect(seen.own).toContain('/no/such/file.pem');
});

test('a body is kept up to its limit only', async () => {
  const { body } = await get(url('/big'), limits);
  expect(body.length).toBeLessThanOrEqual(256 * 1024);
  expect(body.endsWith('the end')).toBe(true);
});

test('an abort ends it at once', async () => {
  const cut = new AbortController();
  const asked = get(url('/slow'), { timeoutMs: 60_000, signal: cut.signal });
  cut.abort();
  await expect(asked).rejects.toThrow('cut');
});

test('the own routing table is asked without a packet', async () => {
  expect(await ownRoute('127.0.0.1')).toBeUndefined();
  expect(await ownRoute('no-such-name.invalid')).toContain('no way to');
});
