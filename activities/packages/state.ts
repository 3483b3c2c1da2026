/** What a node runs and what lies in its stage directory, read from the node itself. */
import { createHash } from 'node:crypto';
import { permanent } from '../kit/errors';
import type { Host } from '../kit/host';
import { isPresent, parseSums } from './package';
import type { Installed, PackageDriver } from './driver';
import { manifestSchema, type Manifest } from './manifest';
import { manifestPath, releaseDirectory, type SoftwarePlan } from './plan';
import { releaseOf } from './release';

/** Packages that the plan names in any release. */
export const plannedNames = ({ software }: Pick<SoftwarePlan, 'software'>): string[] => [
  ...new Set(Object.values(software.releases).flatMap((release) => Object.keys(release.packages))),
];

/** A file's text; undefined if there is none. */
export async function readIfThere(host: Host, path: string): Promise<string | undefined> {
  const { code } = await host.exec(['/usr/bin/test', '-e', path], { okCodes: [0, 1] });
  return code === 0 ? host.readFile(path) : undefined;
}

/** Which release the node runs, by name; what it says otherwise; undefined if it says nothing. */
export async function readRelease(
  plan: Pick<SoftwarePlan, 'software'>,
  driver: PackageDriver,
  host: Host,
): Promise<string | undefined> {
  const { release } = plan.software;
  return releaseOf(plan.software, await reading());

  async function reading(): Promise<string | undefined> {
    if ('package' in release) {
      const found = (await driver.installed(host, [release.package])).get(release.package);
      return found?.version;
    }
    if ('file' in release) return readIfThere(host, release.file);
    return (await host.exec(release.command, { sudo: release.root })).stdout;
  }
}

export interface Staged {
  readonly manifest: Manifest;
  /** SHA-256 of the manifest file: stands for every digest in it. */
  readonly digest: string;
}

/** The manifest of a release, if there is one. @throws DigestMismatch if it isn't what this program wrote. */
export async function readStaged(plan: SoftwarePlan, host: Host, release: string): Promise<Staged | undefined> {
  const path = manifestPath(plan, release);
  const text = await readIfThere(host, path);
  if (text === undefined) return undefined;
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (parsed.success && parsed.data.release === release) return { manifest: parsed.data, digest: sha256(text) };
  throw permanent(
    'DigestMismatch',
    `${host.name}: ${path} isn’t a manifest of release ${release}. Nothing was installed from it. Next: remove that directory and stage again.`,
    { host: host.name, path },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Reading a gigabyte of packages takes its time on a slow disk. */
const SUMS_TIMEOUT_MS = 600_000;

/** Files of the manifest that are missing or aren't what it says, by name. */
export async function damagedFiles(plan: SoftwarePlan, host: Host, { release, packages }: Manifest): Promise<string[]> {
  const directory = releaseDirectory(plan, release);
  const paths = packages.map((p) => `${directory}/${p.file}`);
  const { stdout } = await host.exec(['/usr/bin/sha256sum', '--', ...paths], {
    okCodes: [0, 1],
    timeoutMs: SUMS_TIMEOUT_MS,
  });
  const sums = parseSums(stdout);
  return packages.filter((p) => sums.get(`${directory}/${p.file}`) !== p.sha256).map((p) => p.file);
}

/** Names whose state decides whether an exchange has happened. */
export const namesIn = (...manifests: readonly (Manifest | undefined)[]): string[] => [
  ...new Set(manifests.flatMap((m) => (m === undefined ? [] : [...m.packages.map((p) => p.name), ...m.absent]))),
];

/** Present packages with their versions, comparable. */
export const versionsOf = (installed: ReadonlyMap<string, Installed>): Record<string, string> =>
  Object.fromEntries(
    [...installed].filter(([, found]) => isPresent(found)).map(([name, { version }]) => [name, version]),
  );
