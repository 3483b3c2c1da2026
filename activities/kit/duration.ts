import { z, type core } from 'zod';

/** Milliseconds of each unit, longest first: the order in which units may follow each other. */
export const UNIT_MS: Readonly<Record<string, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};
const UNITS = Object.keys(UNIT_MS);
const PART = /(\d+(?:\.\d+)?)\s*(ms|[wdhms])\s*/gy;
const HELP = 'a duration such as "500ms", "30s", "5m", "2h", "3d", "1w" or "1h30m"';

/** Milliseconds in text such as "1h30m"; undefined if it isn't a duration. Units go from long to short, each once. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  let ms = 0;
  let position = 0;
  let lastUnit = -1;
  PART.lastIndex = 0;
  for (let part = PART.exec(trimmed); part !== null; part = PART.exec(trimmed)) {
    const unit = UNITS.indexOf(part[2] ?? '');
    // "30m1h" or "5m5m" is more often a slip than a sum.
    if (unit <= lastUnit) return undefined;
    lastUnit = unit;
    ms += Number(part[1]) * (UNIT_MS[part[2] ?? ''] ?? NaN);
    position = PART.lastIndex;
  }
  return position > 0 && position === trimmed.length && Number.isSafeInteger(Math.round(ms))
    ? Math.round(ms)
    : undefined;
}

/** What is behind every duration, also one that has been refined or given a default. */
const input = z.union([z.string(), z.number()], { error: HELP });
export const isDurationInput = (schema: core.$ZodType): boolean => schema === input;

export const unitMissing = (value: unknown): string =>
  `${JSON.stringify(value)} is a number without a unit; write ${HELP}`;

/**
 * zod type of every duration in the inventory: text with units; always milliseconds afterwards, so that parsing a plan again
 * leaves it as it is. Plain numbers are for that: in a file they are refused by who reads it (worker/inventory), 0 apart.
 */
export const duration = () =>
  input.transform((value, context): number => {
    const ms = typeof value === 'string' ? parseDuration(value) : value;
    if (ms !== undefined && Number.isSafeInteger(ms) && ms >= 0) return ms;
    const isNumber = typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value);
    context.addIssue({
      code: 'custom',
      message: isNumber ? unitMissing(value) : `${JSON.stringify(value)} is not ${HELP}`,
    });
    return z.NEVER;
  });

export { formatDuration } from '../../workflows/procedure/text';
