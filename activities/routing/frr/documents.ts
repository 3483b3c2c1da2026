/**
 * Takes apart what vtysh prints, as it comes in: one JSON document per command, or per daemon, one after the other without a
 * separator; errors stand between them as plain lines that begin with "%". What is announced to a neighbor may be a full table.
 */
import { z } from 'zod';
import { JsonItems, UnexpectedOutput, parseJson, shaped, type TextReader } from '../../kit';
import { plainAs } from './instance';

/** Reads one document. @throws UnexpectedOutput, as all here */
export interface DocumentReader {
  write(text: string): void;
  /** What came of it. */
  end(): unknown;
}

/** Of a document that is held: one prefix, one neighbor, all sessions of a router. */
const DOCUMENT_LIMIT_CHARS = 2 * 1024 * 1024;
const SHOWN_CHARS = 200;

/** The document as it is. */
export function wholeDocument(): DocumentReader {
  let text = '';
  return {
    write(more) {
      text += more;
      if (text.length > DOCUMENT_LIMIT_CHARS)
        throw new UnexpectedOutput(`a JSON document of more than ${DOCUMENT_LIMIT_CHARS} characters`);
    },
    end: () => parseJson(text),
  };
}

const advertisedRoute = z.object({ path: z.string().default('') });

/**
 * `show bgp … neighbors X advertised-routes json`: copies of the own AS that stand in front of an announced path, each number
 * once. The AS that every announcement to another AS gets by itself isn't among them (facts §4).
 */
export function announcedPrepends(localAs: number): DocumentReader & { end(): number[] } {
  const found = new Set<number>();
  const own = String(localAs);
  const routes = new JsonItems(
    2,
    (route) => {
      // In the notation of the instance (as-notation, FRR 8.5 and newer).
      const list = plainAs(shaped(advertisedRoute, route).path)
        .split(' ')
        .filter((as) => as !== '');
      const end = list.findIndex((as) => as !== own);
      found.add(end < 0 ? list.length : end);
    },
    { of: 'advertisedRoutes' },
  );
  return {
    write: (text) => routes.write(text),
    end() {
      routes.end();
      return [...found];
    },
  };
}

/** Hands each document on to a reader of its own, by its place. */
export class Documents implements TextReader {
  readonly found: unknown[] = [];
  #reader: DocumentReader | undefined;
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  constructor(private readonly begin: (index: number) => DocumentReader) {}

  write(text: string): void {
    let from = 0;
    for (let i = 0; i < text.length; i += 1) {
      const c = text[i];
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (c === '\\') this.#isEscaped = true;
        else if (c === '"') this.#inString = false;
      } else if (this.#depth > 0 && c === '"') this.#inString = true;
      else if (c === '{' || c === '[') {
        if (this.#depth === 0) {
          this.#reader = this.begin(this.found.length);
          from = i;
        }
        this.#depth += 1;
      } else if ((c === '}' || c === ']') && this.#depth > 0) {
        this.#depth -= 1;
        if (this.#depth > 0) continue;
        this.#reader?.write(text.slice(from, i + 1));
        this.found.push(this.#reader?.end());
        this.#reader = undefined;
      } else if (this.#depth === 0 && c !== undefined && !/\s/.test(c)) {
        const end = text.indexOf('\n', i);
        throw new UnexpectedOutput(text.slice(i, end < 0 ? undefined : end).slice(0, SHOWN_CHARS));
      }
    }
    if (this.#depth > 0) this.#reader?.write(text.slice(from));
  }

  end(): void {
    if (this.#depth > 0) throw new UnexpectedOutput('the output ends in the middle of a JSON document');
  }
}

/** All documents of an output, each as it is. */
export function parseDocuments(output: string): unknown[] {
  const documents = new Documents(wholeDocument);
  documents.write(output);
  documents.end();
  return documents.found;
}
