/**
 * Steps that put a release on a member and restart it. Source: facts/pan-os.md, sections 4.1 (steps 10, 11) and 4.3: a job
 * is looked for before it is queued again, and whether a restart took place is told by the boot, never by its reply.
 */
import { defineStep, failureType, messageOf, permanent, type Outcome } from '../kit';
import { previewedName, saveOn, savedNameOf } from './backup';
import { assertCommitted, untilReady, untilUp, warningsOf, type Boot } from './boot';
import { assertMayTakeDown } from './guards';
import { imageOf, readImages } from './images';
import {
  isActive,
  jobsSince,
  markBeforeActive,
  markJobs,
  readJobs,
  runJob,
  succeeded,
  untilEnded,
  type Job,
  type JobMark,
} from './jobs';
import { moveAway, type Prefer } from './move';
import { nodesOf, readPair } from './pair';
import type { NodeInput, PanosContext, PanosPlan, PanosServices } from './plan';
import { isOlderFeature } from './releases';
import { isServing } from './ha';
import { told } from './standing';
import { readSystem, sameBoot, type SystemInfo } from './system';

const INSTALL_JOBS = ['SWInstall'];
/** So often a job is looked for whose command may still be on its way. */
const LATE_LOOKS = 3;
const installCommand = (version: string, loadConfig?: string): string => {
  const load = loadConfig === undefined ? '' : `<load-config>${loadConfig}</load-config>`;
  return `<request><system><software><install><version>${version}</version>${load}</install></software></system></request>`;
};
const RESTART = '<request><restart><system></system></restart></request>';

export interface InstallInput extends NodeInput {
  readonly version: string;
}
/** Run under whose name the configuration is saved for the way back: another one where the before was taken over. */
interface Saved {
  /** Left out by builds before this. */
  readonly savedBy?: string;
}
export interface InstallBefore extends Saved {
  readonly version: string;
  readonly mark: JobMark;
}
export interface RestartBefore extends Boot, Saved {}

interface InstallOptions {
  readonly mark: JobMark;
  readonly isIt?: (job: Job) => boolean;
  readonly savedBy: string;
  /** Keep the configuration that runs, for the way back. */
  readonly save?: boolean;
}

async function install(
  context: PanosContext,
  services: PanosServices,
  { node, version }: InstallInput,
  { mark, isIt, savedBy, save = false }: InstallOptions,
): Promise<void> {
  const device = services.device(context, node);
  const { installTimeoutMs, pollMs } = context.plan.panos.timing;
  await runJob(context, device, services, {
    what: `the installation of ${version}`,
    types: INSTALL_JOBS,
    mark,
    timeoutMs: installTimeoutMs,
    pollMs,
    ...(isIt === undefined ? {} : { isIt }),
    start: async () => {
      const image = imageOf(await readImages(device), version);
      if (image?.downloaded !== 'yes')
        throw permanent('PackageMissing', `${node} doesn’t have the image of ${version}: nothing was installed`);
      const { version: running } = await readSystem(device);
      if (save) await saveOn(device, savedNameOf(savedBy, running));
      assertMayTakeDown(context.plan, await readPair(context, services), node, 'installed on');
      // What a newer feature release made of the configuration isn't turned back: the older one gets its own.
      const isDown = isOlderFeature(running, version);
      return device.enqueue(installCommand(version, isDown ? savedNameOf(savedBy, version) : undefined));
    },
  });
}

/**
 * Waits, for as long as a device may answer while it shuts down, until it doesn't run any more as it did; returns what it
 * says of itself if it goes on.
 */
async function staysUp(
  context: PanosContext,
  services: PanosServices,
  node: string,
  boot: Boot,
): Promise<SystemInfo | undefined> {
  const device = services.device(context, node);
  const { stateTimeoutMs, pollMs } = context.plan.panos.timing;
  for (const until = services.now() + stateTimeoutMs; ;) {
    const system = await readSystem(device).catch(() => undefined);
    context.signal.throwIfAborted();
    if (system === undefined || !sameBoot(system, boot)) return undefined;
    if (services.now() >= until) return system;
    await context.pause(pollMs);
  }
}

/**
 * Asks for a restart, unless it has taken place or goes on. Whether it takes place is seen by the boot. With `savedBy` the
 * configuration that runs is kept before, for the way back: what was installed may have been so by a run before this one.
 */
async function restart(
  context: PanosContext,
  services: PanosServices,
  node: string,
  boot: Boot,
  savedBy?: string,
): Promise<void> {
  const device = services.device(context, node);
  // An attempt before this one may have asked for it a moment ago.
  if (context.attempt > 1 && (await staysUp(context, services, node, boot)) === undefined) return;
  const system = await readSystem(device);
  if (!sameBoot(system, boot)) return;
  if (savedBy !== undefined) await saveOn(device, savedNameOf(savedBy, system.version));
  assertMayTakeDown(context.plan, await readPair(context, services), node, 'restarted');
  try {
    await device.request(RESTART);
  } catch (error) {
    context.signal.throwIfAborted();
    // A dropped connection is the usual answer, and some releases call their success an error. All else is a refusal.
    const isLost = ['Unreachable', 'CommandFailedRetryable'].includes(failureType(error) ?? '');
    if (!isLost && !/succeeded with no output/i.test(messageOf(error))) throw error;
    context.progress(`${node} was asked to restart: ${messageOf(error)}`);
  }
}

/** Gives a member back a release that it ran before: by installing it, and one more restart. Safe to repeat. */
const putBack = (
  context: PanosContext,
  services: PanosServices,
  prefer: Prefer,
  input: InstallInput & Saved,
): Promise<Outcome> =>
  told(context, services, input.node, undefined, () => putBackOnce(context, services, prefer, input));

async function putBackOnce(
  context: PanosContext,
  services: PanosServices,
  prefer: Prefer,
  { node, version, savedBy = context.run.runId }: InstallInput & Saved,
): Promise<Outcome> {
  // It has restarted a moment ago: before it is ready, nothing can be installed on it.
  const up = await untilUp(context, services, node);
  const { system } = up;
  const isRunning = system.version === version;
  const done = { summary: `${node} runs ${version} again`, changed: true, nodes: { [node]: { release: version } } };
  if (isRunning) assertCommitted(node, up);
  const kept = isMark(context.kept) ? context.kept : undefined;
  // An attempt before this one has put it back, and restarted it.
  if (isRunning && kept !== undefined && !sameBoot(system, kept)) return done;
  const member = (await readPair(context, services)).members[node];
  const mayServe = context.plan.mode === 'active-active' && member?.answers === true && member.state !== 'suspended';
  if (member?.answers === true && (isServing(member.state) || mayServe))
    await moveAway(context, services, prefer, node);
  // An installation that ended before this call isn't its own: it may be of another release, of a hop that was taken back.
  const mark = kept ?? (await markBeforeActive(services.device(context, node), INSTALL_JOBS));
  context.keep(mark);
  // One of its own that failed is tried again.
  const isIt = (job: Job): boolean => isActive(job) || succeeded(job);
  // Also where it runs that release: with another one installed it may start that at its next boot.
  await install(context, services, { node, version }, { mark, isIt, savedBy });
  if (isRunning) return done;
  const boot = bootOf(system);
  await restart(context, services, node, boot);
  await untilReady(context, services, {
    node,
    version,
    after: boot,
    choices: `Retry installs ${version} and restarts ${node} once more`,
  });
  return done;
}

const savedByOf = ({ run }: Pick<PanosContext, 'run'>, { savedBy }: Saved): string => savedBy ?? run.runId;

const isMark = (kept: unknown): kept is JobMark => typeof kept === 'object' && kept !== null && 'highestId' in kept;

const bootOf = ({ version, serial, bootedAtMs, uptimeMs }: SystemInfo): Boot => ({
  version,
  serial,
  bootedAtMs,
  uptimeMs,
});

export const installSteps = (services: PanosServices, prefer: Prefer) => ({
  /** Installs a downloaded image; it runs after the next restart only. */
  install: defineStep<InstallInput, InstallBefore, Outcome, PanosPlan>({
    async observe(context, { node }) {
      const device = services.device(context, node);
      const [{ version }, mark] = [await readSystem(device), await markJobs(device)];
      return { version, mark, savedBy: context.run.runId };
    },
    changedSincePlan: async ({ plan }, { node, version }, before) => {
      const was = plan.hops.find(({ to }) => to === version)?.from ?? before.version;
      return was === before.version ? [] : [{ where: node, what: 'its release', change: { was, now: before.version } }];
    },
    async act(context, input, before) {
      const { node, version } = input;
      if ((await readSystem(services.device(context, node))).version === version)
        return { summary: `${node} runs ${version} already`, changed: false };
      await told(context, services, node, `Roll back brings ${node} back into HA with ${before.version}`, () =>
        install(context, services, input, { mark: before.mark, savedBy: savedByOf(context, before), save: true }),
      );
      return { summary: `${version} is installed on ${node}, and runs after its restart`, changed: true };
    },
    async undo(context, { node, version }, before) {
      const device = services.device(context, node);
      const { installTimeoutMs: timeoutMs, pollMs } = context.plan.panos.timing;
      const system = await readSystem(device).catch(async () => {
        context.signal.throwIfAborted();
        return (await untilUp(context, services, node)).system;
      });
      // It has restarted by itself since, or by somebody's hand.
      if (system.version !== before.version)
        return putBack(context, services, prefer, {
          node,
          version: before.version,
          savedBy: savedByOf(context, before),
        });
      const ours = async () => jobsSince(await readJobs(device), system, before.mark, INSTALL_JOBS);
      // The act may have been cut a moment ago: nothing tells, so its job is given the time to show up.
      for (let looks = 0; looks < LATE_LOOKS; looks++) {
        if ((await ours()).some((job) => isActive(job) || succeeded(job))) break;
        await context.pause(pollMs);
      }
      // The act was cut while its job ran: that one goes on, and isn't this undo's.
      if (!(await ours()).some(succeeded))
        await untilEnded(context, device, services, {
          what: `the installation of ${version}`,
          types: INSTALL_JOBS,
          timeoutMs,
          pollMs,
        });
      const jobs = await ours();
      // Ours installs once; a second one that succeeded is that of an earlier attempt of this undo.
      const installed = jobs.filter((job) => succeeded(job)).length;
      if (!jobs.some(isActive) && installed !== 1)
        return { summary: `${node} runs ${before.version} and starts it again`, changed: false };
      const mark = await markBeforeActive(device, INSTALL_JOBS);
      await install(
        context,
        services,
        { node, version: before.version },
        { mark, savedBy: savedByOf(context, before) },
      );
      return { summary: `${node} starts ${before.version} again, not ${version}`, changed: true };
    },
    preview: async (_context, { node, version }, before) => ({
      commands: (before.version === version
        ? []
        : [`save config to ${previewedName(before.version)}`, `request system software install version ${version}`]
      ).map((command) => ({ host: node, command })),
      differences: [],
    }),
  }),

  /** Restarts a member and waits until it is ready with the release that was installed. */
  restart: defineStep<InstallInput, RestartBefore, Outcome, PanosPlan>({
    async observe(context, { node }) {
      return { ...bootOf(await readSystem(services.device(context, node))), savedBy: context.run.runId };
    },
    async act(context, { node, version }, before) {
      if (before.version === version && (await runsAlready(context, services, node, before)))
        return { summary: `${node} runs ${version} already`, changed: false };
      const rollBack = `Roll back waits until ${node} is up, and brings it back into HA with ${before.version}`;
      const autoCommit = await told(context, services, node, rollBack, async () => {
        await restart(context, services, node, before, savedByOf(context, before));
        return untilReady(context, services, {
          node,
          version,
          after: before,
          choices: 'Retry doesn’t restart it again, it looks again: mend it on the console first',
        });
      });
      return {
        summary: `${node} has restarted and runs ${version}${warningsOf(autoCommit)}`,
        changed: true,
        nodes: nodesOf(await readPair(context, services)),
      };
    },
    async undo(context, { node }, before) {
      // Cut half-way, it may be about to go down.
      if ((await staysUp(context, services, node, before)) !== undefined)
        return { summary: `${node} runs ${before.version}`, changed: false };
      return putBack(context, services, prefer, { node, version: before.version, savedBy: savedByOf(context, before) });
    },
    preview: async (_context, { node }) => ({
      commands: [{ host: node, command: 'request restart system' }],
      differences: [],
    }),
  }),
});

const runsAlready = async (
  context: PanosContext,
  services: PanosServices,
  node: string,
  boot: Boot,
): Promise<boolean> => {
  const device = services.device(context, node);
  const system = await readSystem(device);
  const installed = jobsSince(await readJobs(device), system, { ...boot, highestId: 0 }, INSTALL_JOBS);
  return sameBoot(system, boot) && !installed.some(succeeded);
};
