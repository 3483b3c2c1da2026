import { Context } from '@temporalio/activity';
import type { Host, ExecOptions, ExecResult } from './host';
import type { AnyPlan, CheckDefinition, StepCall, StepContext, StepDefinition } from './step';
import { attemptOf } from './attempt';
import { permanent } from './errors';
import { guardActivity, type GuardDefinition } from './guard';
import { observed } from './observed';
import { OUTPUT_LIMIT_BYTES } from './output';
import { pause } from './pause';
import { clip } from './clip';
import { EVIDENCE_LIMIT_BYTES, Recorder, clipRan, type Ran } from './evidence';
import { redact, redactDeep } from './redact';

/** What activities need of the worker: connections to the hosts of a plan. Secrets stay behind it. */
export interface WorkerServices {
  connect(plan: unknown, hostName: string, signal: AbortSignal): Promise<Host>;
  /** Keeps the whole output of commands for auditors; history gets the clipped form. Called once an attempt, at its first. */
  openEvidence?(run: StepContext['run'], step: string): EvidenceSink;
}

/** Where whole outputs go as they come. It is written beside the work: nothing of it throws or makes a step wait. */
export interface EvidenceSink {
  add(ran: Ran): void;
  /** When all is written that can be: why something wasn't, or undefined. */
  close(): Promise<string | undefined>;
}

type Definition =
  StepDefinition<AnyPlan, AnyPlan, AnyPlan> | CheckDefinition<AnyPlan, AnyPlan> | GuardDefinition<AnyPlan>;
type Activity = (call: StepCall) => Promise<unknown>;

/** How often a live attempt says that it lives. Below a third of the heartbeat timeout (10 s by default). */
const HEARTBEAT_INTERVAL_MS = 1_000;

/** A line of progress goes with every heartbeat. */
const NOTE_LIMIT_CHARS = 500;

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
      activities[`${type}.check`] = async (call) =>
        redactDeep(await runActivity(call, services, (context) => value.check(context, call.input)));
      continue;
    }
    if (value.kind === 'guard') {
      activities[`${type}.check`] = async (call) => redactDeep(await guardActivity(call, services, value));
      continue;
    }
    activities[`${type}.observe`] = (call) =>
      runActivity(call, services, (context) => observed(value, context, call.input), { isBefore: true });
    activities[`${type}.preview`] = async (call) =>
      redactDeep(
        await runActivity(call, services, async (context) =>
          value.preview(context, call.input, await value.observe(context, call.input)),
        ),
      );
    for (const verb of ['act', 'undo'] as const) {
      activities[`${type}.${verb}`] = async (call) =>
        redactDeep(
          await runActivity(call, services, async (context) => {
            // An escape comes without a before: it looks for itself, in the same breath.
            const before: unknown = call.before === undefined ? await value.observe(context, call.input) : call.before;
            return value[verb](context, call.input, before);
          }),
        );
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
  const ran = new Recorder();
  const earlier: unknown = (info.heartbeatDetails as { kept?: unknown } | undefined)?.kept;
  let note = 'started';
  let kept = earlier;
  const beat = (): void => activity.heartbeat(kept === undefined ? note : { note, kept });
  const beats = setInterval(beat, HEARTBEAT_INTERVAL_MS);
  const signal = activity.cancellationSignal;
  let sink: EvidenceSink | undefined;
  const record = (entry: Ran): void => {
    ran.add(entry);
    sink ??= services.openEvidence?.(attempt.run, call.step);
    sink?.add(entry);
  };
  /** What couldn't be kept is told, and changes nothing else: what was done has been done. */
  const unkept = async (): Promise<string | undefined> => {
    const why = await sink?.close();
    if (why !== undefined)
      activity.log.warn(
        `the evidence of ${call.step} was not kept whole: ${why}. The step itself isn’t affected. Next: see to the worker’s --evidence directory`,
      );
    return why;
  };
  try {
    const result = await work({
      plan: call.plan,
      ...attempt,
      step: call.step,
      signal,
      host: async (name) => recorded(await services.connect(call.plan, name, signal), record),
      evidence: record,
      progress: (text) => {
        note = clip(redact(text.slice(0, 10 * NOTE_LIMIT_CHARS)), NOTE_LIMIT_CHARS);
        beat();
      },
      kept: earlier,
      keep: (value) => {
        kept = value;
        beat();
      },
      pause: (ms) => pause(ms, signal),
    });
    const why = await unkept();
    if (options.isBefore || ran.count === 0 || typeof result !== 'object' || result === null) return result;
    const left = EVIDENCE_LIMIT_BYTES - Buffer.byteLength(JSON.stringify(result));
    const evidence = why === undefined ? {} : { evidence: `not kept: ${why}` };
    return { ...result, ran: clipRan(ran.list(), Math.max(1_024, left)), ...evidence };
  } catch (error) {
    await unkept();
    // Whatever a driver threw on its way out of a cut, the core must see the cut.
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    clearInterval(beats);
  }
}

/** Of an output that is read as it comes in: as much as of one that is held. */
class Beginning {
  #text = '';
  #left = 0;

  add(text: string): void {
    const room = Math.max(0, OUTPUT_LIMIT_BYTES - this.#text.length);
    this.#text += text.slice(0, room);
    this.#left += Math.max(0, text.length - room);
  }

  get text(): string {
    return this.#left === 0 ? this.#text : `${this.#text}\n… ${this.#left} characters more, which were not kept`;
  }
}

function recorded(host: Host, record: (entry: Ran) => void): Host {
  const exec = async (argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> => {
    const { onStdout } = options;
    const streamed = new Beginning();
    const take = (text: string): void => {
      streamed.add(text);
      onStdout?.(text);
    };
    const isKept = onStdout !== undefined && !options.quiet;
    const result = await host.exec(argv, isKept ? { ...options, onStdout: take } : options);
    const out = options.quiet
      ? undefined
      : [streamed.text, result.stdout, result.stderr].filter((s) => s !== '').join('\n');
    const command = `${options.sudo ? `sudo ${options.sudo === true ? '' : `-u ${options.sudo} `}` : ''}${argv.join(' ')}`;
    record({ host: host.name, command, code: result.code, ms: result.ms, ...(out ? { out } : {}) });
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
