/**
 * Regular expressions that somebody else wrote, held against text that somebody else printed: matched by RE2, whose time is
 * linear in the text. JavaScript's own can take for ever (`(\d+)+ ms` on 40 digits), and the whole worker stands still.
 */
import { RE2JS } from 're2js';
import { messageOf } from './errors';

/** Longer ones are a slip, and what they cost grows with each character of the text. */
const PATTERN_LIMIT_CHARS = 1_000;
/** Compiled patterns that are kept: those of the plans that run now. */
const CACHE_LIMIT = 500;

export interface Pattern {
  /** Groups of the pattern. */
  readonly groups: number;
  /** Whether it occurs in the text. */
  test(text: string): boolean;
  /** First group of the first place where it matches, undefined if it doesn't, or the group has no part in it. */
  firstGroup(text: string): string | undefined;
}

const compiled = new Map<string, Pattern>();

/** `^` and `$` stand for the beginning and end of each line. @throws Error saying what is wrong, and what to write instead. */
export function patternOf(source: string): Pattern {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const pattern = compile(source);
  if (compiled.size >= CACHE_LIMIT) compiled.clear();
  compiled.set(source, pattern);
  return pattern;
}

/** What is wrong with a pattern; undefined if nothing is. `around` says what its first group stands around, if it needs one. */
export function patternFault(source: string, around?: string): string | undefined {
  try {
    const { groups } = patternOf(source);
    return around !== undefined && groups === 0 ? `a regular expression with a group around ${around}` : undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function compile(source: string): Pattern {
  if (source.length > PATTERN_LIMIT_CHARS)
    throw new Error(`a regular expression of ${source.length} characters; ${PATTERN_LIMIT_CHARS} are the most`);
  let re: RE2JS;
  try {
    re = RE2JS.compile(RE2JS.translateRegExp(source), RE2JS.MULTILINE);
  } catch (error) {
    throw new Error(faultOf(source, messageOf(error)), { cause: error });
  }
  const find = (text: string) => {
    // As JavaScript has it, `$` comes before a carriage return too.
    const matcher = re.matcher(text.replaceAll('\r\n', '\n'));
    return matcher.find() ? matcher : undefined;
  };
  return {
    groups: re.groupCount(),
    test: (text) => find(text) !== undefined,
    firstGroup: (text) => find(text)?.group(1) ?? undefined,
  };
}

/** Parts of JavaScript's regular expressions that take more than linear time, and what people write instead. */
function faultOf(source: string, said: string): string {
  const around = /\(\?(?:<?[=!])/.exec(source)?.[0];
  if (around !== undefined)
    return `"${around}…)" looks around without taking part in the match, which RE2 can’t do: write what stands there into the pattern itself, as "lost = (\\d+)" for "(?<=lost = )\\d+"`;
  const back = /\\(?:[1-9]|k<)/.exec(source)?.[0];
  if (back !== undefined)
    return `"${back}" refers back to a group, which RE2 can’t do: write out what stands there, or let the command itself compare`;
  return `not a regular expression of RE2 (https://github.com/google/re2/wiki/Syntax): ${said.replace(/^error parsing regexp: /, '').replace('`(?m)', '`')}`;
}
