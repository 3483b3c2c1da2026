/**
 * Ownership of a host: at most one attempt acts on it, whatever became of the others (design, promise 3). Every act, undo
 * and escape takes ownership first, which also waits for jobs of the run (or of one that was terminated) that still run on
 * the host; only then it checks its guard, and acts through `host` of what it got.
 */
import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { parseJson } from '../kit/answer';
import { permanent, transient } from '../kit/errors';
import type { ExecOptions, ExecResult, Host } from '../kit/host';
import type { StepContext } from '../kit/step';
import { runTag } from '../jobs/names';
import { commandFailed } from '../ssh/command';
import { readFileOn, writeFileOn } from '../ssh/files';
import { HOME, complaint, complaintText, runScript, scriptArgv } from './host-script';
import { decide, letGo, ownerRecord, type Claim, type Owner, type OwnerRecord } from './record';
import { awaitUnits, stopUnits } from './units';

export { stopUnitsOfRun } from './units';
export type { Owner, OwnerRecord } from './record';

/** What is needed of a plan. */
export interface OwnedPlan {
  readonly cluster: string;
}

export interface TakeOptions {
  /**
   * State of the host before the first change of this run, JSON, 8 KiB at most (longer: its digest). Recorded once; it is
   * what the owner file shows to the next run if this one is terminated.
   */
  readonly baseline?: unknown;
  /** What to do with jobs that still run: wait for their end (default), or stop them. */
  readonly units?: 'await' | 'stop';
}

/** As the host, but each command runs under the host's lock, and only while this attempt is still the owner. */
export interface OwnedHost extends Host {
  /** The same host without lock and comparison, for long looks: they mustn't hold up others. */
  readonly unowned: Host;
}

export interface Owned {
  /** To act through. */
  readonly host: OwnedHost;
  /** The baseline that the owner file holds: of the first step of this run, or of the adopted one, that recorded it. */
  readonly baseline: unknown;
  /** Owner of a run that was terminated on the way: this run knows its *befores*, or its baseline is equal to ours. */
  readonly adoptedFrom?: Owner;
}

/** For a command of a stale attempt that still runs. Longer ones are jobs. */
const LOCK_SECONDS = 15;
/** How often somebody else may be faster. */
const RACES = 5;
const BASELINE_LIMIT_BYTES = 8 * 1024;

/** One token per attempt, however often it takes ownership. */
const tokens = new WeakMap<AbortSignal, string>();

/**
 * Makes this attempt the owner of the host. Throws OwnedByAnother (permanent) if a later attempt of the run owns it, if
 * this run was succeeded by another, or if a terminated run whose *befores* this one doesn't know left the host in another
 * state than `baseline`; Busy
 * (retryable) if a command of an earlier attempt still runs.
 */
export async function takeOwnership(
  context: StepContext<OwnedPlan>,
  hostName: string,
  options: TakeOptions = {},
): Promise<Owned> {
  const host = await context.host(hostName);
  const claim = claimOf(context, hostName, options.baseline);
  const name = fileName(claim);
  for (let tries = 0; ; tries++) {
    const text = (await runScript(host, 'read', [name])).stdout;
    const decision = decide(parseRecord(host, name, text), claim);
    if (decision.kind === 'refuse') throw refused(claim, decision.reason, decision.record);
    const { record, adoptedFrom } = decision;
    const tags = [...new Set([context.run.runId, ...record.succeeded.slice(-4)].map(runTag))];
    const result = await replace(host, name, text, record, tags);
    if (result === undefined) {
      if (tries < RACES) continue;
      throw transient('Busy', `${host.name}: others keep taking ownership`, { host: host.name });
    }
    const owned = guarded(host, name, claim);
    const units = result.stdout.split('\n').filter((unit) => unit !== '');
    if (units.length > 0 && options.units === 'stop') await stopUnits(owned, units);
    else if (units.length > 0) await awaitUnits(context, host, tags);
    return { host: owned, baseline: record.baseline, ...(adoptedFrom === undefined ? {} : { adoptedFrom }) };
  }
}

/**
 * Lets go of the host at the end of a run, so that the next run starts from what it finds. Does nothing if another attempt
 * or run owns it by now.
 */
export async function releaseOwnership(context: StepContext<OwnedPlan>, hostName: string): Promise<void> {
  const host = await context.host(hostName);
  const claim = claimOf(context, hostName, undefined);
  const name = fileName(claim);
  for (;;) {
    const text = (await runScript(host, 'read', [name])).stdout;
    const next = letGo(parseRecord(host, name, text), claim);
    if (next === undefined || (await replace(host, name, text, next, [])) !== undefined) return;
  }
}

/** Compares and sets. Undefined if somebody else was faster. */
async function replace(
  host: Host,
  name: string,
  old: string,
  record: OwnerRecord,
  tags: readonly string[],
): Promise<ExecResult | undefined> {
  const digest = old === '' ? 'none' : createHash('sha256').update(old).digest('hex');
  const result = await runScript(host, 'set', [name, LOCK_SECONDS, digest, ...tags], {
    stdin: `${JSON.stringify(record)}\nend\n`,
    timeoutMs: (LOCK_SECONDS + 30) * 1_000,
  });
  const why = complaint(result);
  if (why === undefined) return result;
  if (why === 'changed') return undefined;
  throw transient('Busy', `${host.name}: ownership can’t be taken now: ${complaintText(result)}`, { host: host.name });
}

function guarded(host: Host, name: string, claim: Claim): OwnedHost {
  const via = scriptArgv('act', name, LOCK_SECONDS, claim.token);
  const exec = async (argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> => {
    const { okCodes = [0] } = options;
    const result = await host.exec(argv, { ...options, via: [...via, ...(options.via ?? [])], okCodes: 'any' });
    const why = complaint(result);
    if (why === 'notOwner') throw lostTo(claim, complaintText(result));
    if (why !== undefined) {
      const said = why === 'missing' ? `~/${HOME} is gone (the host was set up anew?)` : complaintText(result);
      throw transient('Busy', `${host.name}: the command was not run: ${said}`, { host: host.name });
    }
    if (okCodes === 'any' || okCodes.includes(result.code)) return result;
    throw commandFailed(host.name, argv, options, result);
  };
  return {
    name: host.name,
    unowned: host,
    exec,
    readFile: (path, how) => readFileOn({ name: host.name, exec }, path, how),
    writeFile: (path, content, how) => writeFileOn({ name: host.name, exec }, path, content, how),
    bootId: () => host.bootId(),
  };
}

/** One file per cluster and host: a home may be shared by several hosts. */
const fileName = (claim: Claim): string => `${claim.cluster}.${claim.host}`;

function claimOf(context: StepContext<OwnedPlan>, host: string, baseline: unknown): Claim {
  const { run, step, call, attempt } = context;
  if (!Number.isFinite(call.number) || !Number.isFinite(call.scheduledAtMs))
    throw permanent('InvalidInput', `call ${call.number} of step ${step} has no place in the order of its run`);
  if (baseline !== undefined && Buffer.byteLength(JSON.stringify(baseline)) > BASELINE_LIMIT_BYTES)
    throw permanent(
      'InvalidInput',
      `the baseline of ${host} is longer than ${BASELINE_LIMIT_BYTES} bytes; use its digest`,
    );
  let token = tokens.get(context.signal);
  if (token === undefined) tokens.set(context.signal, (token = randomBytes(16).toString('hex')));
  const { workflowId, runId, adopted } = run;
  const owner: Owner = {
    workflowId,
    runId,
    step,
    call: call.number,
    attempt,
    scheduledAtMs: call.scheduledAtMs,
    takenAt: new Date().toISOString(),
    worker: `${hostname()}:${process.pid}`,
  };
  return {
    cluster: context.plan.cluster,
    host,
    owner,
    token,
    ...(baseline === undefined ? {} : { baseline }),
    ...(adopted === undefined ? {} : { adopted }),
  };
}

function parseRecord(host: Host, name: string, text: string): OwnerRecord | undefined {
  if (text === '') return undefined;
  try {
    return ownerRecord.parse(parseJson(text));
  } catch {
    throw permanent(
      'OwnedByAnother',
      `${host.name}: ~/${HOME}/${name}.json says who may act on this host, and this release can’t read it. Nothing was changed. Next: make sure that no other hitless works on this host, move the file away, and retry.`,
      { host: host.name },
    );
  }
}

const who = (o: Owner): string => `run ${o.runId}, step ${o.step}, call ${o.call}, attempt ${o.attempt}`;

function refused(claim: Claim, reason: 'stale' | 'succeeded' | 'baseline', record: OwnerRecord): Error {
  const { owner, baseline } = record;
  const held = `${who(owner)} owns it since ${owner.takenAt} (worker ${owner.worker})`;
  const file = `~/${HOME}/${fileName(claim)}.json`;
  const text = {
    stale:
      owner.runId === claim.owner.runId
        ? `this attempt (${who(claim.owner)}) is out of date: ${held}. Nothing was changed. Next: nothing, the later one goes on`
        : ahead(claim, owner, file),
    succeeded: `this run (${claim.owner.runId}) was succeeded by another: ${held}. Nothing was changed. Next: nothing, the later run goes on; once that has ended, start a new one instead of going back to this one`,
    baseline: `an earlier run ended without letting go of it (${held}), and the host isn’t as that run found it. It was: ${JSON.stringify(baseline)}; now: ${JSON.stringify(claim.baseline) ?? 'not said'}. Nothing was changed. Next: look at the host, bring it into the state to start from, move ${file} away, and retry`,
  }[reason];
  return permanent('OwnedByAnother', `${claim.host}: ${text}.`, {
    host: claim.host,
    reason,
    owner,
    ...(reason === 'baseline' ? { recorded: baseline, found: claim.baseline } : {}),
  });
}

/** Another run owns the host, and not before this attempt was scheduled: it is the later one, or the server's clock ran ahead. */
function ahead({ owner: mine }: Claim, owner: Owner, file: string): string {
  const until = new Date(owner.scheduledAtMs).toISOString();
  const held = `${who(owner)} of ${owner.workflowId} owns it (worker ${owner.worker}) and hasn’t let go`;
  const times = `it was scheduled at ${until}, and this attempt (${who(mine)}) at ${new Date(mine.scheduledAtMs).toISOString()}, both by the server’s clock`;
  return `${held}; ${times}. Nothing was changed. Next: if that run still goes on, nothing, for it is the later one. If it has ended, the server’s clock ran ahead at the time, and the host is refused until ${until}: look at the host, bring it into the state to start from, move ${file} away, and retry`;
}

/** The record that was found instead, as far as it can be read. */
function lostTo(claim: Claim, text: string): Error {
  let by = 'another attempt owns it now';
  try {
    by = `${who(ownerRecord.parse(parseJson(text)).owner)} owns it now`;
  } catch {
    // It is for people only.
  }
  return permanent(
    'OwnedByAnother',
    `${claim.host}: the command was not run, for ${by}; this attempt (${who(claim.owner)}) is out of date. Next: nothing, the later one goes on.`,
    { host: claim.host, reason: 'stale' },
  );
}
