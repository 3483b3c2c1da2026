/** A booted firewall host with release 1.0, the lab's package repository, and a plan for it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageActivities, softwareSpec, sudoCommands, type SoftwarePlan } from '../../../activities/packages';
import { transient } from '../../../activities/kit';
import { createHosts, hostsSpec, type Hosts } from '../../../activities/ssh';
import { PackageRepository, startLab, waitFor, type Lab, type LabHost } from '../../lab';
import { progress } from '../../lab/describe-lab';
import { firewallPairImage } from '../../lab/firewall-pair/image';
import { build, unpacked, writeIndex } from '../../lab/repo/deb';
import { fillRepository } from '../../lab/repo/repository';
import { attemptOn, type Attempt, type AttemptOptions } from '../support/one-host';
import type { StepContext } from '../../../activities/kit';

/** A local edit of a configuration file that release 2.0 changes too. */
export const EDITED = '/etc/conntrackd/conntrackd.conf';

export class Node {
  #hosts: Hosts = createHosts();
  /** What the guard says; undefined: the node carries no traffic. */
  serving: string | undefined;
  /** How often the guard was asked. */
  guarded = 0;
  #calls = 0;
  #pacer = false;

  private constructor(
    readonly lab: Lab,
    /** The host by its back door. */
    readonly machine: LabHost,
  ) {}

  static async start(names: readonly string[] = ['fw1']): Promise<Node> {
    const lab = await startLab(
      {
        kind: 'packages',
        image: firewallPairImage,
        hostNames: [...names],
        links: [],
        hosts: () =>
          names.map((name) => ({
            name,
            interfaces: [],
            files: [{ path: EDITED, content: '# edited on this host\n' }],
            // It has no peer to synchronise with here.
            mask: ['conntrackd.service'],
          })),
        repository: fillRepository,
      },
      {},
      progress,
    );
    return new Node(lab, lab.host(names[0]!));
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

  get repository(): PackageRepository {
    const { directory, url } = this.lab.record.repository!;
    return new PackageRepository(directory, url);
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
        driver: 'apt',
        releases: {
          '1.0': { packages: this.packages('1.0') },
          '2.0': { packages: this.packages('2.0') },
        },
        release: { file: '/etc/fw-release', pattern: '^(.+)$' },
        minFreeMb: 50,
        rebootTimeoutMs: '60s',
        units: ['frr.service', 'nftables.service'],
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
    const { directory } = this.lab.record.repository!;
    const preinst = '#!/bin/sh\ntouch /run/pacer-reached\nwhile [ -e /run/pacer-hold ]; do sleep 0.05; done\n';
    const packages = [
      { name: 'pacer', version: '1.0', depends: 'pacer-lib', preinst },
      { name: 'pacer', version: '2.0', depends: 'pacer-lib (>= 2.0), pacer-extra', preinst },
      { name: 'pacer-lib', version: '1.0' },
      { name: 'pacer-lib', version: '2.0' },
      { name: 'pacer-extra', version: '1.0' },
    ];
    for (const { name, version, ...more } of packages) {
      const root = join(directory, `unpacked-${name}-${version}`);
      mkdirSync(join(root, 'DEBIAN'), { recursive: true });
      const control = [
        `Package: ${name}`,
        `Version: ${version}`,
        'Architecture: all',
        'Maintainer: lab',
        'Description: x',
      ];
      if (more.depends !== undefined) control.push(`Depends: ${more.depends}`);
      writeFileSync(join(root, 'DEBIAN/control'), `${control.join('\n')}\n`);
      if (more.preinst !== undefined) writeFileSync(join(root, 'DEBIAN/preinst'), more.preinst, { mode: 0o755 });
      await build(unpacked(root), directory);
    }
    await writeIndex(directory);
    for (const { name } of this.lab.record.hosts) {
      const install = 'apt-get -q -y install pacer=1.0 pacer-lib=1.0';
      await this.lab.host(name).exec(`apt-get -q update && ${install} && apt-mark auto pacer-lib`);
    }
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
    return { ...this.repository.versions(release), ...(this.#pacer ? { pacer: release } : {}) };
  }

  /** Installs exactly what the sudoers file of a plan allows. */
  async allowOnly(plan: SoftwarePlan): Promise<void> {
    const lines = sudoCommands(plan).map(({ as, command }) => `hitless ALL=(${as}) NOPASSWD: ${command}`);
    for (const { name } of this.lab.record.hosts) await this.lab.host(name).setSudoers(`${lines.join('\n')}\n`);
  }

  /** Versions of the release's packages, as dpkg has them. */
  async versions(): Promise<Record<string, string>> {
    const names = Object.keys(this.packages('1.0')).join(' ');
    const text = await this.machine.exec(`dpkg-query -W -f '\${Package} \${Version}\\n' ${names}`);
    return Object.fromEntries(
      text
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    );
  }

  /** How often dpkg set a package up in a version. */
  async setUps(name: string, version: string): Promise<number> {
    const log = await this.machine.exec(`grep -F ' status installed ${name}:' /var/log/dpkg.log || true`);
    return log.split('\n').filter((line) => line.endsWith(` ${version}`)).length;
  }
}
