/**
 * The vocabulary of the core: what a procedure's body is written with, and the small door (`Runtime`) through which it
 * reaches the world. Plain data wherever possible: an action has a digest, a state can be printed.
 */
import type { PlannedItem } from '../contract';

/** How long a failing call is tried again: attempts × interval, as time without workers must not count. */
export interface Patience {
  readonly attempts: number;
  readonly intervalMs: number;
}

/** Work for an activity: `type` names its family (`routing.prefer`), whose members are .observe, .act, .undo, or .check. */
export interface Action<Kind extends 'step' | 'check' = 'step' | 'check', Result = unknown> {
  readonly type: string;
  readonly input: unknown;
  /** Site whose task queue runs it; the plan's default queue if left out. */
  readonly site?: string;
  /** Longest single attempt. */
  readonly timeoutMs?: number;
  readonly patience?: Patience;
  /** Phantoms for the compiler only: what the body may do with it. */
  readonly __kind?: Kind;
  readonly __result?: Result;
}

/** A result that a body may hand on to a later step but can't read: the order of steps never depends on it. */
export interface Given<Result> {
  readonly given: number;
  readonly __result?: Result;
}

export interface GatePolicy {
  /** Names that count; anyone if left out. */
  readonly from?: readonly string[];
  /** How many different people must approve. */
  readonly count: number;
  readonly notRequester?: boolean;
  readonly expiresAfterMs?: number;
  /** What happens when nobody answered in time; a gate that expires never approves by itself. */
  readonly onExpiry?: 'hold' | 'roll-back' | 'stop';
  readonly onReject?: 'hold' | 'roll-back' | 'stop';
}

/** Who may give a command (`pause`, `resume`, `switchBack`) or answer a hold. */
export interface CommandPolicy {
  readonly from?: readonly string[];
  readonly count?: number;
  readonly notRequester?: boolean;
}

export interface Policy {
  readonly gates: Readonly<Record<string, GatePolicy | undefined>>;
  readonly holds: CommandPolicy;
  readonly pause: CommandPolicy;
  readonly resume: CommandPolicy;
  readonly switchBack: CommandPolicy;
}

/** What every plan has, whatever the procedure. Frozen at the start of a run. */
export interface PlanBase {
  readonly schema: 1;
  readonly procedure: string;
  readonly procedureRevision: number;
  readonly cluster: string;
  readonly version: string;
  readonly requestedBy?: string;
  readonly queues: {
    readonly default: string;
    readonly watch: string;
    readonly sites: Readonly<Record<string, string>>;
  };
  readonly policy: Policy;
  /**
   * First run of the one that was ended from outside and whose plan this is: what was read from devices, it had read at its
   * own start. Left out where they were asked anew.
   */
  readonly resumedFrom?: string;
}

export interface StepOptions {
  /** A failure leaves things as they are instead of undoing the half-done step. */
  readonly stay?: boolean;
  /** A rollback leaves what the step did: say why. */
  readonly keep?: string;
}

export interface GateOptions {
  /** What has been done by then is no state to stop at, as a pair of two releases: rolling back goes over this gate. */
  readonly passedOver?: boolean;
  /** The question ends with what the last readings had of the nodes: who serves now. */
  readonly tellsNodes?: boolean;
}

export interface CheckOptions {
  /**
   * A failure of this type may be gone over: the hold that follows offers `go-on` too, which counts the check as done.
   * `means` tells people what that costs.
   */
  readonly goOn?: { readonly on: string; readonly means: string };
  /**
   * A failure of this type is something that people have to do outside, as entering a PIN: they are asked to, as question
   * `ask`, say `done` when it is, and the check is repeated. `hold` makes it a failure like any other.
   */
  readonly task?: { readonly on: string; readonly ask: string };
  /**
   * Faults of a failure of this type may be waived by people, by name and with a reason: the hold offers `waive` then, which
   * counts the check as done. The failure's details name them (Waivable), and the check's result says who waived what.
   */
  readonly waive?: { readonly on: string };
}

/** Details of a failure whose faults may be waived. */
export interface Waivable {
  readonly waivable: readonly string[];
}

/** What a check whose faults were waived returns. */
export interface Waived {
  readonly summary: string;
  readonly waived: readonly string[];
  readonly by: readonly string[];
  readonly reason: string;
}

export interface WatchSpec {
  readonly name: string;
  /** What the watch activity is to look at; opaque to the core. */
  readonly action: Action<'check', WatchReport>;
}

/** What a watch activity returns: aggregates, never samples, so that a month of probes stays small. */
export interface WatchReport {
  readonly verdict: 'checkpoint' | 'regression' | 'cut';
  readonly observedMs: number;
  readonly pass: number;
  readonly fail: number;
  readonly inconclusive: number;
  readonly why?: string;
  readonly last?: string;
  /** `unknown`: not looked at, or too long ago to say; `ready` is false then. */
  readonly escape?: {
    readonly ready: boolean;
    readonly why?: string;
    readonly unknown?: true;
    readonly lookedAgoMs?: number;
  };
  /** Whether what the run owns is as it left it; without `asWanted` that isn't known. */
  readonly owned?: { readonly asWanted?: boolean; readonly why?: string; readonly lookedAgoMs?: number };
  /** Somebody paused the activity from outside: nobody watched when this was reported. */
  readonly paused?: true;
  /** Handed back to the next attempt as it was; opaque to the core. */
  readonly carry?: unknown;
}

/** Who a run is, over all its links: owner files, units and evidence on hosts go by it. */
export interface Identity {
  readonly workflowId: string;
  /** Run ID of the first run of the chain. */
  readonly firstRunId: string;
  /** 0 for the first run, one more each time it continued as new. */
  readonly link: number;
  /** The run ID that this link runs as, as an activity told it: after a reset it is another one. */
  readonly executing: string;
  /** Calls so far, over all links: what orders the attempts of this run on hosts. */
  readonly calls: number;
  /**
   * Runs that were ended from outside and all whose *befores* this one has taken over, as hosts know them, newest first:
   * hosts that these own are taken as they stand. Left out if there is none, or something of theirs isn't known.
   */
  readonly adopted?: readonly string[];
}

/** What histories told that this run goes on from: of the part before a reset, or of an earlier run ended from outside. */
export interface Inherited {
  readonly from: 'reset' | 'earlier run';
  /** Run ID that this run runs as. */
  readonly runId: string;
  readonly earlierRunId: string;
  readonly by?: string;
  readonly reason?: string;
  /** The highest number of a call that was sent there. */
  readonly lastCall: number;
  readonly steps: readonly InheritedStep[];
  /** The earlier run, and those that it had taken over from in turn, as owner files on hosts name them; newest first. */
  readonly adopted?: readonly string[];
  /** Why the histories couldn't be read. */
  readonly unknown?: string;
}

export interface InheritedStep {
  /** Key on the wire: `07-upgrade-the-primary`; `12-escape` of what stands beside the list. */
  readonly step: string;
  /** Index in the list; left out for an escape or a remedy. */
  readonly item?: number;
  readonly before?: unknown;
  readonly acted: boolean;
  readonly undone: boolean;
  /** Its before was too large to be handed on. */
  readonly tooLarge?: boolean;
}

/** What a procedure's body is written with. Every operation but switchBackMeans is one entry of the recorded list. */
export interface Context<P extends PlanBase> {
  readonly plan: P;
  /** Reads only: nothing to undo. */
  readonly check: <R>(name: string, action: Action<'check', R>, options?: CheckOptions) => Promise<Given<R>>;
  /** observe → act → verify, undoable. */
  readonly step: <R>(name: string, action: Action<'step', R>, options?: StepOptions) => Promise<Given<R>>;
  /** Asks people to go on. A gate passed is a savepoint. A gate that the policy leaves out is not in the list. */
  readonly gate: (id: string, question: string, options?: GateOptions) => Promise<void>;
  /** Runs the watch beside `body`; on a regression the escape runs at once and a hold follows. */
  readonly watching: (watch: WatchSpec, options: WatchOptions, body: () => Promise<void>) => Promise<void>;
  /**
   * Keeps looking beside `body` at something that must stay as it is. Once it isn't, what is in flight is cut, the remedy
   * runs at once, and the procedure goes on where it was. People are asked if the remedy fails or its result says so
   * (`attention`), and if it is needed again and again. Observed time isn't counted by it, and `switchBack` doesn't mean it.
   */
  readonly guarding: (guard: WatchSpec, options: GuardOptions, body: () => Promise<void>) => Promise<void>;
  /** Waits for so much *observed* time inside a watch, or plain time outside one. */
  readonly atLeast: (name: string, ms: number) => Promise<void>;
  /** After this nothing is undone, only finished. */
  readonly pointOfNoReturn: (why: string) => Promise<void>;
  /** What the signal switchBack does from here on, or why it can't be obeyed. A watch's escape takes precedence. */
  readonly switchBackMeans: (action: Action<'step'> | string) => void;
}

export interface WatchOptions {
  readonly escape: Action<'step'>;
}

export interface GuardOptions {
  readonly remedy: Action<'step', Remedied>;
}

/** What a remedy returns, besides an outcome's fields. */
export interface Remedied {
  readonly summary: string;
  /** Why people must look before anything goes on, although the remedy did what it could. */
  readonly attention?: string;
  /** It puts nothing right, and tells: its newest word comes first, for what was said before is out of date. */
  readonly onlyTells?: boolean;
}

export type Body<P extends PlanBase> = (context: Context<P>) => Promise<void>;

export interface CallOptions {
  readonly summary: string;
  readonly queue?: string;
  readonly timeoutMs: number;
  readonly patience: Patience;
  /** Runs inside the worker's workflow task: for pure computations only. */
  readonly local?: boolean;
  /** Fails with Timeout:… if no worker takes it up within a minute: for watches, whose queue may be full. */
  readonly pickup?: boolean;
}

/** A call under way. `result` rejects with CutError or CallFailed only. */
export interface Call {
  readonly result: Promise<unknown>;
  /** Asks the call to end; `result` settles when it has ended. */
  cut(): void;
}

/** The call ended because it was cut. What it did by then is unknown. */
export class CutError extends Error {
  override readonly name = 'CutError';
}

/** The call failed for good: a permanent error, or patience ran out. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  constructor(
    /** Stable name to branch on, as `GuardRefused` or `Unreachable`. */
    readonly type: string,
    message: string,
    readonly details?: unknown,
    /** What the last heartbeat of a lost attempt told. */
    readonly beaten?: unknown,
  ) {
    super(message);
  }
}

/** What the live details and the lists of the Web UI show. */
export interface Published {
  readonly details: string;
  readonly phase: string;
  readonly waitingFor: string;
}

/** Where the messages of people arrive. Nothing here throws. */
export interface Inbox {
  /** A signal, also one of an unknown name. */
  signal(name: string, raw: unknown): void;
  /** Temporal's cancellation. */
  cancel(): void;
  /** Why an Update would be refused; undefined if it counts. Changes nothing. */
  refusal(name: string, raw: unknown): string | undefined;
  /** Takes an Update that isn't refused, and says what came of it. */
  accept(name: string, raw: unknown): unknown;
}

export interface WaitOptions {
  /** Epoch milliseconds. */
  readonly until?: number;
  readonly summary?: string;
  /** The Web UI's timeline is to show that something is waited for, also where nothing ends the wait by itself. */
  readonly isShown?: boolean;
}

/** The only door between the core and Temporal (or the in-memory runtime of the tests). */
export interface Runtime {
  call(activity: string, input: unknown, options: CallOptions): Call;
  /** Settles when `condition` holds or `until` (epoch milliseconds) has come; read the state afterwards, not the result. */
  waitFor(condition: () => boolean, options?: WaitOptions): Promise<void>;
  now(): number;
  /** Early messages are delivered at once. */
  onMessage(inbox: Inbox): void;
  publish(view: Published): void;
  /** The server suggests that the run goes on in a new link: its history grows long. */
  isHistoryLong(): boolean;
  /**
   * True once a run that took itself for `executing`, and was reset so many times by then, goes on after another reset; what was recorded before is replayed as it was. Call
   * it where something happens, not in a condition.
   */
  isReset(executing: string, times: number): boolean;
  /** The same for all that is delivered at one time, and another later. */
  activation(): number;
}

export type { PlannedItem };
