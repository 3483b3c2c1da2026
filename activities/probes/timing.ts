/** Waiting that ends when it is told to. */
import { formatDuration } from '../kit/duration';

/** Ends early, without throwing, when aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}

/** `promise` settles at the abort; `forget` when it is no longer wanted. */
export function whenAborted(signal: AbortSignal): { promise: Promise<undefined>; forget: () => void } {
  let settle: () => void = () => undefined;
  const promise = new Promise<undefined>((resolve) => (settle = () => resolve(undefined)));
  if (signal.aborted) settle();
  else signal.addEventListener('abort', settle, { once: true });
  return { promise, forget: () => signal.removeEventListener('abort', settle) };
}

/** At once, then again and again with `everyMs` in between, until aborted. `work` mustn't throw. */
export async function repeat(everyMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work();
    await pause(everyMs, signal);
  }
}

/** Work with a time limit of its own. Whoever doesn't heed the signal is left behind. */
export async function within<T>(
  limitMs: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const stop = (): void => limit.abort(outer.reason);
  if (outer.aborted) stop();
  else outer.addEventListener('abort', stop, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no result within ${formatDuration(limitMs)}`);
      limit.abort(error);
      reject(error);
    }, limitMs);
  });
  try {
    return await Promise.race([work(limit.signal), late]);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', stop);
  }
}
