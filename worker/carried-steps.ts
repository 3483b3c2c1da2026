/** Steps as a run was given them by another: read leniently, for they come out of histories of any build. Pure. */
import { stepKey } from '../workflows/procedure/wire';

/** Longest *before* that is handed on, bytes of JSON. */
export const BEFORE_LIMIT_BYTES = 256 * 1024;

/** Which plan a run had. */
export interface PlanName {
  readonly cluster: string;
  /** Kind of the cluster. */
  readonly procedure: string;
  readonly version: string;
  readonly requestedBy?: string;
}

/** What an observe returned, unless it is too large to be handed on. */
export type Before = { readonly value: unknown } | { readonly tooLarge: true };

/** A step as a run was given it by the run before: with its input, or in answer to `core.earlierRun`. */
export interface CarriedStep {
  readonly step: string;
  readonly action: string;
  readonly before?: Before;
  readonly acted: boolean;
  readonly undone: boolean;
}
export interface Carried {
  readonly steps: readonly CarriedStep[];
  /** Runs that had been terminated and whose *befores* these are, as hosts know them, newest first. */
  readonly adopted: readonly string[];
  readonly plan?: PlanName;
}

/** What a run was continued with; undefined if it can't be read. */
export function carriedOf(input: unknown): Carried | undefined {
  const { state, plan: raw } = fields(fields(input)['continued']);
  const { items, identity } = fields(state);
  if (!Array.isArray(items)) return undefined;
  const plan = planNameOf(raw);
  const steps = items.flatMap((entry: unknown, index): CarriedStep[] => {
    const { item, state: stands, before } = fields(entry);
    const { kind, name, action } = fields(item);
    if (kind !== 'step' || typeof name !== 'string') return [];
    const { value } = fields(before);
    const undone = stands === 'undone';
    if (value === undefined && !undone) return [];
    const isLarge = value !== undefined && bytesOf(value) > BEFORE_LIMIT_BYTES;
    return [
      {
        step: stepKey(index, name),
        action: String(action),
        ...(value === undefined ? {} : { before: isLarge ? { tooLarge: true } : { value } }),
        acted: true,
        undone,
      },
    ];
  });
  return { steps, adopted: idsOf(fields(identity)['adopted']), ...(plan === undefined ? {} : { plan }) };
}

/** What an answer to `core.earlierRun` says that is still to be undone. */
export function leftOf(answer: unknown): Carried {
  const { steps, clean, firstRunId, adopted } = fields(answer);
  if (!Array.isArray(steps)) return { steps: [], adopted: [] };
  return {
    // A build before this was told named the first run alone. What a clean run left, nobody takes over.
    adopted: clean === false ? [...new Set([...idsOf([firstRunId]), ...idsOf(adopted)])] : [],
    steps: steps.flatMap((entry: unknown): CarriedStep[] => {
      const { step, action, before, tooLarge, acted, undone } = fields(entry);
      if (typeof step !== 'string' || acted !== true || undone === true) return [];
      const found: Before | undefined =
        tooLarge === true ? { tooLarge } : before === undefined ? undefined : { value: before };
      return [
        { step, action: String(action), ...(found === undefined ? {} : { before: found }), acted: true, undone: false },
      ];
    }),
  };
}

export function planNameOf(plan: unknown): PlanName | undefined {
  const { cluster, procedure, version, requestedBy } = fields(plan);
  if (typeof cluster !== 'string' || typeof procedure !== 'string') return undefined;
  return {
    cluster,
    procedure,
    version: typeof version === 'string' ? version : '',
    ...(typeof requestedBy === 'string' ? { requestedBy } : {}),
  };
}

const idsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((id): id is string => typeof id === 'string' && id !== '') : [];

/** Bytes of a value as JSON. */
export const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '');

/** The fields of an object of unknown shape; none of anything else. */
export const fields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
