/**
 * Preloaded into `hitless worker` (links.lab.test.ts): the worker kills itself, as a crash would, before it does the first
 * activity of the type HITLESS_DIE_BEFORE.
 */
import { Worker, type ActivityExecuteInput, type ActivityInterceptorsFactory } from '@temporalio/worker';

const type = process.env['HITLESS_DIE_BEFORE'];

const dying: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    execute(input: ActivityExecuteInput, next) {
      if (info.activityType === type) process.kill(process.pid, 'SIGKILL');
      return next(input);
    },
  },
});

const create = Worker.create.bind(Worker);
Worker.create = (options) =>
  create({
    ...options,
    interceptors: { ...options.interceptors, activity: [...(options.interceptors?.activity ?? []), dying] },
  });
