/**
 * Pausing and resuming the replay of a secondary's database. Facts §2, §6 A2 and C3. WAL is received all the time and piles
 * up while replay is paused; reads go on.
 */
import {
  defineCheck,
  defineStep,
  formatFaults,
  permanent,
  transient,
  type Finding,
  type Host,
  type Outcome,
} from '../kit';
import { formatDuration } from '../kit/duration';
import { takeOwnership } from '../ownership';
import * as database from './database';
import {
  assertMayResume,
  hasCaughtUp,
  later,
  othersFaults,
  primaryPosition,
  reachableFaults,
  refuseIf,
} from './guards';
import { changedOn, roleChanged } from './as-planned';
import { describeHealth, healthOf } from './health';
import { isStopped, packageFaults, readPackages, readServices } from './node';
import { hostNameOf, hostOf, requireSecondary, type NodeInput, type XroadContext, type XroadPlan } from './plan';
import { describeUnit } from './text';

export interface ReplayBefore {
  readonly standby: database.Standby;
  /** PostgreSQL's release, as 150004. */
  readonly version: number;
}

async function observe(context: XroadContext, { node }: NodeInput): Promise<ReplayBefore> {
  const { plan } = context;
  requireSecondary(plan, node);
  const host = await hostOf(context, node);
  const { version } = await database.identityOf(plan, host);
  return { standby: await database.standbyOf(plan, host, version), version };
}

const resumeCommand = (node: string) => ({
  host: node,
  command: 'sudo -u postgres psql -c "select pg_wal_replay_resume()"',
});
const pauseCommand = (node: string) => ({
  host: node,
  command: 'sudo -u postgres psql -c "select pg_wal_replay_pause()"',
});

/** Pauses replay on a secondary. Undo resumes it, unless the node would then run old services on the new schema. */
export const pauseReplay = defineStep<
  NodeInput,
  ReplayBefore,
  Outcome & { readonly at: string | undefined },
  XroadPlan
>({
  observe,
  changedSincePlan: async (context, { node }, { standby }) => [
    ...(await roleChanged(context, node)),
    ...changedOn(context.plan, node, 'replayPaused', standby.pause !== 'not paused'),
  ],
  async act(context, { node }, earlier) {
    const { plan } = context;
    requireSecondary(plan, node);
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    const { version } = await database.identityOf(plan, host);
    const before = await database.standbyOf(plan, host, version);
    const changed = before.pause === 'not paused';
    if (changed) await database.pauseReplayOn(plan, host);
    const wasRunning = earlier.standby.pause === 'not paused';
    const standby = await untilPaused(context, host, node, version, wasRunning);
    const health = await healthOf(plan, host);
    if (health.kind === 'failing' || health.kind === 'silent')
      throw transient(
        'VerifyFailed',
        `replay on ${node} is paused, and the node is ${describeHealth(health, plan.xroad.health)}. It stays paused, which loses nothing. Next: see its log; this is tried again.`,
        { node, health },
      );
    return {
      summary: `replay of the database of ${node} is paused${changed ? '' : ' already'} at ${standby.replayed ?? 'its start'}${standby.receiver === 'streaming' ? '; it still receives' : ''}`,
      changed,
      at: standby.replayed,
      nodes: { [node]: { replay: 'paused' } },
    };
  },

  async undo(context, { node }, before) {
    const { plan } = context;
    requireSecondary(plan, node);
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    const now = await database.standbyOf(plan, host, before.version);
    if (before.standby.pause !== 'not paused')
      return { summary: `replay on ${node} was paused before, and stays so`, changed: false };
    // Asked even if it isn't paused any more: a restart of PostgreSQL may have resumed it into the forbidden state.
    await assertMayResume(context, node);
    if (now.pause !== 'not paused') await database.resumeReplayOn(plan, host);
    await untilCaughtUp(context, host, node, { version: before.version, position: await primaryPosition(context) });
    return {
      summary: `the database of ${node} replays again, and has caught up`,
      changed: now.pause !== 'not paused',
      nodes: { [node]: { replay: 'running' } },
    };
  },
  preview: async (context, { node }, { standby }) => ({
    commands: standby.pause === 'not paused' ? [pauseCommand(hostNameOf(context.plan, node))] : [],
    differences: [],
  }),
});

/**
 * Waits until a pause has come true and, if it is `receiving` that counts too, until WAL arrives. A standby that is paused
 * already may have lost the primary, by a restart of that one: it can't connect again before it replays, for PostgreSQL
 * starts its receiver only when it wants more to replay. That is no pause that was lost.
 * @throws VerifyFailed if either doesn't come true in time.
 */
async function untilPaused(
  context: XroadContext,
  host: Host,
  node: string,
  version: number,
  receiving = true,
): Promise<database.Standby> {
  const { plan } = context;
  const { pauseTimeoutMs, pollIntervalMs } = plan.xroad.database;
  const until = performance.now() + pauseTimeoutMs;
  for (let last: database.Standby | undefined; ;) {
    const now = await database.standbyOf(plan, host, version);
    // What can't be asked of an older PostgreSQL shows: a position that stays while more is received, or all is replayed.
    const stays = last !== undefined && last.pause === 'pause requested' && last.replayed === now.replayed;
    const isPaused = now.pause === 'paused' || (!database.tellsPause(version) && now.pause !== 'not paused' && stays);
    if (isPaused && (!receiving || now.receiver === 'streaming')) return now;
    if (performance.now() >= until)
      throw transient(
        'VerifyFailed',
        isPaused
          ? `replay on ${node} is paused, but nothing is received from the primary (${now.receiver ?? 'no receiver'}). Next: see PostgreSQL’s log there; this is tried again.`
          : `replay on ${node} is ${now.pause} ${formatDuration(pauseTimeoutMs)} after the pause was asked for. Next: see whether a long query there holds it up; this is tried again.`,
        { node, standby: now },
      );
    context.progress(`waiting for the pause on ${node}: ${now.pause}, receiver ${now.receiver ?? 'absent'}`);
    last = now;
    await context.pause(pollIntervalMs);
  }
}

export interface CatchUpInput extends NodeInput {
  /** Position that must be reached at least, as `walPosition` recorded it on the primary. */
  readonly position?: { readonly lsn: string };
}

/**
 * Waits until a secondary has replayed everything up to `position` and receives on. The guide's own test (replayed =
 * received) says yes too when it is cut off (facts §2).
 */
export async function untilCaughtUp(
  context: XroadContext,
  host: Host,
  node: string,
  { version, position }: { readonly version: number; readonly position: string },
): Promise<database.Standby> {
  const { plan } = context;
  const { catchUpTimeoutMs, pollIntervalMs } = plan.xroad.database;
  const until = performance.now() + catchUpTimeoutMs;
  for (;;) {
    const now = await database.standbyOf(plan, host, version);
    if (now.pause === 'not paused' && hasCaughtUp(now, position)) return now;
    const left = now.replayed === undefined ? undefined : database.lsnDistance(now.replayed, position);
    const seen = [
      now.pause === 'not paused' ? '' : `replay is ${now.pause}`,
      now.receiver === 'streaming' ? '' : `its receiver is ${now.receiver ?? 'absent'}`,
      left === undefined
        ? 'nothing was replayed since it was started'
        : left > 0
          ? `${left} bytes behind ${position}`
          : '',
    ];
    const text = seen.filter((part) => part !== '').join(', ');
    if (performance.now() >= until)
      throw transient(
        'VerifyFailed',
        `the database of ${node} hasn’t caught up: ${text}. Next: ${now.receiver === 'streaming' ? 'give it time; see its load' : 'see PostgreSQL’s log there: if a requested WAL segment has already been removed, it has to be copied anew from the primary'}.`,
        { node, standby: now, position },
      );
    context.progress(`the database of ${node} is catching up: ${text}`);
    await context.pause(pollIntervalMs);
  }
}

export interface ResumeResult extends Outcome {
  /** Position of the primary that was reached. */
  readonly reached: string;
}

/**
 * Resumes replay on a secondary whose services are stopped, after the primary has its new packages, and waits until it has
 * the new schema. From here on the node's old code must never run again (facts §6 C3).
 */
export const resumeReplay = defineStep<CatchUpInput, ReplayBefore, ResumeResult, XroadPlan>({
  observe,
  async act(context, { node, position: least }) {
    const { plan } = context;
    requireSecondary(plan, node);
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    const { version } = await database.identityOf(plan, host);
    const before = await database.standbyOf(plan, host, version);
    if (before.pause !== 'not paused') {
      await assertOldCodeIsStopped(context, host, node);
      await database.resumeReplayOn(plan, host);
    }
    const position = later(await primaryPosition(context), least?.lsn);
    await untilCaughtUp(context, host, node, { version, position });
    await requireSameSchema(context, host, node);
    return {
      summary: `the database of ${node} has everything up to ${position}, with the primary’s schema`,
      changed: before.pause !== 'not paused',
      reached: position,
      nodes: { [node]: { replay: 'running' } },
    };
  },
  async undo(context, { node }, before) {
    const { plan } = context;
    if (before.standby.pause === 'not paused')
      return { summary: `replay on ${node} wasn’t paused before`, changed: false };
    const { host } = await takeOwnership(context, hostNameOf(plan, node));
    const now = await database.standbyOf(plan, host, before.version);
    if (now.pause === 'not paused') await database.pauseReplayOn(plan, host);
    await untilPaused(context, host, node, before.version);
    return {
      summary: `replay on ${node} is paused again; what it has replayed stays`,
      changed: now.pause === 'not paused',
      nodes: { [node]: { replay: 'paused' } },
    };
  },
  preview: async (context, { node }, { standby }) => ({
    commands: standby.pause === 'not paused' ? [] : [resumeCommand(hostNameOf(context.plan, node))],
    differences: [],
  }),
});

/** @throws GuardRefused unless replaying the new schema can reach no old code that runs. */
async function assertOldCodeIsStopped(context: XroadContext, host: Host, node: string): Promise<void> {
  const { plan } = context;
  const { primary } = plan.roles;
  const running = (await readServices(host)).filter((unit) => !isStopped(unit));
  const lacking = packageFaults(plan, plan.releases.to, await readPackages(plan, await hostOf(context, primary)));
  refuseIf(
    [
      ...running.map((unit) => ({ where: node, what: `${describeUnit(unit)}: old code would run on the new schema` })),
      ...(await reachableFaults(context, node)),
      ...(await othersFaults(context, node)),
      ...(lacking.length === 0
        ? []
        : [{ where: primary, what: `doesn’t have ${plan.releases.to}: ${lacking.join(', ')}` }]),
    ],
    `replay on ${node} was not resumed`,
  );
}

async function requireSameSchema(context: XroadContext, host: Host, node: string): Promise<void> {
  const { plan } = context;
  const [own, ahead] = [
    await database.changelogOf(plan, host),
    await database.changelogOf(plan, await hostOf(context, plan.roles.primary)),
  ];
  if (own.digest === ahead.digest) return;
  throw permanent(
    'ForeignChange',
    `the database of ${node} has caught up, and its schema isn’t the primary’s (${own.changes} changes, there ${ahead.changes}). The node is stopped and out of service. Next: is it a copy of ${plan.roles.primary}? Compare serverconf.databasechangelog.`,
    { node, own, primary: ahead },
  );
}

/** A secondary has everything that the primary has written so far. @throws VerifyFailed */
export const caughtUp = defineCheck<CatchUpInput, Finding & { readonly reached: string }, XroadPlan>({
  async check(context, { node, position: least }) {
    requireSecondary(context.plan, node);
    const host = await hostOf(context, node);
    const { version } = await database.identityOf(context.plan, host);
    const reached = later(await primaryPosition(context), least?.lsn);
    await untilCaughtUp(context, host, node, { version, position: reached });
    await requireSameSchema(context, host, node);
    return { summary: `the database of ${node} has everything up to ${reached}`, reached };
  },
});

/** Position of the primary's WAL, to be reached by secondaries later. */
export const walPosition = defineCheck<Record<never, never>, Finding & { readonly lsn: string }, XroadPlan>({
  async check(context) {
    const { primary } = context.plan.roles;
    const { locked } = await database.changelogOf(context.plan, await hostOf(context, primary));
    if (locked) {
      const faults = [{ where: primary, what: 'a migration of its database runs, or was cut off' }];
      throw transient('VerifyFailed', formatFaults(faults), { faults });
    }
    const lsn = await primaryPosition(context);
    return { summary: `the primary’s WAL is at ${lsn}`, lsn };
  },
});
