import { cpSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { writeIndex } from './deb';
import { buildMeta, faultyReleases } from './releases';

/** What the image's build leaves for the repositories of labs: the packages, and which versions make a release. */
export interface ReleaseCatalogue {
  /** Release → package → version. */
  versions: Record<string, Record<string, string>>;
}

export const readCatalogue = (image: string): ReleaseCatalogue =>
  JSON.parse(readFileSync(join(image, 'releases.json'), 'utf8')) as ReleaseCatalogue;

/** Fills a lab's own repository, which may be changed, with the image's packages, which may not. */
export async function fillRepository(image: string, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const source = join(image, 'packages');
  for (const file of readdirSync(source).filter((name) => name.endsWith('.deb'))) {
    try {
      linkSync(join(source, file), join(directory, file));
    } catch {
      cpSync(join(source, file), join(directory, file)); // another file system
    }
  }
  cpSync(join(image, 'releases.json'), join(directory, 'releases.json'));
  await writeIndex(directory);
}

/** The package repository of a lab that is up. Hosts see a change after `apt-get update`. */
export class PackageRepository {
  constructor(
    private readonly directory: string,
    /** As in a host's sources.list. */
    readonly url: string,
  ) {}

  /** Exact versions of the packages of a release, its meta package included. @throws Error naming those that there are. */
  versions(release: string): Record<string, string> {
    const { versions } = readCatalogue(this.directory);
    const found = versions[release];
    if (found === undefined) throw new Error(`no release ${release}; there are ${Object.keys(versions).join(', ')}`);
    return found;
  }

  /** `name=version` of all packages of a release, as apt-get install takes them. */
  installArguments(release: string): string[] {
    return Object.entries(this.versions(release)).map(([name, version]) => `${name}=${version}`);
  }

  packages(): string[] {
    return readdirSync(this.directory).filter((file) => /\.(deb|rpm)$/.test(file));
  }

  /**
   * Takes a package out. With `keepInIndex` the index still promises it, so that fetching it fails with 404; without,
   * apt doesn't know it.
   */
  async remove(name: string, version: string, { keepInIndex = false }: { keepInIndex?: boolean } = {}): Promise<void> {
    const file = this.fileOf(name, version);
    renameSync(join(this.directory, file), join(this.directory, `${file}.removed`));
    if (!keepInIndex) await writeIndex(this.directory);
  }

  async putBack(name: string, version: string): Promise<void> {
    const file = this.fileOf(name, version, '.removed');
    renameSync(join(this.directory, file), join(this.directory, file.replace(/\.removed$/, '')));
    await writeIndex(this.directory);
  }

  /** Adds a release of the firewall that doesn't hold what it promises. */
  async publishFaulty(release: keyof typeof faultyReleases): Promise<void> {
    const file = `fw-release_${release}_all.deb`;
    if (!existsSync(join(this.directory, file))) {
      await buildMeta(this.directory, faultyReleases[release], this.versions('2.0'));
    }
    await writeIndex(this.directory);
  }

  private fileOf(name: string, version: string, suffix = ''): string {
    const start = `${name}_${version.replace(/^\d+:/, '')}_`;
    const file = readdirSync(this.directory).find((each) => each.startsWith(start) && each.endsWith(`.deb${suffix}`));
    if (file === undefined) throw new Error(`the lab's repository has no ${start}*.deb${suffix}`);
    return file;
  }
}
