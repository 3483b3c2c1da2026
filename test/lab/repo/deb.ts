import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check } from '../host/command';

/** A Debian package unpacked for change: its files, with DEBIAN/ holding the control information (deb(5)). */
export interface UnpackedDeb {
  directory: string;
  /** Value of a field of DEBIAN/control. */
  field: (name: string) => string;
  setField: (name: string, value: string) => void;
}

export function unpacked(directory: string): UnpackedDeb {
  const control = join(directory, 'DEBIAN/control');
  const pattern = (name: string): RegExp => new RegExp(`^${name}: (.*)$`, 'm');
  return {
    directory,
    field: (name) => {
      const value = pattern(name).exec(readFileSync(control, 'utf8'))?.[1];
      if (value === undefined) throw new Error(`${control} has no field ${name}`);
      return value;
    },
    setField: (name, value) => {
      writeFileSync(
        control,
        readFileSync(control, 'utf8').replace(pattern(name), () => `${name}: ${value}`),
      );
    },
  };
}

/** Finds `<name>_<version>_<architecture>.deb` in a directory of fetched packages. */
export function findDeb(directory: string, name: string): string {
  const found = readdirSync(directory).filter((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
  if (found.length !== 1) throw new Error(`${directory} should hold one ${name}_*.deb; it holds ${found.length}`);
  return join(directory, found[0]!);
}

/** Unpacks `deb`, lets `change` edit it, and writes the outcome to `directory`, named as apt expects. Returns its path. */
export async function repack(deb: string, directory: string, change: (deb: UnpackedDeb) => void): Promise<string> {
  const work = join(directory, `unpacked-${createHash('sha256').update(deb).digest('hex').slice(0, 8)}`);
  rmSync(work, { recursive: true, force: true });
  await check(['dpkg-deb', '--raw-extract', deb, work]);
  const edited = unpacked(work);
  change(edited);
  return build(edited, directory);
}

/** Builds a package from an unpacked one, which is removed. Weak compression: it is read once, over a bridge. */
export async function build(deb: UnpackedDeb, directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const version = deb.field('Version').replace(/^\d+:/, ''); // the epoch isn't part of a file's name
  const path = join(directory, `${deb.field('Package')}_${version}_${deb.field('Architecture')}.deb`);
  await check(['dpkg-deb', '-Zgzip', '-z1', '--build', deb.directory, path]);
  rmSync(deb.directory, { recursive: true, force: true });
  return path;
}

/** Writes the indices of a flat repository, Packages and Release, over the packages in `directory`. */
export async function writeIndex(directory: string): Promise<void> {
  const debs = readdirSync(directory).filter((file) => file.endsWith('.deb'));
  const stanzas = await Promise.all(
    debs.sort().map(async (file) => {
      const path = join(directory, file);
      const control = (await check(['dpkg-deb', '--field', path])).trimEnd();
      const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
      return `${control}\nFilename: ./${file}\nSize: ${statSync(path).size}\nSHA256: ${sha256}\n`;
    }),
  );
  const packages = stanzas.join('\n');
  const sum = createHash('sha256').update(packages).digest('hex');
  const release = [
    'Origin: Hitless lab',
    'Suite: lab',
    `Date: ${new Date().toUTCString()}`,
    'SHA256:',
    ` ${sum} ${Buffer.byteLength(packages)} Packages`,
  ];
  writeFileSync(join(directory, 'Packages'), packages);
  writeFileSync(join(directory, 'Release'), release.join('\n') + '\n');
}
