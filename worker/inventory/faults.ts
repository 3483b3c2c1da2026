/** Names and indices from the root of the file to a value. */
export type Path = readonly (string | number)[];

/** One thing wrong in the inventory: where (line and column count from 1), what, and what to do about it. */
export interface InventoryFault {
  readonly path: string;
  readonly line?: number;
  readonly column?: number;
  readonly what: string;
  readonly next?: string;
}

/** `clusters.fw-dc1.nodes.fw1`, with brackets where a name holds more than letters, digits, `_` and `-`. */
export const formatPath = (path: Path): string =>
  path
    .map((part, i) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[\w-]+$/.test(part)) return `[${visible(JSON.stringify(part))}]`;
      return i === 0 ? part : `.${part}`;
    })
    .join('');

/** What can't be seen, or turns the direction of the rest of the line, as its code. */
const visible = (text: string): string =>
  text.replace(
    /[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu,
    (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
  );

export const formatFault = (fault: InventoryFault): string => {
  const position = fault.line === undefined ? '' : `line ${fault.line}, column ${fault.column ?? 1}: `;
  const where = fault.path === '' ? '' : `${fault.path}: `;
  return `${position}${where}${fault.what}${fault.next === undefined ? '' : ` → ${fault.next}`}`;
};

/** The inventory can't be used. The message lists every fault; nothing has been started or touched. */
export class InventoryError extends Error {
  override readonly name = 'InventoryError';
  constructor(
    /** File as it was named, for messages. */
    readonly file: string,
    readonly faults: readonly InventoryFault[],
  ) {
    super(
      `the inventory ${file} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}; nothing was started:\n` +
        faults.map((f) => `- ${formatFault(f)}`).join('\n'),
    );
  }
}
