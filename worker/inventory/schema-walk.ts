/** Finds what a zod schema says of a place in a document. */
import type { core } from 'zod';
import type { Path } from './faults';

type Schema = core.$ZodType;

/** Keys that the schema knows for the map at `path`. */
export function keysAt(schema: Schema, path: Path): string[] {
  let here = alternatives(schema);
  for (const part of path) here = here.flatMap((s) => child(s, part)).flatMap(alternatives);
  return [...new Set(here.flatMap((s) => Object.keys(definition(s).shape ?? {})))];
}

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly options?: readonly Schema[];
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly out?: Schema;
  readonly left?: Schema;
  readonly right?: Schema;
  readonly element?: Schema;
  readonly items?: readonly Schema[];
  readonly valueType?: Schema;
  readonly getter?: () => Schema;
}

const definition = (schema: Schema): Definition => schema._zod.def;

/** What stands right behind optional, default, pipe, lazy or union; of others nothing. */
function insideOf(schema: Schema): Schema[] {
  const def = definition(schema);
  return [
    ...(def.options ?? []),
    ...(def.innerType ? [def.innerType] : []),
    ...(def.in && definition(def.in).type !== 'transform' ? [def.in] : []),
    // preprocess: the checked shape is behind the transform
    ...(def.in && def.out && definition(def.in).type === 'transform' ? [def.out] : []),
    ...(def.left && def.right ? [def.left, def.right] : []),
    ...(def.getter ? [def.getter()] : []),
  ];
}

function alternatives(schema: Schema): Schema[] {
  const inside = insideOf(schema);
  return inside.length === 0 ? [schema] : inside.flatMap(alternatives);
}

function child(schema: Schema, part: string | number): Schema[] {
  const def = definition(schema);
  // A document may have keys that every object answers to, as __proto__.
  const own = def.shape !== undefined && Object.hasOwn(def.shape, part) ? def.shape[part] : undefined;
  const found = own ?? def.items?.[Number(part)] ?? def.element ?? def.valueType;
  return found === undefined ? [] : [found];
}

/** Calls back for each value that isn't a map or a list, with all that the schema says may stand there. */
export function eachLeaf(
  schema: Schema,
  value: unknown,
  take: (leaf: unknown, at: Path, schemas: readonly Schema[]) => void,
): void {
  const walk = (here: readonly Schema[], inner: unknown, at: Path): void => {
    if (typeof inner !== 'object' || inner === null) return take(inner, at, here.flatMap(layers));
    const entries: [string | number, unknown][] = Array.isArray(inner) ? [...inner.entries()] : Object.entries(inner);
    const maps = here.flatMap(alternatives);
    for (const [part, next] of entries)
      walk(
        maps.flatMap((s) => child(s, part)),
        next,
        [...at, part],
      );
  };
  walk([schema], value, []);
}

/** A schema with everything that it is made of, down to what can't be opened. */
const layers = (schema: Schema): Schema[] => [schema, ...insideOf(schema).flatMap(layers)];
