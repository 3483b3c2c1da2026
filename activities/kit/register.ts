import { Context } from '@temporalio/activity';
import type { Host, ExecOptions, ExecResult } from './host';
import type { AnyPlan, CheckDefinition, StepCall, StepContext, StepDefinition } from './step';
import { attemptOf } from './attempt';
import { permanent } from './errors';
import { guardActivity, type GuardDefinition } from './guard';
import { pause } from './pause';
import { EVIDENCE_LIMIT_BYTES, clipRan, type Ran } from './evidence';

/** What activities need of the worker: connections to the hosts of a plan. Secrets stay behind it. */
export interface WorkerServices {
  connect(plan: unknown, hostName: string, signal: AbortSignal): Promise<Host>;
  /** Keeps the whole output of commands for auditors; history gets the clipped form. */
  keepEvidence?(run: StepContext['run'], step: string, ran: readonly Ran[]): Promise<void>;
}

type Definition =
  StepDefinition<AnyPlan, AnyPlan, AnyPlan> | CheckDefinition<AnyPlan, AnyPlan> | GuardDefinition<AnyPlan>;
type Activity = (call: StepCall) => Promise<unknown>;

/** How often a live attempt says that it lives. Below a third of the heartbeat timeout (10 s by default). */
const HEARTBEAT_INTERVAL_MS = 1_000;

/**
 * Turns a folder's steps and checks into Temporal activities named `<folder>.<step>.observe|act|undo|preview` and
 * `<folder>.<check>.check`; a guard is a check that goes on until something isn’t as it must be.
 */
export function registerActivities(
  folder: string,
  definitions: Readonly<Record<string, unknown>>,
  services: WorkerServices,
): Record<string, Activity> {
  const activities: Record<string, Activity> = {};
  for (const [name, value] of Object.entries(definitions)) {
    if (!isDefinition(value)) continue;
    const type = `${folder}.${name}`;
    if (value.kind === 'check') {
      activities[`${type}.check`] = (call) =>
        runActivity(call, services, (context) => value.check(context, call.input));
      continue;
    }
    if (value.kind === 'guard') {
      activities[`${type}.check`] = (call) => guardActivity(call, services, value);
      continue;
    }
    activities[`${type}.observe`] = (call) =>
      runActivity(call, services, (context) => value.observe(context, call.input), { isBefore: true });
    activities[`${type}.preview`] = (call) =>
      runActivity(call, services, async (context) =>
        value.preview(context, call.input, await value.observe(context, call.input)),
      );
    for (const verb of ['act', 'undo'] as const) {
      activities[`${type}.${verb}`] = (call) =>
        runActivity(call, services, async (context) => {
          // An escape comes without a before: it looks for itself, in the same breath.
          const before: unknown = call.before === undefined ? await value.observe(context, call.input) : call.before;
          return value[verb](context, call.input, before);
        });
    }
  }
  return activities;
}

const isDefinition = (value: unknown): value is Definition =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  ['step', 'check', 'guard'].includes(String(value.kind));

/** Runs work as one attempt of an activity: heartbeats, evidence, and a cut that is seen as a cut. */
export async function runActivity(
  call: StepCall,
  services: WorkerServices,
  work: (context: StepContext) => Promise<unknown>,
  options: { readonly isBefore?: boolean } = {},
): Promise<unknown> {
  if (call?.schema !== 1)
    throw permanent('InvalidInput', `this worker reads activity inputs of schema 1, not ${String(call?.schema)}`);
  const activity = Context.current();
  const { info } = activity;
  const attempt = attemptOf(info, call);
  const ran: Ran[] = [];
  const earlier: unknown = (info.heartbeatDetails as { kept?: unknown } | undefined)?.kept;
  let note = 'started';
  let kept = earlier;
  const beat = (): void => activity.heartbeat(kept === undefined ? note : { note, kept });
  const beats = setInterval(beat, HEARTBEAT_INTERVAL_MS);
  const signal = activity.cancellationSignal;
  try {
    const result = await work({
      plan: call.plan,
      ...attempt,
      step: call.step,
      signal,
      host: async (name) => recorded(await services.connect(call.plan, name, signal), ran),
      evidence: (entry) => void ran.push(entry),
      progress: (text) => {
        note = text;
        beat();
      },
      kept: earlier,
      keep: (value) => {
        kept = value;
        beat();
      },
      pause: (ms) => pause(ms, signal),
    });
    if (options.isBefore || ran.length === 0 || typeof result !== 'object' || result === null) return result;
    const left = EVIDENCE_LIMIT_BYTES - Buffer.byteLength(JSON.stringify(result));
    return { ...result, ran: clipRan(ran, Math.max(1_024, left)) };
  } catch (error) {
    // Whatever a driver threw on its way out of a cut, the core must see the cut.
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    clearInterval(beats);
    if (ran.length > 0) await services.keepEvidence?.(attempt.run, call.step, ran);
  }
}

function recorded(host: Host, ran: Ran[]): Host {
  const exec = async (argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> => {
    const result = await host.exec(argv, options);
    const out = options.quiet ? undefined : [result.stdout, result.stderr].filter((s) => s !== '').join('\n');
    const command = `${options.sudo ? `sudo ${options.sudo === true ? '' : `-u ${options.sudo} `}` : ''}${argv.join(' ')}`;
    ran.push({ host: host.name, command, code: result.code, ms: result.ms, ...(out ? { out } : {}) });
    return result;
  };
  return {
    name: host.name,
    exec,
    readFile: host.readFile.bind(host),
    writeFile: host.writeFile.bind(host),
    bootId: host.bootId.bind(host),
  };
}
