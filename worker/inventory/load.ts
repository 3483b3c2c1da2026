import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expandHome } from '../../activities/ssh/secrets';
import { keptBadly, type ModeFault } from '../../activities/ssh/file-modes';
import { parseSource, type SourceDocument } from './document';
import { durationFaults } from './durations';
import { InventoryError, formatPath, type InventoryFault, type Path } from './faults';
import { referenceFaults } from './references';
import { inventorySchema, type Inventory } from './schema';
import { schemaFaults } from './schema-faults';
import { secretFaults, secretFiles } from './secrets';
import { knownHostsFiles, sharingFaults } from './sharing';
import type { ReadKnownHosts } from '../shared-nodes';
import { textOf } from './text';

/** Where the inventory is looked for when nobody says. */
export const DEFAULT_INVENTORY = '/etc/hitless/inventory.yaml';

/** The file that counts: what was said on the command line, else HITLESS_INVENTORY, else the default. */
export function inventoryPath(said?: string, env: NodeJS.ProcessEnv = process.env): string {
  const path = said ?? (env['HITLESS_INVENTORY'] || DEFAULT_INVENTORY);
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

/**
 * Reads and checks the inventory, and who else may write it or read the files of secrets that it names; every start reads it
 * anew. @throws InventoryError with every fault in one message.
 */
export function loadInventory(path: string = inventoryPath()): Inventory {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const what = code === 'ENOENT' ? 'there is no such file' : `it can't be read: ${(error as Error).message}`;
    throw new InventoryError(path, [
      {
        path: '',
        what,
        next: 'name the file (hitless inventory validate FILE, --inventory FILE of other commands, or HITLESS_INVENTORY); docs/inventory.example.yaml is one to start from',
      },
    ]);
  }
  const text = textOf(bytes);
  if (typeof text !== 'string') throw new InventoryError(path, [text]);
  const badly = keptBadly(path, 'trusted');
  return parse(text, path, { file: badly, keptBadly, knownHosts: knownHostsFiles() });
}

/** What the machine tells besides the text. */
interface Surroundings {
  readonly file?: ModeFault | undefined;
  readonly keptBadly?: typeof keptBadly;
  readonly knownHosts?: ReadKnownHosts;
}

/**
 * Checks the text of an inventory alone, without a look at any file. `name` is used in messages only.
 * @throws InventoryError with every fault.
 */
export const parseInventory = (text: string, name = 'inventory'): Inventory => parse(text, name, {});

function parse(text: string, name: string, around: Surroundings): Inventory {
  const known: InventoryFault[] = around.file === undefined ? [] : [{ path: '', ...around.file }];
  // A mark of the byte order may have come through a pipe.
  const source = parseSource(text.replace(/^\uFEFF/, ''));
  if (!source.usable) throw new InventoryError(name, [...known, ...source.faults]);
  if (source.value === null) throw new InventoryError(name, [...known, { path: '', what: 'is empty' }]);
  const parsed = inventorySchema.safeParse(source.value);
  const faults = collect(
    known,
    source.faults,
    secretFaults(source),
    referenceFaults(source.value).map((f) => located(source, f)),
    durationFaults(source.value, inventorySchema).map((f) => located(source, f)),
    parsed.success ? [] : schemaFaults(parsed.error.issues, inventorySchema, source),
    secretFiles(source.value).flatMap(({ at, file }) => {
      const badly = around.keptBadly?.(expandHome(file), 'secret');
      return badly === undefined ? [] : [located(source, { at, ...badly })];
    }),
    // Once all names and addresses are known to be some.
    parsed.success ? sharingFaults(parsed.data, around.knownHosts).map((f) => located(source, f)) : [],
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
