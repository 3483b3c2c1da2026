/**
 * What a device's answer means: its result, or a failure that may pass or that people must look at. Source: facts/pan-os.md,
 * section 5 (codes of the XML API guide, texts seen in the field).
 */
import type { ApplicationFailure } from '@temporalio/common';
import { clip } from '../../kit/clip';
import { permanent, transient } from '../../kit/errors';
import { childrenOf, parseDocument, textAt, XmlElement } from './xml';

/** An answer of the API as it came: an error of the command comes with HTTP 200. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface Reply {
  /** <response>. */
  readonly response: XmlElement;
  /** <result>; an empty one where there is none. */
  readonly result: XmlElement;
  /** Lines of <msg>, wherever it stands. */
  readonly message: string;
  readonly code: number | undefined;
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
 * @throws AuthenticationFailed (HTTP 403, code 16), Busy (transient), CommandFailed (HTTP 400 too), CommandFailedRetryable
 * (not XML, other HTTP statuses)
 */
export function readReply(device: string, asked: string, answer: ApiAnswer): Reply {
  const what = `${device}: ${clip(asked, SHOWN_CHARS)}`;
  const text = answer.body.toString('utf8');
  if (answer.status === 403) throw forbidden(device);
  if (answer.status === 400) throw permanent('CommandFailed', `${what}: HTTP 400 ${firstLine(text)}`);
  if (answer.status !== 200)
    throw transient('CommandFailedRetryable', `${what}: HTTP ${answer.status} ${firstLine(text)}`);
  let response: XmlElement;
  try {
    response = parseDocument(text);
  } catch (error) {
    // A device that is starting up answers with pages of its web server.
    throw transient('CommandFailedRetryable', `${what}: the answer is no XML (${firstLine(String(error))})`);
  }
  const reply = replyOf(response);
  if (response.attributes['status'] === 'success') return reply;
  throw failureOf(device, what, reply);
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

function replyOf(response: XmlElement): Reply {
  const [result = new XmlElement('result')] = childrenOf(response, 'result');
  const message = [...childrenOf(response, 'msg'), ...childrenOf(result, 'msg')].map(linesOf).join('; ');
  const code = Number(response.attributes['code']);
  return {
    response,
    result,
    message,
    code: Number.isInteger(code) && response.attributes['code'] !== undefined ? code : undefined,
  };
}

function linesOf(msg: XmlElement): string {
  const lines = childrenOf(msg, 'line');
  return (lines.length === 0 ? [msg] : lines).map((line) => line.text.trim().replace(/\s+/g, ' ')).join('; ');
}

/** What an error of a device means. */
export function failureOf(
  device: string,
  what: string,
  { message, code }: Pick<Reply, 'message' | 'code'>,
): ApplicationFailure {
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
