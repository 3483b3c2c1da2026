/** One bad host or device costs its own run, never the worker: the worker's memory stays small whatever they send. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { certificateOf } from '../../../simulators/panos/server/certificate';
import { Flooding } from '../ssh/support/flooding';

/** With HITLESS_BENCH set: a table of a million flows too, which takes a minute, and what was measured is told. */
const isBench = process.env['HITLESS_BENCH'] !== undefined;
const MOST_MIB = isBench ? 1_024 : 512;
/** So sharp that a part of what came in, kept, would end the process. */
const HEAP_MIB = isBench ? 800 : 160;

/** Flows as conntrack prints them, each another one, without end. */
function* flows(): Generator<Buffer> {
  for (let n = 0; ;) {
    const lines: string[] = [];
    for (let i = 0; i < 500; i++, n++)
      lines.push(
        `ipv4     2 tcp      6 431997 ESTABLISHED src=10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255} dst=192.0.2.1 sport=1024 dport=443 src=192.0.2.1 dst=198.51.100.1 sport=443 dport=1024 [ASSURED] mark=0 use=1\n`,
      );
    yield Buffer.from(lines.join(''));
  }
}

it('a host without end, and a device without end', async () => {
  const flooding = new Flooding();
  await flooding.start();
  const noise = Buffer.alloc(32 * 1024, 'noise and more of it\n');
  flooding.answer = (channel, command) => {
    const lines = command.includes('conntrack') ? flows() : undefined;
    flooding.endlessly(channel, () => (lines === undefined ? noise : (lines.next().value as Buffer)));
  };
  const { key, cert, fingerprint } = await certificateOf('fw-a', '127.0.0.1');
  const entry = '<entry><flags>A B</flags><name>x</name></entry>'.repeat(500);
  const server = createServer({ key, cert }, (message, response) => {
    let body = '';
    message.on('data', (part: Buffer) => (body += part.toString('latin1')));
    message.on('end', () => {
      if (body.startsWith('type=keygen'))
        return response.end('<response status="success"><result><key>k</key></result></response>');
      response.write('<response status="success"><result>');
      const write = (): void => {
        while (!response.destroyed) if (!response.write(entry)) return void response.once('drain', write);
      };
      write();
    });
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const root = join(__dirname, '../../..');
    const argv = [
      ...[`--max-old-space-size=${HEAP_MIB}`, '-r', join(root, 'test/support/ts-require.cjs')],
      join(__dirname, 'flooded.ts'),
      ...[String(flooding.port), flooding.keyFile, flooding.hostKey, String(port), fingerprint, '1'],
    ];
    const env = { ...process.env, ...(isBench ? { FLOODED_FLOWS: '1' } : {}) };
    const child = spawn(process.execPath, argv, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    child.stdout.on('data', (part: Buffer) => (told += part.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(0);
    const { largestRssMiB, said } = JSON.parse(told) as { largestRssMiB: number; said: string[] };
    if (isBench) process.stderr.write(`largest RSS: ${largestRssMiB} MiB\n${said.join('\n')}\n`);
    expect(largestRssMiB).toBeLessThan(MOST_MIB);
    expect(said).toHaveLength(isBench ? 11 : 10);
    for (const line of said) expect(line).toMatch(/fw1|fw-a/);
  } finally {
    flooding.stop();
    server.closeAllConnections();
    server.close();
  }
}, 120_000);
