/**
 * Wildcards (`*`, `?`, and `[…]` where asked for), matched by hand: patterns come from inventories, from sudo's rules and
 * from version locks, and regular expressions made of them can take for ever (`*****z`).
 */

export interface GlobOptions {
  /** `?` is any one character; default true. */
  readonly one?: boolean;
  /** `[…]` is one of some characters, and a backslash takes the next character as it is, as in fnmatch(3). */
  readonly sets?: boolean;
  readonly ignoreCase?: boolean;
}

type Token = '*' | ((character: string) => boolean);

/**
 * Whether a text matches as a whole. A pattern that can't be read (a set without an end, a class of POSIX) matches nothing.
 * Reading takes as long as the pattern, matching at most (length of the text)² steps, however long the pattern is.
 */
export function glob(pattern: string, options: GlobOptions = {}): (text: string) => boolean {
  const folded = (text: string): string => (options.ignoreCase === true ? text.toLowerCase() : text);
  const tokens = tokensOf(folded(pattern), options);
  if (tokens === undefined) return () => false;
  const needed = tokens.filter((token) => token !== '*').length;
  return (text) => {
    // A pattern that asks for more characters than there are needn't be tried.
    const characters = Array.from(folded(text));
    return needed <= characters.length && matches(tokens, characters);
  };
}

/** Only the last `*` is ever taken back: what an earlier one could still take, the last one can as well. */
function matches(tokens: readonly Token[], text: readonly string[]): boolean {
  let [at, token] = [0, 0];
  let star: { token: number; at: number } | undefined;
  while (at < text.length) {
    const wanted = tokens[token];
    if (wanted === '*') star = { token: token++, at };
    else if (wanted?.(text[at] ?? '') === true) {
      at += 1;
      token += 1;
    } else if (star === undefined) return false;
    else {
      star.at += 1;
      at = star.at;
      token = star.token + 1;
    }
  }
  return tokens.slice(token).every((rest) => rest === '*');
}

function tokensOf(pattern: string, { one = true, sets = false }: GlobOptions): Token[] | undefined {
  const characters = Array.from(pattern);
  const tokens: Token[] = [];
  for (let i = 0; i < characters.length; i += 1) {
    const c = characters[i] ?? '';
    if (c === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
    } else if (c === '?' && one) tokens.push(() => true);
    else if (c === '\\' && sets && i + 1 < characters.length) tokens.push(literal(characters[++i] ?? ''));
    else if (c === '[' && sets) {
      const set = setAt(characters, i);
      if (set === undefined) return undefined;
      tokens.push(set.token);
      i = set.end;
    } else tokens.push(literal(c));
  }
  return tokens;
}

const literal =
  (wanted: string): Token =>
  (character) =>
    character === wanted;

/** A set of fnmatch(3) that begins at `start`. A range that runs backwards (`[z-a]`) has nothing in it. */
function setAt(pattern: readonly string[], start: number): { token: Token; end: number } | undefined {
  let i = start + 1;
  const negated = pattern[i] === '!' || pattern[i] === '^';
  if (negated) i += 1;
  const members: { from: string; to: string }[] = [];
  for (let first = true; first || pattern[i] !== ']'; first = false) {
    const member = memberAt(pattern, i);
    if (member === undefined || (member.text === '[' && pattern[i + 1] === ':')) return undefined;
    const to = pattern[member.next] === '-' && pattern[member.next + 1] !== ']' ? member.next + 1 : undefined;
    const end = to === undefined ? member : memberAt(pattern, to);
    if (end === undefined) return undefined;
    members.push({ from: member.text, to: end.text });
    i = end.next;
  }
  const ranges = members.filter(({ from, to }) => from !== to && from < to);
  const single = new Set(members.filter(({ from, to }) => from === to).map(({ from }) => from));
  return {
    token: (c) => (single.has(c) || ranges.some(({ from, to }) => from <= c && c <= to)) !== negated,
    end: i,
  };
}

function memberAt(pattern: readonly string[], i: number): { text: string; next: number } | undefined {
  const escapes = pattern[i] === '\\';
  const text = pattern[escapes ? i + 1 : i];
  return text === undefined ? undefined : { text, next: escapes ? i + 2 : i + 1 };
}
