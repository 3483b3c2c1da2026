/** How steps are named on the wire and on hosts, and how one step's result reaches a later step's input. */

/** `07-upgrade-the-primary`: stable over attempts and replays, fit for unit and file names. */
export function stepKey(index: number, name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 48);
  return `${String(index + 1).padStart(2, '0')}-${slug}`;
}

/** Replaces every `{given: n}` in an input by the result of item n. */
export function resolveGiven(input: unknown, result: (item: number) => unknown): unknown {
  if (Array.isArray(input)) return input.map((entry) => resolveGiven(entry, result));
  if (typeof input !== 'object' || input === null) return input;
  const keys = Object.keys(input);
  if (keys.length === 1 && 'given' in input && typeof input.given === 'number') return result(input.given) ?? null;
  return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, resolveGiven(value, result)]));
}
