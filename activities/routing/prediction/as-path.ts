/** AS paths as RFC 4271 §9.1.2.2 and RFC 5065 §5.3 count them. Pure. */

export interface Segment {
  readonly type: 'sequence' | 'set' | 'confederation sequence' | 'confederation set';
  readonly list: readonly number[];
}

/** A set counts as one AS, however many are in it; confederation segments don't count. */
export const lengthOf = (path: readonly Segment[]): number =>
  path.reduce((sum, s) => sum + (s.type === 'sequence' ? s.list.length : s.type === 'set' ? 1 : 0), 0);

/** What confederation segments would add (`bgp bestpath as-path confed`). */
export const confederationLengthOf = (path: readonly Segment[]): number =>
  path.reduce(
    (sum, s) => sum + (s.type === 'confederation sequence' ? s.list.length : s.type === 'confederation set' ? 1 : 0),
    0,
  );

const isConfederation = (s: Segment): boolean => s.type === 'confederation sequence' || s.type === 'confederation set';

/** Both came by the same neighbor AS, so that their MEDs mean the same; a path that starts with a set has none. */
export function sameNeighborAs(a: readonly Segment[], b: readonly Segment[]): boolean {
  if (a.length === 0 && b.length === 0) return true;
  const firstA = a.find((s) => !isConfederation(s));
  const firstB = b.find((s) => !isConfederation(s));
  const external = firstA?.type === 'sequence' && firstB?.type === 'sequence' && firstA.list[0] === firstB.list[0];
  const within =
    a[0]?.type === 'confederation sequence' && b[0]?.type === 'confederation sequence' && a[0].list[0] === b[0].list[0];
  return external || within;
}

export const sameAsPath = (a: readonly Segment[], b: readonly Segment[]): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

/** `list` in front of the path, merged with its first sequence; confederation segments that it began with are gone. */
export function prepended(path: readonly Segment[], list: readonly number[]): Segment[] {
  if (list.length === 0) return [...path];
  const start = path[0]?.type === 'confederation sequence' ? path.findIndex((s) => !isConfederation(s)) : 0;
  const [first, ...rest] = start < 0 ? [] : path.slice(start);
  if (first?.type === 'sequence') return [{ type: 'sequence', list: [...list, ...first.list] }, ...rest];
  return [{ type: 'sequence', list: [...list] }, ...(first === undefined ? [] : [first, ...rest])];
}

/** The path without `list` in front; undefined if it doesn't start with it. */
export function withoutFront(path: readonly Segment[], list: readonly number[]): Segment[] | undefined {
  if (list.length === 0) return [...path];
  const [first, ...rest] = path;
  if (first?.type !== 'sequence' || !list.every((as, i) => first.list[i] === as)) return undefined;
  const left = first.list.slice(list.length);
  return left.length === 0 ? rest : [{ type: 'sequence', list: left }, ...rest];
}

/** Where an AS stands in the path, and how many times in a row; undefined if nowhere, or in more than one place. */
export function runOf(
  path: readonly Segment[],
  as: number,
): { readonly segment: number; readonly start: number; readonly count: number } | undefined {
  const runs = path.flatMap((s, segment) =>
    s.type !== 'sequence'
      ? []
      : s.list.flatMap((n, start) => {
          if (n !== as || s.list[start - 1] === as) return [];
          const after = s.list.findIndex((m, i) => i > start && m !== as);
          return [{ segment, start, count: (after < 0 ? s.list.length : after) - start }];
        }),
  );
  return runs.length === 1 ? runs[0] : undefined;
}

/** The path with that run made `count` long. */
export function withRun(path: readonly Segment[], as: number, count: number): Segment[] | undefined {
  const run = runOf(path, as);
  if (run === undefined) return undefined;
  return path.map((s, i) =>
    i === run.segment
      ? {
          ...s,
          list: [
            ...s.list.slice(0, run.start),
            ...Array<number>(count).fill(as),
            ...s.list.slice(run.start + run.count),
          ],
        }
      : s,
  );
}

/** "65100 65200 65200", "65100 {65001,65002}", "(65010) 65100"; "empty". */
export const shownAsPath = (path: readonly Segment[]): string =>
  path
    .map(({ type, list }) => {
      switch (type) {
        case 'sequence':
          return list.join(' ');
        case 'set':
          return `{${list.join(',')}}`;
        case 'confederation sequence':
          return `(${list.join(' ')})`;
        case 'confederation set':
          return `[${list.join(',')}]`;
      }
    })
    .join(' ') || 'empty';
