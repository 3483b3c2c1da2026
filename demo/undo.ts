/** What was started is ended in reverse order, whatever happens; one failure doesn't keep the rest. */
export class Undo {
  private readonly steps: { readonly what: string; readonly run: () => Promise<void> }[] = [];
  private done: Promise<void> | undefined;

  later(what: string, run: () => Promise<void>): void {
    this.steps.push({ what, run });
  }

  /** As Promise.all, but waits for all of them: what still starts must be known before anything is ended. */
  async all<A, B>(work: readonly [Promise<A>, Promise<B>]): Promise<[A, B]> {
    const results = await Promise.allSettled(work);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return results.map((r) => (r.status === 'fulfilled' ? r.value : undefined)) as [A, B];
  }

  run(say: (text: string) => void): Promise<void> {
    return (this.done ??= this.ended(say));
  }

  private async ended(say: (text: string) => void): Promise<void> {
    for (const { what, run } of this.steps.reverse()) {
      await run().catch((error: unknown) => {
        if (what !== 'traffic')
          say(`${what} could not be ended: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
  }
}
