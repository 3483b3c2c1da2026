/**
 * Steps that put a release on a member and restart it. Source: facts/pan-os.md, sections 4.1 (steps 10, 11) and 4.3: a job
 * is looked for before it is queued again, and whether a restart took place is told by the boot, never by its reply.
 */
import { defineStep, messageOf, permanent, transient, type Outcome } from '../kit';
import { untilReady, type Boot } from './boot';
import { assertMayTakeDown } from './guards';
import { imageOf, readImages } from './images';
import { isActive, jobsSince, markBeforeActive, markJobs, readJobs, runJob, succeeded, type JobMark } from './jobs';
import { nodesOf, readPair } from './pair';
import type { NodeInput, PanosContext, PanosPlan, PanosServices } from './plan';
import { suspendMember } from './states';
import { isServing } from './ha';
import { readSystem, sameBoot } from './system';

const INSTALL_JOBS = ['SWInstall'];
const installCommand = (version: string): string =>
  `<request><system><software><install><version>${version}</version></install></software></system></request>`;
const RESTART = '<request><restart><system></system></restart></request>';

export interface InstallInput extends NodeInput {
  readonly version: string;
}
export interface InstallBefore {
  readonly version: string;
  readonly mark: JobMark;
}

async function install(
  context: PanosContext,
  services: PanosServices,
  { node, version }: InstallInput,
  mark: JobMark,
): Promise<void> {
  const device = services.device(context, node);
  const { installTimeoutMs, pollMs } = context.plan.panos.timing;
  await runJob(context, device, services, {
    what: `the installation of ${version}`,
    types: INSTALL_JOBS,
    mark,
    timeoutMs: installTimeoutMs,
    pollMs,
    start: async () => {
      const image = imageOf(await readImages(device), version);
      if (image?.downloaded !== 'yes')
        throw permanent('PackageMissing', `${node} doesn’t have the image of ${version}: nothing was installed`);
      assertMayTakeDown(context.plan, await readPair(context, services), node, 'installed on');
      return device.enqueue(installCommand(version));
    },
  });
}

async function restart(context: PanosContext, services: PanosServices, node: string, boot: Boot): Promise<void> {
  const device = services.device(context, node);
  const { stateTimeoutMs, pollMs } = context.plan.panos.timing;
  const still = async (): Promise<boolean> => {
    try {
      return sameBoot(await readSystem(device), boot);
    } catch {
      context.signal.throwIfAborted();
      return false;
    }
  };
  const goneWithin = async (ms: number): Promise<boolean> => {
    for (const until = services.now() + ms; await still(); await context.pause(pollMs))
      if (services.now() >= until) return false;
    return true;
  };
  // An attempt before this one may have asked for it a moment ago, and the device still answers while it shuts down.
  if (await goneWithin(context.attempt > 1 ? stateTimeoutMs : 0)) return;
  assertMayTakeDown(context.plan, await readPair(context, services), node, 'restarted');
  try {
    await device.request(RESTART);
  } catch (error) {
    context.signal.throwIfAborted();
    // A dropped connection is the usual answer. Whether it restarts is seen by its boot alone.
    context.progress(`${node} was asked to restart: ${messageOf(error)}`);
    if (!(await goneWithin(stateTimeoutMs)))
      throw transient('VerifyFailed', `${node} was asked to restart and hasn’t: ${messageOf(error)}`);
  }
}

export const installSteps = (services: PanosServices) => ({
  /** Installs a downloaded image; it runs after the next restart only. */
  install: defineStep<InstallInput, InstallBefore, Outcome, PanosPlan>({
    async observe(context, { node }) {
      const device = services.device(context, node);
      const [{ version }, mark] = [await readSystem(device), await markJobs(device)];
      return { version, mark };
    },
    async act(context, input, before) {
      const { node, version } = input;
      if ((await readSystem(services.device(context, node))).version === version)
        return { summary: `${node} runs ${version} already`, changed: false };
      await install(context, services, input, before.mark);
      return { summary: `${version} is installed on ${node}, and runs after its restart`, changed: true };
    },
    async undo(context, { node, version }, before) {
      const device = services.device(context, node);
      const system = await readSystem(device);
      if (system.version !== before.version)
        throw transient(
          'VerifyFailed',
          `${node} runs ${system.version}, not ${before.version}: its restart must be undone first`,
        );
      const jobs = jobsSince(await readJobs(device), system, before.mark, INSTALL_JOBS);
      // Ours installs once; a second one that succeeded is that of an earlier attempt of this undo.
      const installed = jobs.filter((job) => succeeded(job)).length;
      if (!jobs.some(isActive) && installed !== 1)
        return { summary: `${node} runs ${before.version} and starts it again`, changed: false };
      await install(context, services, { node, version: before.version }, await markBeforeActive(device, INSTALL_JOBS));
      return { summary: `${node} starts ${before.version} again, not ${version}`, changed: true };
    },
    preview: async (_context, { node, version }, before) => ({
      commands:
        before.version === version
          ? []
          : [{ host: node, command: `request system software install version ${version}` }],
      differences: [],
    }),
  }),

  /** Restarts a member and waits until it is ready with the release that was installed. */
  restart: defineStep<InstallInput, Boot, Outcome, PanosPlan>({
    async observe(context, { node }) {
      const { version, bootedAtMs, serial } = await readSystem(services.device(context, node));
      return { version, bootedAtMs, serial };
    },
    async act(context, { node, version }, before) {
      if (before.version === version && (await runsAlready(context, services, node, before)))
        return { summary: `${node} runs ${version} already`, changed: false };
      await restart(context, services, node, before);
      await untilReady(context, services, { node, version, after: before });
      return {
        summary: `${node} has restarted and runs ${version}`,
        changed: true,
        nodes: nodesOf(await readPair(context, services)),
      };
    },
    async undo(context, { node }, before) {
      const device = services.device(context, node);
      const system = await readSystem(device);
      if (system.version === before.version) return { summary: `${node} runs ${before.version}`, changed: false };
      const reading = await readPair(context, services);
      const member = reading.members[node];
      const mayServe =
        context.plan.mode === 'active-active' && member?.answers === true && member.state !== 'suspended';
      if (member?.answers === true && (isServing(member.state) || mayServe))
        await suspendMember(context, services, node);
      const boot = { version: system.version, bootedAtMs: system.bootedAtMs, serial: system.serial };
      // Since this boot nobody but an earlier attempt of this undo has installed anything.
      await install(context, services, { node, version: before.version }, { ...boot, highestId: 0 });
      await restart(context, services, node, boot);
      await untilReady(context, services, { node, version: before.version, after: boot });
      return {
        summary: `${node} runs ${before.version} again`,
        changed: true,
        nodes: { [node]: { release: before.version } },
      };
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
