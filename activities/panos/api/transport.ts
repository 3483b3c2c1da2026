/** HTTPS to one device: certificate verified before a byte of a request is sent, at most five calls at once. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { permanent, transient, messageOf } from '../../kit/errors';
import type { ApiAnswer } from './reply';
import type { PanosNode } from '../spec';

/** "Limit concurrent API calls to five" (XML API guide). */
const CALLS_AT_ONCE = 5;
/** A device that is busy answers late; one that is dead shouldn't be waited for. */
const CONNECT_TIMEOUT_MS = 15_000;

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
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Carries one call to a device. @throws Unreachable (transient), HostKeyMismatch */
export type Transport = (call: ApiCall) => Promise<ApiAnswer>;

/** Fingerprints are compared without regard to colons and case. */
export const normalFingerprint = (text: string): string =>
  text
    .replace(/^sha-?256[:/]/i, '')
    .replace(/:/g, '')
    .toUpperCase();

export function httpsTransport(name: string, node: Pick<PanosNode, 'address' | 'port' | 'tls'>): Transport {
  const { address, port } = node;
  const where = `${name} (${address}:${port})`;
  const agent = new VerifyingAgent(name, node);
  return ({ parameters, file, key, timeoutMs, signal }) =>
    new Promise((resolve, reject) => {
      const {
        head,
        contentType,
        query,
        tail = '',
      } = file === undefined ? formOf(parameters) : multipartOf(parameters, file);
      const length = Buffer.byteLength(head) + (file?.bytes ?? 0) + Buffer.byteLength(tail);
      const request = httpsRequest(
        {
          agent,
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
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
          response.on('error', fail);
        },
      );
      const fail = (error: Error): void => {
        clearTimeout(timer);
        if (signal.aborted) return reject(signal.reason as Error);
        // What the certificate check threw says what it is.
        if ('nonRetryable' in error) return reject(error);
        reject(transient('Unreachable', `${where} doesn’t answer: ${messageOf(error)}`));
      };
      const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      request.on('error', fail);
      request.on('close', () => clearTimeout(timer));
      request.write(head);
      if (file === undefined) return void request.end();
      const content = file.open();
      content.on('error', (error) => request.destroy(error));
      content.on('end', () => request.end(tail));
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

/** Hands out connections whose certificate has been verified, each for one call: a device that restarts leaves no stale ones. */
class VerifyingAgent extends Agent {
  constructor(
    private readonly device: string,
    private readonly node: Pick<PanosNode, 'address' | 'port' | 'tls'>,
  ) {
    super({ keepAlive: false, maxSockets: CALLS_AT_ONCE });
  }

  override createConnection(_options: unknown, done?: (error: Error | null, socket: TLSSocket) => void): undefined {
    const { address, port, tls } = this.node;
    let options: ConnectionOptions;
    try {
      options = {
        host: address,
        port,
        timeout: CONNECT_TIMEOUT_MS,
        ...('fingerprint' in tls
          ? { rejectUnauthorized: false }
          : {
              ca: readFileSync(tls.ca),
              ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
              rejectUnauthorized: true,
            }),
      };
    } catch (error) {
      done?.(
        permanent('InvalidInput', `the worker can't read the CA of ${this.device}: ${messageOf(error)}`),
        undefined as never,
      );
      return undefined;
    }
    const socket = connect(options);
    const failed = (error: Error & { code?: string }): void => {
      const untrusted = /CERT|ALTNAME|SELF_SIGNED|VERIFY/.test(error.code ?? '');
      done?.(untrusted ? mismatch(this.device, error.message) : error, undefined as never);
    };
    socket.once('error', failed);
    socket.once('timeout', () => socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)));
    socket.once('secureConnect', () => {
      socket.removeListener('error', failed);
      socket.setTimeout(0);
      const shown = normalFingerprint(socket.getPeerCertificate().fingerprint256 ?? '');
      if ('fingerprint' in tls && shown !== normalFingerprint(tls.fingerprint)) {
        socket.destroy();
        done?.(mismatch(this.device, `it shows the SHA-256 fingerprint ${shown}`), undefined as never);
        return;
      }
      done?.(null, socket);
    });
    return undefined;
  }
}

const mismatch = (device: string, why: string): Error =>
  permanent(
    'HostKeyMismatch',
    `the certificate of ${device} isn’t the one that the inventory pins: ${why}. Nothing was sent to it; find out whether it was renewed, then pin the new one`,
  );
