/** HTTPS to one device: certificate verified before a byte of a request is sent, at most five calls at once. */
import { randomUUID } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { permanent } from '../../kit/errors';
import { describeBytes } from '../../kit/output';
import { spend } from '../../kit/turns';
import type { PanosNode } from '../spec';
import { connectVerified, unreachable } from './connection';
import type { ApiAnswer } from './reply';
import { takingTurns } from './turns';

/** "Limit concurrent API calls to five" (XML API guide). */
const CALLS_AT_ONCE = 5;

const MIB = 1024 * 1024;
/** Of an answer for which nobody asks for another limit. */
export const ANSWER_LIMIT_BYTES = 4 * MIB;
/** Of tables and configurations, which are read as they come in and not held. */
export const TABLE_LIMIT_BYTES = 512 * MIB;
/** Of what goes to a file as it comes in. */
export const EXPORT_LIMIT_BYTES = 2_048 * MIB;
/** Of what is held whole: a key, or what a web server says of an error. */
const HELD_LIMIT_BYTES = 64 * 1024;
/** Of all headers together. */
const HEADERS_LIMIT_BYTES = 16 * 1024;

/** Images are larger than memory should hold. */
export interface Upload {
  readonly name: string;
  readonly bytes: number;
  readonly open: () => Readable;
}

export interface ApiCall {
  readonly parameters: Readonly<Record<string, string>>;
  /** Upload of `type=import`. */
  readonly file?: Upload;
  /** Sent as X-PAN-KEY. */
  readonly key?: string;
  /** For the answer as a whole. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Of the answer's body; what is longer is cut off, and the call fails. */
  readonly limitBytes?: number;
  /**
   * Takes the body of an answer with HTTP 200 as it comes in; the answer's own is empty then. No more comes before what it
   * returns has resolved; what it throws ends the call.
   */
  readonly onBody?: (bytes: Buffer) => void | Promise<void>;
}

/** Carries one call to a device. @throws Unreachable (transient), HostKeyMismatch */
export type Transport = (call: ApiCall) => Promise<ApiAnswer>;

export function httpsTransport(name: string, node: Pick<PanosNode, 'address' | 'port' | 'tls'>): Transport {
  const inTurn = takingTurns(CALLS_AT_ONCE);
  return (call) =>
    inTurn(call.signal, async () => {
      // Each for one call: a device that restarts leaves no stale ones.
      const socket = await connectVerified(name, node, call.signal);
      return exchange(name, node, socket, call);
    });
}

function exchange(
  name: string,
  { address, port }: Pick<PanosNode, 'address' | 'port'>,
  socket: TLSSocket,
  { parameters, file, key, timeoutMs, signal, onBody, limitBytes = ANSWER_LIMIT_BYTES }: ApiCall,
): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const {
      head,
      contentType,
      query,
      tail = '',
    } = file === undefined ? formOf(parameters) : multipartOf(parameters, file);
    const length = Buffer.byteLength(head) + (file?.bytes ?? 0) + Buffer.byteLength(tail);
    const request = httpsRequest(
      {
        createConnection: () => socket,
        host: address,
        port,
        method: 'POST',
        path: `/api/${query}`,
        headers: {
          'Content-Type': contentType,
          'Content-Length': length,
          ...(key === undefined ? {} : { 'X-PAN-KEY': key }),
        },
        signal,
        maxHeaderSize: HEADERS_LIMIT_BYTES,
      },
      (response) => {
        const status = response.statusCode ?? 0;
        const take = status === 200 ? onBody : undefined;
        const held: Buffer[] = [];
        let bytes = 0;
        const ended = (): void => {
          resolve({ status, body: Buffer.concat(held) });
          // It may have answered before it had read everything.
          request.destroy();
        };
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (take === undefined) {
            held.push(chunk);
            // An error page is told by its beginning.
            if (bytes > HELD_LIMIT_BYTES) return status === 200 ? give(tooLong(HELD_LIMIT_BYTES)) : ended();
            return undefined;
          }
          if (bytes > limitBytes) return give(tooLong(limitBytes));
          try {
            const taken = take(chunk);
            // On a fast network megabytes would be read in one go, some 30 ms for each.
            const turn = spend(chunk.length);
            if (taken === undefined && turn === undefined) return undefined;
            response.pause();
            Promise.all([taken, turn]).then(() => response.resume(), give);
          } catch (error) {
            give(error as Error);
          }
        });
        response.on('end', ended);
        response.on('error', fail);
      },
    );
    /** Ends the call at once: not a byte more is read. */
    const give = (error: Error): void => {
      reject(error);
      request.destroy();
    };
    const tooLong = (limit: number): Error =>
      permanent(
        'CommandFailed',
        `${name} (${address}:${port}) answers with more than ${describeBytes(limit)}: it was cut off there, and nothing of it was used. What to do: ask the device by hand, and see what makes its answer so long`,
      );
    const fail = (error: Error): void => {
      if (signal.aborted) return reject(signal.reason as Error);
      // A file of the worker that can't be read says so itself.
      reject('nonRetryable' in error ? error : unreachable(name, { address, port }, error));
    };
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.on('error', fail);
    request.on('close', () => clearTimeout(timer));
    request.write(head);
    if (file === undefined) return void request.end();
    const content = file.open();
    content.on('error', (error) =>
      request.destroy(permanent('PackageMissing', `the worker can’t read ${file.name} any more: ${error.message}`)),
    );
    content.on('end', () => request.end(tail));
    request.on('close', () => content.destroy());
    content.pipe(request, { end: false });
  });
}

interface Body {
  readonly head: string;
  readonly tail?: string;
  readonly contentType: string;
  /** With its question mark; "" if there is none. */
  readonly query: string;
}

const formOf = (parameters: ApiCall['parameters']): Body => ({
  head: new URLSearchParams(parameters).toString(),
  contentType: 'application/x-www-form-urlencoded',
  query: '',
});

function multipartOf(parameters: ApiCall['parameters'], { name }: Upload): Body {
  const boundary = `----hitless-${randomUUID()}`;
  return {
    head: `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    tail: `\r\n--${boundary}--\r\n`,
    contentType: `multipart/form-data; boundary=${boundary}`,
    query: `?${new URLSearchParams(parameters).toString()}`,
  };
}
