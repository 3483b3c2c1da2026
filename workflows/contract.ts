/**
 * What the outside may say to an upgrade and what it may hear back: inputs, signals, queries, results and search attributes.
 * Shared with client/ and scripts; it imports nothing but zod.
 */
import { z } from 'zod';

/** Identifiers end up in workflow IDs, unit names and file names on hosts, so they stay plain. */
const identifier = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.-]{0,62}$/,
    'lower-case letters, digits, dots and hyphens, 63 at most, starting with a letter or digit',
  );
const person = z.string().min(1).max(128);
const text = z.string().max(4096);

/** What an SRE types into the Web UI's Start form: one JSON object. */
export const startInput = z.strictObject({
  cluster: identifier.describe('name of the cluster in the inventory'),
  version: z.string().min(1).max(128).describe('release to upgrade to, as the inventory names it'),
  mode: z
    .enum(['rolling', 'offline'])
    .optional()
    .describe('of an X-Road cluster: one node after another (the default), or all at once in an announced outage'),
  requestedBy: person.optional().describe('who asks for the upgrade; policies with "not the requester" need it'),
  expectPlan: z
    .string()
    .regex(/^[0-9a-f]{12,64}$/, '12 to 64 hexadecimal digits')
    .optional()
    .describe('refuse to start if the plan has another digest than this (its first 12 or more characters)'),
});
export type StartInput = z.infer<typeof startInput>;

/**
 * Input of a plan workflow: a dry run that reads the devices and changes nothing. `only` ends it early: after resolving
 * the plan, or after the readiness check, for which no version need be named (the plan's version is "" then).
 */
export const planInput = startInput
  .omit({ expectPlan: true })
  .extend({
    version: startInput.shape.version.optional(),
    only: z
      .enum(['resolve', 'check'])
      .optional()
      .describe('end after resolving the plan, or after the readiness check'),
  })
  .refine((input) => input.version !== undefined || input.only === 'check', {
    error: 'is needed, unless only is "check"',
    path: ['version'],
  });
export type PlanInput = z.infer<typeof planInput>;

const answer = z.strictObject({
  opening: z.string().min(1).max(128).describe('ID of the open question, as "return#2"'),
  digest: z
    .string()
    .regex(/^[0-9a-f]{12,64}$/, 'the first 12 or more characters of the opening’s digest')
    .describe('first 12 characters of the digest that the opening shows'),
  by: person.describe('who answers'),
  comment: text.optional(),
});

/** Answer to a hold (or any other open question) with one of its choices. */
export const decideInput = answer.extend({
  choice: z.string().min(1).max(64),
  to: z.enum(['savepoint', 'start']).optional().describe('how far to roll back; the last gate passed if left out'),
  waive: z
    .array(z.string().min(1).max(64))
    .max(64)
    .optional()
    .describe(
      'with the choice "waive": names of the faults that are waived, all of those asked about; the comment says why',
    ),
});
export type DecideInput = z.infer<typeof decideInput>;
export const approveInput = answer;
export const rejectInput = answer;
export type AnswerInput = z.infer<typeof answer>;

/** An operator's word that needs no question: pause, resume, switchBack. */
export const commandInput = z.strictObject({ by: person, reason: text.min(1) });
export type CommandInput = z.infer<typeof commandInput>;

/** Every signal with its schema and the description that the Web UI shows beside it. */
export const signals = {
  approve: {
    schema: approveInput,
    description: 'Approve an open gate: {"opening":"return#1","digest":"<12 characters>","by":"alice","comment":"…"}',
  },
  reject: {
    schema: rejectInput,
    description: 'Reject an open gate: {"opening":"return#1","digest":"<12 characters>","by":"alice","comment":"…"}',
  },
  decide: {
    schema: decideInput,
    description:
      'Answer a hold, or say that what the run asks for is done, with one of the choices: {"opening":"hold#1","digest":"<12 characters>","by":"alice","choice":"retry"}; "to":"start" with roll-back undoes everything',
  },
  pause: { schema: commandInput, description: 'Stop before the next forward step: {"by":"alice","reason":"…"}' },
  resume: { schema: commandInput, description: 'Go on after a pause: {"by":"alice","reason":"…"}' },
  switchBack: {
    schema: commandInput,
    description:
      'Move traffic to the other node at once and keep the upgraded node as it is: {"by":"alice","reason":"…"}',
  },
} as const;
export type SignalName = keyof typeof signals;

/** What `answer` and `command` carry besides the name of the signal that says the same. */
const said = (name: string) =>
  `as the signal "${name}", but refused at once where it can't be used, without a trace in history`;

/**
 * The same as Temporal Updates: whoever sends one reads at once whether it counts. They need a worker that polls; signals
 * wait for one.
 */
export const updates = {
  answer: {
    description: `Answer an open question, ${said('decide')}: {"opening":"return#1","digest":"<12 characters>","by":"alice","choice":"approve"}`,
  },
  command: {
    description: `Give a command, ${said('pause, resume or switchBack')}: {"command":"pause","by":"alice","reason":"…"}`,
  },
} as const;
export type UpdateName = keyof typeof updates;

/** What the sender of an Update that counts is told. */
export interface Accepted {
  readonly accepted: true;
  /** True if the question is decided by it, or the command obeyed; otherwise more people are needed. */
  readonly isDecided: boolean;
  readonly counted: number;
  readonly needed: number;
}

/** Search attributes, all of type Keyword. `worker` refuses to start where they aren't registered. */
export const searchAttributes = {
  cluster: 'UpgradeCluster',
  phase: 'UpgradePhase',
  waitingFor: 'UpgradeWaitingFor',
  target: 'UpgradeTarget',
} as const;

/**
 * By the kind of cluster that the inventory names: workflow types, the procedure's revision (a changed order of steps is a
 * new revision, frozen into plans), and the gates that its policy may speak of.
 */
export const workflowTypes = {
  'firewall-pair': {
    upgrade: 'upgradeFirewallPair',
    plan: 'planFirewallPair',
    revision: 1,
    gates: ['start', 'return', 'finish'],
  },
  'x-road-cluster': {
    upgrade: 'upgradeXRoadCluster',
    plan: 'planXRoadCluster',
    revision: 1,
    gates: ['start', 'secondaries', 'next'],
  },
  'panos-pair': {
    upgrade: 'upgradePanosPair',
    plan: 'planPanosPair',
    // 2: who leads is looked at beside the steps.
    revision: 2,
    gates: ['start', 'fail-over', 'second'],
  },
} as const;
export type ClusterKind = keyof typeof workflowTypes;
/** Where neither the caller nor an inventory at hand says otherwise. */
export const defaultKind: ClusterKind = 'firewall-pair';
export const defaultTaskQueue = 'hitless';
/** Memo field that holds the report of a cancelled run: its close event carries no details. */
export const reportMemo = 'report';

export const workflowIdOf = (cluster: string): string => `upgrade-${cluster}`;
export const planWorkflowIdOf = (cluster: string): string => `plan-${cluster}`;

/** Types of the failures that a run ends with; also the `type` field of its ApplicationFailure. */
export type Ending = 'Completed' | 'RolledBack' | 'Stopped' | 'Cancelled';

export const queries = { status: 'status', plan: 'plan' } as const;

/** One entry of the recorded list of a procedure. */
export interface PlannedItem {
  readonly kind: 'step' | 'check' | 'gate' | 'wait' | 'watch' | 'watch-end' | 'guard' | 'guard-end' | 'no-return';
  readonly name: string;
  /** Activity type, of a step or check. */
  readonly action?: string;
  readonly input?: unknown;
  /** True if this step is left as it is when the run is rolled back. */
  readonly kept?: boolean;
  /** Of a gate: true if what has been done by then is no state to stop at, so that rolling back goes over it. */
  readonly passedOver?: boolean;
}

/** Answer of the query `plan`, and result of a plan workflow. */
export interface PlanView {
  /** Over the plan (but for `requestedBy`) and the items: what `start --expect-plan` is compared with. */
  readonly digest: string;
  /** The frozen plan; it holds references to secrets, never a secret. */
  readonly plan: unknown;
  readonly items: readonly PlannedItem[];
  /** Of a plan workflow: what the readiness check found. */
  readonly readiness?: {
    readonly ready: boolean;
    readonly summary?: string;
    readonly faults: readonly {
      readonly where: string;
      readonly what: string;
      readonly next?: string;
      /** Name of the check that found it, where checks have names: what a waiver names. */
      readonly check?: string;
    }[];
  };
  /** Of a plan workflow: what each step would do, in the state that the devices are in now. */
  readonly previews?: readonly PreviewView[];
}

export interface PreviewView {
  /** Index in `items`. */
  readonly item: number;
  readonly commands: readonly { readonly host: string; readonly command: string }[];
  readonly differences: readonly { readonly host: string; readonly of: string; readonly diff: string }[];
  /** Why this step can't be shown. */
  readonly failure?: string;
}

export interface OpeningView {
  readonly id: string;
  readonly kind: 'gate' | 'hold' | 'task' | 'pause';
  readonly question: string;
  readonly choices: readonly string[];
  readonly digest: string;
  readonly openedAt: string;
  readonly expiresAt?: string;
  readonly onExpiry?: string;
  /** People whose approval counted so far, and how many different ones are needed. */
  readonly answered: readonly string[];
  readonly needed: number;
  readonly from?: readonly string[];
  /** Names of the faults that the choice `waive` must name, each of them. */
  readonly waivable?: readonly string[];
  /** Who asked for the upgrade, where the policy wants somebody else. */
  readonly notFrom?: string;
  /** Every choice with what it does and the message that says it. */
  readonly answers?: readonly ChoiceView[];
}

/** One way to answer. */
export interface ChoiceView {
  readonly choice: string;
  /** Of roll-back: undo everything, not only what came after the last gate passed. */
  readonly to?: 'start';
  readonly signal: SignalName;
  /** What it does, as the end of a sentence. */
  readonly means: string;
  /** The JSON to send, with placeholders for name and reason. */
  readonly message: Readonly<Record<string, unknown>>;
}

/** Answer of the query `status`: the same facts as the live details, for programs. */
export interface StatusView {
  readonly cluster: string;
  readonly target: string;
  readonly phase: string;
  /** The phase in words for people. */
  readonly doing?: string;
  /** What has happened, in one sentence. */
  readonly sentence: string;
  /** When this was true: the run's last word. */
  readonly asOf?: string;
  readonly step: { readonly number: number; readonly of: number; readonly name: string; readonly since?: string };
  readonly requestedBy?: string;
  readonly nodes: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;
  /** When a step or watch last said something of a node: a step under way tells when it has ended. */
  readonly nodesAsOf?: string;
  readonly waitingFor: readonly OpeningView[];
  readonly watch?: WatchView;
  /** Keeps looking at what must stay as it is while the procedure goes on. */
  readonly guard?: WatchView;
  /** What the guard found lost, and what came of it. */
  readonly remedies?: readonly { readonly at: string; readonly why: string; readonly outcome: string }[];
  /** Traffic that was moved away, because of a regression or at somebody's word. */
  readonly escapes?: readonly { readonly at: string; readonly why: string; readonly outcome: string }[];
  readonly wait?: WaitView;
  /** A reset of this run, or an earlier run that was ended from outside: what this one goes on from. */
  readonly takenOver?: readonly TakenOverView[];
  /** How many links the run has behind it: it continued as new so often. */
  readonly link?: number;
  /** What people said that needs more of them to count. */
  readonly votes?: readonly { readonly command: string; readonly by: readonly string[]; readonly needed: number }[];
  readonly steps: readonly StepView[];
  /** The newest refused messages; `refusedCount` counts all. */
  readonly refused: readonly RefusedView[];
  readonly refusedCount?: number;
  readonly planDigest: string;
}

export interface TakenOverView {
  readonly at: string;
  readonly from: 'reset' | 'earlier run';
  readonly runId: string;
  readonly by?: string;
  /** Steps whose state of before was found there. */
  readonly steps: number;
  /** What can't be undone by this run, and why. */
  readonly lost?: string;
}

/** A message that couldn't be used. `by` as the message itself said, if it did. */
export interface RefusedView {
  readonly at: string;
  readonly signal: string;
  readonly by?: string;
  readonly why: string;
}

/** A wait under way, as of the run's last word: a query hears no newer time than that. */
export interface WaitView {
  readonly name: string;
  readonly observedMs: number;
  readonly neededMs: number;
  readonly asOf: string;
  /** Plain time, which counts on from `asOf`; false where time counts that a watch has reported. */
  readonly counting: boolean;
}

export interface StepView {
  readonly number: number;
  readonly name: string;
  readonly kind: PlannedItem['kind'];
  readonly state: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly summary?: string;
  readonly failure?: string;
  /** What its undo says, once it has been undone. */
  readonly undo?: { readonly at: string; readonly summary?: string };
}

export interface WatchView {
  readonly name: string;
  readonly since: string;
  /** `waiting`: nobody has watched yet. */
  readonly state: 'waiting' | 'watching' | 'blind' | 'regression' | 'ended';
  readonly observedMs: number;
  readonly pass: number;
  readonly fail: number;
  readonly inconclusive: number;
  /** While it watches. */
  readonly escape?: {
    readonly ready: boolean;
    readonly why?: string;
    /** It hasn't been looked at, or too long ago to say. */
    readonly unknown?: true;
    readonly lookedAgoMs?: number;
  };
  /** Whether what the run owns is as it left it; without `asWanted` that isn't known. */
  readonly owned?: { readonly asWanted?: boolean; readonly why?: string; readonly lookedAgoMs?: number };
  readonly last?: string;
  /** When it last reported: probes are counted up to then. */
  readonly asOf?: string;
}

/** What a finished run says; also the details of its failure or, when cancelled, in the memo. */
export interface Report extends Omit<StatusView, 'waitingFor'> {
  readonly ending: Ending;
  readonly standing: string;
  readonly answers: readonly {
    readonly at: string;
    readonly opening: string;
    readonly question?: string;
    readonly by: string;
    readonly choice: string;
    readonly comment?: string;
    readonly to?: 'savepoint' | 'start';
  }[];
  /** What was left out to keep it within bounds, and where it stands. */
  readonly leftOut?: string;
  readonly startedAt: string;
  readonly endedAt: string;
}
