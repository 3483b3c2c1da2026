/** What a dry run says of a readiness check that failed. */
import type { PlanView } from '../contract';
import type { CallFailed } from './types';

type Readiness = NonNullable<PlanView['readiness']>;
type Fault = Readiness['faults'][number];

/** The faults that the failure lists in its details, as they are; one fault, its message, if it lists none. */
export function readinessOf(cluster: string, { message, details }: Pick<CallFailed, 'message' | 'details'>): Readiness {
  const listed = faultsIn(details);
  return { ready: false, faults: listed.length > 0 ? listed : [{ where: cluster, what: message }], summary: message };
}

/** Checks give `{ faults }`; some steps that others are made of give the list itself. */
function faultsIn(details: unknown): Fault[] {
  const list = Array.isArray(details) ? (details as unknown[]) : (details as { faults?: unknown } | undefined)?.faults;
  return Array.isArray(list) ? list.filter(isFault) : [];
}

const isFault = (value: unknown): value is Fault => {
  const { where, what } = (value ?? {}) as Partial<Fault>;
  return typeof where === 'string' && typeof what === 'string';
};
