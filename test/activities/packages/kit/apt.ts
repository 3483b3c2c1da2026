import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PackageRepository, type Lab } from '../../../lab';
import { firewallPairImage } from '../../../lab/firewall-pair/image';
import { build, unpacked, writeIndex } from '../../../lab/repo/deb';
import { fillRepository } from '../../../lab/repo/repository';
import type { Platform } from './platform';

const EDITED = '/etc/conntrackd/conntrackd.conf';
const repository = (lab: Lab): PackageRepository => {
  const { directory, url } = lab.record.repository!;
  return new PackageRepository(directory, url);
};

/** A firewall of the lab: Debian with apt. */
export const apt: Platform = {
  driver: 'apt',
  image: firewallPairImage,
  // It has no peer to synchronise with here.
  mask: ['conntrackd.service'],
  units: ['frr.service', 'nftables.service'],
  fillRepository,
  versions: (lab, release) => repository(lab).versions(release),
  versionOf: (release) => release,
  fileOf: (name, version) => `${name}_${version}_all.deb`,
  ...{ main: 'frr', other: 'nftables', telling: 'fw-release', releaseFile: '/etc/fw-release' },
  edited: { [EDITED]: 'Since release 2.0' },
  defaults: '/etc/fw-release.d/defaults.conf',
  takeAway: (lab, name, version) => repository(lab).remove(name, version, { keepInIndex: true }),
  withdraw: (lab, name, version) => repository(lab).remove(name, version),
  putBack: (lab, name, version) => repository(lab).putBack(name, version),
  faulty: ['2.1'],
  publishFaulty: (lab) => repository(lab).publishFaulty('2.1'),
  addPacer,
  async addMonitor(host) {
    const control = `Package: site-monitor\\nVersion: 1\\nArchitecture: all\\nMaintainer: a\\nDescription: a\\nDepends: frr (= $(dpkg-query -W -f '\${Version}' frr))\\n`;
    await host.exec(
      `mkdir -p /tmp/p/DEBIAN && printf "${control}" > /tmp/p/DEBIAN/control && dpkg-deb -b /tmp/p /tmp/p.deb && dpkg -i /tmp/p.deb`,
    );
  },
  async removeMonitor(host) {
    await host.exec('dpkg -r site-monitor');
  },
  commands: {
    all: 'dpkg-query -W',
    marks: 'apt-mark showauto',
    markOther: 'apt-mark auto nftables',
    own: 'find /var/lib/apt /var/cache/apt /var/lib/dpkg -type f -not -name "lock*" | sort | xargs sha256sum',
    forget: 'rm -rf /var/lib/apt/lists/* /var/lib/hitless/stage/lists /etc/apt/sources.list.d/*',
    broken: 'dpkg --audit',
    kill: 'kill -KILL $(pgrep -x dpkg)',
    hold: (name) => `apt-mark hold ${name}`,
    unhold: (name) => `apt-mark unhold ${name}`,
  },
  versionsOf: (names) => `dpkg-query -W -f '\${Package} \${Version}\\n' ${names.join(' ')}`,
  lock: '/var/lib/dpkg/lock-frontend',
  async setUps(host, name, version) {
    const log = await host.exec(`grep -F ' status installed ${name}:' /var/log/dpkg.log || true`);
    return log.split('\n').filter((line) => line.endsWith(` ${version}`)).length;
  },
  says: {
    installing: /^sudo \/usr\/bin\/apt-get .*--force-confold' install .*fw-release_2\.0_all\.deb/,
    held: /Held packages.*Next: .*apt-mark unhold/s,
    unhold: 'apt-mark unhold',
    missing: /404 +Not Found/,
  },
};

async function addPacer(lab: Lab): Promise<void> {
  const { directory } = lab.record.repository!;
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
  for (const { name } of lab.record.hosts) {
    const install = 'apt-get -q -y install pacer=1.0 pacer-lib=1.0';
    await lab.host(name).exec(`apt-get -q update && ${install} && apt-mark auto pacer-lib`);
  }
}
