/**
 * One list of all that speaks against an upgrade, over all folders: whoever gets one fault after the other, a run for
 * each, loses a night. The folders' checks are handed in, so that this folder knows none of them.
 */
import {
  defineCheck,
  failureType,
  formatFaults,
  messageOf,
  permanent,
  transient,
  type AnyPlan,
  type CheckDefinition,
  type Fault,
  type Finding,
  type StepContext,
  type TransientType,
} from '../kit';

/** A check of some folder, given the input of the whole. */
export type Checker<Input, Plan = AnyPlan> = (context: StepContext<Plan>, input: Input) => Promise<Finding>;

export interface CheckedResult extends Finding {
  /** What each checker found, by its name. */
  readonly findings: Readonly<Record<string, string>>;
  /** Names of faults that people waived before; left out if there are none. */
  readonly waived?: readonly string[];
}

/** A fault, and what kind of failure told it. */
export interface Found extends Fault {
  /** May pass by itself: asking again may help. */
  readonly passes: boolean;
  readonly type: string | undefined;
  /** The failure's own message: it says where, and which checker met it first is chance. */
  readonly unlisted: boolean;
  /** Its name, and that people may waive it by that; of checkers that name their faults. */
  readonly check?: string;
  readonly waivable?: boolean;
}

/** A fault that was seen, not guessed from a failure. */
export const certain = (fault: Fault): Found => ({ ...fault, passes: false, type: 'NotReady', unlisted: false });

/** Failures that asking again may cure. */
const TRANSIENT: readonly TransientType[] = [
  'Unreachable',
  'GuardRefused',
  'VerifyFailed',
  'Busy',
  'CommandFailedRetryable',
];

/**
 * Makes the check `readiness.check` of checkers by name. All run, side by side, whatever the others find.
 * The check throws NotReady with every fault; if each of them may pass by itself (a host that doesn't answer), the
 * failure is transient, so that it is asked again within the step's patience. What is left to people alone, if they may
 * waive all of it by name, is Waivable.
 */
export function readinessCheck<Input, Plan = AnyPlan>(
  checkers: Readonly<Record<string, Checker<Input, Plan>>>,
): CheckDefinition<Input, CheckedResult, Plan> {
  return defineCheck<Input, CheckedResult, Plan>({
    async check(context, input) {
      const names = Object.keys(checkers);
      const open = new Set(names);
      const outcomes = await Promise.allSettled(
        Object.entries(checkers).map(async ([name, check]) => {
          try {
            return await check(context, input);
          } finally {
            open.delete(name);
            if (open.size > 0) context.progress(`still checking: ${[...open].join(', ')}`);
          }
        }),
      );
      if (context.signal.aborted) throw context.signal.reason;
      const found = outcomes.flatMap((outcome, index) =>
        outcome.status === 'rejected' ? faultsOf(outcome.reason, names[index] ?? '') : [],
      );
      if (found.length > 0) throw notReady(found);
      const findings = outcomes.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []));
      return {
        summary: `ready: ${names.join(', ')}`,
        findings: Object.fromEntries(findings.map((finding, index) => [names[index] ?? '', finding.summary])),
        nodes: mergedNodes(findings),
        ...waivedIn(findings),
      };
    },
  });
}

/** One failure of all that was found: transient only if asking again may cure every part of it. */
export function notReady(found: readonly Found[]): Error {
  const distinct = once(found);
  // Those that may pass say so, for a list may become part of another one.
  const faults = distinct.map(({ where, what, next, passes, type, check, waivable }) => ({
    where,
    what,
    ...(next === undefined ? {} : { next }),
    ...(passes && type !== undefined ? { type } : {}),
    ...(check === undefined ? {} : { check }),
    ...(waivable === undefined ? {} : { waivable }),
  }));
  const listed = faults.map((f) => ({ ...f, what: f.check === undefined ? f.what : `${f.what} [${f.check}]` }));
  const message = `not ready, nothing was changed; ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${formatFaults(listed)}`;
  const inTheWay = distinct.filter(({ check, waivable }) => check === undefined || waivable !== true);
  // People are asked when what passes by itself has passed.
  const passing = inTheWay.length === 0 ? distinct : inTheWay;
  if (passing.every((f) => f.passes))
    return transient((passing[0]?.type as TransientType | undefined) ?? 'VerifyFailed', message, { faults });
  if (inTheWay.length > 0) return permanent('NotReady', message, { faults });
  return permanent('Waivable', message, {
    faults,
    waivable: [...new Set(distinct.flatMap(({ check }) => check ?? []))],
  });
}

/** Faults in a failure: those in its details, or the failure itself, put down to the host that it names or to `where`. */
export function faultsOf(error: unknown, where: string): Found[] {
  const type = failureType(error);
  const details = detailsOf(error);
  const faults = listed(details);
  if (faults.length > 0) return faults.map((fault) => ({ ...fault, ...passing(fault.type ?? type), unlisted: false }));
  const host = typeof details === 'object' && details !== null && 'host' in details ? details.host : undefined;
  return [{ where: typeof host === 'string' ? host : where, what: messageOf(error), ...passing(type), unlisted: true }];
}

/** What isn't a failure of ours (a bug, a broken line) is retried by Temporal too. */
const passing = (type: string | undefined) => ({
  type,
  passes: type === undefined || (TRANSIENT as readonly string[]).includes(type),
});

function detailsOf(error: unknown): unknown {
  const details: unknown =
    typeof error === 'object' && error !== null && 'details' in error ? error.details : undefined;
  return Array.isArray(details) ? details[0] : undefined;
}

/** A list of faults, or {faults: list}. */
function listed(details: unknown): ListedFault[] {
  const list: unknown =
    typeof details === 'object' && details !== null && 'faults' in details ? details.faults : details;
  return Array.isArray(list) ? list.filter(isFault) : [];
}

/** A fault in the details of a failure. */
interface ListedFault extends Fault {
  readonly type?: string;
  readonly check?: string;
  readonly waivable?: boolean;
}

const isFault = (value: unknown): value is ListedFault =>
  typeof value === 'object' &&
  value !== null &&
  'where' in value &&
  typeof value.where === 'string' &&
  'what' in value &&
  typeof value.what === 'string';

/** Several folders find the same host silent, or the same thing wrong with it. What can't pass outweighs what may. */
function once(found: readonly Found[]): Found[] {
  const byText = new Map<string, Found>();
  for (const fault of found) {
    // Each checker lost a host in the middle of something else.
    const silent = fault.type === 'Unreachable';
    const key = silent ? `${fault.where} is silent` : fault.unlisted ? fault.what : `${fault.where}: ${fault.what}`;
    const before = byText.get(key);
    if (before === undefined || (before.passes && !fault.passes)) byText.set(key, fault);
  }
  return [...byText.values()];
}

function mergedNodes(findings: readonly Finding[]): NonNullable<Finding['nodes']> {
  const nodes: Record<string, Record<string, string | number | boolean>> = {};
  for (const finding of findings)
    for (const [node, facts] of Object.entries(finding.nodes ?? {})) nodes[node] = { ...nodes[node], ...facts };
  return nodes;
}

function waivedIn(findings: readonly (Finding & { readonly waived?: readonly string[] })[]) {
  const waived = [...new Set(findings.flatMap((finding) => finding.waived ?? []))];
  return waived.length === 0 ? {} : { waived };
}
