/** One booted host, for tests of what every driver stands on. */
import type { ExecOptions, ExecResult, Host } from '../../../activities/kit/host';
import type { StepContext } from '../../../activities/kit/step';
import { createHosts, type Hosts } from '../../../activities/ssh';
import { startLab, type Lab, type LabHost } from '../../lab';
import { firewallPairImage } from '../../lab/firewall-pair/image';
import { progress } from '../../lab/describe-lab';

export class OneHost {
  hosts: Hosts = createHosts();

  private constructor(
    readonly lab: Lab,
    /** The host by its back door. */
    readonly machine: LabHost,
  ) {}

  static async start(): Promise<OneHost> {
    const lab = await startLab(
      {
        kind: 'one-host',
        image: firewallPairImage,
        hostNames: ['fw1'],
        links: [],
        hosts: () => [
          {
            name: 'fw1',
            interfaces: [],
            files: [],
            mask: ['frr.service', 'conntrackd.service', 'nftables.service'],
          },
        ],
      },
      {},
      progress,
    );
    return new OneHost(lab, lab.host('fw1'));
  }

  /** Connections die with their worker: whoever comes next doesn’t take one for alive whose reset is still on its way. */
  nextWorker(): void {
    this.hosts.close();
    this.hosts = createHosts();
  }

  async down(): Promise<void> {
    this.hosts.close();
    await this.lab.down();
  }

  spec(more: object = {}): Record<string, unknown> {
    return {
      address: this.machine.address,
      user: this.lab.sshUser,
      credentials: `file:${this.lab.sshKeyPath}`,
      hostKeys: [this.machine.hostKey],
      ...more,
    };
  }

  connect(signal: AbortSignal = new AbortController().signal, more: object = {}): Promise<Host> {
    return this.hosts.connect({ hosts: { fw1: this.spec(more) } }, 'fw1', signal);
  }

  /** What an attempt of an activity is given. */
  attempt(options: AttemptOptions = {}): Attempt {
    return attemptOn((signal) => this.connect(signal), options);
  }
}

export interface AttemptOptions {
  readonly runId?: string;
  readonly step?: string;
  readonly call?: number;
  readonly attempt?: number;
  readonly scheduledAtMs?: number;
  readonly cluster?: string;
  readonly adopted?: readonly string[];
}

export interface Attempt extends StepContext<{ cluster: string }> {
  /** Cuts the attempt as a lost worker is cut: nothing is tidied up. */
  cut(): void;
  /** Lines of progress so far. */
  readonly notes: string[];
  /** Commands so far, as the evidence shows them. */
  readonly ran: string[];
}

export const RUN_A = '01990000-aaaa-7000-8000-0000aaaaaaaa';
export const RUN_B = '01990000-bbbb-7000-8000-0000bbbbbbbb';

export function attemptOn(connect: (signal: AbortSignal) => Promise<Host>, options: AttemptOptions = {}): Attempt {
  const { runId = RUN_A, step = '03-install', call = 1, attempt = 1, cluster = 'fw-dc1' } = options;
  const controller = new AbortController();
  const { signal } = controller;
  const notes: string[] = [];
  const ran: string[] = [];
  return {
    plan: { cluster },
    run: {
      workflowId: `upgrade-${cluster}`,
      runId,
      ...(options.adopted === undefined ? {} : { adopted: options.adopted }),
    },
    step,
    attempt,
    call: { number: call, scheduledAtMs: options.scheduledAtMs ?? call * 1_000 + attempt },
    signal,
    notes,
    ran,
    host: async () => {
      const host = await connect(signal);
      const exec = (argv: readonly string[], how?: ExecOptions): Promise<ExecResult> => {
        ran.push(`${how?.sudo ? 'sudo ' : ''}${argv.join(' ')}`);
        return host.exec(argv, how);
      };
      return {
        name: host.name,
        exec,
        readFile: host.readFile.bind(host),
        writeFile: host.writeFile.bind(host),
        bootId: host.bootId.bind(host),
      };
    },
    evidence: () => undefined,
    progress: (note) => void notes.push(note),
    kept: undefined,
    keep: () => undefined,
    pause: (ms) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error);
        const timer = setTimeout(resolve, ms);
        signal.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason as Error)), { once: true });
      }),
    cut: () => controller.abort(new Error('cut')),
  };
}

/** What a piece of work failed with. Throws if it didn't. */
export const failureOf = (work: Promise<unknown>): Promise<Error & { details?: unknown[]; nonRetryable?: boolean }> =>
  work.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: Error) => error,
  );
