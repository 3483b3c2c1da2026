import type { ApplicationFailure } from '@temporalio/common';
import { permanent, transient } from '../kit/errors';

export interface MissingPackage {
  readonly name: string;
  readonly version: string;
  /** Versions that there are instead, newest first. */
  readonly offered: readonly string[];
}

/** Packages in any of the lists that aren't on offer in exactly that version, each once. */
export function missingFrom(
  lists: readonly Readonly<Record<string, string>>[],
  offers: ReadonlyMap<string, readonly string[]>,
): MissingPackage[] {
  const missing = new Map<string, MissingPackage>();
  for (const [name, version] of lists.flatMap((packages) => Object.entries(packages))) {
    const offered = offers.get(name) ?? [];
    if (!offered.includes(version)) missing.set(`${name}=${version}`, { name, version, offered });
  }
  return [...missing.values()];
}

/** How many of the versions on offer are named. */
const NAMED = 8;

export const describeMissing = ({ name, version, offered }: MissingPackage): string =>
  `${name} ${version} (${
    offered.length === 0
      ? 'no repository of the host knows this package'
      : `there is ${offered.slice(0, NAMED).join(', ')}${offered.length > NAMED ? `, … ${offered.length} in all` : ''}`
  })`;

/** Final, unless a repository didn't answer: then it may come back. */
export function packageMissing(
  host: string,
  missing: readonly MissingPackage[],
  silent: readonly string[],
): ApplicationFailure {
  const what = `${host} can’t get ${missing.map(describeMissing).join('; ')}`;
  const details = { host, missing, silent };
  if (silent.length > 0)
    return transient(
      'CommandFailedRetryable',
      `${what}. These sources didn’t answer: ${silent.join(', ')}. Nothing was installed. Next: bring the repository back; this is tried again.`,
      details,
    );
  return permanent(
    'PackageMissing',
    `${what}. Nothing was installed. Next: publish the package in a repository that ${host} uses, or correct software.releases in the inventory.`,
    details,
  );
}
