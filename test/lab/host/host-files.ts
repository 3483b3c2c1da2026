import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { check } from './command';
import type { HostRecord } from './record';

/** A file on a host. */
export interface HostFile {
  path: string;
  content: string;
  /** Default: 0o644. */
  mode?: number;
  /** `user:group` as the host names them. Default: root:root. */
  owner?: string;
}

export interface InterfaceSpec {
  name: string;
  /** With prefix length. */
  addresses: readonly string[];
  /** Default gateway through this interface. */
  gateway?: string;
}

/** A host of a lab, as far as it differs from the image. */
export interface HostSpec {
  name: string;
  /** Beside `mgmt0` and `lo`, which every host has. */
  interfaces: readonly InterfaceSpec[];
  files: readonly HostFile[];
  /** systemd units of the image that this host doesn't run. */
  mask: readonly string[];
  /** Units among `files`, as `systemctl enable` would: `by` is the unit that wants it. */
  enable?: readonly { unit: string; by: string }[];
  /** Units whose failure at boot is no reason to call the host ill, as one that needs another host which is still off. */
  mayFail?: readonly string[];
}

/** What every host of a lab gets to be reached by. */
export interface Login {
  publicKey: string;
  /** Text of /etc/sudoers.d/hitless. */
  sudoers: string;
  /** The package manager's only source, unless there is none. */
  source?: HostFile;
}

/** apt's only source: a flat repository that isn't signed. */
export const aptSource = (url: string): HostFile => ({
  path: '/etc/apt/sources.list.d/lab.list',
  content: `deb [trusted=yes] ${url} ./\n`,
});

/** Numeric id of a name in the host's own passwd or group file. */
function idOf(root: string, file: 'passwd' | 'group', name: string): number {
  const line = readFileSync(join(root, 'etc', file), 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`${name} isn't in /etc/${file} of ${root}`);
  return Number(line.split(':')[2]);
}

export function writeHostFile(root: string, file: HostFile): void {
  const path = join(root, file.path);
  const [user = 'root', group = user] = (file.owner ?? 'root:root').split(':');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, file.content);
  chmodSync(path, file.mode ?? 0o644);
  chownSync(path, idOf(root, 'passwd', user), idOf(root, 'group', group));
}

/** /etc/network/interfaces (interfaces(5)). */
export function renderInterfaces(management: string, interfaces: readonly InterfaceSpec[]): string {
  const all: InterfaceSpec[] = [{ name: 'mgmt0', addresses: [`${management}/24`] }, ...interfaces];
  const stanzas = all.map(({ name, addresses, gateway }) =>
    [
      `auto ${name}`,
      ...addresses.flatMap((address, index) => [
        `iface ${name} inet static`,
        `\taddress ${address}`,
        ...(index === 0 && gateway !== undefined ? [`\tgateway ${gateway}`] : []),
      ]),
    ].join('\n'),
  );
  return ['auto lo\niface lo inet loopback', ...stanzas].join('\n\n') + '\n';
}

/** Makes the host key of a host's sshd. Returns the public one (`ssh-ed25519 AAAA…`). */
export async function makeHostKey({ name, root }: HostRecord): Promise<string> {
  const hostKey = join(root, 'etc/ssh/ssh_host_ed25519_key');
  await check(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', hostKey]);
  return readFileSync(`${hostKey}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
}

/** Prepares a host's disk before its first boot. */
export function furnishHost(record: HostRecord, spec: HostSpec, login: Login): void {
  const { root } = record;
  const common: HostFile[] = [
    { path: '/etc/hostname', content: `${spec.name}\n` },
    { path: '/etc/hosts', content: `127.0.0.1 localhost\n127.0.1.1 ${spec.name}\n::1 localhost\n` },
    // With an id there is no "first boot", at which systemd would enable units by its presets.
    { path: '/etc/machine-id', content: `${randomBytes(16).toString('hex')}\n`, mode: 0o444 },
    { path: '/etc/network/interfaces', content: renderInterfaces(record.address, spec.interfaces) },
    { path: '/etc/sudoers.d/hitless', content: login.sudoers, mode: 0o440 },
    {
      path: '/home/hitless/.ssh/authorized_keys',
      content: `${login.publicKey}\n`,
      mode: 0o600,
      owner: 'hitless:hitless',
    },
  ];
  if (login.source !== undefined) common.push(login.source);
  for (const file of [...common, ...spec.files]) writeHostFile(root, file);
  const ssh = join(root, 'home/hitless/.ssh');
  chmodSync(ssh, 0o700);
  chownSync(ssh, idOf(root, 'passwd', 'hitless'), idOf(root, 'group', 'hitless'));
  for (const unit of spec.mask) {
    const path = join(root, 'etc/systemd/system', unit);
    if (existsSync(path)) rmSync(path);
    symlinkSync('/dev/null', path);
  }
  for (const { unit, by } of spec.enable ?? []) {
    const wants = join(root, 'etc/systemd/system', `${by}.wants`);
    mkdirSync(wants, { recursive: true });
    symlinkSync(`/etc/systemd/system/${unit}`, join(wants, unit));
  }
}
