import { readFileSync, writeFileSync } from 'node:fs';
import type { Progress } from './command';

/**
 * Each booted systemd takes about five inotify instances, and the kernel's default allows root 128 on the whole machine: with
 * some twenty hosts units fail with "Too many open files". So the limit is raised while labs are up.
 */
const path = '/proc/sys/fs/inotify/max_user_instances';
const enough = 1024;

/** What the limit was before the first of the labs that are up raised it. */
export interface RaisedLimit {
  before: number;
}

const read = (): number => Number(readFileSync(path, 'utf8'));

/** `others`: what the labs that are already up have recorded. Undefined if the machine's own limit is high enough. */
export function raiseLimit(others: readonly (RaisedLimit | undefined)[], progress: Progress): RaisedLimit | undefined {
  const raised = others.find((limit) => limit !== undefined);
  if (raised !== undefined) return raised;
  const before = read();
  if (before >= enough) return undefined;
  progress(`Raising fs.inotify.max_user_instances from ${before} to ${enough} while the lab is up`);
  writeFileSync(path, String(enough));
  return { before };
}

/** For the last lab that goes down. A limit that somebody has changed meanwhile stays. */
export function restoreLimit(raised: RaisedLimit | undefined): void {
  if (raised !== undefined && read() === enough) writeFileSync(path, String(raised.before));
}
