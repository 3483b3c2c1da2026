/**
 * Staging: everything that going to the target and coming back needs lies on the nodes, checked by digest, before any
 * traffic moves. From then on no repository is needed.
 */
import { messageOf, permanent, type Outcome, type StepContext } from '../kit';
import { failureType } from '../kit/errors';
import { ApplicationFailure } from '@temporalio/common';
import type { Host } from '../kit/host';
import { takeOwnership } from '../ownership';
import { sudoersCommand, sudoToWrite } from '../ssh';
import { isPresent } from './package';
import type { Offered, PackageDriver } from './driver';
import { endsOf, isFresh, unwantedRemovals, type Manifest, type Wanted } from './manifest';
import { hostOf, manifestPath, releaseDirectory, releaseIn, type SoftwarePlan } from './plan';
import { missingFrom, packageMissing } from './missing';
import { requireRoom } from './room';
import { damagedFiles, plannedNames, readRelease, readStaged, sha256, versionsOf, type Staged } from './state';

export interface StageInput {
  readonly nodes: readonly string[];
  /** Target, then the release that the nodes run. */
  readonly releases: readonly [target: string, previous: string];
}

/** What lies on a node for one release. */
export interface StagedRelease {
  readonly packages: number;
  readonly bytes: number;
  /** SHA-256 of the manifest, which holds the digest of every file. */
  readonly manifest: string;
}

export interface StageResult extends Outcome {
  /** By node, then by release. */
  readonly staged: Readonly<Record<string, Readonly<Record<string, StagedRelease>>>>;
}

type Context = StepContext<SoftwarePlan>;
/** Purposes of the long commands that fetch the two ends. */
export const FETCHES = ['fetch-target', 'fetch-previous'] as const;

type Ends = readonly [target: Staged, previous: Staged];

export async function stageAll(
  context: Context,
  driver: PackageDriver,
  { nodes, releases }: StageInput,
): Promise<StageResult> {
  // All nodes are tried, so that one answer names everything that is missing.
  const outcomes = await Promise.allSettled(
    nodes.map(async (node) => ({ node, ...(await stageNode(context, driver, node, releases)) })),
  );
  const failures = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason as unknown] : []));
  if (failures.length > 0) throw together(failures);
  const done = outcomes.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []));
  const [target, previous] = releases;
  return {
    summary: `${target} and, for the way back, ${previous} lie on ${nodes.join(' and ')}, checked by digest`,
    changed: done.some((node) => node.changed),
    staged: Object.fromEntries(done.map(({ node, ends }) => [node, summaryOf(ends)])),
  };
}

const summaryOf = (ends: Ends): Record<string, StagedRelease> =>
  Object.fromEntries(
    ends.map(({ manifest, digest }) => [
      manifest.release,
      {
        packages: manifest.packages.length,
        bytes: manifest.packages.reduce((sum, p) => sum + p.sizeBytes, 0),
        manifest: digest,
      },
    ]),
  );

/** Several failures as one that says all; permanent if any is. */
function together(failures: readonly unknown[]): unknown {
  if (failures.length === 1) return failures[0];
  const isFinal = (f: unknown): boolean => f instanceof ApplicationFailure && f.nonRetryable === true;
  const first = failures.find(isFinal) ?? failures[0];
  const details = failures.flatMap((f) => (f instanceof ApplicationFailure ? (f.details ?? []) : []));
  return ApplicationFailure.create({
    message: failures.map(messageOf).join('\n'),
    ...withType(failureType(first)),
    nonRetryable: isFinal(first),
    details,
  });
}

const withType = (type: string | undefined): { type?: string } => (type === undefined ? {} : { type });

async function stageNode(
  context: Context,
  driver: PackageDriver,
  node: string,
  releases: StageInput['releases'],
): Promise<{ changed: boolean; ends: Ends }> {
  const { plan } = context;
  const hostName = hostOf(plan, node);
  const baseline = await baselineOf(plan, driver, await context.host(hostName));
  const { host } = await takeOwnership(context, hostName, { baseline });
  const there = await stagedBoth(plan, driver, host, releases);
  if (there !== undefined) return { changed: false, ends: there };
  await requireRelease(plan, driver, host, releases);

  context.progress(`${host.name}: looking up the packages`);
  const wanted = await wantedEnds(plan, driver, host, releases);
  const [target, previous] = releases;
  const staged: Staged[] = [];
  for (const [purpose, release, end] of [
    ['fetch-target', target, wanted.target],
    ['fetch-previous', previous, wanted.previous],
  ] as const) {
    context.progress(`${host.name}: fetching the packages of ${release}`);
    staged.push(await fill(context, driver, host, { purpose, release, end, exchange: wanted.exchange }));
  }
  return { changed: true, ends: [staged[0]!, staged[1]!] };
}

/** Both ends as they were staged before, if they still fit the node and every file is what it was. */
export async function stagedBoth(
  plan: SoftwarePlan,
  driver: PackageDriver,
  host: Host,
  [target, previous]: StageInput['releases'],
): Promise<Ends | undefined> {
  const forward = await readStaged(plan, host, target);
  const back = await readStaged(plan, host, previous);
  if (forward === undefined || back === undefined) return undefined;
  const names = [forward, back].flatMap(({ manifest }) => manifest.exchange.changes.map((c) => c.name));
  const installed = await driver.installed(host, [...new Set(names)]);
  for (const { manifest } of [forward, back]) {
    const { packages } = releaseIn(plan, manifest.release);
    if (!isFresh(manifest, { from: previous, to: target }, packages, installed)) return undefined;
    if ((await damagedFiles(plan, host, manifest)).length > 0) return undefined;
  }
  return [forward, back];
}

/** What is staged is the way from what the node runs now: that must be the release that the plan says. */
async function requireRelease(
  plan: SoftwarePlan,
  driver: PackageDriver,
  host: Host,
  [, previous]: StageInput['releases'],
): Promise<void> {
  const runs = await readRelease(plan, driver, host);
  const { packages } = releaseIn(plan, previous);
  const installed = await driver.installed(host, Object.keys(packages));
  const wrong = Object.entries(packages).filter(([name, version]) => installed.get(name)?.version !== version);
  if (runs === previous && wrong.length === 0) return;
  const what = wrong.map(
    ([name, v]) => `${name} is ${installed.get(name)?.version ?? 'not installed'} instead of ${v}`,
  );
  throw permanent(
    'WrongRelease',
    `${host.name} should run ${previous} now, but says ${runs ?? 'nothing'}${what.length > 0 ? ` (${what.join(', ')})` : ''}. Nothing was changed. Next: correct software.releases in the inventory, or bring the node to ${previous}.`,
    { host: host.name, expected: previous, runs, packages: what },
  );
}

/** Both ends with all that they need, from the repositories. */
export async function wantedEnds(
  plan: SoftwarePlan,
  driver: PackageDriver,
  host: Host,
  [to, from]: StageInput['releases'],
): Promise<{ target: Wanted; previous: Wanted; exchange: Manifest['exchange'] }> {
  const [target, previous] = [releaseIn(plan, to), releaseIn(plan, from)];
  const silent = await driver.refresh(host, plan.software.stageTimeoutMs);
  await requireOffered(driver, host, [target.packages, previous.packages], silent);
  const changes = await driver.simulate(host, target.packages);
  const removals = unwantedRemovals(changes, target.mayRemove);
  if (removals.length > 0)
    throw permanent(
      'CommandFailed',
      `${host.name}: installing ${to} would remove ${removals.map((c) => `${c.name} ${c.from}`).join(', ')}. Nothing was changed. Next: if that is meant, name them in software.releases.${to}.mayRemove.`,
      { host: host.name, release: to, removals },
    );
  const ends = endsOf(target.packages, previous.packages, changes);
  await requireOffered(driver, host, [ends.target.packages, ends.previous.packages], silent);
  return { ...ends, exchange: { from, to, changes } };
}

/** @throws PackageMissing naming every package and version that no repository offers, and what there is instead. */
async function requireOffered(
  driver: PackageDriver,
  host: Host,
  lists: readonly Readonly<Record<string, string>>[],
  silent: readonly string[],
): Promise<void> {
  const missing = missingFrom(lists, await driver.offers(host, [...new Set(lists.flatMap((l) => Object.keys(l)))]));
  if (missing.length > 0) throw packageMissing(host.name, missing, silent);
}

interface Filling {
  readonly purpose: (typeof FETCHES)[number];
  readonly release: string;
  readonly end: Wanted;
  readonly exchange: Manifest['exchange'];
}

/** Fetches and checks the files of one end, then writes its manifest: a directory without one was never finished. */
async function fill(
  context: Context,
  driver: PackageDriver,
  host: Host,
  { purpose, release, end: wanted, exchange }: Filling,
): Promise<Staged> {
  const { plan } = context;
  const timeoutMs = plan.software.stageTimeoutMs;
  const directory = releaseDirectory(plan, release);
  const files = vouchedFor(host, wanted, await driver.files(host, wanted.packages));
  await requireRoom(
    plan,
    host,
    files.reduce((sum, f) => sum + f.sizeBytes, 0),
  );
  await host.exec(makeDirectory(directory), { sudo: true });
  await driver.fetch(context, host, directory, wanted.packages, { purpose, timeoutMs });
  const manifest = {
    schema: 1 as const,
    release,
    packages: await described(plan, driver, host, files),
    absent: [...wanted.absent],
    exchange,
  };
  const damaged = await damagedFiles(plan, host, manifest);
  if (damaged.length > 0)
    throw permanent(
      'DigestMismatch',
      `${host.name}: ${damaged.join(', ')} in ${directory} isn’t what the repository vouches for. Nothing was installed. Next: remove the file and try again; if it happens again, the repository or the disk is broken.`,
      { host: host.name, directory, damaged },
    );
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  await host.writeFile(manifestPath(plan, release), text, { sudo: true, mode: '0644', quiet: true });
  return { manifest, digest: sha256(text) };
}

/** Owned by root and writable for nobody else: what was checked here stays what it was. */
const makeDirectory = (directory: string): string[] => ['/usr/bin/install', '-d', '-m', '0755', '--', directory];

/** What staging runs as root besides the driver's commands, in sudoers syntax. */
export const stagingCommands = (plan: SoftwarePlan): string[] =>
  Object.keys(plan.software.releases).flatMap((release) => [
    sudoersCommand(makeDirectory(releaseDirectory(plan, release))),
    ...sudoToWrite(manifestPath(plan, release), '0644'),
  ]);

/** The software before the first change of a run: what a run that finds another one's remains compares. */
async function baselineOf(plan: SoftwarePlan, driver: PackageDriver, host: Host): Promise<unknown> {
  return { packages: versionsOf(await driver.installed(host, plannedNames(plan))) };
}

/** One file with a strong digest for each wanted package. */
function vouchedFor(host: Host, { packages }: Wanted, offered: readonly Offered[]): (Offered & { sha256: string })[] {
  return Object.entries(packages).map(([name, version]) => {
    const file = offered.find((o) => o.name === name && o.version === version);
    if (file?.sha256 !== undefined) return { ...file, sha256: file.sha256 };
    throw permanent(
      'PackageMissing',
      `${host.name}: no repository vouches for ${name} ${version} with a SHA-256 digest. Nothing was installed. Next: have the repository’s index made anew.`,
      { host: host.name, package: name, version },
    );
  });
}

/** With the mark that each has on the node, or shall have: what nobody asked for stays marked as such. */
async function described(
  plan: SoftwarePlan,
  driver: PackageDriver,
  host: Host,
  files: readonly (Offered & { sha256: string })[],
): Promise<Manifest['packages']> {
  const names = files.map((f) => f.name);
  const planned = plannedNames(plan);
  const installed = await driver.installed(host, names);
  const automatic = await driver.automatic(host, names);
  return files.map(({ name, version, file, sha256: digest, sizeBytes }) => ({
    ...{ name, version, file, sha256: digest, sizeBytes },
    auto: isPresent(installed.get(name)) ? automatic.includes(name) : !planned.includes(name),
  }));
}
