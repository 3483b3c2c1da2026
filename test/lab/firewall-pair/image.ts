import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageBuild, ImageRecipe } from '../host/image';
import { writeIndex } from '../repo/deb';
import { buildRelease, releases } from '../repo/releases';
import type { ReleaseCatalogue } from '../repo/repository';

/** Makes the packages of both releases, and installs the first one from a repository of them. */
async function makeReleases({ directory, root, archives, inside, progress }: ImageBuild): Promise<void> {
  const packages = join(directory, 'packages');
  mkdirSync(packages);
  const catalogue: ReleaseCatalogue = { versions: {} };
  for (const release of Object.values(releases)) {
    catalogue.versions[release.version] = await buildRelease(archives, packages, release, progress);
  }
  await writeIndex(packages);
  writeFileSync(join(directory, 'releases.json'), JSON.stringify(catalogue, undefined, 2));
  progress('  installing release 1.0');
  const first = Object.entries(catalogue.versions['1.0']!).map(([name, version]) => `${name}=${version}`);
  const sources = '/etc/apt/sources.list.d/build.list';
  await inside(
    [
      `echo 'deb [trusted=yes] file:/srv/packages ./' > ${sources}`,
      'apt-get -q update',
      `apt-get -q install -y --no-install-recommends ${first.join(' ')}`,
      `rm ${sources}`,
      'rm -rf /var/lib/apt/lists/* && mkdir -p /var/lib/apt/lists/partial && apt-get clean',
    ].join('\n'),
    [{ from: packages, to: '/srv/packages' }],
  );
  await inside('rmdir /srv/packages');
  writeFileSync(join(root, 'etc/motd'), 'A host of the Hitless lab.\n');
}

/** One image for all six hosts; each masks what it doesn't run. */
export const firewallPairImage: ImageRecipe = {
  name: 'firewall-pair',
  suite: 'bookworm',
  packages: ['frr', 'frr-pythontools', 'conntrack', 'conntrackd', 'nftables'],
  commands: ['systemctl enable nftables.service'],
  finish: { revision: `1 ${JSON.stringify(releases)}`, run: makeReleases },
};
