/**
 * Counts what a parser does, instead of timing it: steps of its regular expressions, and what the methods of strings and
 * arrays go over. Counts are the same on every machine. Loops written by hand aren't seen; what they call is.
 */
import { stepsOf } from './regex-steps';

export class TooMuchWork extends Error {}

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Patch = (original: Method, spend: (work: number) => void) => Method;

const lengthOf = (value: unknown): number => (typeof value === 'string' || Array.isArray(value) ? value.length : 0);

/** Goes over all that it is called on. */
const whole: Patch = (original, spend) =>
  function (...args) {
    spend(1 + lengthOf(this));
    return Reflect.apply(original, this, args);
  };
/** Makes a text or list of what it returns. */
const result: Patch = (original, spend) =>
  function (...args) {
    const made = Reflect.apply(original, this, args);
    spend(1 + lengthOf(made));
    return made;
  };
/** Looks from a place on until it finds something. */
const search: Patch = (original, spend) =>
  function (...args) {
    const found = Reflect.apply(original, this, args);
    spend(1 + (typeof found === 'number' && found >= 0 ? Math.abs(found - (Number(args[1]) || 0)) : lengthOf(this)));
    return found;
  };
/** Calls back, for as long as it wants to know more. */
const each: Patch = (original, spend) =>
  function (callback, ...rest) {
    if (typeof callback !== 'function') return Reflect.apply(original, this, [callback, ...rest]);
    const counted = function (this: unknown, ...args: unknown[]): unknown {
      spend(1);
      return Reflect.apply(callback as Method, this, args);
    };
    return Reflect.apply(original, this, [counted, ...rest]);
  };

const STRINGS: Readonly<Record<string, Patch>> = {
  ...{ indexOf: search, lastIndexOf: search, includes: whole, trim: whole, trimEnd: whole, trimStart: whole },
  ...{ replaceAll: whole, toLowerCase: whole, toUpperCase: whole, normalize: whole, slice: result, substring: result },
};
const ARRAYS: Readonly<Record<string, Patch>> = {
  ...{
    indexOf: search,
    lastIndexOf: search,
    includes: whole,
    join: whole,
    slice: result,
    concat: result,
    reverse: whole,
  },
  ...{ find: each, findIndex: each, findLast: each, findLastIndex: each, some: each, every: each, filter: each },
  ...{ map: each, flatMap: each, forEach: each, reduce: each, sort: each },
};

/** Work of one call; what it throws is left out. @throws TooMuchWork above `limit` */
export function workOf(call: () => unknown, limit: number): number {
  let work = 0;
  let counting = true;
  const spend = (more: number): void => {
    if (!counting) return;
    work += more;
    if (work > limit) throw new TooMuchWork(`more than ${limit} steps`);
  };
  const restore: (() => void)[] = [];
  const patch = (prototype: object, name: string, with_: Patch): void => {
    const original = Reflect.get(prototype, name) as Method;
    const replaced = with_(original, spend);
    Object.defineProperty(prototype, name, { value: replaced, configurable: true, writable: true });
    restore.push(() => Object.defineProperty(prototype, name, { value: original, configurable: true, writable: true }));
  };
  const expression: Patch = (original) =>
    function (text) {
      if (!counting || !(this instanceof RegExp)) return Reflect.apply(original, this, [text]);
      // What the counting itself does isn't work of the parser.
      counting = false;
      try {
        const { steps, found } = stepsOf(this, String(text), limit - work);
        work += steps;
        const real = Reflect.apply(original, this, [text]) as RegExpExecArray | null;
        if (!this.unicode && (real?.index !== found?.at || real?.[0].length !== found?.length))
          throw new Error(`the steps of ${String(this)} were counted wrongly`);
        return real;
      } finally {
        counting = true;
      }
    };
  patch(RegExp.prototype, 'exec', expression);
  for (const [name, how] of Object.entries(STRINGS)) patch(String.prototype, name, how);
  patch(
    String.prototype,
    'split',
    (original, count) =>
      function (separator, ...rest) {
        if (typeof separator === 'string') count(1 + lengthOf(this));
        return Reflect.apply(original, this, [separator, ...rest]);
      },
  );
  for (const [name, how] of Object.entries(ARRAYS)) patch(Array.prototype, name, how);
  try {
    call();
  } catch (error) {
    counting = false;
    restore.forEach((back) => back());
    restore.length = 0;
    if (isExhausted(error)) throw new TooMuchWork(`more than ${limit} steps`);
  } finally {
    counting = false;
    for (const back of restore) back();
  }
  return work;
}

const isExhausted = (error: unknown): boolean =>
  error instanceof Error && (error instanceof TooMuchWork || /^more than \d+ steps$/.test(error.message));
