/**
 * One FRR (zebra and bgpd) out of an image of the lab, in network, mount and process namespaces of its own without a name:
 * with its first process all of it is gone, whatever became of the test. Nothing is written into the image.
 */
import { spawn, execFile, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { waitFor } from '../../../lab';

const run = promisify(execFile);

/** Next hops lie behind `far`, each at the metric that its third octet gives: 10.91.7.1 at 7. */
export const METRICS = [1, 7, 20] as const;
export const ROUTER = '10.90.0.1';

const SPEAKERS = [11, 12, 13, 14, 15, 16].map((n) => `10.90.0.${n}`);

const start = [
  'set -e',
  'root=$1 node=$2 relay=$3 socket=$4',
  'mount -t proc proc "$root/proc"',
  'for each in run tmp etc/frr; do mount -t tmpfs tmpfs "$root/$each"; done',
  // Names of network namespaces that nobody else sees.
  'mkdir -p /run/netns; mount -t tmpfs tmpfs /run/netns; ip netns add speakers',
  'ip link set lo up',
  'ip link add near type veth peer name far netns speakers',
  'ip link set near up; ip -n speakers link set far up',
  'ip addr add 10.90.0.1/24 dev near',
  ...SPEAKERS.map((address) => `ip -n speakers addr add ${address}/24 dev far`),
  ...METRICS.map((m) => `ip route add 10.91.${m}.0/24 dev near metric ${m}`),
  'mkdir -p "$root/run/frr"; chroot "$root" chown frr:frr /run/frr /etc/frr',
  'touch "$root/etc/frr/vtysh.conf" "$root/etc/frr/zebra.conf" "$root/etc/frr/bgpd.conf"',
  'if [ -x "$root/usr/lib/frr/mgmtd" ]; then chroot "$root" /usr/lib/frr/mgmtd -A 127.0.0.1 -d; fi',
  'chroot "$root" /usr/lib/frr/zebra -A 127.0.0.1 -d',
  'chroot "$root" /usr/lib/frr/bgpd -A 127.0.0.1 -d',
  'exec ip netns exec speakers "$node" -e "$relay" "$socket"',
].join('\n');

/** Carries a connection to a Unix socket on to FRR, from the address that its first line names. */
const relay = `
const net = require('node:net');
net.createServer((near) => near.once('data', (data) => {
  near.pause();
  const end = data.indexOf(10);
  const [localAddress, host] = data.subarray(0, end).toString().split(' ');
  const far = net.connect({ host, port: 179, localAddress }, () => {
    far.write(data.subarray(end + 1));
    near.pipe(far); far.pipe(near);
  });
  for (const one of [near, far]) one.on('error', () => 0).on('close', () => { near.destroy(); far.destroy(); });
})).listen(process.argv[1], () => console.log('listening'));
`;

export class FrrAlone {
  private constructor(
    private readonly root: string,
    private readonly keeper: ChildProcess,
    private readonly pid: number,
    private readonly directory: string,
    readonly release: string,
  ) {}

  /** @param root the image's root file system */
  static async start(root: string): Promise<FrrAlone> {
    const directory = mkdtempSync(join(tmpdir(), 'hitless-pred-'));
    const relaying = [process.execPath, relay, join(directory, 'relay')];
    const argv = ['--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', start, 'sh', root, ...relaying];
    const keeper = spawn('unshare', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    try {
      await told(keeper, 'listening');
      const pid = Number(readFileSync(`/proc/${keeper.pid}/task/${keeper.pid}/children`, 'utf8').trim());
      const frr = new FrrAlone(root, keeper, pid, directory, '');
      const version = /^FRRouting (\S+)/m.exec(await frr.vtysh(['show version']))?.[1] ?? '?';
      return new FrrAlone(root, keeper, pid, directory, version);
    } catch (error) {
      keeper.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  get relay(): string {
    return join(this.directory, 'relay');
  }

  async vtysh(commands: readonly string[]): Promise<string> {
    const argv = ['--target', String(this.pid), '--mount', 'chroot', this.root, '/usr/bin/vtysh'];
    const { stdout } = await run('nsenter', [...argv, ...commands.flatMap((c) => ['-c', c])], {
      maxBuffer: 256 * 1024 * 1024,
    });
    return stdout;
  }

  /** @throws Error if FRR didn't take a line, with what it said of it */
  async configure(lines: readonly string[]): Promise<void> {
    const file = `/proc/${this.pid}/root${this.root}/tmp/lines`;
    writeFileSync(file, `${lines.join('\n')}\n`);
    const argv = ['--target', String(this.pid), '--mount', 'chroot', this.root, '/usr/bin/vtysh'];
    const { stdout, stderr } = await run('nsenter', [...argv, '-f', '/tmp/lines']);
    const bad = /^line (\d+): (.*)$/m.exec(stdout + stderr);
    if (bad !== null) throw new Error(`FRR said "${bad[2]}" to "${lines[Number(bad[1]) - 1]}"`);
  }

  /** Sessions as FRR sees them, by the neighbor's address. */
  async sessions(): Promise<Record<string, { readonly state: string; readonly pfxRcd?: number }>> {
    const text = await this.vtysh(['show bgp ipv4 unicast summary json']);
    return (JSON.parse(text) as { peers?: Record<string, { state: string; pfxRcd?: number }> }).peers ?? {};
  }

  /** bgpd has decided about everything that it was sent: nothing waits in its queues. */
  async settled(): Promise<void> {
    let before = '';
    await waitFor('bgpd to be done', async () => {
      const text = await this.vtysh(['show bgp ipv4 unicast summary json']);
      const { tableVersion } = JSON.parse(text) as { tableVersion?: number };
      const now = `${tableVersion}`;
      const same = now === before;
      before = now;
      return same;
    });
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.keeper.once('close', resolve));
    this.keeper.kill('SIGKILL');
    await gone;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Resolves when the process has printed the word. @throws Error with what else it said, if it ends first */
function told(child: ChildProcess, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const take = (data: Buffer): void => {
      said += data.toString();
      if (said.includes(word)) resolve();
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('close', (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
}
