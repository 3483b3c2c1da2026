import { readFileSync } from 'node:fs';
import { CommandError, run, waitFor, type CommandResult } from './command';
import { writeHostFile, type HostFile } from './host-files';
import { askKeeper, type HostStatus } from './keeper-protocol';
import type { HostRecord } from './record';

const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8'];

/** A booted host of a lab. What is done here goes by the back door, as root, independent of SSH and of the network. */
export class LabHost {
  constructor(
    private readonly labDirectory: string,
    readonly record: HostRecord,
    /** Public host key, `ssh-ed25519 AAAA…`. */
    readonly hostKey: string,
  ) {}

  get name(): string {
    return this.record.name;
  }

  /** Address in the management network, where sshd listens on port 22. */
  get address(): string {
    return this.record.address;
  }

  /** Network namespace, for `ip netns exec`. */
  get namespace(): string {
    return this.record.namespace;
  }

  async status(): Promise<HostStatus> {
    const hosts = await askKeeper(this.labDirectory, { op: 'status' });
    return hosts.find(({ host }) => host === this.name)!;
  }

  /** Runs a shell command as root inside the host; its exit status is a result. @throws Error if the host is off. */
  async tryExec(command: string, options: { timeoutMs?: number; input?: string } = {}): Promise<CommandResult> {
    const { leader, state } = await this.status();
    if (leader === undefined) throw new Error(`${this.name} ${state === 'off' ? 'is off' : 'is only just starting'}`);
    // nsenter must not fork and wait itself: at a shutdown systemd stops all processes for a moment, nsenter takes over its
    // child's stop for good, and the child that it doesn't collect holds the shutdown up for 90 s.
    const collect = ['sh', '-c', '"$@"; exit $?', 'sh'];
    const enter = ['nsenter', '--target', String(leader), '--all', '--no-fork', '--', ...collect];
    const argv = [...enter, 'env', '-i', ...environment, 'sh', '-c', command];
    return run(argv, options);
  }

  /** As `tryExec`, but throws CommandError unless the exit status is 0. Returns standard output. */
  async exec(command: string, options: { timeoutMs?: number; input?: string } = {}): Promise<string> {
    const result = await this.tryExec(command, options);
    if (result.code !== 0) throw new CommandError([`${this.name}:`, command], result);
    return result.stdout;
  }

  /** As `exec`, with the output read as JSON. The caller vouches for the shape. */
  async execJson<T>(command: string): Promise<T> {
    return JSON.parse(await this.exec(command)) as T;
  }

  /** Another one after each boot. */
  async bootId(): Promise<string> {
    return (await this.exec('cat /proc/sys/kernel/random/boot_id')).trim();
  }

  /**
   * Waits until systemd has finished booting; with `after`, until a boot other than that one has.
   * @throws Error with the units that failed if it ends degraded, or with the console's end after `timeoutMs`.
   */
  async waitBooted({ after, timeoutMs = 60_000 }: { after?: string; timeoutMs?: number } = {}): Promise<void> {
    const state = await waitFor(
      `${this.name} to boot`,
      async () => {
        // Not `--wait`: of a systemctl that waits while systemd goes down and up nobody knows when it returns.
        const { stdout } = await this.tryExec('systemctl is-system-running', { timeoutMs: 10_000 });
        const reached = ['running', 'degraded'].includes(stdout.trim()) ? stdout.trim() : undefined;
        // The boot is asked for after the state: a host about to reboot still calls itself running.
        return after !== undefined && (await this.bootId()) === after ? undefined : reached;
      },
      { timeoutMs, intervalMs: 150 },
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.name}'s console ends with:\n${this.consoleTail()}`);
    });
    if (state === 'degraded') {
      const failed = (await this.tryExec('systemctl --failed --no-legend --plain')).stdout;
      const units = failed.split('\n').flatMap((line) => line.split(' ')[0] || []);
      if (units.every((unit) => this.record.mayFail?.includes(unit))) return;
      const { stdout } = await this.tryExec('journalctl -b -p err -n 20 --no-pager');
      throw new Error(`${this.name} has booted, but units failed:\n${failed}${stdout}`);
    }
  }

  consoleTail(lines = 20): string {
    return readFileSync(this.record.console, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Cables and plug pulled. It stays off until `start`. */
  async powerOff(): Promise<void> {
    await askKeeper(this.labDirectory, { op: 'power-off', host: this.name });
  }

  /** Boots a host that is off; `waitBooted` tells when it is up. */
  async start(): Promise<void> {
    await askKeeper(this.labDirectory, { op: 'start', host: this.name });
  }

  /** Asks systemd inside for a reboot, as a person would, and waits for the end of the new boot. */
  async reboot(): Promise<void> {
    const after = await this.bootId();
    await this.tryExec('systemctl reboot');
    await this.waitBooted({ after });
  }

  /** What the next reboot from inside leads to; for "the node doesn't come back" and "it comes back as it was". */
  async onNextReboot(then: 'start' | 'stay-off' | 'restore-snapshot'): Promise<void> {
    await askKeeper(this.labDirectory, { op: 'on-reboot', host: this.name, then });
  }

  /** Keeps the disk as it is now; `onNextReboot('restore-snapshot')` brings it back, as a failed image boot would. */
  async snapshot(): Promise<void> {
    await askKeeper(this.labDirectory, { op: 'snapshot', host: this.name });
  }

  /** Writes a file onto the host's disk, also while it is off. */
  writeFile(file: HostFile): void {
    writeHostFile(this.record.root, file);
  }

  readFile(path: string): string {
    return readFileSync(`${this.record.root}${path}`, 'utf8');
  }

  /** Replaces what the user `hitless` may do by sudo. @throws CommandError if visudo refuses the text; nothing is changed then. */
  async setSudoers(text: string): Promise<void> {
    await this.exec('visudo -cq -f -', { input: text });
    this.writeFile({ path: '/etc/sudoers.d/hitless', content: text, mode: 0o440 });
  }
}
