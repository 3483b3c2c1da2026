/** A watch that holds its slot: probes in loops, and what is beside them, until there is something to report. */
import { checkEscape, lookAtOwned, ownedEveryMs, reseed } from './looks';
import type { ProbesReport } from './machine';
import { runProbes } from './runner';
import { pause, repeat } from './timing';
import { endReport, type Watch } from './watch';

const TICK_MS = 1_000;
/** How long what is in flight may take to end when the watch returns. */
const CLOSING_MS = 5_000;

export async function denseWatch(watch: Watch): Promise<ProbesReport> {
  const { plan, services, context, machine, signal, call } = watch;
  const { monitoring } = plan;
  const over = new AbortController();
  let settle: (report: ProbesReport | undefined) => void = () => undefined;
  const settled = new Promise<ProbesReport | undefined>((resolve) => (settle = resolve));
  let isOver = false;
  const decide = (): void => {
    if (isOver) return;
    const report = machine.decide(watch.now());
    if (report === undefined) return;
    isOver = true;
    settle(report);
  };
  const onCut = (): void => {
    isOver = true;
    settle(undefined);
  };
  if (signal.aborted) onCut();
  else signal.addEventListener('abort', onCut, { once: true });
  const ticks = setInterval(() => {
    decide();
    if (!isOver) watch.beat(watch.now(), {});
  }, TICK_MS);

  const running = Promise.all([
    runProbes({
      services,
      context,
      probes: monitoring.probes,
      watched: call.input,
      ...(call.input.baseline === undefined ? {} : { baseline: call.input.baseline.values }),
      rounds: 0,
      emit: (name, measurement) => {
        if (isOver) return;
        machine.measured(name, measurement, watch.now());
        decide();
      },
      signal: over.signal,
    }),
    repeat(monitoring.escapeEveryMs, over.signal, async () => {
      const readiness = await checkEscape(watch, over.signal);
      if (readiness === undefined || isOver) return;
      machine.escapeChecked(readiness, watch.now());
      decide();
    }),
    services.owned === undefined
      ? undefined
      : repeat(ownedEveryMs(monitoring.escapeEveryMs), over.signal, async () => {
          const owned = await lookAtOwned(watch, over.signal);
          if (owned === undefined || isOver) return;
          machine.ownedChecked(owned, watch.now());
          decide();
        }),
    // Nothing is to be copied before traffic has moved, which waits for a first look.
    monitoring.reseedEveryMs === 'never' || call.firstLook === true
      ? undefined
      : repeat(monitoring.reseedEveryMs, over.signal, async () => {
          const failure = await reseed(watch, over.signal);
          if (failure === 'nothing to do' || isOver) return;
          machine.reseeded(failure, watch.now());
          decide();
        }),
  ]);
  try {
    // A fault of our own in a loop must fail the attempt, not leave it blind.
    const report = await Promise.race([settled, running.then(() => settled)]);
    return report ?? endReport(watch, watch.now(), {});
  } finally {
    clearInterval(ticks);
    signal.removeEventListener('abort', onCut);
    isOver = true;
    over.abort(new Error('the watch has ended'));
    await Promise.race([running.catch(() => undefined), pause(CLOSING_MS, new AbortController().signal)]);
  }
}
