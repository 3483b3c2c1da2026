/**
 * Bounds on texts that people, devices and time put in. Pure, and linear in what is kept, not in what came: a message of
 * megabytes costs no more than a long one.
 */

/** Longest question as it is asked, in characters: what people read at 3 a.m. before they answer. */
export const QUESTION_CHARS = 600;
/** Longest summary of an open question on the timeline, in bytes. Temporal allows 400. */
export const TIMELINE_BYTES = 200;

const REST = '… (the rest: hitless status)';

/**
 * Control characters, half a surrogate pair, and what is there but isn't seen, or turns the direction of what follows:
 * soft hyphen, zero-width characters, bidirectional marks and isolates, line and paragraph separators, tags.
 */
const UNSEEN = new RegExp(
  '[\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f' +
    '\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb]' +
    '|\\udb40[\\udc00-\\udfff]|[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]',
  'g',
);

/** Text of others with nothing in it that can't be seen: each such character becomes a �. Line breaks stay. */
export const seen = (text: string): string => text.replace(/\r\n?/g, '\n').replace(/\t/g, ' ').replace(UNSEEN, '�');

/** The same on one line. */
export const oneLine = (text: string): string => seen(text).replace(/\s+/g, ' ').trim();

/** Bytes of UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (isHigh(unit) && isLow(text.charCodeAt(i + 1))) {
      bytes += 4;
      i++;
    } else bytes += 3;
  }
  return bytes;
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/**
 * At most so many characters (UTF-16 units), cut at the end of a sentence, else of a word, with "…" where something was
 * left out. Only one word that is longer than half of that is cut within.
 */
export function clipText(text: string, chars: number): string {
  if (text.length <= chars) return text;
  if (chars < 1) return '';
  // Room for " …".
  const room = Math.max(0, chars - 2);
  const head = whole(text.slice(0, room + 1));
  const sentence = lastEnd(head, /[.!?](?=\s)/g, room);
  if (sentence > room / 2) return `${head.slice(0, sentence)} …`;
  const word = lastEnd(head, /\S(?=\s)/g, room);
  if (word > room / 2) return `${head.slice(0, word)} …`;
  return `${whole(text.slice(0, chars - 1))}…`;
}

/** Without the first half of a surrogate pair at its end. */
const whole = (text: string): string => (isHigh(text.charCodeAt(text.length - 1)) ? text.slice(0, -1) : text);

/** Where the last match ends that lies within so many characters; 0 if there is none. */
function lastEnd(text: string, pattern: RegExp, within: number): number {
  let end = 0;
  for (const match of text.matchAll(pattern))
    if (match.index + match[0].length <= within) end = match.index + match[0].length;
  return end;
}

/** At most so many bytes of UTF-8, cut as clipText cuts. */
export function clipBytes(text: string, bytes: number): string {
  const start = clipText(text, bytes);
  if (utf8Bytes(start) <= bytes) return start;
  let [fits, over] = [0, start.length];
  while (over - fits > 1) {
    const middle = (fits + over) >> 1;
    if (utf8Bytes(clipText(text, middle)) <= bytes) fits = middle;
    else over = middle;
  }
  return clipText(text, fits);
}

/** One line of at most so many characters out of a text of any length. */
export function shortLine(text: string, chars: number): string {
  const start = text.slice(0, 4 * chars + 64);
  const line = oneLine(whole(start));
  return clipText(start.length < text.length ? `${line} …` : line, chars);
}

/**
 * A question as it is asked: whole sentences, and what is asked stays also where the reason before it is long
 * ("… What now?" and what follows it).
 */
export function boundQuestion(text: string): string {
  if (text.length <= QUESTION_CHARS) return oneLine(text);
  const end = oneLine(text.slice(-QUESTION_CHARS));
  const line = oneLine(text.slice(0, 4 * QUESTION_CHARS));
  if (text.length <= 4 * QUESTION_CHARS && line.length <= QUESTION_CHARS) return line;
  const asked = end.slice(lastAsked(end));
  const tail = asked.length > QUESTION_CHARS / 2 ? '' : ` ${asked}`;
  const head = clipText(`${line} …`, QUESTION_CHARS - REST.length - tail.length);
  return `${head.replace(/\s?…$/, '')} ${REST}${tail}`;
}

/** Where the last sentence that ends with a question mark begins; the text's length if there is none. */
function lastAsked(text: string): number {
  const mark = text.lastIndexOf('?');
  if (mark === -1) return text.length;
  return lastEnd(text, /[.!?…:;]\s(?=\S)/g, mark);
}

/** What the timeline says of an open question, on its timer or marker: plain text. */
export const timelineSummary = ({ id, question }: { readonly id: string; readonly question: string }): string =>
  clipBytes(`${shortLine(id, 64)}: ${shortLine(question, TIMELINE_BYTES)}`, TIMELINE_BYTES);

/** For people: the two largest units, as "2 d 3 h", "5 min 30 s", "45 s", "300 ms". Rounded down: nothing is promised early. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return `${ms} ms`;
  if (ms < 1_000) return `${Math.floor(ms)} ms`;
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const;
  const first = units.findIndex(([, size]) => ms >= size);
  const parts: string[] = [];
  let rest = ms;
  for (const [name, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(' ');
}
