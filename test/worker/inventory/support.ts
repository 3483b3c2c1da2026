import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { InventoryError, parseInventory, type InventoryFault } from '../../../worker/inventory';

/** The example of an inventory as plain values, to be changed and written again. */
export const example = (name = 'inventory.example.yaml'): Tree =>
  parse(readFileSync(join(__dirname, '../../../docs', name), 'utf8')) as Tree;

export interface Tree {
  [key: string]: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- a document under test
}

export const written = (tree: Tree): string => stringify(tree, { aliasDuplicateObjects: false });

/** What `work` refuses, as faults. */
export function faultsOf(work: () => unknown): readonly InventoryFault[] {
  try {
    work();
    return [];
  } catch (error) {
    if (error instanceof InventoryError) return error.faults;
    throw error;
  }
}

export const faultsIn = (text: string): readonly InventoryFault[] => faultsOf(() => parseInventory(text));
