import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { build, unpacked } from '../repo/deb';

/** A release of the stand-ins. */
export interface XRoadRelease {
  /** Debian version of all packages. */
  version: string;
  /** An older installed version is refused: the last two minor releases (facts/x-road.md section 1). */
  upgradeFrom: string;
  /** The last of the numbered changes in xroad-proxy's db/serverconf and in xroad-addon-messagelog's db/messagelog. */
  schema: { serverconf: number; messagelog: number };
}

/** In the repository of every lab, oldest first; the oldest is installed. */
export const releases = {
  '7.7.0-1': { version: '7.7.0-1', upgradeFrom: '7.5.0', schema: { serverconf: 3, messagelog: 1 } },
  '7.8.0-1': { version: '7.8.0-1', upgradeFrom: '7.6.0', schema: { serverconf: 4, messagelog: 2 } },
} as const satisfies Record<string, XRoadRelease>;

export interface StandIn {
  description: string;
  /** Packages of the same version that it depends on. */
  needs: readonly string[];
  /** Debian's packages that it depends on. */
  depends?: readonly string[];
  /** Its unit; `start` isn't restarted by an upgrade, for everything hangs on it. */
  unit?: 'restart' | 'start';
}

/** What is in a folder below standin/ of the same name is the package's, DEBIAN/control excepted. */
export const standIns: Record<string, StandIn> = {
  'xroad-base': {
    description: 'base of all services',
    needs: [],
    depends: ['adduser', 'crudini', 'python3', 'python3-psycopg2', 'postgresql-client'],
    unit: 'start',
  },
  'xroad-confclient': { description: 'configuration client', needs: ['xroad-base'], unit: 'restart' },
  'xroad-signer': { description: 'signer', needs: ['xroad-base'], unit: 'restart' },
  'xroad-database-local': { description: 'local databases', needs: [], depends: ['postgresql-15'] },
  'xroad-proxy': {
    description: 'proxy',
    needs: ['xroad-base', 'xroad-confclient', 'xroad-signer', 'xroad-database-local'],
    unit: 'restart',
  },
  'xroad-monitor': { description: 'monitoring daemon', needs: ['xroad-base', 'xroad-proxy'], unit: 'restart' },
  'xroad-proxy-ui-api': { description: 'management API', needs: ['xroad-proxy'], unit: 'restart' },
  'xroad-addon-messagelog': { description: 'message log', needs: ['xroad-proxy'], unit: 'restart' },
  'xroad-securityserver': {
    description: 'Security Server',
    needs: ['xroad-proxy', 'xroad-monitor', 'xroad-proxy-ui-api', 'xroad-addon-messagelog', 'xroad-database-local'],
  },
};

/** Names of all packages of a release. */
export const standInPackages: readonly string[] = Object.keys(standIns);

/** test/lab/xroad/standin of the sources, found by climbing: the build leaves out what isn't TypeScript. */
export function sourceFolder(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = join(folder, '..');
  return join(folder, 'test/lab/xroad/standin');
}

export const filesBelow = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });

/** All files that the packages are made of, this one included. */
export const standInFiles = (): string[] =>
  [...filesBelow(sourceFolder()), join(sourceFolder(), '../packages.ts')]
    .filter((path) => !path.includes('__pycache__'))
    .sort();

/** What debhelper (compat 12 and later) puts in place of #DEBHELPER#: it starts a unit that is enabled, running or not. */
const serviceSnippet = (unit: string, upgrade: 'restart' | 'start'): string =>
  `
case "$1" in
configure | abort-upgrade | abort-deconfigure | abort-remove)
  deb-systemd-helper unmask '${unit}' >/dev/null || true
  if deb-systemd-helper --quiet was-enabled '${unit}'; then
    deb-systemd-helper enable '${unit}' >/dev/null || true
  else
    deb-systemd-helper update-state '${unit}' >/dev/null || true
  fi
  if [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload >/dev/null || true
    if [ -n "$2" ]; then _dh_action=${upgrade}; else _dh_action=start; fi
    deb-systemd-invoke $_dh_action '${unit}' >/dev/null || true
  fi
  ;;
esac
`.trim();

const versionCheck = (oldest: string): string =>
  `
if [ "$1" = upgrade ] && dpkg --compare-versions "$2" lt '${oldest}'; then
  echo >&2 'ERROR: Upgrade supported from version ${oldest} or newer'
  exit 1
fi
`.trim();

/** Changes later than the release's last. */
export function isLater(path: string, { schema }: XRoadRelease): boolean {
  const [, database, number] = /\/db\/(serverconf|messagelog)\/(\d+)-/.exec(path) ?? [];
  return number !== undefined && Number(number) > schema[database as keyof typeof schema];
}

/** A minor release a month. Not the time of the build: rsync takes files of one size and one second for the same. */
export const releasedAt = ({ version }: XRoadRelease): Date =>
  new Date(Date.UTC(2025, Number(version.split('.')[1]), 1));

/** Builds all packages of a release into `directory`. Returns their versions. */
export async function buildStandIns(directory: string, release: XRoadRelease): Promise<Record<string, string>> {
  await Promise.all(Object.entries(standIns).map(([name, standIn]) => buildOne(directory, release, name, standIn)));
  return Object.fromEntries(standInPackages.map((name) => [name, release.version]));
}

async function buildOne(directory: string, release: XRoadRelease, name: string, standIn: StandIn): Promise<void> {
  const root = join(directory, `unpacked-${name}-${release.version}`);
  const source = join(sourceFolder(), name);
  mkdirSync(join(root, 'DEBIAN'), { recursive: true });
  if (existsSync(source)) cpSync(source, root, { recursive: true });
  if (name === 'xroad-base') {
    const programs = (path: string): boolean => !path.includes('__pycache__');
    cpSync(join(sourceFolder(), 'python'), join(root, 'usr/share/xroad/standin'), {
      recursive: true,
      filter: programs,
    });
  }
  const versions = join(root, 'usr/share/xroad/versions');
  mkdirSync(versions, { recursive: true });
  writeFileSync(join(versions, name), `${release.version}\n`);
  const values: Record<string, string> = {
    '@VERSION@': release.version,
    '@CHECK_VERSION@': versionCheck(release.upgradeFrom),
    '#DEBHELPER#': standIn.unit === undefined ? '' : serviceSnippet(`${name}.service`, standIn.unit),
  };
  for (const path of filesBelow(root)) {
    if (isLater(path, release)) {
      rmSync(path);
      continue;
    }
    furnish(path, relative(root, path), values);
    utimesSync(path, releasedAt(release), releasedAt(release));
  }
  const depends = [...standIn.needs.map((each) => `${each} (= ${release.version})`), ...(standIn.depends ?? [])];
  const control = [
    `Package: ${name}`,
    `Version: ${release.version}`,
    'Architecture: all',
    'Maintainer: Hitless lab <lab@example.invalid>',
    ...(depends.length > 0 ? [`Depends: ${depends.join(', ')}`] : []),
    'Section: net',
    'Priority: optional',
    `Description: Stand-in for X-Road's ${standIn.description}`,
    " Behaves towards an upgrade as X-Road's own package does; part of Hitless's lab.",
  ];
  writeFileSync(join(root, 'DEBIAN/control'), control.join('\n') + '\n');
  await build(unpacked(root), directory);
}

/** By its path in the package. */
export const isProgram = (name: string): boolean => /^DEBIAN\/(pre|post)(inst|rm)$|^usr\/bin\/|\.sh$/.test(name);

/** Placeholders and modes, which a repository doesn't keep. */
function furnish(path: string, name: string, values: Record<string, string>): void {
  const text = readFileSync(path, 'utf8');
  const filled = Object.entries(values).reduce((before, [key, value]) => before.split(key).join(value), text);
  if (filled !== text) writeFileSync(path, filled);
  chmodSync(path, isProgram(name) ? 0o755 : 0o644);
}
