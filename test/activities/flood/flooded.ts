/**
 * A worker's activities against a host that answers every command with endless output, and a device that streams an endless
 * body: run as a process of its own, whose memory is then only this. Prints one line of JSON: the largest RSS that was seen,
 * and what the calls ended with.
 *
 *   node -r ./test/support/ts-require.cjs test/activities/flood/flooded.ts SSH_PORT SSH_KEY_FILE SSH_HOST_KEY HTTPS_PORT FINGERPRINT ROUNDS
 */
import { MockActivityEnvironment } from '@temporalio/testing';
import { runActivity, type Host, type Ran, type StepContext } from '../../../activities/kit';
import { panosServices } from '../../../activities/panos';
import { readSnapshot } from '../../../activities/panos/readiness';
import { legacyRoutes } from '../../../activities/panos/readiness/parse';
import { panosNode, panosSpec } from '../../../activities/panos/spec';
import { createHosts } from '../../../activities/ssh';
import { conntrackd } from '../../../activities/state-sync/conntrackd';
import { stateSyncSpec } from '../../../activities/state-sync/spec';

const [sshPort = '', keyFile = '', hostKey = '', httpsPort = '', fingerprint = '', rounds = '1'] =
  process.argv.slice(2);
process.env['FLOODED_PASSWORD'] = 'x';

let largestRss = 0;
const look = setInterval(() => (largestRss = Math.max(largestRss, process.memoryUsage.rss())), 20);

const host = {
  address: '127.0.0.1',
  port: Number(sshPort),
  user: 'ops',
  credentials: `file:${keyFile}`,
  hostKeys: [hostKey],
  root: 'none',
};
const node = panosNode.parse({
  address: '127.0.0.1',
  port: Number(httpsPort),
  user: 'admin',
  password: 'env:FLOODED_PASSWORD',
  tls: { fingerprint },
});
const plan = {
  hosts: { fw1: host },
  nodes: { 'fw-a': node },
  panos: panosSpec.parse({ timing: { callTimeoutMs: 4_000 } }),
};
const hosts = createHosts();
const devices = panosServices();
const sync = conntrackd(stateSyncSpec.parse({ driver: 'conntrackd', variant: 'direct' }));

const flows = (of: Host): Promise<unknown> => sync.flows(of, 'both', () => false);
const commands = async (context: StepContext): Promise<unknown> => {
  const fw1 = await context.host('fw1');
  const all = [
    fw1.exec(['uname']),
    fw1.exec(['true'], { okCodes: 'any' }),
    fw1.readFile('/etc/hosts'),
    fw1.writeFile('/etc/x', 'content'),
    fw1.bootId(),
    ...(process.env['FLOODED_FLOWS'] === undefined ? [] : [flows(fw1)]),
  ];
  return outcomes(all);
};
const answers = async (context: StepContext): Promise<unknown> => {
  const device = devices.device(
    { plan, signal: context.signal, evidence: (entry: Ran) => context.evidence(entry) },
    'fw-a',
  );
  return outcomes([
    device.op('<show><system><info></info></system></show>'),
    device.request('<request><x/></request>'),
    device.config('get', '/config/x/vsys', ['entry/rulebase/nat']),
    readSnapshot(device),
    device.table('<show><routing><route></route></routing></show>', legacyRoutes),
  ]);
};
const outcomes = async (all: readonly Promise<unknown>[]): Promise<{ summary: string }> => {
  const settled = await Promise.allSettled(all);
  return {
    summary: settled.map((one) => (one.status === 'rejected' ? String(one.reason) : 'it went through')).join('\n'),
  };
};

async function main(): Promise<void> {
  const services = { connect: (...args: Parameters<typeof hosts.connect>) => hosts.connect(...args) };
  const said: string[] = [];
  for (let round = 0; round < Number(rounds); round++)
    for (const work of [commands, answers]) {
      const call = { schema: 1, plan, input: {}, step: '01-flooded' } as const;
      const result = await new MockActivityEnvironment().run(() => runActivity(call, services, work));
      said.push(...(result as { summary: string }).summary.split('\n'));
    }
  clearInterval(look);
  hosts.close();
  largestRss = Math.max(largestRss, process.memoryUsage.rss());
  process.stdout.write(`${JSON.stringify({ largestRssMiB: Math.round(largestRss / 1024 / 1024), said })}\n`);
}
void main();
