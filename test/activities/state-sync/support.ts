/** Plans for a lab's firewall pair, and what activities are given, over real SSH as a user with sudo. */
import type { Host, StepContext } from '../../../activities/kit';
import { createHosts, hostsSpec, type HostsSpec } from '../../../activities/ssh';
import type { FirewallPairDescription, FirewallPairLab } from '../../lab';

export interface BasePlan {
  readonly cluster: string;
  readonly nodes: Readonly<Record<string, { readonly host: string }>>;
  readonly hosts: HostsSpec;
}

export function basePlan({ ssh, hosts, roles }: FirewallPairDescription): BasePlan {
  return {
    cluster: 'fw-test',
    nodes: Object.fromEntries(roles.firewalls.map((name) => [name, { host: name }])),
    hosts: hostsSpec.parse(
      Object.fromEntries(
        Object.entries(hosts).map(([name, { address, hostKey }]) => [
          name,
          { address, port: ssh.port, user: ssh.user, hostKeys: [hostKey], credentials: `file:${ssh.privateKeyPath}` },
        ]),
      ),
    ),
  };
}

export interface Bench<Plan> {
  readonly plan: Plan;
  /** Commands that were run, as "fw1: conntrackd …", oldest first. */
  readonly ran: string[];
  context(override?: Partial<StepContext<Plan>>): StepContext<Plan>;
  /** New connections: those to a host that was rebooted behind their back are only noticed by their silence. */
  reconnect(): void;
  close(): void;
}

/** Runs activities' functions against a lab without an engine. */
export function benchOf<Sections extends object>(lab: FirewallPairLab, sections: Sections): Bench<BasePlan & Sections> {
  const plan = { ...basePlan(lab.description), ...sections };
  let hosts = createHosts();
  const ran: string[] = [];
  const over = new AbortController();
  let calls = 0;
  const context = (override: Partial<StepContext<typeof plan>> = {}): StepContext<typeof plan> => {
    calls += 1;
    // One of its own for each: an attempt is known by its signal.
    const { signal } = { signal: AbortSignal.any([over.signal]), ...override };
    return {
      plan,
      run: { workflowId: 'upgrade-fw-test', runId: '11111111-2222-4333-8444-555555555555' },
      step: 'test',
      attempt: 1,
      call: { number: calls, scheduledAtMs: Date.now() },
      signal,
      host: async (name) => noting(await hosts.connect(plan, name, signal), ran),
      evidence: () => undefined,
      progress: () => undefined,
      kept: undefined,
      keep: () => undefined,
      pause: (ms) =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(resolve, ms);
          signal.addEventListener('abort', () => {
            clearTimeout(timer);
            reject(signal.reason as Error);
          });
        }),
      ...override,
    };
  };
  // The old ones are left to find out by themselves: closed in order they would wait for a goodbye that nobody sends.
  const old: ReturnType<typeof createHosts>[] = [];
  const reconnect = (): void => {
    old.push(hosts);
    hosts = createHosts();
  };
  const close = (): void => {
    over.abort(new Error('the test is over'));
    for (const each of [...old, hosts]) each.close();
  };
  return { plan, ran, context, reconnect, close };
}

function noting(host: Host, ran: string[]): Host {
  return {
    name: host.name,
    exec: (argv, options) => {
      ran.push(`${host.name}: ${argv.join(' ')}`);
      return host.exec(argv, options);
    },
    readFile: host.readFile.bind(host),
    writeFile: host.writeFile.bind(host),
    bootId: host.bootId.bind(host),
  };
}

/** A sudoers file that allows these commands on a host and nothing else. */
export const sudoersOf = (
  commands: readonly { readonly host: string; readonly as: string; readonly command: string }[],
  host: string,
  user = 'hitless',
): string =>
  commands
    .filter((c) => c.host === host)
    .map((c) => `${user} ALL=(${c.as}) NOPASSWD: ${c.command}\n`)
    .join('');

/** What a check or step failed with. @throws if it didn't. */
export async function failureOf(work: Promise<unknown>): Promise<{
  type: string;
  nonRetryable: boolean;
  message: string;
  details: [{ faults: { where: string; what: string; next?: string }[] }];
}> {
  const outcome = await work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome) return outcome.error as Awaited<ReturnType<typeof failureOf>>;
  throw new Error(`it didn’t fail: ${JSON.stringify(outcome.value)}`);
}
