/** Requests and replies of the XML API, and the shapes that replies share (facts §5). Quotes and spaces are as devices send them. */
import { cdata, escapeXml, leaf } from './xml';

export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  /** Of the query and of the form, merged; the form wins. */
  readonly params: { get(name: string): string | null };
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Of a multipart form: what is imported. */
  readonly file?: { readonly name: string; readonly content: Buffer };
}

export type ApiReply =
  | {
      readonly kind: 'answer';
      /** HTTP status. */
      readonly status: number;
      readonly contentType: string;
      readonly body: string | Buffer;
      /** Of an exported file: sent as an attachment. */
      readonly fileName?: string;
    }
  /** The connection is cut without an answer; whether the request took effect isn't told. */
  | { readonly kind: 'drop' }
  /** Nobody listens. */
  | { readonly kind: 'refuse' }
  /** The connection stays open, and nothing comes. */
  | { readonly kind: 'hang' };

const XML = 'application/xml; charset=UTF-8';

const answer = (body: string, status = 200): ApiReply => ({ kind: 'answer', status, contentType: XML, body });

/** @param result inner XML. */
export const success = (result: string): ApiReply =>
  answer(`<response status="success"><result>${result}</result></response>`);

/** Success with a code, for `config` and what is enqueued. */
export const successWith = (code: number, inner: string): ApiReply =>
  answer(`<response status="success" code="${code}">${inner}</response>`);

export const successMessage = (line: string): ApiReply =>
  answer(`<response status="success"><msg>${leaf('line', line)}</msg></response>`);

export const enqueued = (line: string, job: number): ApiReply =>
  successWith(19, `<result><msg>${leaf('line', line)}</msg>${leaf('job', job)}</result>`);

/** An error: HTTP 200 all the same. */
export const failure = (code: number, ...lines: readonly string[]): ApiReply =>
  answer(
    `<response status="error" code="${code}"><msg>${lines.map((line) => leaf('line', line)).join('')}</msg></response>`,
  );

/** Devices give some errors no code. */
export const failureWithoutCode = (line: string): ApiReply =>
  answer(`<response status="error"><msg>${leaf('line', line)}</msg></response>`);

/** A command that the device doesn't know: code 17, in CDATA. */
export const unknownCommand = (path: readonly string[]): ApiReply =>
  answer(
    `<response status="error" code="17"><msg><line>${cdata(` ${path.join(' -> ')}  is unexpected`)}</line></msg></response>`,
  );

/** What the web server itself says: other quotes, and an HTTP status. */
const outer = (status: number, message: string): ApiReply =>
  answer(
    `<response status = 'error' code = '${status}'><result><msg>${escapeXml(message)}</msg></result></response>`,
    status,
  );

export const forbidden = (): ApiReply => outer(403, 'Invalid Credential');
export const badRequest = (message: string): ApiReply => outer(400, message);

export const download = (fileName: string, body: string | Buffer): ApiReply => ({
  kind: 'answer',
  status: 200,
  contentType: 'application/octet-stream',
  body,
  fileName,
});
