/**
 * Names of people: policies ask for so many *different* people, so what tells two names apart decides. Pure, without imports:
 * the workflow and the inventory must agree.
 */

/** What stands for the name in a message to copy. */
export const NAME_TO_WRITE = 'your name';

/** Longest name, characters. */
const NAME_LIMIT_CHARS = 128;

/**
 * What a name is compared by: without spaces around it, in compatibility form (NFKC: `ａ` is `a`), without regard to case,
 * and with one space where several stand.
 */
export const personKey = (name: string): string =>
  name
    .normalize('NFKC')
    // Upper case first: `ß` and `SS`, `ς` and `σ`, `ı` and `i` are the same then.
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .trim()
    .replace(/\s+/g, ' ');

/** Control characters, what has no width or turns the direction of writing, and what is drawn as nothing at all. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Why a name won't do, as words that complete "the name"; undefined if it will. */
export function nameFault(name: string): string | undefined {
  if (name.length > NAME_LIMIT_CHARS) return `has ${name.length} characters; ${NAME_LIMIT_CHARS} are the most`;
  const hidden = HIDDEN.exec(name)?.[0].codePointAt(0);
  if (hidden !== undefined)
    return `holds U+${hidden.toString(16).toUpperCase().padStart(4, '0')}, which can’t be seen, or changes how the rest reads`;
  return personKey(name) === '' ? 'is blank' : undefined;
}
