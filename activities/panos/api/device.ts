/**
 * A PAN-OS device as activities see it: the XML API, one method for each kind of request. Source: facts/pan-os.md, section 5.
 * Requests that change something are recorded as evidence; what a lost reply means is for the caller to find out by reading.
 */
import type { Ran } from '../../kit/evidence';
import { failureType, messageOf, permanent } from '../../kit/errors';
import { childrenOf, escapeXml, inWords, type XmlElement } from './xml';
import type { Keys } from './keys';
import { forbidden, jobOf, ReplyReader, starting, type ApiAnswer, type Reply, type Told } from './reply';
import { onlyAt, wholeTree, type Shape } from './shapes';
import { EXPORT_LIMIT_BYTES, TABLE_LIMIT_BYTES, type ApiCall, type Transport, type Upload } from './transport';

export interface PanosDevice {
  /** Node of the plan. */
  readonly name: string;
  /** Reads: the <result> of an operational command. */
  op(command: string): Promise<XmlElement>;
  /** Changes something by an operational command. */
  request(command: string): Promise<Reply>;
  /** …and returns the ID of the job that it queued. @throws CommandFailed if it queued none */
  enqueue(command: string): Promise<number>;
  /** The same of a large table, of which the shape keeps what matters. */
  table<T>(command: string, shape: Shape<T>): Promise<T>;
  /**
   * What is configured at an xpath: running (show) or candidate (get); undefined if nothing is. Of a large part of the
   * configuration `only` what stands at these paths below it is kept.
   */
  config(action: 'show' | 'get', xpath: string, only?: readonly string[]): Promise<XmlElement | undefined>;
  /** Merges an element into the candidate configuration. */
  set(xpath: string, element: string): Promise<void>;
  /** Commits what one administrator has changed, and nobody else's; the job's ID, or undefined if there was nothing. */
  commit(admin: string, description: string): Promise<number | undefined>;
  /** Hands the file on as it comes in; returns its length. */
  export(category: 'configuration' | 'device-state', take?: (bytes: Buffer) => void | Promise<void>): Promise<number>;
  importSoftware(image: Upload): Promise<void>;
}

/** A device of which nothing is changed. */
export type Reader = Pick<PanosDevice, 'name' | 'op' | 'table' | 'config'>;

export interface DeviceOptions {
  readonly name: string;
  readonly transport: Transport;
  readonly keys: Keys;
  readonly signal: AbortSignal;
  /** It has accepted these credentials in this run: a refusal now is one of a device that is starting up. */
  readonly trusted: boolean;
  readonly record: (ran: Ran) => void;
  /** Whole milliseconds since some moment, for how long a call took. */
  readonly now: () => number;
  /** How long its answer to one call may take. */
  readonly callTimeoutMs: number;
  /** …and that of an export of a large configuration, or an import of an image. */
  readonly transferTimeoutMs: number;
  /** What people can do where its certificate isn't the one that it must be. */
  readonly otherCertificate?: string;
}

export function createDevice(options: DeviceOptions): PanosDevice {
  const { name, keys, signal, trusted, record, now, callTimeoutMs, transferTimeoutMs, otherCertificate } = options;
  const sendOnce = async (
    parameters: Readonly<Record<string, string>>,
    more: Partial<Pick<ApiCall, 'file' | 'timeoutMs' | 'onBody' | 'limitBytes'>>,
  ): ReturnType<Transport> => {
    const use = { signal, trusted, timeoutMs: callTimeoutMs };
    const sent = (key: string) => options.transport({ parameters, key, timeoutMs: callTimeoutMs, signal, ...more });
    const key = await keys.get(use);
    const answer = await sent(key);
    if (answer.status !== 403) return answer;
    // Keys end with the password, and where the master key changes: a fresh one tells that from a refusal.
    const again = await sent(await keys.insteadOf(key, use));
    if (again.status !== 403) return again;
    throw trusted ? starting(name) : forbidden(name);
  };
  const send = async (
    parameters: Readonly<Record<string, string>>,
    more: Partial<Pick<ApiCall, 'file' | 'timeoutMs' | 'onBody' | 'limitBytes'>> = {},
  ): ReturnType<Transport> => {
    try {
      return await sendOnce(parameters, more);
    } catch (error) {
      if (otherCertificate === undefined || failureType(error) !== 'HostKeyMismatch') throw error;
      throw permanent('HostKeyMismatch', `${messageOf(error)}. ${otherCertificate}`);
    }
  };
  const read = async <T>(
    what: string,
    parameters: Record<string, string>,
    shape: Shape<T>,
    more: Partial<Pick<ApiCall, 'file' | 'timeoutMs' | 'limitBytes'>> = {},
  ): Promise<Told & { readonly result: T }> => {
    const reader = new ReplyReader(name, what, shape);
    return reader.reply(await send(parameters, { ...more, onBody: (bytes) => reader.write(bytes) }));
  };
  const asked = (what: string, parameters: Record<string, string>): Promise<Reply> => read(what, parameters, wholeTree);
  const changing = async <T>(command: string, work: () => Promise<T>, told: (result: T) => string): Promise<T> => {
    const from = now();
    try {
      const result = await work();
      record({ host: name, command, code: 0, ms: now() - from, out: told(result) });
      return result;
    } catch (error) {
      record({ host: name, command, code: 1, ms: now() - from, out: messageOf(error) });
      throw error;
    }
  };
  const said = (reply: Reply): string => reply.message || reply.result.text.trim();
  const request = (command: string): Promise<Reply> =>
    changing(inWords(command), () => asked(inWords(command), { type: 'op', cmd: command }), said);
  return {
    name,
    request,
    op: async (command) => (await asked(inWords(command), { type: 'op', cmd: command })).result,
    table: async (command, shape) =>
      (await read(inWords(command), { type: 'op', cmd: command }, shape, { limitBytes: TABLE_LIMIT_BYTES })).result,
    async enqueue(command) {
      const reply = await request(command);
      const job = jobOf(reply);
      if (job === undefined)
        throw permanent('CommandFailed', `${name}: ${inWords(command)} queued no job: ${said(reply)}`);
      return job;
    },
    async config(action, xpath, only) {
      const what = `config ${action} ${xpath}`;
      const root = /([\w.-]+)(?:\[[^\]]*\])?$/.exec(xpath)?.[1] ?? '';
      const [shape, more] =
        only === undefined
          ? [wholeTree, {}]
          : [onlyAt(only.map((path) => `${root}/${path}`)), { limitBytes: TABLE_LIMIT_BYTES }];
      try {
        const { result } = await read(what, { type: 'config', action, xpath }, shape, more);
        return childrenOf(result)[0];
      } catch (error) {
        // Running configuration without the node: an error; candidate without it: an empty result.
        if (/No such node|code 7\)/.test(messageOf(error))) return undefined;
        throw error;
      }
    },
    async set(xpath, element) {
      const what = `config set ${xpath} ${element}`;
      await changing(what, () => asked(what, { type: 'config', action: 'set', xpath, element }), said);
    },
    async commit(admin, description) {
      // Somebody may change something after we looked whether anybody has.
      const whose = `<partial><admin><member>${escapeXml(admin)}</member></admin></partial>`;
      const cmd = `<commit>${whose}<description>${escapeXml(description)}</description></commit>`;
      return jobOf(await changing(`commit ${description}`, () => asked('commit', { type: 'commit', cmd }), said));
    },
    export: (category, take) =>
      changing(
        `export ${category}`,
        async () => {
          const file = exported(new ReplyReader(name, `export ${category}`, wholeTree), take ?? (() => undefined));
          const { add: onBody } = file;
          const answer = await send(
            { type: 'export', category },
            { timeoutMs: transferTimeoutMs, limitBytes: EXPORT_LIMIT_BYTES, onBody },
          );
          return file.end(answer);
        },
        (bytes) => `${bytes} bytes`,
      ),
    async importSoftware(file) {
      const what = `import software ${file.name}`;
      const sent = () =>
        read(what, { type: 'import', category: 'software' }, wholeTree, { file, timeoutMs: transferTimeoutMs });
      await changing(what, sent, said);
    },
  };
}

/** By so many bytes it is seen whether a failure came instead of the file, as a response document. */
const BEGINNING_BYTES = 200;
const isReply = (beginning: Buffer): boolean => /^\s*(<\?xml[^>]*>\s*)?<response\b/.test(beginning.toString('latin1'));

/** A file as it comes in, unless it is a reply. */
function exported(reader: ReplyReader<unknown>, take: (bytes: Buffer) => void | Promise<void>) {
  let beginning: Buffer | undefined = Buffer.alloc(0);
  let told = false;
  let bytes = 0;
  const hand = (part: Buffer): void | Promise<void> => {
    if (told) return reader.write(part);
    bytes += part.length;
    return part.length > 0 ? take(part) : undefined;
  };
  const begin = (part: Buffer): void | Promise<void> => {
    told = isReply(part.subarray(0, BEGINNING_BYTES));
    beginning = undefined;
    return hand(part);
  };
  const add = (part: Buffer): void | Promise<void> => {
    if (beginning === undefined) return hand(part);
    beginning = Buffer.concat([beginning, part]);
    return beginning.length < BEGINNING_BYTES ? undefined : begin(beginning);
  };
  return {
    add,
    /** The length of the file. @throws what a reply says */
    async end(answer: ApiAnswer): Promise<number> {
      if (answer.status === 200) {
        await add(answer.body);
        if (beginning !== undefined) await begin(beginning);
      }
      if (told || answer.status !== 200)
        reader.reply(answer.status === 200 ? { status: 200, body: Buffer.alloc(0) } : answer);
      return bytes;
    },
  };
}
