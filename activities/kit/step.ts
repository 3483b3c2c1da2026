import type { Ran } from './evidence';
import type { Host } from './host';

/** A folder types the part of the plan that it reads; registration doesn't care which. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the one place where variance must not matter
export type AnyPlan = any;

/** What a step or check is given besides its input. */
export interface StepContext<Plan = unknown> {
  /** The frozen plan of the run. */
  readonly plan: Plan;
  readonly run: {
    /** Workflow ID, `upgrade-<cluster>`. */
    readonly workflowId: string;
    /** First run ID of the workflow, the same over its links and resets: names units and owner files on hosts. */
    readonly runId: string;
    /** IDs, of the same kind, of terminated runs all whose *befores* this run has taken over; none if left out. */
    readonly adopted?: readonly string[];
    /** It goes on from before a reset, or from an earlier run: what it finds at its first look may be its own doing, or that run's. */
    readonly goesOn?: true;
  };
  /** Key of this step within the run, stable over attempts: `07-upgrade-the-primary`. */
  readonly step: string;
  readonly attempt: number;
  /** This call of an activity: the same for all its attempts, another for every new call of the run. */
  readonly call: {
    /** Grows with every call of a run, over its links and resets too. */
    readonly number: number;
    /** When the server scheduled this attempt, epoch milliseconds: comparable between runs. */
    readonly scheduledAtMs: number;
  };
  /** Aborted when the call is cut: end soon, leaving what a repeat can pick up. */
  readonly signal: AbortSignal;
  /** Opens (or reuses) a connection to a host of the plan; commands run through it are recorded as evidence. */
  host(name: string): Promise<Host>;
  /** Keeps something that was done without a host's connection, as a request to a device's API, among the evidence. */
  evidence(ran: Ran): void;
  /** One line of progress: shown under Pending Activities and handed to the next attempt. */
  progress(note: string): void;
  /** What an earlier attempt of this call kept last. A hint: it is lost if the worker dies before its next heartbeat. */
  readonly kept: unknown;
  /** Hands something small (a mark, a number) to the next attempt of this call. */
  keep(value: unknown): void;
  /** Waits, but ends at once when cut (by throwing the signal's reason). For polling devices only. */
  pause(ms: number): Promise<void>;
}

/** What an act or undo returns, besides fields of its own. */
export interface Outcome {
  /** One sentence in plain words for status, report and the Web UI. */
  readonly summary: string;
  /** False if everything was as wanted already. */
  readonly changed: boolean;
  /** What is now known of nodes, merged into the live table: {"fw1": {"release": "2.0", "serving": false}}. */
  readonly nodes?: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;
}

export interface Finding {
  readonly summary: string;
  readonly nodes?: Outcome['nodes'];
}

/** Dry run: the commands that act would run, and configuration differences, by host. */
export interface Preview {
  readonly commands: readonly { readonly host: string; readonly command: string }[];
  readonly differences: readonly { readonly host: string; readonly of: string; readonly diff: string }[];
}

/**
 * observe → act → verify. Every member may be repeated at any time, also after a crash that hid its result.
 * `act` checks its guard on every attempt by reading the devices themselves, acts only if something is left to do, and
 * verifies by reading back. `undo` uses the plan and the before alone.
 */
export interface StepDefinition<Input, Before, Result extends Outcome, Plan = AnyPlan> {
  readonly kind: 'step';
  readonly observe: (context: StepContext<Plan>, input: Input) => Promise<Before>;
  readonly act: (context: StepContext<Plan>, input: Input, before: Before) => Promise<Result>;
  readonly undo: (context: StepContext<Plan>, input: Input, before: Before) => Promise<Outcome>;
  readonly preview: (context: StepContext<Plan>, input: Input, before: Before) => Promise<Preview>;
  /**
   * What somebody changed of what this step owns, between the plan that people approved and the step's first look. Asked
   * only when the core observes: before the run has changed anything by this step, or when that was undone; never of an
   * escape, a remedy, a switch back or an undo. A plan that doesn't say how it was has nothing to compare with.
   */
  readonly changedSincePlan?: (
    context: StepContext<Plan>,
    input: Input,
    before: Before,
  ) => Promise<readonly ChangedSincePlan[]>;
}

export interface ChangedSincePlan {
  /** Host, device or router. */
  readonly where: string;
  /** What it is that was changed, as "preemption". */
  readonly what: string;
  readonly change: { readonly was: string; readonly now: string } | { readonly diff: string };
}

/** Reads only. Throws NotReady with all faults in details, or a transient failure to be asked again. */
export interface CheckDefinition<Input, Result extends Finding, Plan = AnyPlan> {
  readonly kind: 'check';
  readonly check: (context: StepContext<Plan>, input: Input) => Promise<Result>;
}

export const defineStep = <Input, Before, Result extends Outcome, Plan = AnyPlan>(
  d: Omit<StepDefinition<Input, Before, Result, Plan>, 'kind'>,
): StepDefinition<Input, Before, Result, Plan> => ({ kind: 'step', ...d });

export const defineCheck = <Input, Result extends Finding, Plan = AnyPlan>(
  d: Omit<CheckDefinition<Input, Result, Plan>, 'kind'>,
): CheckDefinition<Input, Result, Plan> => ({ kind: 'check', ...d });

/** Which run a call belongs to, as the core knows it. */
export interface CallRun {
  /** Run ID of the first run of the chain that was continued as new. */
  readonly firstRunId: string;
  /** 0 for the first run, 1 for the one that it continued as, … */
  readonly link: number;
  /** Grows with every call, over links and resets. */
  readonly number: number;
  /** Run ID that the workflow takes itself for. */
  readonly executing: string;
  /** Terminated runs all whose *befores* this one has taken over, as hosts know them; left out if there are none. */
  readonly adopted?: readonly string[] | undefined;
  /** The run was reset, or has taken over from one that was ended from outside. */
  readonly goesOn?: true | undefined;
}

/** What the core sends to every activity of a step. */
export interface StepCall {
  readonly schema: 1;
  readonly plan: unknown;
  readonly input: unknown;
  readonly step: string;
  readonly before?: unknown;
  /** Left out by runs that a build before core-2 started. */
  readonly run?: CallRun;
}
