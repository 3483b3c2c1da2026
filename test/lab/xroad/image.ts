import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageBuild, ImageRecipe } from '../host/image';
import { writeIndex } from '../repo/deb';
import type { ReleaseCatalogue } from '../repo/repository';
import { buildStandIns, releases, standInFiles } from './packages';

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

/**
 * Installs the first release with both databases up, in a network of its own: on the machine's loopback somebody
 * else's PostgreSQL may be.
 */
const installFirst = (packages: readonly string[]): string =>
  `
sources=/etc/apt/sources.list.d/build.list
echo 'deb [trusted=yes] file:/srv/packages ./' > $sources
mkdir -p /dev/shm && mount -t tmpfs tmpfs /dev/shm
mkdir -p /etc/xroad
printf 'serverconf.hibernate.connection.url = jdbc:postgresql://127.0.0.1:5433/serverconf\\n' > /etc/xroad/db.properties
unshare --net sh -e -c '
  ip link set lo up
  pg_ctlcluster 15 main start
  pg_ctlcluster 15 serverconf start
  apt-get -q update
  apt-get -q install -y --no-install-recommends ${packages.join(' ')}
  pg_ctlcluster 15 serverconf stop -m fast
  pg_ctlcluster 15 main stop -m fast
'
umount /dev/shm
rm $sources
rm -rf /var/lib/apt/lists/* && mkdir -p /var/lib/apt/lists/partial && apt-get clean
# What the guide has the administrator make (IG-XLB 4 and 5): the flag's directory, and the two ends of rsync.
install -d -m 1750 -o xroad -g xroad /var/tmp/xroad
install -d -m 700 -o xroad -g xroad /var/lib/xroad/.ssh
useradd --system --create-home --shell /bin/bash --password '*' --gid xroad xroad-slave
install -d -m 755 /home/xroad-slave/.ssh
`.trim();

async function makeReleases({ directory, inside, progress }: ImageBuild): Promise<void> {
  const packages = join(directory, 'packages');
  mkdirSync(packages);
  const catalogue: ReleaseCatalogue = { versions: {} };
  for (const release of Object.values(releases)) {
    progress(`  building the stand-in packages of X-Road ${release.version}`);
    catalogue.versions[release.version] = await buildStandIns(packages, release);
  }
  await writeIndex(packages);
  writeFileSync(join(directory, 'releases.json'), JSON.stringify(catalogue, undefined, 2));
  const first = Object.keys(catalogue.versions)[0]!;
  progress(`  installing X-Road ${first}`);
  const log = await inside(
    installFirst(Object.entries(catalogue.versions[first]!).map(([name, version]) => `${name}=${version}`)),
    [{ from: packages, to: '/srv/packages' }],
  );
  writeFileSync(join(directory, 'install.log'), log);
  if (/migrations failed/.test(log)) throw new Error(`the databases weren't set up:\n${log.slice(-2000)}`);
  await inside('rmdir /srv/packages');
}

/** Names and contents of all files that the packages are made of: another image for each change of one of them. */
function fingerprint(): string {
  const hash = createHash('sha256');
  for (const path of standInFiles()) hash.update(path).update(readFileSync(path));
  return hash.digest('hex');
}

/** One image for all hosts; each masks what it doesn't run. A function, for it reads the files of the stand-ins. */
export const xroadImage = (): ImageRecipe => ({
  name: 'xroad',
  suite: 'bookworm',
  base: debianImage,
  packages: [],
  commands: ["echo 'A host of the Hitless lab.' > /etc/motd"],
  finish: { revision: `1 ${installFirst([])} ${fingerprint()}`, run: makeReleases },
});
