/**
 * What some work costs the process that it runs in. Milliseconds of the loop's delay hold the machine's other work, too; beside
 * them stand the longest turn in processor time of this thread (Linux), and the delay of a process that does nothing meanwhile.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

const RESOLUTION_MS = 5;
const ms = (ns: number): number => Math.round(ns / 1e5) / 10;
const figuresOf = (delay: IntervalHistogram) => ({ p99: ms(delay.percentile(99)), max: ms(delay.max) });

/** Nanoseconds of processor time of the thread that runs JavaScript. */
const threadNs = (): number => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]);

export async function measured<T>(work: () => Promise<T>) {
  const idle = fork(__filename, [], { execArgv: process.execArgv, env: { ...process.env, MEASURES_IDLE: '1' } });
  await once(idle, 'message');
  const before = process.memoryUsage.rss();
  let largest = before;
  const look = setInterval(() => (largest = Math.max(largest, process.memoryUsage.rss())), 10);
  const turns: number[] = [];
  let last = threadNs();
  let isOver = false;
  const turn = (): void => {
    const now = threadNs();
    turns.push(now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const said = await work();
  const wallMs = Math.round(performance.now() - began);
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  isOver = true;
  clearInterval(look);
  idle.send('over');
  const [idleLoopDelayMs] = (await once(idle, 'message')) as [unknown];
  turns.sort((a, b) => a - b);
  return {
    said,
    wallMs,
    cpuMs: Math.round((user + system) / 1e3),
    loopDelayMs: figuresOf(delay),
    idleLoopDelayMs,
    turnCpuMs: {
      p99: ms(turns[Math.floor(turns.length * 0.99)] ?? 0),
      max: ms(turns.at(-1) ?? 0),
      turns: turns.length,
    },
    rssMiB: { before: Math.round(before / 1048576), largest: Math.round(largest / 1048576) },
  };
}

if (process.env['MEASURES_IDLE'] !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.send?.('ready');
  process.once('message', () => {
    process.send?.(figuresOf(delay));
    process.disconnect();
  });
}
