import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageBuild, ImageRecipe } from '../host/image';
import { writeIndex } from '../repo/deb';
import type { ReleaseCatalogue } from '../repo/repository';
import { buildRpms, rpmVersion, type RpmPackage } from '../repo/rpm';
import { likeRhel } from '../rpm-host/image';
import { base } from '../rpm-host/packages';
import { buildStandIns, releases, standInFiles } from './packages';
import { standInRpms } from './rpms';

/** Debian's part: PostgreSQL with two instances, HAProxy, rsync, and what the stand-ins are written in. */
const debianImage: ImageRecipe = {
  name: 'xroad-debian',
  suite: 'bookworm',
  packages: [
    ...['postgresql-15', 'rsync', 'haproxy', 'socat', 'openssl', 'openssh-client', 'crudini'],
    ...['python3', 'python3-psycopg2', 'adduser'],
  ],
  commands: [
    'mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm',
    // `main` holds the message log; `serverconf`, on 5433, is what is replicated (facts/x-road.md section 2).
    'pg_dropcluster 15 main',
    'pg_createcluster --locale=C.UTF-8 --port=5432 15 main -- --no-sync',
    'pg_createcluster --locale=C.UTF-8 --port=5433 15 serverconf -- --no-sync',
    'umount /dev/shm',
    // The runtime API of HAProxy is open to its group: whoever drains servers needs no root.
    'usermod --append --groups haproxy hitless',
  ],
};

/** The same with dnf and rpm, whose packages know nothing of dpkg's. */
const dnfDebianImage: ImageRecipe = {
  ...debianImage,
  name: 'xroad-dnf-debian',
  packages: [...debianImage.packages, 'dnf', 'dnf-plugins-core', 'rpm', 'createrepo-c'],
  commands: [
    ...debianImage.commands,
    // Where RHEL has it.
    'ln -s /usr/bin/ss /usr/sbin/ss',
    likeRhel,
  ],
};

/**
 * Installs the first release by `install` with both databases up, in a network of its own: on the machine's loopback
 * somebody else's PostgreSQL may be.
 */
const installFirst = (before: string, install: string, after: string): string =>
  `
${before}
mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm
mkdir -p /etc/xroad
printf 'serverconf.hibernate.connection.url = jdbc:postgresql://127.0.0.1:5433/serverconf\\n' > /etc/xroad/db.properties
unshare --net sh -e -c '
  ip link set lo up
  pg_ctlcluster 15 main start
  pg_ctlcluster 15 serverconf start
  ${install}
  pg_ctlcluster 15 serverconf stop -m fast
  pg_ctlcluster 15 main stop -m fast
'
umount /dev/shm
${after}
# What the guide has the administrator make (IG-XLB 4 and 5): the flag's directory, and the two ends of rsync.
install -d -m 1750 -o xroad -g xroad /var/tmp/xroad
install -d -m 700 -o xroad -g xroad /var/lib/xroad/.ssh
useradd --system --create-home --shell /bin/bash --password '*' --gid xroad xroad-slave
install -d -m 755 /home/xroad-slave/.ssh
`.trim();

type Packages = Readonly<Record<string, string>>;

const installByApt = (packages: Packages): string =>
  installFirst(
    `sources=/etc/apt/sources.list.d/build.list
echo 'deb [trusted=yes] file:/srv/packages ./' > $sources`,
    `apt-get -q update
  apt-get -q install -y --no-install-recommends ${Object.entries(packages)
    .map(([name, version]) => `${name}=${version}`)
    .join(' ')}`,
    `rm $sources
rm -rf /var/lib/apt/lists/* && mkdir -p /var/lib/apt/lists/partial && apt-get clean`,
  );

const installByDnf = (packages: Packages): string =>
  installFirst(
    "printf '[build]\\nname=build\\nbaseurl=file:///srv/packages\\ngpgcheck=0\\n' > /etc/yum.repos.d/build.repo",
    `dnf -y --releasever=9 install ${base.name} ${Object.entries(packages)
      .map(([name, version]) => `${name}-${version}`)
      .join(' ')} </dev/null 2>&1`,
    'rm -rf /etc/yum.repos.d/build.repo /var/cache/dnf/*',
  );

async function makeDebs({ directory, progress }: ImageBuild): Promise<ReleaseCatalogue> {
  const packages = join(directory, 'packages');
  mkdirSync(packages);
  const catalogue: ReleaseCatalogue = { versions: {} };
  for (const release of Object.values(releases)) {
    progress(`  building the stand-in packages of X-Road ${release.version}`);
    catalogue.versions[release.version] = await buildStandIns(packages, release);
  }
  await writeIndex(packages);
  return catalogue;
}

async function makeRpms(build: ImageBuild): Promise<ReleaseCatalogue> {
  build.progress('  building the stand-in packages of X-Road with rpmbuild');
  const made = Object.values(releases).map((release) => standInRpms(release));
  await buildRpms(build, [base, ...made.flat()]);
  const versionsOf = (rpms: readonly RpmPackage[]): Packages =>
    Object.fromEntries(rpms.map((rpm) => [rpm.name, rpmVersion(rpm)]));
  return { versions: Object.fromEntries(made.map((rpms) => [rpmVersion(rpms[0]!), { ...versionsOf(rpms) }])) };
}

/** Packages and their repository, with the first release installed. */
async function finish(
  build: ImageBuild,
  make: (build: ImageBuild) => Promise<ReleaseCatalogue>,
  install: (packages: Packages) => string,
): Promise<void> {
  const { directory, inside, progress } = build;
  const catalogue = await make(build);
  writeFileSync(join(directory, 'releases.json'), JSON.stringify(catalogue, undefined, 2));
  const [first, packages] = Object.entries(catalogue.versions)[0]!;
  progress(`  installing X-Road ${first}`);
  const log = await inside(install(packages), [{ from: join(directory, 'packages'), to: '/srv/packages' }]);
  writeFileSync(join(directory, 'install.log'), log);
  // Neither package manager takes a failed script for a reason to fail.
  if (/migrations failed|scriptlet failed/.test(log))
    throw new Error(`the databases weren't set up:\n${log.slice(-2000)}`);
  await inside('rmdir /srv/packages');
}

/** Names and contents of all files that the packages are made of: another image for each change of one of them. */
function fingerprint(): string {
  const hash = createHash('sha256');
  for (const path of standInFiles()) hash.update(path).update(readFileSync(path));
  return hash.digest('hex');
}

/** One image for all hosts; each masks what it doesn't run. A function, for it reads the files of the stand-ins. */
export const xroadImage = (manager: 'apt' | 'dnf'): ImageRecipe => ({
  name: manager === 'apt' ? 'xroad' : 'xroad-dnf',
  suite: 'bookworm',
  base: manager === 'apt' ? debianImage : dnfDebianImage,
  packages: [],
  commands: ["echo 'A host of the Hitless lab.' > /etc/motd"],
  finish:
    manager === 'apt'
      ? { revision: `1 ${installByApt({})} ${fingerprint()}`, run: (build) => finish(build, makeDebs, installByApt) }
      : {
          revision: `1 ${installByDnf({})} ${JSON.stringify(Object.values(releases).map(standInRpms))} ${JSON.stringify(base)}`,
          run: (build) => finish(build, makeRpms, installByDnf),
        },
});
