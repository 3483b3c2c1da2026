/**
 * Packages of a node: both releases staged before traffic moves, exchanged while the node carries none, rebooted into,
 * and taken back. Facts: firewall-pair §7 (rows 4, 9, 10), §12; x-road §5 (traps of apt and rpm). Registered as `packages`.
 */
import { defineCheck, defineStep } from '../kit';
import { sudoersCommand } from '../ssh';
import { rebootCommand } from '../services/systemd';
import { AptDriver } from './apt/driver';
import { DnfDriver } from './dnf/driver';
import { keepingCommands } from './bring';
import { checkInstalled, checkReadable, type InstalledInput, type ReadableInput } from './check';
import type { PackageDriver } from './driver';
import type { Guards } from './guards';
import { actInstall, observeInstall, undoInstall, type InstallBefore, type InstallInput } from './install';
import { clusterDirectory, type SoftwarePlan } from './plan';
import { previewInstall, previewRestart, previewStage } from './preview';
import { actRestart, observeRestart, type RestartBefore, type RestartInput } from './restart';
import type { SoftwareSpec } from './spec';
import { FETCHES, stageAll, stagingCommands, type StageInput, type StageResult } from './stage';

export { softwareFaults } from './check';
export { isPresent, isWhole } from './package';
export { releaseOf } from './release';
export { softwareSpec, type SoftwareSpec } from './spec';
export { readRelease } from './state';
export type { Guards, InstallBefore, InstallInput, InstalledInput, PackageDriver, ReadableInput };
export type { RestartBefore, RestartInput, SoftwarePlan, StageInput, StageResult };

/** The driver that a plan asks for. A new package manager is one more file and one more line here. */
export const driverOf = (spec: Pick<SoftwareSpec, 'driver' | 'stageDirectory'>): PackageDriver => {
  const drivers: Readonly<Record<SoftwareSpec['driver'], () => PackageDriver>> = {
    apt: () => new AptDriver(spec.stageDirectory),
    dnf: () => new DnfDriver(spec.stageDirectory),
  };
  return drivers[spec.driver]();
};

/** Steps and checks. What carries traffic differs by procedure, so the guard comes from whoever puts them together. */
export const packageActivities = (guards: Guards) => ({
  /** Downloads target and previous release to all nodes, checked by digest. Nothing to undo: files on disk do no harm. */
  stage: defineStep<StageInput, Record<never, never>, StageResult, SoftwarePlan>({
    observe: () => Promise.resolve({}),
    act: (context, input) => stageAll(context, driverOf(context.plan.software), input),
    undo: (_, { nodes }) =>
      Promise.resolve({ summary: `what is staged on ${nodes.join(' and ')} stays there`, changed: false }),
    preview: (context, input) => previewStage(context, driverOf(context.plan.software), input),
  }),

  /** Installs a staged release on a node that carries no traffic. Undo installs the previous one, with reboot if the plan says so. */
  install: defineStep<InstallInput, InstallBefore, Awaited<ReturnType<typeof actInstall>>, SoftwarePlan>({
    observe: (context, input) => observeInstall(context, driverOf(context.plan.software), input),
    act: (context, input, before) => actInstall(context, driverOf(context.plan.software), guards, input, before),
    undo: (context, input, before) => undoInstall(context, driverOf(context.plan.software), guards, input, before),
    preview: (context, input, before) => previewInstall(context, driverOf(context.plan.software), input, before),
  }),

  /** Reboots a node that carries no traffic and waits until it runs the release. A reboot can't be undone: install's undo reboots again. */
  restart: defineStep<RestartInput, RestartBefore, Awaited<ReturnType<typeof actRestart>>, SoftwarePlan>({
    observe: observeRestart,
    act: (context, input, before) => actRestart(context, driverOf(context.plan.software), guards, input, before),
    undo: (_, { node }) =>
      Promise.resolve({
        summary: `the reboot of ${node} stands; going back to other packages reboots it again`,
        changed: false,
      }),
    preview: (context, input) => Promise.resolve(previewRestart(context, input)),
  }),

  /** The node runs the release, every package in its exact version. */
  installed: defineCheck<InstalledInput, Awaited<ReturnType<typeof checkInstalled>>, SoftwarePlan>({
    check: (context, input) => checkInstalled(context, driverOf(context.plan.software), input),
  }),

  /** Nodes run what they should, and both releases can be installed on them. */
  readable: defineCheck<ReadableInput, Awaited<ReturnType<typeof checkReadable>>, SoftwarePlan>({
    check: (context, input) => checkReadable(context, driverOf(context.plan.software), input),
  }),
});
export type PackageActivities = ReturnType<typeof packageActivities>;

/** Everything that this folder runs as root, for the sudoers file of each node. */
export function sudoCommands(plan: SoftwarePlan): { host: string; as: string; command: string }[] {
  const { release, reboot, conffiles, stageTimeoutMs, installTimeoutMs: timeoutMs } = plan.software;
  const commands = [
    ...stagingCommands(plan),
    ...driverOf(plan.software).sudo({
      directory: clusterDirectory(plan),
      fetches: FETCHES.map((purpose) => ({ purpose, timeoutMs: stageTimeoutMs })),
      exchanges: [
        { purpose: 'install', timeoutMs, conffiles },
        // On the way back edited files have been put back before, and stay.
        { purpose: 'install-undo', timeoutMs, conffiles: 'keep' },
      ],
    }),
    ...keepingCommands(plan, driverOf(plan.software)),
    ...('command' in release && release.root ? [sudoersCommand(release.command)] : []),
    ...(reboot ? [sudoersCommand(rebootCommand)] : []),
  ];
  return Object.values(plan.nodes).flatMap(({ host }) =>
    [...new Set(commands)].map((command) => ({ host, as: 'root', command })),
  );
}
