/**
 * All probes of one host over one channel, for as long as the signal isn't aborted: opens the loop, hands on what it says,
 * opens it again when it is lost. While there are no lines every probe gets an inconclusive result per interval, with why.
 */
import { messageOf, workerClock, type Clock } from '../kit';
import { classifyCommand, classifyHttp, classifyTcp } from './classify';
import {
  ALIVE_EVERY_MS,
  commandOutcome,
  httpOutcome,
  loopScript,
  parseLine,
  tcpOutcome,
  type LoopedProbe,
} from './loop-script';
import type { LineProcess } from './services';
import { pause, whenAborted } from './timing';
import type { Measurement } from './verdict';

export interface HostLoop {
  readonly host: string;
  readonly probes: readonly LoopedProbe[];
  /** 0: until aborted. */
  readonly rounds: number;
  readonly baseline: Readonly<Record<string, number>>;
  readonly isBaseline: boolean;
  readonly open: (argv: readonly string[], onLine: (line: string) => void, signal: AbortSignal) => Promise<LineProcess>;
  readonly emit: (name: string, measurement: Measurement) => void;
  readonly signal: AbortSignal;
  /** The worker's if left out. */
  readonly clock?: Clock;
}

const REOPEN_FIRST_MS = 1_000;
const REOPEN_MAX_MS = 15_000;
/** A round may be late by this much on a busy host before it counts as missing. */
const LATE_MS = 500;
/** Silence, beyond the slowest round, after which the channel is taken for dead and opened anew. */
const SILENCE_MS = 10_000;

/** What a line of the loop means for the probe that it is about; undefined for noise. */
export function measurementOf(
  line: string,
  { probes, baseline, isBaseline }: Pick<HostLoop, 'probes' | 'baseline' | 'isBaseline'>,
): { readonly name: string; readonly measurement: Measurement } | undefined {
  const parsed = parseLine(line);
  if (parsed?.type !== 'round') return undefined;
  const probe = probes[parsed.index];
  if (probe === undefined) return undefined;
  const measurement = ((): Measurement | undefined => {
    switch (probe.kind) {
      case 'tcp': {
        const seen = tcpOutcome(parsed.ms, parsed.fields);
        return seen && classifyTcp(probe, seen);
      }
      case 'http': {
        const seen = httpOutcome(parsed.ms, parsed.fields);
        return seen && classifyHttp(probe, seen);
      }
      case 'command': {
        const seen = commandOutcome(parsed.ms, parsed.fields);
        return seen && classifyCommand(probe, seen, baseline[probe.name], { isBaseline });
      }
    }
  })();
  return measurement === undefined ? undefined : { name: probe.name, measurement };
}

export async function runHostLoop(loop: HostLoop): Promise<void> {
  const { host, probes, rounds, emit, signal } = loop;
  const { monotonicMs } = loop.clock ?? workerClock;
  const heardAt = probes.map(monotonicMs);
  const left = probes.map(() => (rounds === 0 ? Infinity : rounds));
  let trouble = `${host}: connecting`;

  const missing = probes.map((probe, index) =>
    setInterval(() => {
      const silentMs = monotonicMs() - (heardAt[index] ?? 0);
      if (silentMs > probe.intervalMs + probe.timeoutMs + LATE_MS && (left[index] ?? 0) > 0)
        emit(probe.name, { verdict: 'inconclusive', why: trouble });
    }, probe.intervalMs),
  );

  let wait = REOPEN_FIRST_MS;
  try {
    while (!signal.aborted) {
      const session = new AbortController();
      const stop = (): void => session.abort();
      signal.addEventListener('abort', stop, { once: true });
      let fault: string | undefined;
      let lastLineAt = monotonicMs();
      const onLine = (line: string): void => {
        lastLineAt = monotonicMs();
        const parsed = parseLine(line);
        if (parsed?.type === 'fault') fault = parsed.why;
        if (parsed?.type !== 'round') return;
        wait = REOPEN_FIRST_MS;
        trouble = `${host}: no line from the probe’s loop`;
        const found = measurementOf(line, loop);
        if (found === undefined || signal.aborted) return;
        heardAt[parsed.index] = lastLineAt;
        if ((left[parsed.index] = (left[parsed.index] ?? 0) - 1) < 0) return;
        emit(found.name, found.measurement);
      };
      try {
        const process = await loop.open(
          ['bash', '-c', loopScript(probes, rounds), 'hitless-probes'],
          onLine,
          session.signal,
        );
        const silence = SILENCE_MS + Math.min(...probes.map((p) => 3 * p.intervalMs + p.timeoutMs));
        const alive = setInterval(() => {
          if (monotonicMs() - lastLineAt > silence) process.close();
          else process.write('\n');
        }, ALIVE_EVERY_MS);
        const aborted = whenAborted(signal);
        try {
          const why = await Promise.race([process.ended, aborted.promise]);
          if (why !== undefined) trouble = `${host}: ${fault ?? `the probes’ loop was lost, ${why}`}`;
        } finally {
          aborted.forget();
          clearInterval(alive);
          process.close();
        }
      } catch (error) {
        trouble = `${host}: ${fault ?? messageOf(error)}`;
      } finally {
        signal.removeEventListener('abort', stop);
        session.abort();
      }
      if (signal.aborted || left.every((n) => n <= 0)) return;
      if (rounds > 0) {
        // Rounds on demand aren't begun again: what is missing is missing, and said.
        for (const [index, probe] of probes.entries())
          for (let n = left[index] ?? 0; n > 0; n--) emit(probe.name, { verdict: 'inconclusive', why: trouble });
        return;
      }
      // Said at once, not only when the next round is missing.
      for (const probe of probes) emit(probe.name, { verdict: 'inconclusive', why: trouble });
      await pause(wait, signal);
      wait = Math.min(wait * 2, REOPEN_MAX_MS);
    }
  } finally {
    missing.forEach(clearInterval);
  }
}
