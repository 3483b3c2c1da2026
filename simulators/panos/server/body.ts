/** What a request to the XML API carries: query, form, or a multipart form with a file (facts §5). */
import type { IncomingMessage } from 'node:http';
import type { ApiRequest } from '../wire';

/** Forms are 5 MB at most (facts §5); images are larger. */
const FORM_BYTES = 5 * 1024 * 1024;
const FILE_BYTES = 2 * 1024 * 1024 * 1024;

export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

async function readBody(message: IncomingMessage, atMost: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > atMost) throw new BodyTooLarge(`more than ${atMost} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

interface Part {
  readonly name: string;
  readonly fileName: string | undefined;
  readonly content: Buffer;
}

const quoted = (header: string, name: string): string | undefined =>
  new RegExp(`[;\\s]${name}="([^"]*)"`, 'i').exec(header)?.[1];

/** The parts of a multipart form; what isn't one is left out. Pure. */
export function parseMultipart(body: Buffer, boundary: string): Part[] {
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: Part[] = [];
  for (let start = body.indexOf(delimiter); start >= 0;) {
    const next = body.indexOf(delimiter, start + delimiter.length);
    if (next < 0) break;
    const part = body.subarray(start + delimiter.length + 2, next - 2);
    const blank = part.indexOf('\r\n\r\n');
    const header = blank < 0 ? '' : part.subarray(0, blank).toString();
    const name = quoted(header, 'name');
    if (name !== undefined)
      parts.push({ name, fileName: quoted(header, 'filename'), content: part.subarray(blank + 4) });
    start = next;
  }
  return parts;
}

/** @throws BodyTooLarge */
export async function readRequest(message: IncomingMessage): Promise<ApiRequest> {
  const type = message.headers['content-type'] ?? '';
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(type)?.[1];
  const body = await readBody(message, boundary === undefined ? FORM_BYTES : FILE_BYTES);
  const params = new URLSearchParams((message.url ?? '').split('?').slice(1).join('?'));
  let file: ApiRequest['file'];
  if (boundary !== undefined) {
    for (const part of parseMultipart(body, boundary)) {
      if (part.fileName === undefined) params.set(part.name, part.content.toString());
      else file = { name: part.fileName, content: part.content };
    }
  } else if (message.method === 'POST') {
    for (const [name, value] of new URLSearchParams(body.toString())) params.set(name, value);
  }
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(message.headers)) if (typeof value === 'string') headers[name] = value;
  return { method: message.method === 'POST' ? 'POST' : 'GET', params, headers, ...(file && { file }) };
}
