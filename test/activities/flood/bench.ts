/**
 * How long tables of 100,000 routes (25 MB), of so many devices at once, hold the worker's event loop, over real TLS. Run by hand:
 *
 *   node -r ./test/support/ts-require.cjs test/activities/flood/bench.ts [ROUTES] [DEVICES]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { panosServices } from '../../../activities/panos';
import { legacyRoutes } from '../../../activities/panos/readiness/parse';
import { panosNode, panosSpec } from '../../../activities/panos/spec';
import { certificateOf } from '../../../simulators/panos/server/certificate';
import { measured } from './measured';

const routes = Number(process.argv[2] ?? 100_000);
const devices = Number(process.argv[3] ?? 1);
const route = (i: number): string =>
  `<entry><virtual-router>default</virtual-router><destination>10.${(i >> 8) & 255}.${i & 255}.0/24</destination><nexthop>192.0.2.1</nexthop><metric>10</metric><flags>A B   </flags><age>86400</age><interface>ethernet1/1</interface><route-table>unicast</route-table></entry>`;

/** In a process of its own: its work must not count. */
async function serve(): Promise<void> {
  process.once('disconnect', () => process.exit());
  const { key, cert, fingerprint } = await certificateOf('fw-a', '127.0.0.1');
  const table = Buffer.from(
    `<response status="success"><result>${Array.from({ length: routes }, (_, i) => route(i)).join('')}</result></response>`,
  );
  const server = createServer({ key, cert }, (message, response) => {
    let body = '';
    message.on('data', (part: Buffer) => (body += part.toString('latin1')));
    message.on('end', () =>
      response.end(
        body.startsWith('type=op') ? table : '<response status="success"><result><key>k</key></result></response>',
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
  // Each with its own five calls at once. The first call fetches the key.
  const all = await Promise.all(
    Array.from({ length: devices }, async () => {
      const device = panosServices().device({ plan, signal, evidence: () => undefined }, 'fw-a');
      await device.config('show', '/config');
      return device;
    }),
  );
  const { said, ...figures } = await measured(() =>
    Promise.all(all.map((device) => device.table('<show/>', legacyRoutes))),
  );
  process.stdout.write(`${JSON.stringify({ MB: bytes / 1e6, devices, counts: said[0], ...figures })}\n`);
  child.kill();
}

void (process.env['BENCH_SERVES'] === undefined ? ask() : serve());
