import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { spawn } from 'node:child_process';
import { check, type Progress } from './command';
import { withLock } from './lock';
import { listLabs } from './record';

/** A Debian root file system that hosts are booted from, by what goes into it. */
export interface ImageRecipe {
  /** For people, in progress lines. */
  name: string;
  suite: 'bookworm' | 'trixie';
  /** Made on top of this image instead of from Debian: then `packages` must be empty, for there are no archives. */
  base?: ImageRecipe;
  /** Debian packages beyond the minimal base and what every host of a lab has. */
  packages: readonly string[];
  /** Shell lines run inside the finished root file system. */
  commands: readonly string[];
  /** What is made beside the root file system, from the Debian packages that were fetched for it. */
  finish?: {
    /** Change it when what `run` does changes: it is part of the image's identity. */
    revision: string;
    run: (build: ImageBuild) => Promise<void>;
  };
}

export interface ImageBuild {
  /** Directory of the image: `root` is the root file system, anything else belongs to the recipe. */
  directory: string;
  root: string;
  /** Directory with the fetched .deb files, removed after the build. */
  archives: string;
  /** Runs a shell line inside the root file system, with /proc and with `bind` directories mounted. */
  inside: (script: string, bind?: readonly { from: string; to: string }[]) => Promise<string>;
  progress: Progress;
}

/** What makes a host of a lab: an init, a login, a network, and tools that people expect. */
const hostPackages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'openssh-server', 'sudo', 'ifupdown', 'iproute2', 'netbase', 'procps'],
  ...['iputils-ping', 'ca-certificates', 'less', 'curl'],
];

const hostCommands = [
  'useradd --create-home --shell /bin/bash --password "*" hitless',
  'passwd --lock root',
  'rm -f /etc/ssh/ssh_host_*', // each host gets its own
  // Nothing may install or fetch behind the back of an upgrade, and there is no terminal to log in at.
  'systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer console-getty.service dev-hugepages.mount',
  // Two inotify instances each, of which a machine has few.
  'systemctl mask systemd-ask-password-console.path systemd-ask-password-wall.path',
  'echo -n > /etc/apt/sources.list',
  'rm -f /etc/apt/sources.list.d/*',
  'rm -f /etc/machine-id /var/lib/dbus/machine-id',
];

export const imageCache = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hitless', 'lab');

const mirror = (): string => process.env['HITLESS_DEBIAN_MIRROR'] ?? 'http://deb.debian.org';

function identity(recipe: ImageRecipe): string {
  const { suite, packages, commands, finish, base } = recipe;
  const below = base === undefined ? { hostPackages, hostCommands } : { base: identity(base) };
  const parts = { suite, packages, commands, ...below, finish: finish?.revision };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/**
 * Directory of the image, which is built once (some 40 s) and kept in the user's cache directory. Built
 * beside its place and renamed into it: an interrupted build leaves nothing that looks like an image.
 */
export async function ensureImage(recipe: ImageRecipe, progress: Progress): Promise<string> {
  const directory = join(imageCache(), identity(recipe));
  if (existsSync(directory)) {
    const now = new Date();
    utimesSync(directory, now, now); // in use: see forgetOldImages
    return directory;
  }
  const base = recipe.base === undefined ? undefined : await ensureImage(recipe.base, progress);
  const waiting = (): void => progress(`Waiting for another process that builds the image ${recipe.name}`);
  return withLock(`${directory}.lock`, waiting, async () => {
    if (existsSync(directory)) return directory;
    for (const name of readdirSync(dirname(directory))) {
      // We hold the lock: whoever made this was killed.
      if (name.startsWith(`${identity(recipe)}.building`)) removeTree(join(dirname(directory), name));
    }
    const building = `${directory}.building-${process.pid}`;
    try {
      await build(recipe, building, base, progress);
      renameSync(building, directory);
      forgetOldImages();
    } catch (error) {
      removeTree(building);
      throw new Error(`building the lab's image ${recipe.name} failed: ${(error as Error).message}`);
    }
    return directory;
  });
}

/** An image of a recipe that nobody has used for a month is 300 MB for nothing. */
function forgetOldImages(): void {
  const monthAgo = Date.now() - 30 * 86_400_000;
  const inUse = new Set(listLabs().flatMap(({ hosts }) => hosts.map(({ lower }) => dirname(lower))));
  for (const name of readdirSync(imageCache())) {
    const path = join(imageCache(), name);
    if (statSync(path).mtimeMs < monthAgo && !inUse.has(path)) removeTree(path);
  }
}

function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

async function build(
  recipe: ImageRecipe,
  directory: string,
  base: string | undefined,
  progress: Progress,
): Promise<void> {
  const root = join(directory, 'root');
  mkdirSync(root, { recursive: true });
  const archives = join(directory, 'archives');
  const inside: ImageBuild['inside'] = (script, bind = []) => runInside(root, script, bind);
  const packages = await (base === undefined
    ? bootstrap(recipe, root, archives, progress)
    : copyBase(recipe, base, root, archives, progress));
  await inside([...(base === undefined ? hostCommands : []), ...recipe.commands].join('\n'));
  await recipe.finish?.run({ directory, root, archives, inside, progress });
  // dpkg's and apt's options were for the build alone.
  removeTree(join(root, 'etc/apt/apt.conf.d/99mmdebstrap'));
  removeTree(join(root, 'etc/dpkg/dpkg.cfg.d/99mmdebstrap'));
  removeTree(archives);
  writeFileSync(join(directory, 'recipe.json'), JSON.stringify({ name: recipe.name, packages }, undefined, 2));
}

async function copyBase(
  recipe: ImageRecipe,
  base: string,
  root: string,
  archives: string,
  progress: Progress,
): Promise<string[]> {
  if (recipe.packages.length > 0) throw new Error(`${recipe.name} has a base and packages of Debian; it can have one`);
  progress(`Building the image ${recipe.name} on ${recipe.base!.name} (once)`);
  mkdirSync(archives);
  await check(['cp', '-a', '--reflink=auto', `${join(base, 'root')}/.`, root]);
  return [];
}

/** Debian's packages and what every host has, in `root`; the .deb files in `archives`. Returns their names. */
async function bootstrap(recipe: ImageRecipe, root: string, archives: string, progress: Progress): Promise<string[]> {
  const packages = [...new Set([...hostPackages, ...recipe.packages])];
  progress(`Building the image ${recipe.name} from Debian ${recipe.suite} and ${packages.length} packages (once)`);
  const base = mirror();
  const argv = [
    ...['mmdebstrap', '--mode=root', '--variant=minbase', `--include=${packages.join(',')}`],
    // The image can be made again; the packages that were fetched are needed for the lab's repository.
    ...['--dpkgopt=force-unsafe-io', '--aptopt=Acquire::Languages "none"', '--skip=cleanup/apt/cache'],
    ...['--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/locale/*'],
    ...['--dpkgopt=path-exclude=/usr/share/doc/*', '--dpkgopt=path-include=/usr/share/doc/*/copyright'],
    ...[recipe.suite, root, `deb ${base}/debian ${recipe.suite} main`],
    `deb ${base}/debian ${recipe.suite}-updates main`,
    `deb ${base}/debian-security ${recipe.suite}-security main`,
  ];
  await follow(argv, (line) => progress(`  ${line}`));
  renameSync(join(root, 'var/cache/apt/archives'), archives);
  mkdirSync(join(root, 'var/cache/apt/archives/partial'), { recursive: true });
  return packages;
}

/** Mounts live in a mount namespace of their own, which takes them with it, however the build ends. */
async function runInside(root: string, script: string, bind: readonly { from: string; to: string }[]): Promise<string> {
  const mounts = [
    'set -e',
    'root=$1; shift',
    'mount -t proc proc "$root/proc"',
    ...bind.map(({ from, to }) => `mkdir -p "$root${to}" && mount --bind '${from}' "$root${to}"`),
    'printf "#!/bin/sh\\nexit 101\\n" > "$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"',
    'trap \'rm -f "$root/usr/sbin/policy-rc.d"\' EXIT',
    'chroot "$root" sh -e -c "$1"',
  ].join('\n');
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    HOME: '/root',
    DEBIAN_FRONTEND: 'noninteractive',
  };
  return check(['unshare', '--mount', '--pid', '--fork', 'sh', '-c', mounts, 'sh', root, script], { env });
}

/** Runs mmdebstrap and passes on its `I:` lines. @throws Error with the end of its output. */
function follow(argv: readonly string[], onLine: Progress): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    let tail = '';
    let line = '';
    const take = (text: string): void => {
      tail = (tail + text).slice(-4000);
      const lines = (line + text).split(/[\r\n]/);
      line = lines.pop() ?? '';
      lines.filter((each) => each.startsWith('I: ')).forEach((each) => onLine(each.slice(3)));
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${argv[0]} ended with status ${code}:\n${tail.trim()}`)),
    );
  });
}
