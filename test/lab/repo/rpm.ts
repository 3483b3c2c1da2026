import { copyFileSync, cpSync, linkSync, mkdirSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageBuild } from '../host/image';
import { readCatalogue } from './repository';

/** A small package for rpmbuild: files by path with their content, scripts by the names that specs have for them. */
export interface RpmPackage {
  name: string;
  version: string;
  /** With what follows `RELEASE` in versions; `1.el9` by default. */
  release?: string;
  /** Lines of the preamble, as `Requires: gate-lib >= 1.0`. */
  preamble?: readonly string[];
  files?: readonly { path: string; content: string; mode?: string; config?: 'config' | 'config(noreplace)' }[];
  /** As pre, post, preun, postun, posttrans: POSIX shell; `$1` is the number of versions there will be. */
  scripts?: Readonly<Record<string, string>>;
  /** Of all its files (ISO 8601); the time of the build by default. */
  modifiedAt?: string;
}

export const rpmVersion = ({ version, release = '1.el9' }: Pick<RpmPackage, 'version' | 'release'>): string =>
  `${version}-${release}`;

/** In a spec a percent sign begins a macro. */
const literal = (text: string): string => text.replaceAll('%', '%%');

/** A spec file for one package. Its files lie ready in `sources`, a directory per package. */
export function renderSpec({
  name,
  version,
  release = '1.el9',
  preamble = [],
  files = [],
  scripts = {},
}: RpmPackage): string {
  return [
    ...[`Name: ${name}`, `Version: ${version}`, `Release: ${release}`, 'Summary: A package of the Hitless lab'],
    ...[
      'License: Apache-2.0',
      'BuildArch: noarch',
      ...preamble,
      '',
      '%description',
      'A package of the Hitless lab.',
      '',
    ],
    ...['%install', 'mkdir -p %{buildroot}', ...(files.length > 0 ? ['cp -a %{filesource}/. %{buildroot}/'] : []), ''],
    ...Object.entries(scripts).flatMap(([kind, text]) => [`%${kind}`, literal(text.trim()), '']),
    '%files',
    ...files.map(({ path, mode, config }) =>
      [`%attr(${mode ?? '0644'}, root, root)`, ...(config === undefined ? [] : [`%${config}`]), path].join(' '),
    ),
    '',
  ].join('\n');
}

/** Builds packages into `packages/` of the image, and the index over them (createrepo_c), with the image's own tools. */
export async function buildRpms({ directory, inside }: ImageBuild, packages: readonly RpmPackage[]): Promise<void> {
  const work = join(directory, 'rpmbuild');
  const to = join(directory, 'packages');
  for (const path of [work, to]) mkdirSync(path);
  const builds = packages.map((rpm) => {
    const label = `${rpm.name}-${rpm.version}`;
    for (const { path, content } of rpm.files ?? []) {
      const file = join(work, label, path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, content);
      if (rpm.modifiedAt !== undefined) utimesSync(file, new Date(rpm.modifiedAt), new Date(rpm.modifiedAt));
    }
    writeFileSync(join(work, `${label}.spec`), renderSpec(rpm));
    return `rpmbuild --quiet -bb --define '_topdir /tmp/rpmbuild' --define 'filesource /srv/rpmbuild/${label}' --define '_rpmdir /srv/packages' --define '_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' /srv/rpmbuild/${label}.spec 2>&1`;
  });
  const lines = [...builds, 'createrepo_c --quiet --no-database /srv/packages', 'rm -rf /tmp/rpmbuild'];
  await inside(lines.join('\n'), [
    { from: work, to: '/srv/rpmbuild' },
    { from: to, to: '/srv/packages' },
  ]);
  await inside('rmdir /srv/rpmbuild /srv/packages');
}

/** Fills a lab's own repository with the image's packages. */
export function fillRpmRepository(image: string, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const source = join(image, 'packages');
  for (const file of readdirSync(source).filter((name) => name.endsWith('.rpm'))) {
    try {
      linkSync(join(source, file), join(directory, file));
    } catch {
      copyFileSync(join(source, file), join(directory, file)); // another file system
    }
  }
  cpSync(join(source, 'repodata'), join(directory, 'repodata'), { recursive: true });
  cpSync(join(image, 'releases.json'), join(directory, 'releases.json'));
  return Promise.resolve();
}

/** A file of /etc/yum.repos.d (dnf.conf(5)). Packages of the lab aren't signed. */
export const dnfSource = (url: string): { path: string; content: string } => ({
  path: '/etc/yum.repos.d/lab.repo',
  content: `[lab]\nname=The lab's own packages\nbaseurl=${url}\nenabled=1\ngpgcheck=0\n`,
});

/** The rpm repository of a lab that is up. Its index stays as it was built. */
export class RpmRepository {
  constructor(private readonly directory: string) {}

  /** Exact versions of the packages of a release. */
  versions(release: string): Record<string, string> {
    const found = readCatalogue(this.directory).versions[release];
    if (found === undefined) throw new Error(`no release ${release}`);
    return found;
  }

  /** The index still promises it: fetching it fails with 404. */
  takeAway(name: string, version: string): void {
    renameSync(this.#path(name, version), `${this.#path(name, version)}.removed`);
  }

  putBack(name: string, version: string): void {
    renameSync(`${this.#path(name, version)}.removed`, this.#path(name, version));
  }

  #path(name: string, version: string): string {
    return join(this.directory, `${name}-${version}.noarch.rpm`);
  }
}
