import { createHash } from 'node:crypto';

/** Largest evidence of one step in history, bytes (design, Words). */
export const EVIDENCE_LIMIT_BYTES = 16 * 1024;
/** Largest single output kept whole, characters; longer ones are clipped to head and tail. */
const OUTPUT_LIMIT_CHARS = 1_500;

/** One command as it was run, for the auditor. */
export interface Ran {
  readonly host: string;
  readonly command: string;
  readonly code: number;
  readonly ms: number;
  readonly out?: string;
}

/** Head and tail of a long output with its length and SHA-256, so that the whole can be recognised elsewhere. */
export function clip(output: string, limitChars: number = OUTPUT_LIMIT_CHARS): string {
  if (output.length <= limitChars) return output;
  const half = Math.floor(limitChars / 2);
  const sha = createHash('sha256').update(output).digest('hex');
  return `${output.slice(0, half)}\n… ${output.length} characters, sha256 ${sha} …\n${output.slice(-half)}`;
}

/** Drops the outputs, then the middle of the list, until the record fits. */
export function clipRan(ran: readonly Ran[], limitBytes: number): readonly Ran[] {
  const size = (list: readonly Ran[]): number => Buffer.byteLength(JSON.stringify(list));
  let list = ran.map((r) => (r.out === undefined ? r : { ...r, out: clip(r.out) }));
  for (const limit of [400, 100, 0]) {
    if (size(list) <= limitBytes) return list;
    list = list.map(({ out, ...rest }) =>
      out === undefined || limit === 0 ? rest : { ...rest, out: clip(out, limit) },
    );
  }
  while (size(list) > limitBytes && list.length > 2)
    list = [...list.slice(0, list.length >> 1), ...list.slice((list.length >> 1) + 1)];
  return list;
}
