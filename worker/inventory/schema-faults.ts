import type { core } from 'zod';
import type { SourceDocument } from './document';
import { formatPath, type InventoryFault, type Path } from './faults';
import { closest } from '../../workflows/suggest';
import { keysAt } from './schema-walk';

type Schema = core.$ZodType;
type Issue = core.$ZodIssue;

/** Turns what zod found into faults: each with its place in the file, in the words of somebody who writes YAML. */
export function schemaFaults(
  issues: readonly Issue[],
  schema: Schema,
  source: SourceDocument,
  base: Path = [],
): InventoryFault[] {
  return issues.flatMap((issue) => issueFaults(issue, schema, source, [...base, ...plainPath(issue.path)], base));
}

const UNFIT = "this name won't do";

const plainPath = (path: readonly PropertyKey[]): Path => path.map((p) => (typeof p === 'number' ? p : String(p)));

function issueFaults(issue: Issue, schema: Schema, source: SourceDocument, path: Path, base: Path): InventoryFault[] {
  const at = (where: Path, of: 'value' | 'key', what: string, next?: string): InventoryFault => ({
    path: formatPath(where),
    ...source.positionOf(where, of),
    what,
    ...(next === undefined ? {} : { next }),
  });
  const value = valueAt(source.value, path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(schema, path.slice(base.length));
      return issue.keys.map((key) => {
        const meant = closest(key, known);
        const next = meant === undefined ? `known here: ${known.join(', ') || 'nothing'}` : `did you mean "${meant}"?`;
        return at([...path, key], 'key', 'unknown key', next);
      });
    }
    case 'invalid_key':
      return issue.issues.map((inner) =>
        at(path, 'key', inner.message.startsWith(UNFIT) ? inner.message : `${UNFIT}: ${inner.message}`),
      );
    case 'invalid_type': {
      if (value === undefined) return [at(path, 'key', `is missing; ${article(issue.expected)} is needed`)];
      const written = source.writtenAt(path);
      if (issue.expected === 'string' && written !== undefined && value !== null)
        return [at(path, 'value', `${written} without quotes is a ${typeof value} in YAML`, `write "${written}"`)];
      return [at(path, 'value', `must be ${article(issue.expected)}, not ${describe(value)}`)];
    }
    case 'invalid_value': {
      const options = issue.values.map(String);
      if (value === undefined) return [at(path, 'key', `is missing; one of ${options.join(', ')} is needed`)];
      const meant = typeof value === 'string' ? closest(value, options) : undefined;
      const next = meant === undefined || options.length === 1 ? undefined : `did you mean ${meant}?`;
      return [at(path, 'value', `must be ${oneOf(options)}`, next)];
    }
    case 'invalid_union': {
      if (issue.errors.length === 0) {
        const options = (issue as { options?: readonly unknown[] }).options?.map(String) ?? [];
        const meant = typeof value === 'string' ? closest(value, options) : undefined;
        const what = value === undefined ? `is missing; it must be ${oneOf(options)}` : `must be ${oneOf(options)}`;
        return [at(path, 'value', what, meant === undefined ? undefined : `did you mean ${meant}?`)];
      }
      return unionFaults(issue, schema, source, path, base, at);
    }
    default:
      return [at(path, 'value', asSentence(issue.message))];
  }
}

/** Schemas say what may stand somewhere ("an IP address"), or what is wrong ("fw2 is missing"). */
const asSentence = (message: string): string => (/^(an?|the|one) /.test(message) ? `must be ${message}` : message);

/** Of a union's alternatives, the faults of the one that was most likely meant; all of them in short if that is unclear. */
function unionFaults(
  issue: Issue & { readonly errors: readonly (readonly Issue[])[] },
  schema: Schema,
  source: SourceDocument,
  path: Path,
  base: Path,
  at: (where: Path, of: 'value' | 'key', what: string) => InventoryFault,
): InventoryFault[] {
  const value = valueAt(source.value, path);
  // The schema's own words on what may stand here, where it has any.
  const words = issue.message === 'Invalid input' ? undefined : issue.message;
  if (value === undefined) return [at(path, 'key', `is missing${words === undefined ? '' : `; needed: ${words}`}`)];
  const alternatives = issue.errors;
  if (words !== undefined && (typeof value !== 'object' || value === null))
    return [at(path, 'value', `must be ${words}`)];
  // An alternative of another type altogether wasn't meant: {fil: …} is neither a string nor `false`.
  const meant = alternatives.filter(
    (issues) => !issues.some((i) => i.path.length === 0 && (i.code === 'invalid_type' || i.code === 'invalid_value')),
  );
  const fewest = Math.min(...meant.map((issues) => issues.length));
  const best = meant.filter((issues) => issues.length === fewest);
  if (best.length === 1 && best[0] !== undefined)
    return best[0].flatMap((i) => issueFaults(i, schema, source, [...path, ...plainPath(i.path)], base));
  if (words !== undefined) return [at(path, 'value', `must be ${words}`)];
  const said = new Set(
    (best.length > 0 ? best : alternatives).map((issues) => issues.map((i) => i.message).join(' and ')),
  );
  return [at(path, 'value', `fits none of the forms allowed here: ${[...said].join('; or ')}`)];
}

const article = (type: string): string => {
  const word = { object: 'map', record: 'map', array: 'list', int: 'whole number' }[type] ?? type;
  return /^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`;
};

const oneOf = (options: readonly string[]): string =>
  options.length === 1 ? (options[0] ?? '') : `one of ${options.join(', ')}`;

function describe(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return article(typeof value);
}

/** The plain value at `path`, or undefined. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.hasOwn(value, part) ? (value as Record<string | number, unknown>)[part] : undefined;
  }
  return value;
}
