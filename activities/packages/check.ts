/** Whether nodes run what they should, and whether packages could be exchanged. Changes nothing but our own package lists. */
import { formatFaults, messageOf, permanent, type Fault, type Finding, type StepContext } from '../kit';
import { failureType } from '../kit/errors';
import type { Host } from '../kit/host';
import { verifyUnits } from '../services/reboot';
import type { PackageDriver } from './driver';
import { requireRelease } from './install';
import { differences, unwantedRemovals } from './manifest';
import { describeMissing, missingFrom } from './missing';
import { hostOf, releaseIn, type SoftwarePlan } from './plan';
import { findRoomFaults } from './room';
import { stagedBoth } from './stage';
import { readRelease } from './state';

type Context = StepContext<SoftwarePlan>;

export interface InstalledInput {
  readonly node: string;
  readonly release: string;
}

/** @throws WrongRelease if the node runs another release; NotReady naming packages that are missing, other or half-configured. */
export async function checkInstalled(
  context: Context,
  driver: PackageDriver,
  { node, release }: InstalledInput,
): Promise<Finding> {
  const { plan } = context;
  const host = await context.host(hostOf(plan, node));
  await requireRelease(plan, driver, host, release, 'now');
  const faults = await packageFaults(plan, driver, host, release);
  if (faults.length > 0) throw permanent('NotReady', formatFaults(faults), { faults });
  await verifyUnits(context, host, plan.software.units, [], 0);
  return { summary: `${node} runs ${release}, every package in its exact version`, nodes: { [node]: { release } } };
}

async function packageFaults(plan: SoftwarePlan, driver: PackageDriver, host: Host, release: string): Promise<Fault[]> {
  const { packages } = releaseIn(plan, release);
  const wrong = differences({ packages, absent: [] }, await driver.installed(host, Object.keys(packages)));
  return wrong.map((what) => ({
    where: host.name,
    what: `${what} (release ${release})`,
    next: 'correct software.releases in the inventory, or the node',
  }));
}

export interface ReadableInput {
  /** Release that each node is expected to run. */
  readonly runs: Readonly<Record<string, string>>;
  /** Target, then the release to go back to: staged on each node, or to be had from its repositories. */
  readonly releases: readonly [target: string, previous: string];
}

/** @throws NotReady with every fault of every node. */
export async function checkReadable(context: Context, driver: PackageDriver, input: ReadableInput): Promise<Finding> {
  const nodes = Object.keys(input.runs);
  const faults = (await Promise.all(nodes.map((node) => softwareFaults(context, driver, node, input)))).flat();
  if (faults.length > 0)
    throw permanent('NotReady', `packages can’t be exchanged:\n${formatFaults(faults)}`, { faults });
  const [target, previous] = input.releases;
  return {
    summary: `${nodes.map((node) => `${node} runs ${input.runs[node]}`).join(', ')}; ${target} and ${previous} can be installed`,
    nodes: Object.fromEntries(nodes.map((node) => [node, { release: input.runs[node] ?? '' }])),
  };
}

/** Everything about packages that stands in the way on one node. Failures to look are thrown. */
export async function softwareFaults(
  context: Context,
  driver: PackageDriver,
  node: string,
  { runs, releases }: ReadableInput,
): Promise<Fault[]> {
  const { plan } = context;
  const host = await context.host(hostOf(plan, node));
  const expected = runs[node];
  const names = [...new Set(releases.flatMap((release) => Object.keys(releaseIn(plan, release).packages)))];
  return [
    ...(expected === undefined ? [] : await releaseFaults(plan, driver, host, expected)),
    ...(await driver.faults(host, names)),
    ...(await sourceFaults(plan, driver, host, releases)),
  ];
}

async function releaseFaults(
  plan: SoftwarePlan,
  driver: PackageDriver,
  host: Host,
  expected: string,
): Promise<Fault[]> {
  const found = await readRelease(plan, driver, host);
  const next = 'bring the node to the expected release, or start from the one that it runs';
  return [
    ...(found === expected
      ? []
      : [{ where: host.name, what: `runs ${found ?? 'an unknown release'} instead of ${expected}`, next }]),
    ...(await packageFaults(plan, driver, host, expected)),
  ];
}

/** What keeps the packages of both releases from being had. Nothing if they lie staged on the node. */
async function sourceFaults(
  plan: SoftwarePlan,
  driver: PackageDriver,
  host: Host,
  releases: ReadableInput['releases'],
): Promise<Fault[]> {
  if ((await stagedBoth(plan, driver, host, releases)) !== undefined) return [];
  const where = host.name;
  const [target, previous] = releases.map((release) => releaseIn(plan, release));
  if (target === undefined || previous === undefined) return [];
  const room = await findRoomFaults(plan, host, 0);
  const silent = await driver.refresh(host, plan.software.stageTimeoutMs);
  const lists = [target.packages, previous.packages];
  const missing = missingFrom(lists, await driver.offers(host, [...new Set(lists.flatMap((l) => Object.keys(l)))]));
  if (missing.length > 0) {
    const next = 'publish it in a repository that the host uses, or correct software.releases in the inventory';
    const sources = silent.map((source) => ({
      where,
      what: `${source} didn’t answer`,
      next: 'bring the repository back',
    }));
    return [...room, ...sources, ...missing.map((m) => ({ where, what: `can’t get ${describeMissing(m)}`, next }))];
  }
  const uris = (await Promise.all(lists.map((packages) => driver.files(host, packages))))
    .flat()
    .map((file) => file.uri);
  const needed = silent.filter((source) => uris.some((uri) => originOf(uri) === originOf(source)));
  return [
    ...room,
    ...needed.map((source) => ({ where, what: `${source} didn’t answer`, next: 'bring the repository back' })),
    ...(await resolutionFaults(driver, host, releases[0], target)),
  ];
}

/** Scheme and host of an address, or the scheme of one without host. */
const originOf = (uri: string): string => /^[a-z+]+:(\/\/[^/]+)?/.exec(uri)?.[0] ?? uri;

async function resolutionFaults(
  driver: PackageDriver,
  host: Host,
  release: string,
  { packages, mayRemove }: ReturnType<typeof releaseIn>,
): Promise<Fault[]> {
  try {
    return unwantedRemovals(await driver.simulate(host, packages), mayRemove).map((removal) => ({
      where: host.name,
      what: `installing ${release} would remove ${removal.name} ${removal.from}`,
      next: `if that is meant, name it in software.releases.${release}.mayRemove`,
    }));
  } catch (error) {
    if (failureType(error) !== 'CommandFailed') throw error;
    return [{ where: host.name, what: messageOf(error) }];
  }
}
