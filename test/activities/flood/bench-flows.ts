/**
 * Memory and event-loop delay while several runs each compare two hosts with so many flows, over real SSH. Run by hand:
 *
 *   node -r ./test/support/ts-require.cjs test/activities/flood/bench-flows.ts [FLOWS] [RUNS]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Host, StepContext } from '../../../activities/kit';
import { createHosts } from '../../../activities/ssh';
import { comparing } from '../../../activities/state-sync/comparing';
import { describeDifference } from '../../../activities/state-sync/compare';
import { conntrackd } from '../../../activities/state-sync/conntrackd';
import { stateSyncSpec, type StateSyncPlan } from '../../../activities/state-sync/spec';
import { Flooding } from '../ssh/support/flooding';
import { measured } from './measured';

const flows = Number(process.argv[2] ?? 1_000_000);
const runs = Number(process.argv[3] ?? 1);

/** A busy machine may need longer for a million flows than a command has. */
function patient(host: Host): Host {
  const exec: Host['exec'] = (argv, options) => host.exec(argv, { ...options, timeoutMs: 3_600_000 });
  return Object.assign(Object.create(host) as Host, { exec });
}

/** In a process of its own: its work must not count. */
async function serve(): Promise<void> {
  process.once('disconnect', () => process.exit());
  const flooding = new Flooding();
  await flooding.start();
  flooding.answer = (channel, command) => {
    let n = 0;
    const end = (text: string): void => {
      channel.write(text);
      channel.exit(0);
      channel.end();
    };
    if (command.includes('-j')) return end('[]');
    if (!command.includes('tcp') || !command.includes('ipv4')) return end('');
    const write = (): void => {
      while (n < flows) {
        const lines: string[] = [];
        for (let i = 0; i < 200 && n < flows; i++, n++)
          lines.push(
            `ipv4     2 tcp      6 431997 ESTABLISHED src=10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255} dst=192.0.2.1 sport=${1024 + (n % 60_000)} dport=443 src=192.0.2.1 dst=198.51.100.1 sport=443 dport=${1024 + (n % 60_000)} [ASSURED] mark=0 use=1\n`,
          );
        if (!channel.write(lines.join(''))) return void channel.once('drain', write);
      }
      end('');
    };
    write();
  };
  process.send?.({ plan: flooding.plan() });
}

async function ask(): Promise<void> {
  const child = fork(__filename, process.argv.slice(2), {
    execArgv: process.execArgv,
    env: { ...process.env, BENCH_SERVES: '1' },
  });
  const [{ plan }] = (await once(child, 'message')) as [{ plan: { hosts: { fw1: object } } }];
  const both = { hosts: { fw1: plan.hosts.fw1, fw2: plan.hosts.fw1 } };
  const spec = stateSyncSpec.parse({ driver: 'conntrackd', variant: 'direct', ignoreYoungerThanMs: 0 });
  const sync = conntrackd(spec);
  const pauses = { pause: async () => undefined, progress: () => undefined } as unknown as StepContext<StateSyncPlan>;
  const signal = new AbortController().signal;
  const one = async (): Promise<string> => {
    const hosts = createHosts();
    const [fw1, fw2] = [
      patient(await hosts.connect(both, 'fw1', signal)),
      patient(await hosts.connect(both, 'fw2', signal)),
    ];
    const comparison = await comparing(pauses, sync, spec, fw1, fw2);
    const difference = await comparison.difference();
    hosts.close();
    return describeDifference(difference);
  };
  const { said, ...figures } = await measured(() => Promise.all(Array.from({ length: runs }, one)));
  process.stdout.write(`${JSON.stringify({ flows, runs, said: [...new Set(said)], ...figures })}\n`);
  child.kill();
  process.exit(0);
}

void (process.env['BENCH_SERVES'] === undefined ? ask() : serve());
