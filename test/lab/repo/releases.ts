import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Progress } from '../host/command';
import { build, findDeb, repack, unpacked, type UnpackedDeb } from './deb';

/**
 * A release of the lab's firewall: Debian's own packages under a new version, and `fw-release`, which depends on exactly
 * those and names the release in /etc/fw-release.
 */
export interface FirewallRelease {
  /** Version of `fw-release`. */
  version: string;
  /** Suffix of the versions of the Debian packages. */
  suffix: string;
  fault?: 'postinst-fails' | 'names-itself-wrong-after-reboot';
}

/** What the firewall runs on. */
export const firewallPackages = ['frr', 'conntrackd', 'nftables'] as const;

export const releases = {
  '1.0': { version: '1.0', suffix: '+hitless1.0' },
  '2.0': { version: '2.0', suffix: '+hitless2.0' },
} as const satisfies Record<string, FirewallRelease>;

/** Not in the repository unless a test publishes them: both need the packages of 2.0. */
export const faultyReleases = {
  /** Its installation ends half-configured. */
  '2.1': { version: '2.1', suffix: '+hitless2.0', fault: 'postinst-fails' },
  /** Calls itself 1.9 from the next boot on. */
  '2.2': { version: '2.2', suffix: '+hitless2.0', fault: 'names-itself-wrong-after-reboot' },
} as const satisfies Record<string, FirewallRelease>;

function renew(deb: UnpackedDeb, release: FirewallRelease): void {
  deb.setField('Version', deb.field('Version') + release.suffix);
  if (deb.field('Package') === 'conntrackd' && release.version !== '1.0') {
    // Every host has its own conntrackd.conf, so dpkg must choose between that and the maintainer's new one.
    appendFileSync(
      join(deb.directory, 'etc/conntrackd/conntrackd.conf'),
      `\n# Since release ${release.version} the maintainer's default differs from the one before.\n`,
    );
  }
}

/** Makes the packages of a release in `directory` out of Debian's. Returns the versions, by package. */
export async function buildRelease(
  archives: string,
  directory: string,
  release: FirewallRelease,
  progress: Progress,
): Promise<Record<string, string>> {
  progress(`  building the packages of release ${release.version}`);
  mkdirSync(directory, { recursive: true });
  const versions: Record<string, string> = {};
  await Promise.all(
    firewallPackages.map((name) =>
      repack(findDeb(archives, name), directory, (deb) => {
        renew(deb, release);
        versions[name] = deb.field('Version');
      }),
    ),
  );
  await buildMeta(directory, release, versions);
  versions['fw-release'] = release.version;
  return versions;
}

/** Makes `fw-release` alone. */
export async function buildMeta(
  directory: string,
  release: FirewallRelease,
  versions: Readonly<Record<string, string>>,
): Promise<void> {
  const root = join(directory, `unpacked-fw-release-${release.version}`);
  for (const path of ['DEBIAN', 'etc/fw-release.d', 'lib/systemd/system']) {
    mkdirSync(join(root, path), { recursive: true });
  }
  const depends = firewallPackages.map((name) => `${name} (= ${versions[name]})`).join(', ');
  const control = [
    'Package: fw-release',
    `Version: ${release.version}`,
    'Architecture: all',
    'Maintainer: Hitless lab <lab@example.invalid>',
    `Depends: ${depends}`,
    'Section: net',
    'Priority: optional',
    `Description: Release ${release.version} of the lab's firewall`,
    ' Depends on exactly the packages that make up this release.',
  ];
  writeFileSync(join(root, 'DEBIAN/control'), control.join('\n') + '\n');
  writeFileSync(join(root, 'DEBIAN/conffiles'), '/etc/fw-release.d/defaults.conf\n');
  writeFileSync(join(root, 'etc/fw-release'), `${release.version}\n`);
  writeFileSync(join(root, 'etc/fw-release.d/defaults.conf'), `# Defaults of release ${release.version}\n`);
  if (release.fault === 'postinst-fails') {
    const postinst = join(root, 'DEBIAN/postinst');
    writeFileSync(postinst, "#!/bin/sh\necho 'fw-release: the licence server refused this release' >&2\nexit 1\n");
    chmodSync(postinst, 0o755);
  }
  if (release.fault === 'names-itself-wrong-after-reboot') {
    // As an appliance whose boot loader fell back to the other partition.
    const unit = [
      '[Unit]',
      'Description=Release of the partition that was booted',
      'DefaultDependencies=no',
      'After=local-fs.target',
      'Before=sysinit.target',
      '[Service]',
      'Type=oneshot',
      "ExecStart=/bin/sh -c 'echo 1.9 > /etc/fw-release'",
    ];
    writeFileSync(join(root, 'lib/systemd/system/fw-partition.service'), unit.join('\n') + '\n');
    const postinst = join(root, 'DEBIAN/postinst');
    const wants = '/etc/systemd/system/sysinit.target.wants';
    const link = `ln -sf /lib/systemd/system/fw-partition.service ${wants}/fw-partition.service`;
    writeFileSync(postinst, `#!/bin/sh\nset -e\nmkdir -p ${wants}\n${link}\n`);
    chmodSync(postinst, 0o755);
  }
  await build(unpacked(root), directory);
}
