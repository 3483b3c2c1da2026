/** Runs the probes of a plan, each on its own schedule, and hands on one measurement per round. */
import { setMaxListeners } from 'node:events';
import { messageOf, workerClock, type StepContext } from '../kit';
import { classifyHttp, classifyTcp } from './classify';
import { runHostLoop } from './host-loop';
import { httpFromWorker, tcpFromWorker } from './local';
import type { LoopedProbe } from './loop-script';
import { prometheusProbe } from './prometheus';
import type { ProbeServices, Watched } from './services';
import { probeHost, scheduleOf, type MonitoringPlan, type ProbeSpec } from './spec';
import { pause, within } from './timing';
import type { Measurement, Rule } from './verdict';

export interface RunOptions {
  readonly services: ProbeServices;
  readonly context: StepContext<MonitoringPlan>;
  readonly probes: readonly ProbeSpec[];
  readonly watched?: Watched;
  /** Numbers that relative bounds compare with, by probe. */
  readonly baseline?: Readonly<Record<string, number>>;
  /** These rounds make the baseline: there is nothing to compare with yet. */
  readonly isBaseline?: boolean;
  /** 0: until aborted. */
  readonly rounds: number;
  readonly emit: (name: string, measurement: Measurement) => void;
  readonly signal: AbortSignal;
}

/** A fail that its probe is certain of is looked at once more after this long: it may have fallen into the middle of a change. */
const CONFIRM_MS = 1_000;
/** Rounds on demand don't keep to intervals of minutes. */
const DEMANDED_INTERVAL_MS = 1_000;

export const rulesOf = (plan: MonitoringPlan, probes: readonly ProbeSpec[] = plan.monitoring.probes): Rule[] =>
  probes.map((probe) => ({ name: probe.name, ...scheduleOf(probe, plan.monitoring) }));

/** The same context under a signal of its own, which also ends the commands that were begun on hosts. */
export const limitedContext = (
  context: StepContext<MonitoringPlan>,
  services: ProbeServices,
  signal: AbortSignal,
): StepContext<MonitoringPlan> => ({
  ...context,
  signal,
  host: (name) => services.connect(context.plan, name, signal),
  pause: async (ms) => {
    await pause(ms, signal);
    signal.throwIfAborted();
  },
});

/** Settles when all rounds are done or the signal is aborted; never rejects for what a probe found or couldn't find. */
export async function runProbes(options: RunOptions): Promise<void> {
  const { services, context, probes, rounds, emit, signal } = options;
  const { plan } = context;
  // One listener per probe and wait; Node takes more than ten for a leak.
  setMaxListeners(0, signal);
  const paced = probes.map((probe) => {
    const { intervalMs, timeoutMs } = scheduleOf(probe, plan.monitoring);
    return { ...probe, timeoutMs, intervalMs: rounds === 0 ? intervalMs : Math.min(intervalMs, DEMANDED_INTERVAL_MS) };
  });
  const byHost = new Map<string, LoopedProbe[]>();
  const own: (typeof paced)[number][] = [];
  for (const probe of paced) {
    const host = probeHost(probe);
    if (host === undefined || !isLooped(probe)) own.push(probe);
    else byHost.set(host, [...(byHost.get(host) ?? []), probe]);
  }
  await Promise.all([
    ...[...byHost].map(([host, hostProbes]) =>
      runHostLoop({
        host,
        probes: hostProbes,
        rounds,
        baseline: options.baseline ?? {},
        isBaseline: options.isBaseline ?? false,
        open: (argv, onLine, opening) => services.openLines(plan, host, argv, onLine, opening),
        emit,
        signal,
        clock: services.clock ?? workerClock,
      }),
    ),
    ...own.map((probe, index) =>
      periodic(probe, Math.min(Math.floor((index * 1_000) / own.length), probe.intervalMs), options),
    ),
  ]);
}

const isLooped = (probe: ProbeSpec): probe is LoopedProbe =>
  probe.kind === 'tcp' || probe.kind === 'http' || probe.kind === 'command';

type Paced = ProbeSpec & { readonly intervalMs: number; readonly timeoutMs: number };

/** Rounds keep their phase, whatever the worker's clock does; one that takes too long is inconclusive and given up. */
async function periodic(probe: Paced, startAfterMs: number, options: RunOptions): Promise<void> {
  const { rounds, emit, signal } = options;
  const { monotonicMs } = options.services.clock ?? workerClock;
  // Sockets and requests keep the limit themselves and say more about it.
  const limitMs = probe.timeoutMs + Math.min(200, probe.timeoutMs);
  const look = async (): Promise<Measurement> => {
    try {
      return await within(limitMs, signal, (limit) => once(probe, options, limit));
    } catch (error) {
      return { verdict: 'inconclusive', why: messageOf(error) };
    }
  };
  let next = monotonicMs() + (rounds === 0 ? startAfterMs : 0);
  for (let round = 0; rounds === 0 || round < rounds; round++) {
    await pause(Math.max(0, next - monotonicMs()), signal);
    if (signal.aborted) return;
    let measurement = await look();
    if (measurement.certain === true) {
      await pause(CONFIRM_MS, signal);
      const again = signal.aborted ? measurement : await look();
      const { certain: _unconfirmed, ...doubtful } = measurement;
      measurement = again.verdict === 'inconclusive' ? doubtful : again;
    }
    if (signal.aborted) return;
    emit(probe.name, measurement);
    next = Math.max(next + probe.intervalMs, monotonicMs());
  }
}

async function once(probe: Paced, options: RunOptions, signal: AbortSignal): Promise<Measurement> {
  const { services, context, isBaseline = false } = options;
  const { timeoutMs } = probe;
  const asked = limitedContext(context, services, signal);
  switch (probe.kind) {
    case 'tcp':
      return classifyTcp(probe, await tcpFromWorker(probe.to, probe.control, { timeoutMs, signal }));
    case 'http':
      return classifyHttp(probe, await httpFromWorker(probe, { timeoutMs, signal }));
    case 'prometheus':
      return prometheusProbe(probe, options.baseline?.[probe.name], { isBaseline, timeoutMs, signal });
    case 'bgp':
      return services.bgp === undefined
        ? { verdict: 'inconclusive', why: 'a cluster of this kind has no BGP sessions to ask for' }
        : services.bgp(asked, probe);
    case 'state-sync':
      return services.stateSync === undefined
        ? { verdict: 'inconclusive', why: 'a cluster of this kind has no session state to compare' }
        : services.stateSync(asked, probe, options.watched);
    case 'command':
      return { verdict: 'inconclusive', why: 'commands run on hosts only' };
  }
}
