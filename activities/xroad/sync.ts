/** Pausing, resuming and forcing the copying of the configuration to a secondary. Facts §2, §6 A1, C5, C6. */
import { defineStep, permanent, transient, type Host, type Outcome } from '../kit';
import { takeOwnership } from '../ownership';
import { changedOn } from './as-planned';
import { refuseIf } from './guards';
import { isStopped, packageFaults, readNodeType, readPackages, readServices } from './node';
import { hostNameOf, hostOf, requireSecondary, type NodeInput, type XroadContext, type XroadPlan } from './plan';
import * as state from './sync-state';
import { describeUnit } from './text';

export interface SyncBefore {
  readonly flag: boolean;
}

const observe = async (context: XroadContext, { node }: NodeInput): Promise<SyncBefore> => {
  requireSecondary(context.plan, node);
  return { flag: await state.hasFlag(context.plan, await hostOf(context, node)) };
};

/**
 * Keeps a secondary from copying the configuration: sets the flag, waits for a copy that is under way, and proves by a
 * forced start that the flag holds. Undo removes it, and copies once.
 */
export const pauseSync = defineStep<NodeInput, SyncBefore, Outcome, XroadPlan>({
  observe,
  changedSincePlan: async ({ plan }, { node }, { flag }) => changedOn(plan, node, 'copyPaused', flag),
  async act(context, { node }) {
    const { plan } = context;
    requireSecondary(plan, node);
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    const changed = !(await state.hasFlag(plan, host));
    if (changed) await state.setFlag(plan, host);
    await untilIdle(context, host, node);
    // With the flag there its start must fail; nothing is lost if it doesn't, for nothing has changed on the primary yet.
    const forced = await state.copyNow(plan, host);
    if (forced.code === 0)
      throw permanent(
        'CommandFailed',
        `${node} copied the configuration although ${plan.xroad.sync.flag} is there: ${state.serviceOf(plan)} doesn’t test for it. Next: add \`ExecStartPre=/usr/bin/test ! -f ${plan.xroad.sync.flag}\` to the unit (IG-XLB 5.2), then try again.`,
        { node, flag: plan.xroad.sync.flag },
      );
    if (!(await state.hasFlag(plan, host)))
      throw transient(
        'VerifyFailed',
        `${node}: ${plan.xroad.sync.flag} is gone again. Next: find out who removes it.`,
        {
          node,
        },
      );
    return {
      summary: `${node} doesn’t copy the configuration${changed ? '' : ' already'}; a forced copy was refused`,
      changed,
      nodes: { [node]: { configuration: 'paused' } },
    };
  },
  async undo(context, { node }, before) {
    const { plan } = context;
    requireSecondary(plan, node);
    if (before.flag) return { summary: `${node} had the flag before, and keeps it`, changed: false };
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    await assertSameRelease(context, host, node);
    const changed = await state.hasFlag(plan, host);
    if (changed) await state.removeFlag(plan, host);
    await copy(context, host, node);
    return {
      summary: `${node} copies the configuration again, and has done so once`,
      changed,
      nodes: { [node]: { configuration: 'running' } },
    };
  },
  preview: async (context, { node }, { flag }) => ({
    commands: flag
      ? []
      : [{ host: hostNameOf(context.plan, node), command: `sudo -u xroad touch ${context.plan.xroad.sync.flag}` }],
    differences: [],
  }),
});

/**
 * Lets a secondary copy the configuration again, after its packages: files of the new release under old code are what the
 * pause is for. Undo sets the flag again if it was there before.
 */
export const resumeSync = defineStep<NodeInput, SyncBefore, Outcome, XroadPlan>({
  observe,
  async act(context, { node }) {
    const { plan } = context;
    requireSecondary(plan, node);
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    const changed = await state.hasFlag(plan, host);
    if (changed) {
      await assertSameRelease(context, host, node);
      await state.removeFlag(plan, host);
    }
    const timer = await state.timerState(plan, host);
    if (timer.active !== 'active') await state.startTimer(plan, host);
    if (await state.hasFlag(plan, host))
      throw transient('VerifyFailed', `${node}: ${plan.xroad.sync.flag} is there again. Next: find out who sets it.`, {
        node,
      });
    return {
      summary: `${node} may copy the configuration${changed ? ' again' : ''}`,
      changed: changed || timer.active !== 'active',
      nodes: { [node]: { configuration: 'running' } },
    };
  },
  async undo(context, { node }, before) {
    const { plan } = context;
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    const has = await state.hasFlag(plan, host);
    if (!before.flag || has) return { summary: `${node} is as it was`, changed: false };
    await state.setFlag(plan, host);
    await untilIdle(context, host, node);
    return { summary: `${node} doesn’t copy the configuration any more`, changed: true };
  },
  preview: async (context, { node }, { flag }) => ({
    commands: flag
      ? [{ host: hostNameOf(context.plan, node), command: `sudo rm -f ${context.plan.xroad.sync.flag}` }]
      : [],
    differences: [],
  }),
});

export interface CopyResult extends Outcome {
  /** Digests of the files that were compared with the primary's. */
  readonly compared: Readonly<Record<string, string>>;
}

/** Copies the configuration now and compares it with the primary's. Nothing to undo: the timer would have copied it. */
export const syncNow = defineStep<NodeInput, Record<never, never>, CopyResult, XroadPlan>({
  observe: () => Promise.resolve({}),
  async act(context, { node }) {
    const { plan } = context;
    requireSecondary(plan, node);
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    if (await state.hasFlag(plan, host))
      throw transient(
        'GuardRefused',
        `${node} didn’t copy the configuration, for ${plan.xroad.sync.flag} is there. Next: this is tried again; is the pause over?`,
        { node },
      );
    await assertSameRelease(context, host, node);
    const compared = await copy(context, host, node);
    return { summary: `${node} has the configuration of ${plan.roles.primary}`, changed: true, compared };
  },
  undo: (_context, { node }) =>
    Promise.resolve({ summary: `what ${node} copied stays: it is the primary’s`, changed: false }),
  preview: (context, { node }) =>
    Promise.resolve({
      commands: [
        { host: hostNameOf(context.plan, node), command: `sudo systemctl start ${state.serviceOf(context.plan)}` },
      ],
      differences: [],
    }),
});

/**
 * The node has what the primary has: files of one release meet code of the same. Offline, they may come first, for all code
 * is stopped until the packages have followed. @throws GuardRefused
 */
async function assertSameRelease(context: XroadContext, host: Host, node: string): Promise<void> {
  const { plan } = context;
  const { primary } = plan.roles;
  const [own, ahead] = [await readPackages(plan, host), await readPackages(plan, await hostOf(context, primary))];
  const { from, to } = plan.releases;
  const both = (release: string): boolean =>
    packageFaults(plan, release, own).length === 0 && packageFaults(plan, release, ahead).length === 0;
  if (both(to) || both(from)) return;
  if (plan.mode === 'offline' && packageFaults(plan, to, ahead).length === 0)
    return refuseIf(
      (await readServices(host))
        .filter((unit) => !isStopped(unit))
        .map((unit) => ({ where: node, what: `${describeUnit(unit)}: old code would get files of ${to}` })),
      `the configuration was not copied to ${node}`,
    );
  refuseIf(
    [
      {
        where: node,
        what: `has other packages than ${primary}: ${packageFaults(plan, to, own).join(', ') || `it has ${to}`}`,
      },
    ],
    `the configuration was not copied to ${node}, which would get files of another release`,
  );
}

/** Waits until no copy is under way: the flag is looked at when one starts, not while it runs. */
async function untilIdle(context: XroadContext, host: Host, node: string): Promise<void> {
  const { plan } = context;
  const until = performance.now() + plan.xroad.sync.timeoutMs;
  for (;;) {
    const { active, sub } = await state.copyState(plan, host);
    if (active !== 'activating' && active !== 'deactivating') return;
    if (performance.now() >= until)
      throw transient(
        'VerifyFailed',
        `${node}: a copy of the configuration that began before the pause doesn’t end (${sub}). Next: \`systemctl status ${state.serviceOf(plan)}\` there; this is tried again.`,
        { node },
      );
    context.progress(`waiting on ${node} for the end of a copy that is under way`);
    await context.pause(plan.xroad.sync.pollIntervalMs);
  }
}

async function copy(context: XroadContext, host: Host, node: string): Promise<Record<string, string>> {
  const { plan } = context;
  const { primary } = plan.roles;
  // One that is under way may have read the list of files before; the start that is asked for would only join it.
  await untilIdle(context, host, node);
  const { code, stderr } = await state.copyNow(plan, host);
  const after = await state.copyState(plan, host);
  if (code !== 0 || after.result !== 'success')
    throw transient(
      'VerifyFailed',
      `${node} couldn’t copy the configuration from ${primary}: ${stderr.trim().split('\n')[0] || `${state.serviceOf(plan)} ended with ${after.result}`}. Next: can it reach ${primary} by ssh? See /var/log/xroad/slave-sync.log there; this is tried again.`,
      { node, code, result: after.result },
    );
  const [own, ahead] = [await state.sumsOf(plan, host), await state.sumsOf(plan, await hostOf(context, primary))];
  const wrong = state.differing(ahead, own);
  if (wrong.length > 0)
    throw transient(
      'VerifyFailed',
      `${node} has copied the configuration, and ${wrong.join(', ')} still differs from ${primary}. Next: is somebody changing it (changes were to rest)? This is tried again.`,
      { node, files: wrong },
    );
  const type = await readNodeType(host);
  if (type !== 'slave')
    throw permanent(
      'ForeignChange',
      `${node} is ${type} by /etc/xroad/conf.d/node.ini after it copied the configuration, and must be slave. Its services must not be started. Next: restore the file, and exclude it in ${state.serviceOf(plan)} (--exclude "/conf.d/node.ini").`,
      { node, type },
    );
  return Object.fromEntries(own);
}
