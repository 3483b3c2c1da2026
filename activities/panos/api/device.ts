/**
 * A PAN-OS device as activities see it: the XML API, one method for each kind of request. Source: facts/pan-os.md, section 5.
 * Requests that change something are recorded as evidence; what a lost reply means is for the caller to find out by reading.
 */
import type { Ran } from '../../kit/evidence';
import { messageOf, permanent } from '../../kit/errors';
import { childrenOf, escapeXml, inWords, type XmlElement } from './xml';
import type { Keys } from './keys';
import { forbidden, jobOf, readReply, starting, type Reply } from './reply';
import type { ApiCall, Transport, Upload } from './transport';

export interface PanosDevice {
  /** Node of the plan. */
  readonly name: string;
  /** Reads: the <result> of an operational command. */
  op(command: string): Promise<XmlElement>;
  /** Changes something by an operational command. */
  request(command: string): Promise<Reply>;
  /** …and returns the ID of the job that it queued. @throws CommandFailed if it queued none */
  enqueue(command: string): Promise<number>;
  /** What is configured at an xpath: running (show) or candidate (get); undefined if nothing is. */
  config(action: 'show' | 'get', xpath: string): Promise<XmlElement | undefined>;
  /** Merges an element into the candidate configuration. */
  set(xpath: string, element: string): Promise<void>;
  /** Commits what one administrator has changed, and nobody else's; the job's ID, or undefined if there was nothing. */
  commit(admin: string, description: string): Promise<number | undefined>;
  export(category: 'configuration' | 'device-state'): Promise<Buffer>;
  importSoftware(image: Upload): Promise<void>;
}

/** A device of which nothing is changed. */
export type Reader = Pick<PanosDevice, 'name' | 'op' | 'config'>;

export interface DeviceOptions {
  readonly name: string;
  readonly transport: Transport;
  readonly keys: Keys;
  readonly signal: AbortSignal;
  /** It has accepted these credentials in this run: a refusal now is one of a device that is starting up. */
  readonly trusted: boolean;
  readonly record: (ran: Ran) => void;
  /** Milliseconds, for evidence. */
  readonly now: () => number;
  /** How long its answer to one call may take. */
  readonly callTimeoutMs: number;
  /** …and that of an export of a large configuration, or an import of an image. */
  readonly transferTimeoutMs: number;
}

export function createDevice(options: DeviceOptions): PanosDevice {
  const { name, transport, keys, signal, trusted, record, now, callTimeoutMs, transferTimeoutMs } = options;
  const send = async (
    parameters: Readonly<Record<string, string>>,
    more: Partial<Pick<ApiCall, 'file' | 'timeoutMs'>> = {},
  ): ReturnType<Transport> => {
    const use = { signal, trusted, timeoutMs: callTimeoutMs };
    const sent = (key: string) => transport({ parameters, key, timeoutMs: callTimeoutMs, signal, ...more });
    const key = await keys.get(use);
    const answer = await sent(key);
    if (answer.status !== 403) return answer;
    // Keys end with the password, and where the master key changes: a fresh one tells that from a refusal.
    const again = await sent(await keys.insteadOf(key, use));
    if (again.status !== 403) return again;
    throw trusted ? starting(name) : forbidden(name);
  };
  const asked = async (what: string, parameters: Record<string, string>): Promise<Reply> =>
    readReply(name, what, await send(parameters));
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
    async enqueue(command) {
      const reply = await request(command);
      const job = jobOf(reply);
      if (job === undefined)
        throw permanent('CommandFailed', `${name}: ${inWords(command)} queued no job: ${said(reply)}`);
      return job;
    },
    async config(action, xpath) {
      const what = `config ${action} ${xpath}`;
      try {
        const { result } = await asked(what, { type: 'config', action, xpath });
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
    export: (category) =>
      changing(
        `export ${category}`,
        async () => {
          const answer = await send({ type: 'export', category }, { timeoutMs: transferTimeoutMs });
          // A failure comes as a response document instead of the file.
          const isReply =
            answer.status !== 200 ||
            /^\s*(<\?xml[^>]*>\s*)?<response\b/.test(answer.body.subarray(0, 200).toString('latin1'));
          if (isReply) readReply(name, `export ${category}`, answer);
          return answer.body;
        },
        (content) => `${content.length} bytes`,
      ),
    async importSoftware(file) {
      const what = `import software ${file.name}`;
      const sent = () => send({ type: 'import', category: 'software' }, { file, timeoutMs: transferTimeoutMs });
      await changing(what, async () => readReply(name, what, await sent()), said);
    },
  };
}
