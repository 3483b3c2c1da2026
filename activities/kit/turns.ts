/**
 * The event loop's turns, shared by all that reads much: so much is read in one turn, whoever reads it, and the rest waits for
 * the next ones in the order in which it came. Twenty large answers at once hold the loop no longer than one.
 */

/** Parsing costs 10–30 ns a byte, so some milliseconds of processor time. */
export const TURN_BYTES = 64 * 1024;
/** So many readers go on with a turn: what each of them gets is no more than what its socket reads at once. */
const READERS_A_TURN = 2;

let spent = 0;
let isScheduled = false;
const waiting: (() => void)[] = [];

function turn(): void {
  spent = 0;
  isScheduled = false;
  for (const go of waiting.splice(0, READERS_A_TURN)) go();
  if (waiting.length > 0) schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(turn);
}

/**
 * Charges this turn with what was just read, in bytes or in what costs as much. Undefined while there is room for more; else
 * nothing more may be read before the promise has resolved.
 */
export function spend(bytes: number): Promise<void> | undefined {
  spent += bytes;
  schedule();
  if (spent < TURN_BYTES && waiting.length === 0) return undefined;
  return new Promise((resolve) => waiting.push(resolve));
}
