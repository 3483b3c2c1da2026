/** From the bytes of a file to text: an inventory is UTF-8, and what isn't is told as what it is. Pure. */
import type { InventoryFault } from './faults';

/** The longest that makes sense: thousands of clusters. */
const SIZE_LIMIT_BYTES = 8 * 1024 * 1024;
const SAVE_AS = 'save it as UTF-8';

/** Text without a mark of its byte order, or what is wrong. */
export function textOf(bytes: Uint8Array): string | InventoryFault {
  if (bytes.length > SIZE_LIMIT_BYTES)
    return { path: '', what: `has ${bytes.length} bytes; ${SIZE_LIMIT_BYTES} are the most` };
  const [first, second] = bytes;
  // Marks of the byte order, or, without them, the zeros that most of its characters have.
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return { path: '', what: 'is written in UTF-16', next: SAVE_AS };
  if (bytes.includes(0)) return { path: '', what: 'holds zero bytes: it is UTF-16, or no text at all', next: SAVE_AS };
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { path: '', what: 'is no UTF-8 text', next: SAVE_AS };
  }
}
