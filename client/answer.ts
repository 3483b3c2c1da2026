/** Answers and commands of people: choosing the question that is meant, sending, and seeing what became of it. */
import { randomUUID } from 'node:crypto';
import type { Accepted, OpeningView, SignalName, StatusView, UpdateName } from '../workflows/contract';
import { signals } from '../workflows/contract';
import { requestCancel, type CancelRequest } from './cancel';
import { ClientError, exitCodes } from './exit';
import { newRefusals } from './render/changes';
import { clipLine, printable } from './render/text';
import { readRun, readUpgrade, type Engine, type RunState } from './run';
import { cureOf } from './server-view';
import { parseInput } from './start';
import { laterHeard, sendUpdate, type Heard, type Update } from './update';

export type Verb = 'approve' | 'reject' | 'decide';

export interface AnswerRequest {
  readonly verb: Verb;
  readonly by: string;
  /** The only open question that fits, if left out. */
  readonly opening?: string;
  /** Read from the run if left out; given, the answer is refused if the evidence has changed since. */
  readonly digest?: string;
  readonly choice?: string;
  readonly to?: 'savepoint' | 'start';
  readonly comment?: string;
  /** With the choice `waive`: names of the faults. */
  readonly waive?: readonly string[];
}

/** What became of a message. */
export type Outcome =
  /** More people are needed; how many of them counted so far, where the run said so. */
  | {
      readonly kind: 'counted';
      readonly counted?: number;
      readonly needed?: number;
      /** The question, as it stands now. */
      readonly opening?: OpeningView;
    }
  | { readonly kind: 'closed'; readonly opening: string }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly why: string }
  /** The server keeps it; no worker has read it yet. */
  | { readonly kind: 'recorded'; readonly why: string }
  /** A worker has read it, but the status doesn't show it within the time that we waited. */
  | { readonly kind: 'unclear' };

/** How long to look for what became of a message. */
const SETTLE_TIMEOUT_MS = 10_000;
const SETTLE_POLL_MS = 250;

const fits = (opening: OpeningView, verb: Verb, choice: string | undefined): boolean =>
  verb === 'decide'
    ? opening.kind !== 'pause' && (choice === undefined || opening.choices.includes(choice))
    : opening.choices.includes(verb);

/** A question in a line; the whole of it is `hitless status`'s business. */
const QUESTION_CHARS = 160;
const brief = ({ question }: OpeningView): string =>
  clipLine(printable(question).replaceAll('\n', ' '), QUESTION_CHARS);

const listOf = (openings: readonly OpeningView[]): string =>
  openings.length === 0
    ? 'nothing is asked of people now'
    : `asked now: ${openings.map((o) => `${o.id} (${o.choices.join(', ')}): ${brief(o)}`).join('; ')}`;

/** Nothing that is open can be answered so. Says what is asked, and which choices there are. */
function nothingTo(word: string, status: StatusView): ClientError {
  const open = status.waitingFor;
  const named = open.find((o) => o.id === word);
  if (named !== undefined)
    return new ClientError(
      exitCodes.usage,
      `${word} is a question; its choice is missing: ${named.choices.join(', ')}`,
      `hitless decide ${status.cluster} ${word} CHOICE; it asks: ${brief(named)}`,
    );
  const what = open.length === 0 ? '' : ': no open question has that choice';
  return new ClientError(exitCodes.failed, `there is nothing to ${word}${what}`, listOf(open));
}

/** The open question that an answer is for. Pure. @throws ClientError that lists what is open. */
export function chooseOpening(
  status: StatusView,
  request: Pick<AnswerRequest, 'verb' | 'opening' | 'choice' | 'digest'>,
): OpeningView {
  const { verb, choice, digest } = request;
  const open = status.waitingFor;
  const named = request.opening === undefined ? undefined : open.find((o) => o.id === request.opening);
  if (request.opening !== undefined && named === undefined)
    throw new ClientError(exitCodes.failed, `${request.opening} isn't open`, listOf(open));
  const meant = named === undefined ? open.filter((o) => fits(o, verb, choice)) : [named];
  const word = verb === 'decide' ? (choice ?? 'decide') : verb;
  const [only] = meant;
  if (only === undefined) throw nothingTo(word, status);
  if (meant.length > 1)
    throw new ClientError(
      exitCodes.usage,
      `more than one question can be answered with ${word}: ${meant.map((o) => o.id).join(', ')}`,
      'name the one that you mean',
    );
  if (!fits(only, verb, choice))
    throw new ClientError(
      exitCodes.failed,
      `${only.id} can't be answered with ${word}`,
      `choices: ${only.choices.join(', ')}; it asks: ${brief(only)}`,
    );
  // Opening views show a short digest; a pinned one may be longer.
  if (digest !== undefined && !digest.startsWith(only.digest) && !only.digest.startsWith(digest))
    throw new ClientError(
      exitCodes.failed,
      `the digest of ${only.id} is ${only.digest}, not ${digest}: what it shows has changed since you looked`,
      `look at it again: hitless status ${status.cluster}`,
    );
  return only;
}

/** What became of an answer, as far as the statuses before and after tell; undefined if they don't (yet). Pure. */
export function judgeAnswer(
  sent: { readonly verb: Verb; readonly opening: string; readonly by: string; readonly choice: string },
  before: StatusView | undefined,
  after: StatusView,
): Outcome | undefined {
  const refused = newRefusals(before, after).find((r) => r.signal === sent.verb);
  if (refused !== undefined) return { kind: 'refused', why: refused.why };
  const opening = after.waitingFor.find((o) => o.id === sent.opening);
  if (opening === undefined) return { kind: 'closed', opening: sent.opening };
  const mark = `${sent.by}: ${sent.choice}`;
  return opening.answered.includes(mark) || opening.answered.includes(sent.by)
    ? { kind: 'counted', opening }
    : undefined;
}

/**
 * Sends an answer. With a worker at hand the question and its digest are read first; without one, both must be given.
 * @throws ClientError notFound, failed (nothing fits), usage.
 */
export async function answer(engine: Engine, cluster: string, request: AnswerRequest): Promise<Outcome> {
  const run = await running(engine, cluster);
  const target = run.status === undefined ? blindTarget(run, request) : chooseOpening(run.status, request);
  const choice = request.verb === 'decide' ? request.choice : undefined;
  const message = parseInput<object>(signals[request.verb].schema, {
    opening: target.id,
    digest: request.digest ?? target.digest,
    by: request.by,
    ...(choice !== undefined && { choice }),
    ...(request.to !== undefined && { to: request.to }),
    ...(request.comment !== undefined && { comment: request.comment }),
    ...(request.waive !== undefined && { waive: request.waive }),
  });
  const sent = { verb: request.verb, opening: target.id, by: request.by, choice: choice ?? request.verb };
  return send(engine, run, {
    signal: request.verb,
    message,
    update: { name: 'answer', message: { ...message, choice: sent.choice } },
    opening: target.id,
    judge: (after) => judgeAnswer(sent, run.status, after),
  });
}

function blindTarget(
  run: RunState,
  { opening, digest }: AnswerRequest,
): { readonly id: string; readonly digest: string } {
  if (opening !== undefined && digest !== undefined) return { id: opening, digest };
  throw new ClientError(
    exitCodes.failed,
    `what ${run.cluster} asks can't be read: ${run.server?.why ?? 'no worker answers'}`,
    `${run.server === undefined ? '' : `${cureOf(run.server)}. `}Or name the question and its digest (OPENING --digest DIGEST): the answer is then recorded for later`,
  );
}

/** Sends `pause`, `resume` or `switchBack`. */
export async function command(
  engine: Engine,
  cluster: string,
  name: 'pause' | 'resume' | 'switchBack',
  input: { readonly by: string; readonly reason: string },
): Promise<Outcome> {
  const run = await running(engine, cluster);
  const message = parseInput<object>(signals[name].schema, input);
  return send(engine, run, {
    signal: name,
    message,
    update: { name: 'command', message: { command: name, ...message } },
    judge: (after) => judgeCommand(name, input.by, run.status, after),
  });
}

/** A query sees every message that the server took before it: not refused by then is accepted. */
function judgeCommand(name: SignalName, by: string, before: StatusView | undefined, after: StatusView): Outcome {
  const refused = newRefusals(before, after).find((r) => r.signal === name);
  if (refused !== undefined) return { kind: 'refused', why: refused.why };
  const vote = after.votes?.find((v) => v.command === name && v.by.includes(by));
  return vote === undefined ? { kind: 'accepted' } : { kind: 'counted', counted: vote.by.length, needed: vote.needed };
}

/** Asks the run to undo everything and end. */
export async function cancel(engine: Engine, cluster: string, request: CancelRequest): Promise<RunState> {
  const run = await running(engine, cluster);
  await requestCancel(engine.client, run, request);
  return run;
}

async function running(engine: Engine, cluster: string): Promise<RunState> {
  const run = await readUpgrade(engine, cluster);
  if (run.execution === 'running') return run;
  throw new ClientError(
    exitCodes.notFound,
    `no upgrade of ${cluster} is running: the last one has ended (${run.execution})`,
    `hitless status ${cluster} shows how`,
  );
}

/** A message in both its forms, and how to see what became of it. */
interface Message {
  readonly signal: SignalName;
  readonly message: object;
  readonly update: { readonly name: UpdateName; readonly message: object };
  /** Of an answer. */
  readonly opening?: string;
  readonly judge: (after: StatusView) => Outcome | undefined;
}

/**
 * As an Update where a worker can take it; else as a signal, which the server keeps until one comes. Both may arrive, if an
 * Update is taken after we gave it up: the run counts the first of them and refuses the other, and the Update's ID tells.
 */
async function send(engine: Engine, run: RunState, message: Message): Promise<Outcome> {
  const { workflowId } = run;
  const update: Update = { id: randomUUID(), workflowId, ...message.update };
  if (!takesUpdates(run)) return signalled(engine, run, message);
  const heard = await sendUpdate(engine.client, update);
  if (heard.kind !== 'unheard') return toldBy(engine, run, heard, message);
  const outcome = await signalled(engine, run, message);
  if (outcome.kind !== 'refused') return outcome;
  const late = await laterHeard(engine.client, update);
  return late.kind === 'accepted' ? toldBy(engine, run, late, message) : outcome;
}

/** A worker answers for it, and its plan is resolved: before that messages wait, and a run can't tell what it will say. */
const takesUpdates = ({ status, server }: RunState): boolean =>
  status === undefined
    ? server?.silence === 'too-large' || server?.silence === 'no-query'
    : status.planDigest !== '' || status.waitingFor.length > 0;

/** What the run itself said. */
async function toldBy(
  engine: Engine,
  run: RunState,
  heard: Exclude<Heard, { kind: 'unheard' }>,
  { opening }: Message,
): Promise<Outcome> {
  if (heard.kind === 'refused') return heard;
  const { isDecided, counted, needed }: Accepted = heard.told;
  if (isDecided) return opening === undefined ? { kind: 'accepted' } : { kind: 'closed', opening };
  const after = opening === undefined ? undefined : await again(engine, run);
  const question = after?.status?.waitingFor.find(({ id }) => id === opening);
  return { kind: 'counted', counted, needed, ...(question !== undefined && { opening: question }) };
}

const again = (engine: Engine, { cluster, workflowId, firstRunId }: RunState): Promise<RunState> =>
  readRun(engine, cluster, workflowId, { firstRunId });

async function signalled(engine: Engine, run: RunState, { signal, message, judge }: Message): Promise<Outcome> {
  // To the newest run of the chain: opening and digest keep an answer away from any other upgrade.
  await engine.client.workflow.getHandle(run.workflowId).signal(signal, message);
  if (run.server !== undefined) return { kind: 'recorded', why: run.server.why };
  const deadline = Date.now() + SETTLE_TIMEOUT_MS;
  for (;;) {
    const after = await again(engine, run);
    if (after.execution !== 'running') return settledByEnd(run, after, signal);
    if (after.server !== undefined) return { kind: 'recorded', why: after.server.why };
    const outcome = after.status === undefined ? undefined : judge(after.status);
    if (outcome !== undefined) return outcome;
    if (Date.now() > deadline) return { kind: 'unclear' };
    await new Promise((resolve) => setTimeout(resolve, SETTLE_POLL_MS));
  }
}

/** The run ended while we looked: the last answer of a run is in its report. */
function settledByEnd(before: RunState, after: RunState, signal: SignalName): Outcome {
  const refused = newRefusals(before.status, after.report ?? { refused: [] }).find((r) => r.signal === signal);
  return refused === undefined ? { kind: 'accepted' } : { kind: 'refused', why: refused.why };
}
