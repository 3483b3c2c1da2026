import {
  LineCounter,
  Parser,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type Alias,
  type Document,
  type Node,
  type Pair,
} from 'yaml';
import { formatPath, type InventoryFault, type Path } from './faults';

/** A YAML file with the way back from a value to its line. */
export interface SourceDocument {
  /** The plain value; null for an empty file. */
  readonly value: unknown;
  /** Faults of the YAML itself: syntax, duplicate keys, keys and tags that YAML reads otherwise than people do. */
  readonly faults: readonly InventoryFault[];
  /** False if the tree can't be relied on, so that faults found in it would mislead. */
  readonly usable: boolean;
  /** Position of the value at `path`, or of the nearest thing around it that is written in the file. */
  positionOf(path: Path, of?: 'value' | 'key'): { line: number; column: number } | undefined;
  /** The scalar at `path` as it is written, without quotes: `1.10` where YAML reads 1.1. */
  writtenAt(path: Path): string | undefined;
}

/** No inventory nests deeper: what walks through it by recursion must not run out of stack. */
const DEPTH_LIMIT = 40;

/** Parses one YAML 1.2 document with anchors and merge keys (`<<`). Never throws. */
export function parseSource(text: string): SourceDocument {
  const lines = new LineCounter();
  const tooDeep = nestsTooDeepAt(text);
  if (tooDeep !== undefined) {
    const before = text.slice(0, tooDeep).split('\n');
    const what = `nests deeper than ${DEPTH_LIMIT} levels here`;
    return unusable([{ path: '', line: before.length, column: (before.at(-1)?.length ?? 0) + 1, what }]);
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' });
  const position = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const faults: InventoryFault[] = [...document.errors, ...document.warnings].map((e) => ({
    path: '',
    ...position(e.pos[0]),
    what: yamlMessage(e.code, e.message, wordAt(text, e.pos[0])),
  }));
  let value: unknown = null;
  let usable = document.errors.every((e) => e.code === 'DUPLICATE_KEY');
  const unknown = unknownAliases(document);
  for (const alias of unknown)
    faults.push({
      path: '',
      ...(alias.range ? position(alias.range[0]) : {}),
      what: `not valid YAML: *${alias.source} refers to an anchor &${alias.source} that doesn't stand above it`,
    });
  const endless = endlessAliases(document);
  for (const alias of endless)
    faults.push({
      path: '',
      ...(alias.range ? position(alias.range[0]) : {}),
      what: `*${alias.source} stands inside of what &${alias.source} names: that would have no end`,
    });
  try {
    if (unknown.length === 0 && endless.length === 0) value = document.toJS() as unknown;
    else usable = false;
  } catch (error) {
    // A merge key whose value is no map; aliases of aliases, blown up on purpose or by a slip.
    usable = false;
    faults.push({
      path: '',
      ...position(mergeOffset(document)),
      what: `not valid YAML: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
  if (usable) faults.push(...keyFaults(document.contents, position));
  return {
    value,
    faults,
    usable,
    positionOf: (path, of = 'value') => {
      const offset = offsetOf(document, path, of);
      return offset === undefined ? undefined : position(offset);
    },
    writtenAt: (path) => {
      const node = nodeAt(document, path);
      return isScalar(node) ? node.source : undefined;
    },
  };
}

const unusable = (faults: readonly InventoryFault[]): SourceDocument => ({
  ...{ value: null, faults, usable: false },
  positionOf: () => undefined,
  writtenAt: () => undefined,
});

/** Where maps and lists nest deeper than allowed. Of the parser's tokens, for what is built of them is built by recursion. */
function nestsTooDeepAt(text: string): number | undefined {
  const left: { token: unknown; depth: number }[] = [...new Parser().parse(text)].map((token) => ({ token, depth: 0 }));
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { token, depth } = next;
    if (typeof token !== 'object' || token === null) continue;
    const { offset, value, items } = token as { offset?: number; value?: unknown; items?: readonly unknown[] };
    if (depth > DEPTH_LIMIT) return offset ?? 0;
    left.push({ token: value, depth });
    for (const item of items ?? []) {
      const { key, value: inner } = item as { key?: unknown; value?: unknown };
      left.push({ token: key, depth: depth + 1 }, { token: inner, depth: depth + 1 });
    }
  }
  return undefined;
}

/** The key that begins at an offset. */
const wordAt = (text: string, offset: number): string =>
  /^(?:"[^"]*"|'[^']*'|[^:\s]+)/.exec(text.slice(offset, offset + 200))?.[0].replace(/["']/g, '') ?? '';

function yamlMessage(code: string, message: string, found: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return `the key "${found}" stands twice in the same map; only one of them can count`;
    case 'MULTIPLE_DOCS':
      return 'a second YAML document ("---") follows; the inventory is one document';
    case 'TAB_AS_INDENT':
      return 'a tab is used for indentation; YAML wants spaces';
    default:
      return `not valid YAML: ${message}`;
  }
}

/** Where the first merge key stands, else the beginning: what toJS throws has no position. */
function mergeOffset(document: Document): number {
  let offset = 0;
  visit(document, {
    Pair: (_, pair) => {
      if (keyText(pair) !== '<<') return undefined;
      offset = (pair.key as Node).range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

function unknownAliases(document: Document): Alias[] {
  const found: Alias[] = [];
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined) found.push(alias);
    },
  });
  return found;
}

function endlessAliases(document: Document): Alias[] {
  const found: Alias[] = [];
  visit(document, {
    Alias: (_, alias, path) => {
      const named = alias.resolve(document);
      if (named !== undefined && path.some((around) => around === named)) found.push(alias);
    },
  });
  return found;
}

const resolved = (document: Document, node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);

function pairOf(document: Document, map: unknown, key: string | number): Pair | undefined {
  const node = resolved(document, map);
  if (!isMap(node)) return undefined;
  const own = node.items.find((pair) => keyText(pair) === String(key));
  if (own !== undefined) return own;
  // Not written here: perhaps it came in through a merge key.
  for (const pair of node.items) {
    if (keyText(pair) !== '<<') continue;
    const merged = resolved(document, pair.value);
    for (const source of isSeq(merged) ? merged.items : [merged]) {
      const found = pairOf(document, source, key);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The key as the plain value has it; a merge key is a symbol there, and reads `<<`. */
const keyText = (pair: Pair): string => {
  if (!isScalar(pair.key)) return '';
  return typeof pair.key.value === 'symbol' ? '<<' : String(pair.key.value);
};

function nodeAt(document: Document, path: Path): unknown {
  let node: unknown = document.contents;
  for (const part of path) {
    node = resolved(document, node);
    if (isSeq(node)) node = node.items[Number(part)];
    else node = pairOf(document, node, part)?.value;
    if (node === undefined) return undefined;
  }
  return node;
}

function offsetOf(document: Document, path: Path, of: 'value' | 'key'): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent = resolved(document, nodeAt(document, path.slice(0, length - 1)));
    const last = path[length - 1] as string | number;
    const pair = pairOf(document, parent, last);
    const value = isSeq(parent) ? parent.items[Number(last)] : pair?.value;
    // Around a thing that isn't there, the key of what should hold it says more than the first line inside.
    const preferKey = of === 'key' || length < path.length;
    const nodes = preferKey ? [pair?.key, value] : [value, pair?.key];
    for (const node of nodes) {
      const start = (node as Node | null | undefined)?.range?.[0];
      if (start !== undefined) return start;
    }
  }
  return document.contents?.range?.[0];
}

/** Keys that YAML reads as a number, a boolean or nothing: `1.10:` would become "1.1". */
function keyFaults(
  root: unknown,
  position: (offset: number) => { line: number; column: number },
  path: Path = [],
): InventoryFault[] {
  if (isSeq(root)) return root.items.flatMap((item, i) => keyFaults(item, position, [...path, i]));
  if (!isMap(root)) return [];
  return root.items.flatMap((pair) => {
    const { key } = pair;
    if (!isScalar(key)) {
      const where = (key as Node | null)?.range?.[0];
      return [
        { path: formatPath(path), ...(where === undefined ? {} : position(where)), what: 'a key must be a name' },
      ];
    }
    const deeper = keyFaults(pair.value, position, [...path, keyText(pair)]);
    if (keyText(pair) === '__proto__')
      return [
        {
          path: formatPath([...path, '__proto__']),
          ...(key.range ? position(key.range[0]) : {}),
          what: 'no key can be called __proto__',
        },
      ];
    const isName = typeof key.value === 'string' || typeof key.value === 'symbol';
    if (isName || key.source === String(key.value)) return deeper;
    const fault: InventoryFault = {
      path: formatPath([...path, key.source ?? String(key.value)]),
      ...(key.range ? position(key.range[0]) : {}),
      what: `the key ${key.source ?? ''} without quotes is ${String(key.value)} in YAML`,
      next: `write "${key.source ?? ''}"`,
    };
    return [fault, ...deeper];
  });
}
