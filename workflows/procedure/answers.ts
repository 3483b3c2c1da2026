/**
 * What activities answer, held to its shape where the core reads it: also an answer that somebody gave from outside (`temporal
 * activity complete`), or that a worker of another build gave, is a value or a misfit, never an error of the code. Pure.
 */
import { z } from 'zod';
import { faultsOf } from './asks';
import type { PlanBase } from './types';

/** An answer as its shape has it, or why it isn't one. */
export type Read<T> = { readonly value: T } | { readonly misfit: string };

export function read<T>(shape: z.ZodType<T>, answer: unknown): Read<T> {
  const parsed = shape.safeParse(answer);
  return parsed.success ? { value: parsed.data } : { misfit: faultsOf(parsed.error) };
}

/** What isn't read by its shape is asked for again after so long. */
export const ASK_AGAIN_MS = 10_000;
/** Steps of a list, and runs one after the other: far more than there are. */
const STEPS = 1_000;
const RUNS = 64;
const FAULTS = 256;
const CHARS = 10_000;

const text = z.string().max(CHARS);
const id = z.string().min(1).max(256);
const count = z.number().min(0);
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal');
const nodes = z.record(z.string(), z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])));

const report = z.looseObject({
  verdict: z.enum(['checkpoint', 'regression', 'cut']),
  observedMs: count,
  pass: count,
  fail: count,
  inconclusive: count,
  why: z.string().optional(),
  last: z.string().optional(),
  escape: z
    .looseObject({
      ready: z.boolean(),
      why: z.string().optional(),
      unknown: z.literal(true).optional(),
      lookedAgoMs: z.number().optional(),
    })
    .optional(),
  owned: z
    .looseObject({
      asWanted: z.boolean().optional(),
      why: z.string().optional(),
      lookedAgoMs: z.number().optional(),
    })
    .optional(),
  paused: z.literal(true).optional(),
  nodes: nodes.optional(),
});
const heldBack = z.looseObject({ heldBack: z.literal(true), why: z.string() });

/** Why the answer of a watch is neither a report nor word that it was held back; undefined if it is. */
export function misfitOfReport(answer: unknown, isFirm: boolean): string | undefined {
  if (!isFirm) return misfitBefore(answer);
  const isHeldBack = typeof answer === 'object' && answer !== null && 'heldBack' in answer;
  const told = read<unknown>(isHeldBack ? heldBack : report, answer);
  return 'misfit' in told ? told.misfit : undefined;
}

/** Runs that began before answers had shapes: what ended their workflow task then, and nothing else. */
function misfitBefore(answer: unknown): string | undefined {
  if (answer === null) return 'it is null';
  const { escape, owned } = (answer ?? {}) as { readonly escape?: unknown; readonly owned?: unknown };
  return escape === null || owned === null ? 'escape and owned must be objects' : undefined;
}

const outcome = z
  .looseObject({
    summary: z.string(),
    changed: z.boolean().optional(),
    nodes: nodes.optional(),
    attention: z.string().optional(),
    /** Names that were passed over because people had waived them, at this check or one before it. */
    waived: z.array(z.string()).optional(),
  })
  // Only people waive: no activity says who did.
  .refine(({ waived, by }) => waived === undefined || by === undefined, {
    error: 'must not be said by an activity',
    path: ['by'],
  });
/** What a step found is its own; something it is. */
const before = z.unknown().refine((found) => found !== undefined && found !== null, 'must not be empty');

/** Why a result of an activity isn't one; undefined if it is. */
export function misfitOfResult(verb: 'check' | 'observe' | 'act' | 'undo', result: unknown): string | undefined {
  const told = read<unknown>(verb === 'observe' ? before : outcome, result);
  return 'misfit' in told ? told.misfit : undefined;
}

const people = {
  from: z.array(z.string()).optional(),
  notRequester: z.boolean().optional(),
};
const command = z.looseObject({ ...people, count: z.int().min(1).optional() });
const then = z.enum(['hold', 'roll-back', 'stop']).optional();
const plan = z.looseObject({
  schema: z.literal(1),
  procedure: id,
  procedureRevision: z.int(),
  cluster: id,
  version: text,
  requestedBy: text.optional(),
  queues: z.looseObject({ default: id, watch: id, sites: z.record(z.string(), id) }),
  policy: z.looseObject({
    gates: z.record(
      z.string(),
      z
        .looseObject({
          ...people,
          count: z.int().min(1),
          expiresAfterMs: count.optional(),
          onExpiry: then,
          onReject: then,
        })
        .optional(),
    ),
    holds: command,
    pause: command,
    resume: command,
    switchBack: command,
  }),
});

/** Why what a worker resolved isn't the plan that was asked for, as far as the core reads it; undefined if it is. */
export function misfitOfPlan(
  resolved: unknown,
  asked: Pick<PlanBase, 'procedure' | 'cluster'>,
  isFirm: boolean,
): string | undefined {
  if (!isFirm) return typeof resolved === 'object' && resolved !== null ? undefined : 'it is no object';
  const told = read<z.infer<typeof plan>>(plan, resolved);
  if ('misfit' in told) return told.misfit;
  const { procedure, cluster } = told.value;
  return procedure === asked.procedure && cluster === asked.cluster
    ? undefined
    : `it is for ${procedure} ${cluster}, not for ${asked.procedure} ${asked.cluster}`;
}

const steps = z
  .array(
    z.object({
      step: id,
      item: z.int().min(0).optional(),
      before: z.unknown().optional(),
      acted: z.boolean(),
      undone: z.boolean(),
      tooLarge: z.boolean().optional(),
    }),
  )
  .max(STEPS);
const runs = z.array(id).max(RUNS);
const unknown = z.object({ unknown: z.literal(true), why: text.optional() });
const lines = z.array(z.string()).max(STEPS);

/** Answers of `core.*` and `plan.shared`, by their activity. */
export const answers = {
  whoami: z.object({ runId: id, resetFrom: id.optional() }),
  freeze: z.object({ digest, list: lines }),
  digest,
  startLink: z.string().min(1).max(CHARS),
  watchRoom: z.object({ slots: z.int().min(0), free: z.int().min(0) }),
  shared: z.array(z.looseObject({ where: text, what: text, next: text.optional() })).max(FAULTS),
  afterReset: z.union([
    unknown,
    z.object({
      unknown: z.undefined().optional(),
      lastCall: z.int().min(0),
      steps,
      by: text.optional(),
      reason: text.optional(),
      adopted: runs.optional(),
    }),
  ]),
  earlierRun: z.union([
    unknown,
    z.object({ unknown: z.undefined().optional(), clean: z.literal(true) }),
    z.object({
      unknown: z.undefined().optional(),
      clean: z.literal(false),
      runId: id,
      firstRunId: id.optional(),
      by: text.optional(),
      adopted: runs.optional(),
      steps,
    }),
  ]),
  /** Of runs that began before answers had shapes: what ended their workflow task, and nothing else, is a misfit. */
  earlierRunBefore: z.looseObject({
    adopted: z
      .unknown()
      .refine((adopted) => adopted !== null)
      .optional(),
    steps: z.array(z.looseObject({})).optional(),
  }),
  afterResetBefore: z.looseObject({ steps: z.array(z.looseObject({})) }),
} as const;

/** What the dry run reads of a step's preview. */
export const preview = z.looseObject({
  commands: z.array(z.looseObject({ host: text, command: z.string() })),
  differences: z.array(z.looseObject({ host: text, of: text, diff: z.string() })),
});
