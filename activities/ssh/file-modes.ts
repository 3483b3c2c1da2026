/**
 * Who else may read or write a file that the worker relies on, as ssh asks it of keys and of its configuration: who writes
 * the inventory commands the worker, who reads a key is let in everywhere.
 */
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** `secret`: nobody else may read it. `trusted`: nobody else may write it. */
export type Keeping = 'secret' | 'trusted';

/** What stat(2) tells of a file. */
export interface FileState {
  readonly mode: number;
  readonly uid: number;
  isFile(): boolean;
}

export interface ModeFault {
  readonly what: string;
  readonly next: string;
}

const FORBIDDEN: Readonly<Record<Keeping, number>> = { secret: 0o077, trusted: 0o022 };
/** Of root's files a service that isn't root can only read what its group may. */
const FORBIDDEN_OF_ROOT: Readonly<Record<Keeping, number>> = { secret: 0o037, trusted: 0o022 };

/** Undefined if a file is kept as it should be. Pipes and sockets are: they are somebody's who runs this. Pure. */
export function modeFault(path: string, state: FileState, keeping: Keeping, me: number): ModeFault | undefined {
  if (!state.isFile()) return undefined;
  if (state.uid !== 0 && state.uid !== me)
    return {
      what: `${path} belongs to the user with the ID ${state.uid}, who can change it at any time`,
      next: `chown ${me === 0 ? 'root' : `root (or the user with the ID ${me}, who runs this)`} ${path}, once its content is what it should be`,
    };
  const forbidden = (state.uid === 0 && me !== 0 ? FORBIDDEN_OF_ROOT : FORBIDDEN)[keeping];
  if ((state.mode & forbidden) === 0) return undefined;
  const mode = (state.mode & 0o7777).toString(8).padStart(4, '0');
  const allowed = (state.mode & 0o777 & ~forbidden).toString(8).padStart(4, '0');
  return {
    what: `${path} has the mode ${mode}: others than its owner may ${keeping === 'secret' ? 'read' : 'write'} it`,
    next: `chmod ${allowed} ${path}${keeping === 'secret' ? ', and replace the secret if others can have read it' : ', once its content is what it should be'}`,
  };
}

/** Undefined on systems without users' IDs. */
const myself = (): number | undefined => process.geteuid?.();

/** Of a file by its path; undefined if it can't be looked at, which its reader will tell. */
export function keptBadly(path: string, keeping: Keeping): ModeFault | undefined {
  const me = myself();
  if (me === undefined) return undefined;
  try {
    return modeFault(path, statSync(path), keeping, me);
  } catch {
    return undefined;
  }
}

/** Text of a file that holds a secret. Looked at while it is open, so that it is the file that is read. @throws Error */
export async function readKept(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const me = myself();
    const fault = me === undefined ? undefined : modeFault(path, await file.stat(), 'secret', me);
    if (fault !== undefined) throw new Error(`${fault.what}, so it isn’t used. Next: ${fault.next}`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
