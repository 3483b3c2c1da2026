/**
 * A host on which dnf and rpm manage a release of their own. It is Debian below: a stand-in for RHEL in everything but dnf and
 * rpm, which are real (4.14 and 4.18), as are the packages, their scripts and their repository.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageBuild, ImageRecipe } from '../host/image';
import { buildRpms, rpmVersion } from '../repo/rpm';
import type { ReleaseCatalogue } from '../repo/repository';
import { base, packages, releaseNames } from './packages';

const debianImage: ImageRecipe = {
  name: 'dnf-debian',
  suite: 'bookworm',
  packages: ['dnf', 'dnf-plugins-core', 'rpm', 'createrepo-c', 'python3'],
  commands: [],
};

/** As RHEL has it, where Debian's packages differ. dnf.conf(5); Debian's rpm keeps its database in the user's home. */
export const likeRhel = `
mkdir -p /etc/rpm /etc/yum.repos.d
echo '%_dbpath /var/lib/rpm' > /etc/rpm/macros
printf '[main]\\ngpgcheck=1\\ninstallonly_limit=3\\nclean_requirements_on_remove=True\\nbest=True\\nskip_if_unavailable=False\\n' > /etc/dnf/dnf.conf
for plugin in local show_leaves; do printf '[main]\\nenabled = 0\\n' > /etc/dnf/plugins/$plugin.conf; done
`.trim();

const installFirst = (specs: readonly string[]): string =>
  `
printf '[build]\\nname=build\\nbaseurl=file:///srv/packages\\ngpgcheck=0\\n' > /etc/yum.repos.d/build.repo
dnf -y -q --releasever=9 install ${specs.join(' ')} </dev/null 2>&1
dnf -q mark remove gate-lib 2>&1
rm -rf /etc/yum.repos.d/build.repo /var/cache/dnf/*
`.trim();

async function makeReleases(build: ImageBuild): Promise<void> {
  const { directory, inside, progress } = build;
  await inside(likeRhel);
  progress('  building the packages with rpmbuild');
  await buildRpms(build, packages());
  const catalogue: ReleaseCatalogue = { versions: {} };
  for (const release of releaseNames)
    catalogue.versions[release] = Object.fromEntries(
      ['gate', 'gate-lib', 'lab-release'].map((name) => [name, rpmVersion({ version: release })]),
    );
  writeFileSync(join(directory, 'releases.json'), JSON.stringify(catalogue, undefined, 2));
  progress('  installing release 1.0');
  const first = Object.entries(catalogue.versions['1.0']!).map(([name, version]) => `${name}-${version}`);
  const log = await inside(installFirst([base.name, ...first]), [
    { from: join(directory, 'packages'), to: '/srv/packages' },
  ]);
  writeFileSync(join(directory, 'install.log'), log);
  await inside('rmdir /srv/packages');
}

export const rpmHostImage: ImageRecipe = {
  name: 'rpm-host',
  suite: 'bookworm',
  base: debianImage,
  packages: [],
  commands: ["echo 'A host of the Hitless lab.' > /etc/motd"],
  finish: { revision: `1 ${likeRhel} ${installFirst([])} ${JSON.stringify(packages())}`, run: makeReleases },
};
