/**
 * Preloaded into `hitless worker` by the kill matrix (kill-matrix.ts): the worker kills itself, as a crash would, once at each
 * boundary of each step: before its first activity does anything, and after its last one has done everything, with the result
 * unreported. What it died of is in the file HITLESS_KILLS, so that the next worker gets past it.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { Worker, type ActivityExecuteInput, type ActivityInterceptorsFactory } from '@temporalio/worker';

const file = process.env['HITLESS_KILLS'];

/** Whoever comes again to a boundary that a worker died at gets past it. */
function die(boundary: string): void {
  if (file === undefined || readFileSync(file, 'utf8').split('\n').includes(boundary)) return;
  appendFileSync(file, `${boundary}\n`);
  process.kill(process.pid, 'SIGKILL');
}

/** A step begins with observe and ends with act; a check is both. */
const BEGINS = /\.(observe|check)$/;
const ENDS = /\.(act|check)$/;

const dying: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    async execute(input: ActivityExecuteInput, next) {
      const { step } = (input.args[0] ?? {}) as { readonly step?: string };
      const isOfStep = step !== undefined && !info.isLocal;
      if (isOfStep && BEGINS.test(info.activityType)) die(`before ${step}`);
      const result: unknown = await next(input);
      if (isOfStep && ENDS.test(info.activityType)) die(`after ${step}`);
      return result;
    },
  },
});

const create = Worker.create.bind(Worker);
Worker.create = (options) =>
  create({
    ...options,
    interceptors: { ...options.interceptors, activity: [...(options.interceptors?.activity ?? []), dying] },
  });
