import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseSource, type SourceDocument } from './document';
import { InventoryError, formatPath, type InventoryFault, type Path } from './faults';
import { referenceFaults } from './references';
import { inventorySchema, type Inventory } from './schema';
import { schemaFaults } from './schema-faults';
import { secretFaults } from './secrets';

/** Where the inventory is looked for when nobody says. */
export const DEFAULT_INVENTORY = '/etc/hitless/inventory.yaml';

/** The file that counts: what was said on the command line, else HITLESS_INVENTORY, else the default. */
export function inventoryPath(said?: string, env: NodeJS.ProcessEnv = process.env): string {
  const path = said ?? (env['HITLESS_INVENTORY'] || DEFAULT_INVENTORY);
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

/** Reads and checks the inventory; every start reads it anew. @throws InventoryError with every fault in one message. */
export function loadInventory(path: string = inventoryPath()): Inventory {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const what = code === 'ENOENT' ? 'there is no such file' : `it can't be read: ${(error as Error).message}`;
    throw new InventoryError(path, [
      {
        path: '',
        what,
        next: 'name the file by --inventory or HITLESS_INVENTORY; docs/inventory.example.yaml is one to start from',
      },
    ]);
  }
  return parseInventory(text, path);
}

/** Checks the text of an inventory. `name` is used in messages only. @throws InventoryError with every fault. */
export function parseInventory(text: string, name = 'inventory'): Inventory {
  const source = parseSource(text);
  if (!source.usable) throw new InventoryError(name, source.faults);
  if (source.value === null) throw new InventoryError(name, [{ path: '', what: 'is empty' }]);
  const parsed = inventorySchema.safeParse(source.value);
  const faults = collect(
    source.faults,
    secretFaults(source),
    referenceFaults(source.value).map((f) => located(source, f)),
    parsed.success ? [] : schemaFaults(parsed.error.issues, inventorySchema, source),
  );
  if (faults.length > 0 || !parsed.success) throw new InventoryError(name, faults);
  return parsed.data;
}

const located = (
  source: SourceDocument,
  { at, of, what, next }: { at: Path; of?: 'key'; what: string; next?: string },
): InventoryFault => ({
  path: formatPath(at),
  ...source.positionOf(at, of),
  what,
  ...(next !== undefined && { next }),
});

/** In the order of the file. Of several looks at one place the first to find a fault there speaks; within a look, all do. */
function collect(...looks: (readonly InventoryFault[])[]): InventoryFault[] {
  const faults: InventoryFault[] = [];
  for (const look of looks) {
    const places = new Set(faults.map((f) => f.path));
    faults.push(...look.filter((f) => f.path === '' || !places.has(f.path)));
  }
  const order = (f: InventoryFault): number => (f.line ?? 0) * 10_000 + (f.column ?? 0);
  return faults.sort((a, b) => order(a) - order(b));
}
