/** A run of any kind on the real engine that random messages, failures, restarts and resets come over, at moments of a script. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import fc from 'fast-check';
import type { ClusterKind, OpeningView, Report, StatusView } from '../../workflows/contract';
import { answered, engineRun, type Activities, type EngineRun, type TestEngine } from './engine-run';
import { partsOf, stageOf, type Stage } from './kept/stage';
import { randomMessage, RIGHT_PERSON, shortly, updateFor, type RandomMessage } from './random-messages';

type History = temporal.api.history.v1.IHistory;
const { EventType, UpdateWorkflowExecutionLifecycleStage: Stages } = temporal.api.enums.v1;

/** When something of a script happens: while its n-th call of an activity is under way, or while its n-th question is open. */
export interface Moment {
  readonly on: 'call' | 'question';
  readonly number: number;
}

export interface Script {
  readonly messages: readonly { readonly when: Moment; readonly what: RandomMessage; readonly times: number }[];
  readonly cancel?: Moment | undefined;
  readonly restart?: Moment | undefined;
  /** While the n-th question is open: back to one of the workflow tasks so far. */
  readonly reset?: { readonly question: number; readonly task: number } | undefined;
  /** Numbers of calls that fail for good. */
  readonly failures: readonly number[];
  /** From this call on the new release is sick, until people are asked what now. */
  readonly sickFrom?: number | undefined;
  /** Which choice each question gets, in turn. */
  readonly answers: readonly { readonly choice: number; readonly asUpdate: boolean }[];
}

/** Call 0 resolves the plan. */
const LAST_CALL = 30;
const moment: fc.Arbitrary<Moment> = fc.oneof(
  { weight: 2, arbitrary: fc.nat(LAST_CALL).map((number) => ({ on: 'call' as const, number })) },
  { weight: 2, arbitrary: fc.nat(4).map((number) => ({ on: 'question' as const, number })) },
);
/** One run in three. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

/** `flood`: how often a message may be repeated. */
export const scriptOf = (flood: number): fc.Arbitrary<Script> =>
  fc.record({
    messages: fc.array(
      fc.record({
        when: moment,
        what: randomMessage,
        times: fc.oneof(
          { weight: 12, arbitrary: fc.constant(1) },
          { weight: 1, arbitrary: fc.integer({ min: 2, max: flood }) },
        ),
      }),
      { minLength: 4, maxLength: 16, size: 'max' },
    ),
    cancel: rarely(moment),
    restart: rarely(moment),
    reset: rarely(fc.record({ question: fc.nat(3), task: fc.nat(40) })),
    failures: fc.array(fc.integer({ min: 1, max: LAST_CALL }), { maxLength: 2 }),
    sickFrom: rarely(fc.integer({ min: 1, max: LAST_CALL })),
    answers: fc.array(fc.record({ choice: fc.nat(5), asUpdate: fc.boolean() }), { minLength: 1, maxLength: 8 }),
  });

/** A script for a failure's report. */
export const told = ({ messages, ...rest }: Script): string =>
  [
    JSON.stringify(rest),
    ...messages.map(({ when, what, times }) => `at ${when.on} ${when.number}, ${times} times ${shortly(what)}`),
  ].join('\n');

const LOOK_EVERY_MS = 100;
/** Who is asked for ever says stop in the end. */
const PATIENCE = 20;
/** Calls of activities that the core makes for itself: they don't count. */
const isOwn = (name: string): boolean => name.startsWith('core.');
/** Why an answer may come too late, whoever is right: a cancellation, a regression or a reset was faster. */
const STALE = /is closed|has been closed|no question|look at it again|has ended|once more|being resolved/;

/** What was seen of a run that has ended. */
export interface Seen {
  /** "Completed", "Cancelled", or the type of the failure. */
  readonly ending: string;
  readonly report: Report | undefined;
  /** One for each link of its chain, the last one first. */
  readonly histories: readonly History[];
  readonly broken: readonly string[];
}

export class RandomRun {
  private calls = 0;
  private questions = 0;
  private readonly asked = new Set<string>();
  private readonly underWay: Promise<unknown>[] = [];
  private run!: EngineRun;
  private started = (): void => undefined;
  /** Activities may begin before the start is answered. */
  private readonly isStarted = new Promise<void>((resolve) => (this.started = resolve));

  private constructor(
    private readonly engine: TestEngine,
    private readonly script: Script,
    private readonly stage: Stage,
    /** Holds against its bounds what is shown of the run. */
    private readonly look: (status: StatusView, details: string) => void,
  ) {}

  static async start(
    engine: TestEngine,
    kind: ClusterKind,
    script: Script,
    look: (status: StatusView, details: string) => void,
  ): Promise<RandomRun> {
    const stage = await stageOf(kind);
    const random = new RandomRun(engine, script, stage, look);
    random.run = await engineRun(engine, {
      type: partsOf[kind].upgrade,
      plan: stage.plan,
      activities: stage.activities,
      wrap: (activities) => random.wrap(activities),
    });
    random.started();
    return random;
  }

  stop(): Promise<void> {
    return this.run.worker.stop();
  }

  status(): Promise<StatusView> {
    return this.run.status();
  }

  /** Answers whatever is asked, until the run has ended. */
  async play(): Promise<Seen> {
    for (let answered = 0; await this.isRunning();) {
      await Promise.all(this.underWay.splice(0));
      const [opening] = (await this.status()).waitingFor ?? [];
      if (opening === undefined) {
        await sleep(LOOK_EVERY_MS);
        continue;
      }
      if (!this.asked.has(`${opening.id} ${opening.openedAt}`)) {
        this.asked.add(`${opening.id} ${opening.openedAt}`);
        if (opening.kind === 'hold') this.stage.sick = false;
        await this.shown();
        await this.happens({ on: 'question', number: this.questions++ });
        // What came may have answered it, or ended it.
        continue;
      }
      await this.answer(opening, answered++);
    }
    await Promise.all(this.underWay.splice(0));
    await this.shown();
    return this.seen();
  }

  private wrap(activities: Activities): Activities {
    return Object.fromEntries(
      Object.entries(activities).map(([name, work]) => [
        name,
        isOwn(name)
          ? work
          : async (input: never) => {
              const number = this.calls++;
              if (number === this.script.sickFrom) this.stage.sick = true;
              // Beside the call, which goes on meanwhile.
              this.underWay.push(this.isStarted.then(() => this.happens({ on: 'call', number })));
              if (this.script.failures.includes(number))
                throw ApplicationFailure.nonRetryable(`no space left on ${'device '.repeat(100)}`, 'CommandFailed');
              return work(input);
            },
      ]),
    );
  }

  private async happens(moment: Moment): Promise<void> {
    const { messages, cancel, restart, reset } = this.script;
    const isNow = (other: Moment | undefined): boolean => other?.on === moment.on && other.number === moment.number;
    for (const { what, times } of messages.filter(({ when }) => isNow(when))) {
      for (let sent = 0; sent < times; sent += AT_ONCE)
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, times - sent) }, () => this.send(what)));
      await this.shown();
    }
    if (isNow(cancel)) await unlessOver(this.run.handle.cancel());
    if (moment.on === 'question' && reset?.question === moment.number) await this.reset(reset.task);
    if (isNow(restart)) await this.run.worker.restart();
  }

  /** As bytes: no client of ours sends the like. */
  private async send(message: RandomMessage): Promise<void> {
    const { workflowService } = this.engine.client;
    const input = {
      payloads: message.payloads.map(({ encoding, data }) => ({
        metadata: encoding === undefined ? {} : { encoding: Buffer.from(encoding) },
        data,
      })),
    };
    const to = {
      namespace: this.engine.engine.namespace,
      workflowExecution: { workflowId: this.run.handle.workflowId },
    };
    if (!message.asUpdate)
      return unlessOver(workflowService.signalWorkflowExecution({ ...to, signalName: message.name, input }));
    const request = { meta: { updateId: randomUUID() }, input: { name: updateFor(message), args: input } };
    // Whoever sends one doesn't wait for it: the worker may be away.
    this.underWay.push(
      unlessOver(
        workflowService.updateWorkflowExecution({
          ...to,
          request,
          waitPolicy: { lifecycleStage: Stages.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED },
        }),
      ),
    );
  }

  /** As the Web UI's button does it, back to some workflow task. */
  private async reset(task: number): Promise<void> {
    const { runId } = await this.run.handle.describe();
    const { events } = await this.history(runId);
    const tasks = events?.filter((e) => e.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) ?? [];
    await unlessOver(
      this.engine.client.workflowService.resetWorkflowExecution({
        namespace: this.engine.engine.namespace,
        workflowExecution: { workflowId: this.run.handle.workflowId, runId },
        reason: 'a person pressed the button',
        workflowTaskFinishEventId: tasks[task % tasks.length]?.eventId ?? null,
        requestId: randomUUID(),
      }),
    );
  }

  /** The right answer to what is asked; it must count, unless what was asked is over. */
  private async answer(opening: OpeningView, nth: number): Promise<void> {
    const { answers } = this.script;
    const { choice: pick, asUpdate } = answers[nth % answers.length]!;
    const tired = nth > PATIENCE && opening.choices.includes('stop') ? 'stop' : undefined;
    const choice = tired ?? opening.choices[pick] ?? opening.choices[0] ?? '';
    const said = {
      opening: opening.id,
      digest: opening.digest,
      by: RIGHT_PERSON,
      choice,
      comment: 'because',
      ...(choice === 'roll-back' && pick % 2 === 0 ? { to: 'start' } : {}),
      ...(choice === 'waive' ? { waive: opening.waivable ?? [] } : {}),
    };
    const { handle } = this.run;
    if (!asUpdate) await unlessOver(handle.signal('decide', said));
    else {
      const refusal = await handle.executeUpdate('answer', { args: [said] }).then(() => undefined, refusalOf);
      if (refusal !== undefined && !STALE.test(refusal)) throw new Error(`the right answer was refused: ${refusal}`);
    }
    while (await this.isStillAsked(opening)) await sleep(LOOK_EVERY_MS);
  }

  private async isStillAsked({ id, openedAt }: OpeningView): Promise<boolean> {
    const { waitingFor = [], refused = [] } = await this.status();
    const open = waitingFor.find((o) => o.id === id && o.openedAt === openedAt);
    const no = refused.find((r) => r.by === RIGHT_PERSON && !STALE.test(r.why));
    if (no !== undefined) throw new Error(`the right answer was refused: ${no.why}`);
    return open !== undefined;
  }

  /** What is shown now, which must be within its bounds. */
  private async shown(): Promise<StatusView> {
    const status = await this.status();
    const { currentDetails } = await answered(() =>
      this.run.handle.query<{ currentDetails: string }>('__temporal_workflow_metadata'),
    );
    this.look(status, currentDetails);
    return status;
  }

  private async isRunning(): Promise<boolean> {
    const { status } = await this.run.handle.describe();
    return status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW';
  }

  private history(runId: string): Promise<History> {
    return this.engine.client.workflow.getHandle(this.run.handle.workflowId, runId).fetchHistory();
  }

  private async seen(): Promise<Seen> {
    const handle = this.engine.client.workflow.getHandle(this.run.handle.workflowId);
    const { runId, memo } = await handle.describe();
    const [ending, returned] = await handle.result().then(
      (value: unknown) => ['Completed', value] as const,
      (error: unknown) => {
        if (!(error instanceof WorkflowFailedError)) throw error;
        if (error.cause instanceof CancelledFailure) return ['Cancelled', memo?.['report']] as const;
        const { type, details } = error.cause as ApplicationFailure;
        return [String(type), details?.[0]] as const;
      },
    );
    const histories: History[] = [];
    for (let id: string = runId; id !== '';) {
      const history = await this.history(id);
      histories.push(history);
      id = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? '';
    }
    return { ending, report: returned as Report | undefined, histories, broken: this.stage.broken };
  }
}

/** Messages that are under way at a time. */
const AT_ONCE = 100;
/** Codes of gRPC. */
const FAILED_PRECONDITION = 9;
const RESOURCE_EXHAUSTED = 8;
const REFUSED: readonly unknown[] = [3, 5, RESOURCE_EXHAUSTED, FAILED_PRECONDITION];

/** The server refuses what it can't read (a name without an end), what comes too late, and an eleventh Update at a time. */
async function unlessOver(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } };
    if (!REFUSED.includes(code ?? cause?.code) && (error as Error).name !== 'WorkflowNotFoundError') throw error;
  }
}

/** Why an Update was refused; undefined if there was nobody to take it. */
function refusalOf(error: unknown): string | undefined {
  if (error instanceof WorkflowUpdateFailedError) return (error.cause as Error).message;
  const { name, cause } = error as { name?: string; cause?: { code?: unknown } };
  if (name === 'WorkflowNotFoundError' || cause?.code === 5 || cause?.code === FAILED_PRECONDITION) return undefined;
  throw error;
}
