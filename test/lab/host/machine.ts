import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { check, run, type Progress } from './command';
import { cgroupHierarchies } from './cgroup';

/** Commands that the lab runs on the machine itself, and the Debian package that each comes from. */
const requirements: readonly { command: string; package: string }[] = [
  { command: 'systemd-nspawn', package: 'systemd-container' },
  { command: 'mmdebstrap', package: 'mmdebstrap' },
  { command: 'ip', package: 'iproute2' },
  { command: 'ssh-keygen', package: 'openssh-client' },
  { command: 'openssl', package: 'openssl' },
  { command: 'nsenter', package: 'util-linux' },
  { command: 'mount', package: 'mount' },
  { command: 'dpkg-deb', package: 'dpkg' },
];

const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

const has = (command: string): boolean =>
  ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((directory) => existsSync(`${directory}/${command}`));

/** Packages that the lab needs and this machine lacks. */
export function missingPackages(): string[] {
  const missing = requirements.filter(({ command }) => !has(command)).map((requirement) => requirement.package);
  return existsSync(debianKeyring) ? missing : [...missing, 'debian-archive-keyring'];
}

/**
 * Why the lab can't run on this machine, in one sentence; undefined if it can (packages that are
 * merely missing are installed by `startLab`). Changes nothing.
 */
export function labUnavailable(): string | undefined {
  if (process.platform !== 'linux') return `The lab needs Linux network namespaces; this is ${process.platform}.`;
  if (process.getuid?.() !== 0) return 'The lab needs root, for it makes network namespaces and boots hosts in them.';
  if (missingPackages().length > 0 && !has('apt-get')) {
    return `The lab needs the Debian packages ${missingPackages().join(', ')}, and this machine has no apt-get to install them.`;
  }
  const namespaces = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'true'], { encoding: 'utf8' });
  if (namespaces.status !== 0) {
    return `The lab needs the right to make namespaces, which this machine refuses: ${namespaces.stderr.trim() || 'unshare failed'}.`;
  }
  if (!/\boverlay$/m.test(readFileSync('/proc/filesystems', 'utf8'))) {
    if (spawnSync('modprobe', ['overlay']).status !== 0) return 'The lab needs overlayfs, which this kernel lacks.';
  }
  const hierarchies = cgroupHierarchies();
  if (hierarchies.length === 0) return 'The lab needs a cgroup file system for systemd, and none is mounted.';
  for (const hierarchy of hierarchies) {
    try {
      accessSync(hierarchy, constants.W_OK);
    } catch {
      return `The lab needs to make cgroups, but ${hierarchy} can't be written to.`;
    }
  }
  return undefined;
}

/** Installs what is missing, naming it first. Kernel modules are loaded where they are modules. */
export async function ensureMachine(progress: Progress): Promise<void> {
  const reason = labUnavailable();
  if (reason !== undefined) throw new Error(reason);
  const missing = missingPackages();
  if (missing.length > 0) {
    progress(`Installing system packages: ${missing.join(', ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const install = [
      'apt-get',
      '-o',
      'DPkg::Lock::Timeout=300',
      'install',
      '-y',
      '--no-install-recommends',
      ...missing,
    ];
    if ((await run(install, { env })).code !== 0) {
      // Most often the package lists are missing or too old; the second failure is the one to show.
      await check(['apt-get', '-o', 'DPkg::Lock::Timeout=300', 'update'], { env });
      await check(install, { env });
    }
  }
  // Their sysctls and netlink families don't exist before the module does; built in, they need no loading.
  for (const module of ['veth', 'bridge', 'overlay', 'nf_conntrack', 'nf_conntrack_netlink', 'nf_tables']) {
    await run(['modprobe', '-q', module]).catch(() => undefined);
  }
}
