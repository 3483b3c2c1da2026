/**
 * What a device's answer means: its result, or a failure that may pass or that people must look at. Source: facts/pan-os.md,
 * section 5 (codes of the XML API guide, texts seen in the field).
 */
import { StringDecoder } from 'node:string_decoder';
import type { ApplicationFailure } from '@temporalio/common';
import { clip } from '../../kit/clip';
import { permanent, transient } from '../../kit/errors';
import { Divert, eachAt, treeOf, wholeTree, type Collector, type Shape } from './shapes';
import { childrenOf, textAt, XmlElement } from './xml';
import { XmlLimit, XmlStream, type XmlHandler } from './xml-stream';

/** An answer of the API as it came: an error of the command comes with HTTP 200. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** What is known of a reply besides its result. */
export interface Told {
  /** Lines of <msg>, wherever it stands. */
  readonly message: string;
  readonly code: number | undefined;
}

export interface Reply extends Told {
  /** <result>; an empty one where there is none. */
  readonly result: XmlElement;
}

/** Texts of conditions that pass by themselves. */
const RETRY_LATER: readonly RegExp[] = [
  /another commit\/validate is in progress/i,
  /a commit is in progress/i,
  /cannot commit while an install is in progress/i,
  /another sync is in progress/i,
  /HA synchronization is already in progress/i,
  /software manager is currently in use/i,
  /Failed to check (upgrade|content) info due to/i,
  /timed? out/i,
];
/** Internal errors, and sessions that timed out. */
const PASSING_CODES: ReadonlySet<number> = new Set([2, 3, 4, 5, 11, 21, 22]);

/** What to do about errors that don't pass, by their text. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/Configuration is locked by/i, 'have the lock removed by the administrator who holds it'],
  [/Failed to synchronize running configuration/i, 'compare the configurations of both peers by hand'],
  [/No update available/i, 'check the licences and the update server of the device'],
  [
    /deprecated in Advanced Routing Mode/i,
    'the device runs advanced routing, and was asked in the way of the legacy engine',
  ],
];

/** How long a command is shown in an error. */
const SHOWN_CHARS = 160;

/**
 * The reply in an answer.
 * @throws AuthenticationFailed (HTTP 403, code 16), Busy (transient), CommandFailed (HTTP 400, too deep or too many elements),
 * CommandFailedRetryable (not XML, other HTTP statuses)
 */
export function readReply(device: string, asked: string, answer: ApiAnswer): Reply {
  return new ReplyReader(device, asked, wholeTree).reply(answer);
}

/** How many messages of a reply are told. */
const MESSAGES = 50;

/** Reads a reply while it comes in, and of its result what a shape keeps. */
export class ReplyReader<T> {
  readonly #what: string;
  readonly #collector: Collector<T>;
  readonly #messages: XmlElement[] = [];
  readonly #rest = treeOf('document');
  readonly #stream: XmlStream;
  readonly #decoder = new StringDecoder('utf8');

  constructor(
    private readonly device: string,
    asked: string,
    shape: Shape<T>,
  ) {
    this.#what = `${device}: ${clip(asked, SHOWN_CHARS)}`;
    this.#collector = shape.begin();
    // Messages stand beside the result, or in it.
    const told = eachAt('messages', 'msg', () => ({
      take: (message) => void (this.#messages.length < MESSAGES && this.#messages.push(message)),
      result: () => undefined,
    })).begin();
    const both = [told, this.#collector];
    const result: XmlHandler = {
      open: (name, attributes) => both.forEach((one) => one.open(name, attributes)),
      text: (text) => both.forEach((one) => one.text(text)),
      close: (name) => both.forEach((one) => one.close(name)),
    };
    this.#stream = new XmlStream(new Divert('response/result', result, this.#rest));
  }

  /** Of a body that came with HTTP 200. @throws CommandFailedRetryable (no XML), CommandFailed (too deep, too many elements) */
  write(bytes: Buffer): void {
    this.#parse(() => this.#stream.write(this.#decoder.write(bytes)));
  }

  /** @throws as readReply; the answer's body is what wasn't written yet */
  reply({ status, body }: ApiAnswer): Told & { readonly result: T } {
    const line = (): string => firstLine(body.subarray(0, 4 * SHOWN_CHARS).toString('utf8'));
    if (status === 403) throw forbidden(this.device);
    if (status === 400) throw permanent('CommandFailed', `${this.#what}: HTTP 400 ${line()}`);
    if (status !== 200) throw transient('CommandFailedRetryable', `${this.#what}: HTTP ${status} ${line()}`);
    this.write(body);
    this.#parse(() => {
      this.#stream.write(this.#decoder.end());
      this.#stream.end();
    });
    const [response = new XmlElement('response')] = childrenOf(this.#rest.result());
    const messages = [...childrenOf(response, 'msg'), ...this.#messages];
    const { status: verdict, code } = response.attributes;
    const told = {
      message: messages.map(linesOf).join('; '),
      code: code !== undefined && Number.isInteger(Number(code)) ? Number(code) : undefined,
    };
    if (verdict !== 'success') throw failureOf(this.device, this.#what, told);
    return { ...told, result: this.#collector.result() };
  }

  #parse(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof XmlLimit)
        throw permanent(
          'CommandFailed',
          `${this.#what}: the answer is more than can be read: ${error.message}. Nothing of it was used. What to do: ask the device by hand, and see whether it answers so`,
        );
      // A device that is starting up answers with pages of its web server.
      throw transient('CommandFailedRetryable', `${this.#what}: the answer is no XML (${firstLine(String(error))})`);
    }
  }
}

export const forbidden = (device: string): ApplicationFailure =>
  permanent(
    'AuthenticationFailed',
    `${device} refuses the credentials (HTTP 403): check user, password and the role’s rights: to use the XML API, and to import, export and commit by it`,
  );

/** Refused by a device that has accepted the credentials in this run. */
export const starting = (device: string): ApplicationFailure =>
  transient(
    'Unreachable',
    `${device} refuses credentials that it accepted before (HTTP 403): it is starting up, or they were changed since, or the user’s role lacks the right to use the XML API, or to import, export or commit by it`,
  );

function linesOf(msg: XmlElement): string {
  const lines = childrenOf(msg, 'line');
  return (lines.length === 0 ? [msg] : lines).map((line) => line.text.trim().replace(/\s+/g, ' ')).join('; ');
}

/** What an error of a device means. */
export function failureOf(device: string, what: string, { message, code }: Told): ApplicationFailure {
  const said = `${what}: ${message === '' ? 'an error without a message' : message}${code === undefined ? '' : ` (code ${code})`}`;
  if (code === 403) return forbidden(device);
  if (code === 16)
    return permanent('AuthenticationFailed', `${said}. What to do: give the role of the user this right`);
  if (RETRY_LATER.some((pattern) => pattern.test(message)) || (code !== undefined && PASSING_CODES.has(code)))
    return transient('Busy', said);
  const advice = ADVICE.find(([pattern]) => pattern.test(message))?.[1];
  return permanent('CommandFailed', advice === undefined ? said : `${said}. What to do: ${advice}`);
}

/** ID of the job that a reply speaks of; undefined where nothing had to be done. */
export function jobOf({ result, message }: Reply): number | undefined {
  const id = Number(textAt(result, 'job') ?? /jobid (\d+)/.exec(message)?.[1]);
  return Number.isInteger(id) ? id : undefined;
}

const firstLine = (text: string): string => text.trim().split('\n')[0]?.slice(0, SHOWN_CHARS) ?? '';
