/** Longest distance at which two names are still taken for a slip of the fingers, by length of the name. */
const slack = (name: string): number => Math.max(1, Math.floor(name.length / 3));

/**
 * The candidate that `given` was most likely meant to be, or undefined if none is close: case, hyphens and underscores
 * don't count, and a swap of neighbours is one slip (optimal string alignment distance).
 */
export function closest(given: string, candidates: Iterable<string>): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const name of candidates) {
    const distance = slips(fold(given), fold(name));
    if (distance <= slack(given) && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

const fold = (name: string): string => name.toLowerCase().replace(/[-_ ]/g, '');

function slips(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(rows, i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replaced, at(rows, i - 1, j) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(rows, i - 2, j - 2) + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return at(rows, a.length, b.length);
}

const at = (rows: readonly (readonly number[])[], i: number, j: number): number => rows[i]?.[j] ?? 0;
