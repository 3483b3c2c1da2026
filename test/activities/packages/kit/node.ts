/** A booted host with release 1.0, the lab's package repository, and a plan for it: of any platform. */
import { packageActivities, softwareSpec, sudoCommands, type SoftwarePlan } from '../../../../activities/packages';
import { transient } from '../../../../activities/kit';
import type { StepContext } from '../../../../activities/kit';
import { createHosts, hostsSpec, type Hosts } from '../../../../activities/ssh';
import { startLab, waitFor, type Lab, type LabHost } from '../../../lab';
import { progress } from '../../../lab/describe-lab';
import { attemptOn, type Attempt, type AttemptOptions } from '../../support/one-host';
import type { Platform } from './platform';

/** What edited configuration files hold. */
export const EDIT = '# edited on this host\n';

export class Node {
  #hosts: Hosts = createHosts();
  /** What the guard says; undefined: the node carries no traffic. */
  serving: string | undefined;
  /** How often the guard was asked. */
  guarded = 0;
  #calls = 0;
  #pacer = false;

  private constructor(
    readonly platform: Platform,
    readonly lab: Lab,
    /** The host by its back door. */
    readonly machine: LabHost,
  ) {}

  static async start(platform: Platform, names: readonly string[] = ['fw1']): Promise<Node> {
    const lab = await startLab(
      {
        kind: 'packages',
        image: platform.image,
        hostNames: [...names],
        links: [],
        hosts: () =>
          names.map((name) => ({
            name,
            interfaces: [],
            files: Object.keys(platform.edited).map((path) => ({ path, content: EDIT })),
            mask: platform.mask,
          })),
        ...(platform.source === undefined ? {} : { source: platform.source }),
        repository: platform.fillRepository,
      },
      {},
      progress,
    );
    return new Node(platform, lab, lab.host(names[0]!));
  }

  async down(): Promise<void> {
    this.#hosts.close();
    await this.lab.down();
  }

  /** The worker is gone with its connections; the next attempt is another worker's. */
  nextWorker(): void {
    this.#hosts.close();
    this.#hosts = createHosts();
  }

  /** The plan as an inventory would resolve to it. `software` overrides its section. */
  plan(software: Record<string, unknown> = {}): SoftwarePlan {
    const names = this.lab.record.hosts.map(({ name }) => name);
    return {
      cluster: 'fw-dc1',
      nodes: Object.fromEntries(names.map((name) => [name, { host: name }])),
      hosts: hostsSpec.parse(
        Object.fromEntries(
          names.map((name) => [
            name,
            {
              address: this.lab.host(name).address,
              user: this.lab.sshUser,
              credentials: `file:${this.lab.sshKeyPath}`,
              hostKeys: [this.lab.host(name).hostKey],
            },
          ]),
        ),
      ),
      software: softwareSpec.parse({
        driver: this.platform.driver,
        releases: {
          '1.0': { packages: this.packages('1.0') },
          '2.0': { packages: this.packages('2.0') },
        },
        release: { file: this.platform.releaseFile, pattern: '^(.+)$' },
        minFreeMb: 50,
        rebootTimeoutMs: '60s',
        units: this.platform.units,
        ...software,
      }),
    };
  }

  /** A new call of an activity. */
  call(plan: SoftwarePlan = this.plan(), options: AttemptOptions = {}): Attempt & StepContext<SoftwarePlan> {
    return this.#attempt(plan, { call: ++this.#calls, ...options });
  }

  /** The next attempt of a call that was cut. */
  again(of: Attempt & StepContext<SoftwarePlan>): Attempt & StepContext<SoftwarePlan> {
    return this.#attempt(of.plan, { call: of.call.number, attempt: of.attempt + 1, runId: of.run.runId });
  }

  #attempt(plan: SoftwarePlan, options: AttemptOptions): Attempt & StepContext<SoftwarePlan> {
    const attempt = attemptOn((signal) => this.#hosts.connect(plan, 'fw1', signal), options);
    return { ...attempt, plan, host: (name) => this.#hosts.connect(plan, name, attempt.signal) };
  }

  readonly activities = packageActivities({
    assertOutOfService: (_, node) => {
      this.guarded += 1;
      if (this.serving === undefined) return Promise.resolve();
      return Promise.reject(transient('GuardRefused', `${node} ${this.serving}`));
    },
  });

  /**
   * A package of both releases whose installation waits while the host has /run/pacer-hold: a middle to cut things in. In
   * 2.0 it needs a newer library and a package that 1.0 doesn't have; plans name neither. Published, and installed as of 1.0.
   */
  async addPacer(): Promise<void> {
    await this.platform.addPacer(this.lab);
    this.#pacer = true;
  }

  /** Lets the next installation stop in its middle. */
  async hold(): Promise<void> {
    await this.machine.exec('rm -f /run/pacer-reached; touch /run/pacer-hold');
  }

  async held(): Promise<void> {
    const reached = async (): Promise<boolean> => {
      const { code } = await this.machine.tryExec('test -e /run/pacer-reached');
      return code === 0;
    };
    await waitFor('the installation to come to its middle', reached, { timeoutMs: 180_000 });
  }

  async goOn(): Promise<void> {
    await this.machine.exec('rm -f /run/pacer-hold');
  }

  /** Packages of a release, with their versions. */
  packages(release: '1.0' | '2.0'): Record<string, string> {
    const { lab, platform } = this;
    return { ...platform.versions(lab, release), ...(this.#pacer ? { pacer: platform.versionOf(release) } : {}) };
  }

  /** Installs exactly what the sudoers file of a plan allows. */
  async allowOnly(plan: SoftwarePlan): Promise<void> {
    const lines = sudoCommands(plan).map(({ as, command }) => `hitless ALL=(${as}) NOPASSWD: ${command}`);
    for (const { name } of this.lab.record.hosts) await this.lab.host(name).setSudoers(`${lines.join('\n')}\n`);
  }

  /** Versions of packages, as the package manager has them; of the release's by default. */
  async versions(names = Object.keys(this.packages('1.0'))): Promise<Record<string, string>> {
    const text = await this.machine.exec(this.platform.versionsOf(names));
    return Object.fromEntries(
      text
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    );
  }

  /** How often a package was set up in a version. */
  setUps(name: string, version: string): Promise<number> {
    return this.platform.setUps(this.machine, name, version);
  }
}
