/** A plain client of the XML API over TLS, pinned to a device's certificate. */
import { request } from 'node:https';
import type { ServedDevice } from '../../../simulators/panos/server';

export interface Received {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

export interface Call {
  readonly params?: Record<string, string>;
  readonly get?: boolean;
  /** As it is, instead of params. */
  readonly raw?: string | Buffer;
  readonly headers?: Record<string, string>;
  readonly path?: string;
  readonly signal?: AbortSignal;
}

/** @throws what Node throws: ECONNREFUSED while the device is down, ECONNRESET where it cuts the connection. */
export function call(
  device: ServedDevice,
  { params = {}, get = false, raw, headers = {}, path = '/api/', signal }: Call,
) {
  const form = raw ?? new URLSearchParams(params).toString();
  return new Promise<Received>((resolve, reject) => {
    const outgoing = request(
      {
        host: device.address,
        port: device.port,
        path: get ? `${path}?${form.toString()}` : path,
        method: get ? 'GET' : 'POST',
        headers: get ? headers : { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        ca: device.certificate,
        agent: false,
        ...(signal && { signal }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(get ? undefined : form);
  });
}

export async function keyOf(device: ServedDevice): Promise<string> {
  const { body } = await call(device, {
    params: { type: 'keygen', user: device.user, password: device.password },
  });
  return /<key>(.*)<\/key>/.exec(body.toString())?.[1] ?? '';
}

/** Asks the side port. */
export async function control(url: string, method: string, path: string, body?: unknown) {
  const response = await fetch(url + path, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, value: (await response.json()) as Record<string, unknown> };
}
