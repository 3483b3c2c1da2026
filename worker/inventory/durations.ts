import type { core } from 'zod';
import { isDurationInput, unitMissing } from '../../activities/kit/duration';
import type { Path } from './faults';
import { eachLeaf } from './schema-walk';

/**
 * Durations that a file gives as plain numbers. A frozen plan holds milliseconds, and so the schema takes them; somebody who
 * writes `periodMs: 3` meant days. 0 is the same in every unit.
 */
export function durationFaults(
  value: unknown,
  schema: core.$ZodType,
): { readonly at: Path; readonly what: string; readonly next?: string }[] {
  const faults: { at: Path; what: string; next?: string }[] = [];
  eachLeaf(schema, value, (leaf, at, schemas) => {
    if (typeof leaf !== 'number' || leaf === 0 || !schemas.some(isDurationInput)) return;
    faults.push({ at, what: unitMissing(leaf), next: `\`${leaf}ms\` if milliseconds are meant` });
  });
  return faults;
}
