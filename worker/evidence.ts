/** Whole outputs of commands, kept on the worker for auditors; history has them clipped, with their digests. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { clip, messageOf, redact, type EvidenceSink, type Ran, type WorkerServices } from '../activities/kit';

const MIB = 1024 * 1024;
/** Of a longer output head, tail and digest are kept here, too. */
const OUTPUT_LIMIT_CHARS = 8 * MIB;
const FILE_LIMIT_BYTES = 64 * MIB;
/** What may wait for a slow disk. More is clipped. */
const PENDING_LIMIT_CHARS = 16 * MIB;
/** Looked through for secrets in one go; the event loop turns in between. */
const SLICE_CHARS = 128 * 1024;
const CLIPPED_CHARS = 20_000;
/** A disk that doesn't answer, as a file server that is away, isn't waited for. */
const CLOSE_TIMEOUT_MS = 5_000;

/** One file per attempt, `<directory>/<workflow>/<run>/<step>-<time>.json`, readable by the worker's user only. */
export const evidenceIn =
  (directory: string): NonNullable<WorkerServices['openEvidence']> =>
  ({ workflowId, runId }, step) => {
    const folder = join(directory, plain(workflowId), plain(runId));
    const time = new Date().toISOString().replace(/[:.]/g, '');
    return fileSink(folder, `${plain(step)}-${time}-${randomBytes(2).toString('hex')}.json`);
  };

const plain = (name: string): string => name.replace(/[^\w.-]/g, '_').replace(/^\.+/, '_');

function fileSink(folder: string, name: string): EvidenceSink {
  let file: FileHandle | undefined;
  let fault: string | undefined;
  let pendingChars = 0;
  let writtenBytes = 0;
  const append = async (text: string): Promise<void> => {
    if (file === undefined) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      file = await open(join(folder, name), 'wx', 0o600);
    }
    const bytes = Buffer.from(text);
    writtenBytes += bytes.length;
    await file.writeFile(bytes);
  };
  /** One thing after another; the first that fails is the last. */
  let last: Promise<void> = Promise.resolve();
  const then = (work: () => Promise<void>): void => {
    last = last.then(async () => {
      if (fault !== undefined) return;
      try {
        await work();
      } catch (error) {
        fault = messageOf(error);
      }
    });
  };
  let count = 0;
  return {
    add(ran) {
      const chars = ran.out?.length ?? 0;
      if (pendingChars > 2 * PENDING_LIMIT_CHARS) return void (fault ??= 'the disk is too slow for what is run');
      const fits = chars <= OUTPUT_LIMIT_CHARS && pendingChars + chars <= PENDING_LIMIT_CHARS;
      const kept = fits || ran.out === undefined ? ran : { ...ran, out: clip(ran.out, CLIPPED_CHARS) };
      const waits = kept.out?.length ?? 0;
      pendingChars += waits;
      const separator = count++ === 0 ? '[\n' : ',\n';
      then(async () => {
        pendingChars -= waits;
        if (writtenBytes > FILE_LIMIT_BYTES) throw new Error(`more than ${FILE_LIMIT_BYTES} bytes in one attempt`);
        await append(separator + JSON.stringify(await redacted(kept), undefined, 1));
      });
    },
    async close() {
      then(() => append('\n]\n'));
      // The file is closed whatever became of its content.
      const closed = last.then(() => file?.close()).catch((error: unknown) => void (fault ??= messageOf(error)));
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<string>((resolve) => {
        timer = setTimeout(() => resolve(`${folder} didn’t take it within ${CLOSE_TIMEOUT_MS} ms`), CLOSE_TIMEOUT_MS);
      });
      const why = await Promise.race([closed.then(() => fault), late]);
      clearTimeout(timer);
      return why;
    },
  };
}

const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/;

/** Slice by slice, at ends of lines; a private key is never cut in two. */
async function redacted(ran: Ran): Promise<Ran> {
  const { out } = ran;
  if (out === undefined || out.length <= SLICE_CHARS)
    return { ...ran, command: redact(ran.command), ...(out === undefined ? {} : { out: redact(out) }) };
  const parts: string[] = [];
  for (let from = 0; from < out.length;) {
    let to = out.lastIndexOf('\n', from + SLICE_CHARS) + 1;
    if (to <= from || from + SLICE_CHARS >= out.length) to = Math.min(out.length, from + SLICE_CHARS);
    const begun = PRIVATE_KEY.exec(out.slice(Math.max(from, to - SLICE_CHARS / 8), to));
    if (begun !== null) {
      const end = out.indexOf('-----END', to);
      to = end < 0 ? out.length : Math.min(out.length, end + 64);
    }
    parts.push(redact(out.slice(from, to)));
    from = to;
    await breathe();
  }
  return { ...ran, command: redact(ran.command), out: parts.join('') };
}
