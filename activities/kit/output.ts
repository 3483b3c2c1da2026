/** How much of what hosts print a worker takes: one host must not fill its memory. */
import { StringDecoder } from 'node:string_decoder';
import type { ExecOptions, ExecResult, Host } from './host';

const MIB = 1024 * 1024;

/** Of both outputs of a command whose caller asks for no other limit. */
export const OUTPUT_LIMIT_BYTES = MIB;
/** Tables of a large node that are read whole: interfaces, sysctls, servers of a load balancer, answers of a router. */
export const LARGE_OUTPUT_LIMIT_BYTES = 16 * MIB;
/** Lists of all flows or connections, a line each, that are read as they come and not held. */
export const STREAM_LIMIT_BYTES = 256 * MIB;
/** A line that is longer is handed over in parts, which no parser of lines takes for one. */
const LINE_LIMIT_CHARS = 64 * 1024;

/** "1 MiB", "300 bytes". Pure. */
export function describeBytes(bytes: number): string {
  if (bytes >= MIB && bytes % (MIB / 16) === 0) return `${bytes / MIB} MiB`;
  return bytes >= MIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${bytes} bytes`;
}

/** Bytes as text in pieces of whole lines; the last line may lack its end. */
export function wholeLines(take: (text: string) => void): { readonly add: (bytes: Buffer) => void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return {
    add(bytes) {
      const text = decoder.write(bytes);
      // Only what is new is looked through: a host may send a byte a time.
      const end = text.lastIndexOf('\n') + 1 || (rest.length + text.length > LINE_LIMIT_CHARS ? text.length : 0);
      if (end === 0) return void (rest += text);
      const whole = rest + text.slice(0, end);
      rest = text.slice(end);
      take(whole);
    },
    end() {
      rest += decoder.end();
      if (rest !== '') take(rest);
    },
  };
}

/** Runs a command whose stdout is too large to be held; a host that doesn't stream gives all of it at once. */
export async function streamed(
  host: Pick<Host, 'exec'>,
  argv: readonly string[],
  options: Omit<ExecOptions, 'onStdout'>,
  take: (text: string) => void,
): Promise<ExecResult> {
  const result = await host.exec(argv, { outputLimitBytes: STREAM_LIMIT_BYTES, ...options, onStdout: take });
  if (result.stdout !== '') take(result.stdout);
  return { ...result, stdout: '' };
}
