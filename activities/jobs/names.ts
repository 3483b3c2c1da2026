import { createHash } from 'node:crypto';

/**
 * Eight hexadecimal digits that name a run on hosts: the last ones of its ID. (The first ones are a clock in newer IDs:
 * runs that start together would share them.)
 */
export const runTag = (runId: string): string =>
  /[0-9a-f]{8}$/.exec(runId)?.[0] ?? createHash('sha256').update(runId).digest('hex').slice(0, 8);

/** Name of the systemd unit of a job, without `.service`. */
export const unitName = (runId: string, job: string): string => `hitless-${runTag(runId)}-${job}`;

/** Output of all jobs of one unit, oldest first. Left on the host for people. */
export const LOG_DIRECTORY = '/var/log/hitless';
export const logPath = (unit: string): string => `${LOG_DIRECTORY}/${unit}.log`;
