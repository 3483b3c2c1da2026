/**
 * How long a table of 100,000 routes (25 MB) holds the worker's event loop, over real TLS. Run by hand:
 *
 *   node -r ./test/support/ts-require.cjs test/activities/flood/bench.ts [ROUTES]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { panosServices } from '../../../activities/panos';
import { legacyRoutes } from '../../../activities/panos/readiness/parse';
import { panosNode, panosSpec } from '../../../activities/panos/spec';
import { certificateOf } from '../../../simulators/panos/server/certificate';

const routes = Number(process.argv[2] ?? 100_000);
const route = (i: number): string =>
  `<entry><virtual-router>default</virtual-router><destination>10.${(i >> 8) & 255}.${i & 255}.0/24</destination><nexthop>192.0.2.1</nexthop><metric>10</metric><flags>A B   </flags><age>86400</age><interface>ethernet1/1</interface><route-table>unicast</route-table></entry>`;

/** In a process of its own: its work must not count. */
async function serve(): Promise<void> {
  const { key, cert, fingerprint } = await certificateOf('fw-a', '127.0.0.1');
  const table = Buffer.from(
    `<response status="success"><result>${Array.from({ length: routes }, (_, i) => route(i)).join('')}</result></response>`,
  );
  const server = createServer({ key, cert }, (message, response) => {
    let body = '';
    message.on('data', (part: Buffer) => (body += part.toString('latin1')));
    message.on('end', () =>
      response.end(
        body.startsWith('type=keygen') ? '<response status="success"><result><key>k</key></result></response>' : table,
      ),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.({ port: (server.address() as AddressInfo).port, fingerprint, bytes: table.length });
}

async function ask(): Promise<void> {
  process.env['BENCH_PASSWORD'] = 'x';
  const child = fork(__filename, process.argv.slice(2), {
    execArgv: process.execArgv,
    env: { ...process.env, BENCH_SERVES: '1' },
  });
  const [place] = (await once(child, 'message')) as [{ port: number; fingerprint: string; bytes: number }];
  const { port, fingerprint, bytes } = place;
  const node = panosNode.parse({
    address: '127.0.0.1',
    port,
    user: 'admin',
    password: 'env:BENCH_PASSWORD',
    tls: { fingerprint },
  });
  const plan = { nodes: { 'fw-a': node }, panos: panosSpec.parse({}) };
  const signal = new AbortController().signal;
  const device = panosServices().device({ plan, signal, evidence: () => undefined }, 'fw-a');
  // The first call fetches the key.
  await device.table('<show/>', legacyRoutes);
  const rss = process.memoryUsage.rss();
  let largest = rss;
  const look = setInterval(() => (largest = Math.max(largest, process.memoryUsage.rss())), 10);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const counts = await device.table('<show/>', legacyRoutes);
  delay.disable();
  clearInterval(look);
  const { user, system } = process.cpuUsage(cpu);
  const ms = (ns: number): number => Math.round(ns / 1e5) / 10;
  process.stdout.write(
    `${JSON.stringify({ MB: bytes / 1e6, counts, wallMs: Math.round(performance.now() - began), cpuMs: Math.round((user + system) / 1e3), loopDelayMs: { max: ms(delay.max), p99: ms(delay.percentile(99)), mean: ms(delay.mean) }, rssMiB: { before: Math.round(rss / 1048576), largest: Math.round(largest / 1048576) } })}\n`,
  );
  child.kill();
}

void (process.env['BENCH_SERVES'] === undefined ? ask() : serve());
