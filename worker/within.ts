/** Thrown when something took too long; it may still go on. */
export class TooLong extends Error {
  override readonly name = 'TooLong';
}

/** Waits for `work`, but no longer than so. `what` begins the error's message: "the replay came to no end". */
export async function within<T>(limitMs: number, work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooLong(`${what} within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
