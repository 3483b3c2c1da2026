/** Probes that run on the worker itself, with Node's own sockets: a worker in a bare container needs neither bash nor curl. */
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import { connect, isIPv6 } from 'node:net';
import { messageOf } from '../kit';
import type { HttpOutcome, TcpOutcome } from './classify';
import { parseEndpoint } from './spec';

interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Faults of this machine, whatever is at the other end. */
const OWN_CODES = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EACCES',
  'EPERM',
]);
const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/**
 * Undefined if this machine knows a way to the address, else why not. A connected UDP socket sends nothing: it only asks
 * the routing table. (ENETUNREACH of a TCP connection wouldn't do: a router on the way can cause it.)
 */
export function ownRoute(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const done = (error?: Error): void => {
      socket.close();
      resolve(error == null ? undefined : `the worker has no way to ${address}: ${error.message}`);
    };
    socket.once('error', done);
    // In case of a fault the callback is given the error.
    socket.connect(9, address, done);
  });
}

/** A limit that was overrun by so much speaks of a worker that is short of processor time. */
const OVERRUN = 1.5;

/** What is wrong with the worker's side, looked at only after a failure that took `ms`. */
async function own(
  address: string,
  error: unknown,
  ms: number,
  control: string | undefined,
  limits: Limits,
): Promise<string | undefined> {
  if (ms > limits.timeoutMs * OVERRUN)
    return `the worker is too busy to tell: a try of ${limits.timeoutMs} ms took ${Math.round(ms)} ms`;
  if (OWN_CODES.has(codeOf(error))) return `the worker: ${messageOf(error)}`;
  const route = await ownRoute(address);
  if (route !== undefined || control === undefined) return route;
  const endpoint = parseEndpoint(control);
  if (endpoint === undefined) return undefined;
  const seen = await attempt(endpoint.address, endpoint.port, limits);
  return seen.state === 'open' || codeOf(seen.error) === 'ECONNREFUSED'
    ? undefined
    : `control target ${control} doesn’t answer the worker either`;
}

interface Attempt {
  readonly state: TcpOutcome['state'];
  readonly error?: Error;
  readonly ms: number;
}

function attempt(address: string, port: number, { timeoutMs, signal }: Limits): Promise<Attempt> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = connect({ host: address, port });
    const done = (state: Attempt['state'], error?: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      socket.destroy();
      resolve({ state, ms: performance.now() - startedAt, ...(error === undefined ? {} : { error }) });
    };
    const aborted = (): void => done('error', new Error('cut'));
    const timer = setTimeout(() => done('timeout'), timeoutMs);
    socket.once('connect', () => done('open'));
    socket.on('error', (error) => done(codeOf(error) === 'ETIMEDOUT' ? 'timeout' : 'refused', error));
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
  });
}

export async function tcpFromWorker(to: string, control: string | undefined, limits: Limits): Promise<TcpOutcome> {
  const { address, port } = parseEndpoint(to) ?? { address: '', port: 0 };
  const seen = await attempt(address, port, limits);
  const fault = seen.state === 'open' ? undefined : await own(address, seen.error, seen.ms, control, limits);
  return {
    state: seen.state,
    message: seen.error?.message ?? '',
    ms: seen.ms,
    ...(fault === undefined ? {} : { own: fault }),
  };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Why the body isn't whole. */
  readonly broken?: string;
}

/** How much of a body is kept: its end. */
const BODY_LIMIT = 256 * 1024;

/**
 * One GET without proxies and redirects; TLS certificates are verified, against `ca` (a PEM file) if given. Rejects when no
 * answer came; an answer that broke off is returned as such. The whole exchange fits into the time limit.
 */
export async function get(
  url: string,
  options: Limits & { readonly headers?: Readonly<Record<string, string>>; readonly ca?: string | undefined },
): Promise<Answer> {
  const ca = options.ca === undefined ? undefined : await readFile(options.ca, 'utf8');
  return new Promise((resolve, reject) => {
    const { request } = url.toLowerCase().startsWith('https:') ? https : http;
    let answer: http.IncomingMessage | undefined;
    const chunks: Buffer[] = [];
    let kept = 0;
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', aborted);
      req.destroy();
      if (answer?.statusCode === undefined)
        return reject(error ?? new Error('the connection closed without an answer'));
      const body = Buffer.concat(chunks).subarray(-BODY_LIMIT).toString('utf8');
      resolve({ status: answer.statusCode, body, ...(error === undefined ? {} : { broken: error.message }) });
    };
    const aborted = (): void => finish(new Error('cut'));
    const req = request(
      url,
      { method: 'GET', agent: false, headers: { ...options.headers }, ...(ca === undefined ? {} : { ca }) },
      (response) => {
        answer = response;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          kept += chunk.length;
          while (kept - (chunks[0]?.length ?? 0) > BODY_LIMIT) kept -= chunks.shift()?.length ?? 0;
        });
        response.on('end', () => finish(response.complete ? undefined : new Error('the answer broke off')));
        response.on('error', finish);
      },
    );
    req.on('error', finish);
    const timer = setTimeout(() => finish(new Error(`no answer within ${options.timeoutMs} ms`)), options.timeoutMs);
    if (options.signal.aborted) aborted();
    else options.signal.addEventListener('abort', aborted, { once: true });
    req.end();
  });
}

export async function httpFromWorker(
  probe: {
    readonly url: string;
    readonly contains?: string | undefined;
    readonly ca?: string | undefined;
    readonly control?: string | undefined;
  },
  limits: Limits,
): Promise<HttpOutcome> {
  const startedAt = performance.now();
  const ms = (): number => performance.now() - startedAt;
  try {
    const { status, body, broken } = await get(probe.url, { ...limits, ca: probe.ca });
    return {
      status,
      message: '',
      ms: ms(),
      ...(probe.contains === undefined ? {} : { contains: body.includes(probe.contains) }),
      ...(broken === undefined ? {} : { broken }),
    };
  } catch (error) {
    const host = new URL(probe.url).hostname.replace(/^\[|\]$/g, '');
    // A file of ours that can't be read, as a CA, never was on the network.
    const fault =
      codeOf(error) === 'ENOENT'
        ? `the worker: ${messageOf(error)}`
        : await own(host, error, ms(), probe.control, limits);
    return { message: messageOf(error), ms: ms(), ...(fault === undefined ? {} : { own: fault }) };
  }
}
