import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { inCgroup, killCgroup, removeCgroup } from './cgroup';
import { sleep } from './command';
import type { HostStatus } from './keeper-protocol';
import { pullCables, renewNamespace } from './network';
import { restoreDisk, snapshotDisk, type Disk } from './overlay';
import type { HostRecord, ServiceRecord } from './record';

/** systemd-nspawn --keep-unit ends with this status when the system inside asked for a reboot (EXIT_FORCE_RESTART). */
const rebootStatus = 133;

/** Boots one host, again after each reboot, and runs the programs that live in its network namespace. */
export class MachineRunner {
  private nspawn: ChildProcess | undefined;
  private ended: Promise<void> = Promise.resolve();
  private boots = 0;
  private pullingPlug = false;
  private readonly services = new Set<ChildProcess>();
  onReboot: 'start' | 'stay-off' | 'restore-snapshot' = 'start';

  constructor(
    private readonly lab: string,
    private readonly host: HostRecord,
    private readonly serviceRecords: readonly ServiceRecord[],
    private readonly log: (line: string) => void,
  ) {}

  private get cgroup(): string {
    return `${this.lab}/${this.host.name}`;
  }

  status(): HostStatus {
    const leader = this.leader();
    return {
      host: this.host.name,
      state: this.nspawn === undefined ? 'off' : 'on',
      boots: this.boots,
      ...(leader === undefined ? {} : { leader }),
    };
  }

  async start(): Promise<void> {
    if (this.nspawn !== undefined) return;
    if (this.boots > 0) await renewNamespace(this.host.namespace);
    await this.clearCgroup();
    const console = openSync(this.host.console, 'a');
    const { name, namespace, root } = this.host;
    const child = spawn(
      'sh',
      inCgroup(this.cgroup, [
        ...['systemd-nspawn', '--quiet', '--boot', `--directory=${root}`],
        ...[`--machine=${namespace}`, `--hostname=${name}`, `--network-namespace-path=/run/netns/${namespace}`],
        // No systemd-machined and no scope unit is needed: it also runs where systemd isn't the machine's init.
        ...['--register=no', '--keep-unit', '--private-users=no', '--console=pipe'],
        ...['--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_NICE'],
        ...['--resolv-conf=off', '--timezone=off', '--link-journal=no'],
      ]).slice(1),
      {
        stdio: ['ignore', console, console],
        detached: true, // a ^C at the terminal that started the lab must not reach it
        // Lets systemd-sysctl and people set sysctls of the namespace from inside, as on a machine of its own.
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network' },
      },
    );
    closeSync(console);
    this.nspawn = child;
    this.boots += 1;
    this.log(`${name}: boot ${this.boots}`);
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => this.log(`${name}: can't run systemd-nspawn: ${error.message}`));
      child.once('close', (code, signal) => {
        void this.afterEnd(code, signal)
          .catch((error: Error) => this.log(`${name}: ${error.message}`))
          .finally(resolve);
      });
    });
    for (const service of this.serviceRecords) this.startService(service);
  }

  /** As pulling the plug: the cables first, so that no dying process tells its peers. */
  async powerOff(): Promise<void> {
    if (this.nspawn === undefined) return;
    this.pullingPlug = true;
    try {
      await pullCables(this.host.namespace);
      const { ended } = this;
      await killCgroup(this.cgroup);
      await ended;
    } finally {
      this.pullingPlug = false;
    }
  }

  snapshot(): Promise<void> {
    return snapshotDisk(this.disk);
  }

  private get disk(): Disk {
    return { lower: this.host.lower, directory: this.host.disk };
  }

  private async afterEnd(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    const { name, namespace } = this.host;
    this.log(`${name}: ended with ${signal ?? `status ${code}`}`);
    for (const service of this.services) service.kill('SIGKILL');
    await pullCables(namespace);
    await this.clearCgroup();
    this.nspawn = undefined;
    if (this.pullingPlug || code !== rebootStatus) return;
    const then = this.onReboot;
    this.onReboot = 'start';
    if (then === 'stay-off') return this.log(`${name}: stays off, as asked for`);
    if (then === 'restore-snapshot') await restoreDisk(this.disk);
    await this.start();
  }

  /** What a killed nspawn leaves running inside must end too, and the cgroup be empty before the next boot. */
  private async clearCgroup(): Promise<void> {
    await killCgroup(this.cgroup);
    for (let round = 0; !removeCgroup(this.cgroup); round++) {
      if (round === 500) throw new Error(`the cgroup ${this.cgroup} can't be removed`);
      await sleep(10);
    }
  }

  private startService(service: ServiceRecord): void {
    const log = openSync(service.log, 'a');
    const argv = ['nsenter', `--net=/run/netns/${this.host.namespace}`, ...service.argv];
    const child = spawn('sh', inCgroup(`${this.lab}/services`, argv).slice(1), {
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.services.add(child);
    child.once('error', (error) => this.log(`${service.name}: ${error.message}`));
    child.once('close', (code, signal) => {
      this.services.delete(child);
      this.log(`${service.name} on ${this.host.name} ended with ${signal ?? `status ${code}`}`);
    });
  }

  /** The child of nspawn that is process 1 of its own PID namespace. */
  private leader(): number | undefined {
    const parent = this.nspawn?.pid;
    if (parent === undefined) return undefined;
    try {
      const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
      return children.map(Number).find((pid) => /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
    } catch {
      return undefined;
    }
  }
}
