/** What was run, for the auditor: bounded and without secrets from the moment it is recorded. */
import { createHash } from 'node:crypto';
import { clip as cut } from './clip';
import { redact } from './redact';

/** Largest evidence of one step in history, bytes (design, Words). */
export const EVIDENCE_LIMIT_BYTES = 16 * 1024;
/** Largest single output kept whole, characters; longer ones are clipped to head and tail. */
const OUTPUT_LIMIT_CHARS = 1_500;
const COMMAND_LIMIT_CHARS = 2_000;
/** Of a longer output only what is shown of it is looked through for secrets at once. */
const WHOLE_LIMIT_CHARS = 128 * 1024;
/** Around head and tail: no secret that begins or ends outside of it is cut in two. */
const MARGIN_CHARS = 16 * 1024;
/** Commands of an attempt that are remembered: the first and the last of them. One that polls for hours runs thousands. */
const REMEMBERED = 100;

/** One command as it was run, for the auditor. */
export interface Ran {
  readonly host: string;
  readonly command: string;
  readonly code: number;
  readonly ms: number;
  readonly out?: string;
}

const headAndTail = (head: string, chars: number, sha256: string, tail: string): string =>
  `${head}\n… ${chars} characters, sha256 ${sha256} …\n${tail}`;
const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Head and tail of a long output with its length and SHA-256, so that the whole can be recognised elsewhere. */
export function clip(output: string, limitChars: number = OUTPUT_LIMIT_CHARS): string {
  if (output.length <= limitChars) return output;
  const half = Math.floor(limitChars / 2);
  return headAndTail(output.slice(0, half), output.length, sha256Of(output), output.slice(-half));
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

/** An output as history may hold it: without secrets, head and tail of a long one. Pure. */
export function shownOutput(output: string): string {
  if (output.length <= WHOLE_LIMIT_CHARS) return clip(redact(output));
  const half = OUTPUT_LIMIT_CHARS / 2;
  const head = redact(output.slice(0, half + MARGIN_CHARS)).slice(0, half);
  const tail = redact(output.slice(-half - MARGIN_CHARS)).slice(-half);
  return headAndTail(head, output.length, sha256Of(output), tail);
}

/** What an attempt ran, in bounded memory whatever it ran. */
export class Recorder {
  readonly #first: Ran[] = [];
  readonly #last: Ran[] = [];
  #count = 0;

  add({ out, ...ran }: Ran): void {
    this.#count++;
    const command = cut(redact(ran.command.slice(0, WHOLE_LIMIT_CHARS)), COMMAND_LIMIT_CHARS);
    const shown = { ...ran, command, ...(out === undefined ? {} : { out: shownOutput(out) }) };
    if (this.#first.length < REMEMBERED) return void this.#first.push(shown);
    this.#last.push(shown);
    if (this.#last.length > REMEMBERED) this.#last.shift();
  }

  get count(): number {
    return this.#count;
  }

  list(): readonly Ran[] {
    return [...this.#first, ...this.#last];
  }
}
