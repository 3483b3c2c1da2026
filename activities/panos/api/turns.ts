/** Limits how many pieces of work run at once. Nothing here knows PAN-OS. */

/** Runs work when it is its turn. One that is cut while it waits rejects with the signal’s reason, and gives its place up. */
export type InTurn = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

export function takingTurns(atOnce: number): InTurn {
  let running = 0;
  const waiting: (() => void)[] = [];
  const turn = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', cut);
        resolve();
      };
      const cut = (): void => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', cut, { once: true });
      waiting.push(go);
    });
  return async (signal, work) => {
    signal.throwIfAborted();
    if (running < atOnce) running++;
    else await turn(signal);
    try {
      return await work();
    } finally {
      // The place goes to the next one, so that nobody slips in between.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
