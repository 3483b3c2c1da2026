/**
 * Where a job stands, read from systemd and from the note that its start left, and what follows: pure.
 */
import { constants } from 'node:os';
import { UnexpectedOutput } from '../kit/answer';

/** What the host tells of a unit. */
export interface JobState {
  readonly unit: 'absent' | 'running' | 'ended';
  /** Exit code, of a unit that ended; 128 + signal for one that was killed. */
  readonly code?: number;
  readonly signal?: string;
  /** systemd's word: success, exit-code, timeout, signal, oom-kill, … */
  readonly result: string;
  readonly bootId: string;
  /** Bytes of the log. */
  readonly logBytes: number;
  /** Last line of the log. */
  readonly lastLine: string;
  /** Left by the start: whose job the unit is. */
  readonly note?: {
    readonly call: string;
    readonly bootId: string;
    /** Where in the log its output begins. */
    readonly offset: number;
    readonly phase: 'starting' | 'started';
  };
}

/** What to do next for the job of `call`. */
export type JobMove =
  /** Nothing runs, nothing is known: start it. */
  | 'start'
  /** Our job runs: wait for its end. */
  | 'await'
  /** Our job has ended: here is its result. */
  | 'result'
  /** The unit of an earlier call has ended: put it away, then start. */
  | 'clear'
  /** The unit of another call runs: wait, then let the guard be checked again. */
  | 'foreign'
  /** Our job was started, and its unit is gone with its result: the host rebooted, or somebody removed it. */
  | 'lost';

export function nextMove(state: JobState, call: string): JobMove {
  const ours = state.note?.call === call;
  if (state.unit === 'running') return ours ? 'await' : 'foreign';
  if (state.unit === 'ended') return ours ? 'result' : 'clear';
  if (state.note === undefined || !ours) return 'start';
  // Noted but never said to be started: in the same boot a unit doesn't vanish, so it never was. Across a boot nobody
  // knows, and "lost" makes the caller look.
  const neverStarted = state.note.phase === 'starting' && state.note.bootId === state.bootId;
  return neverStarted ? 'start' : 'lost';
}

/** Reads what the verb `state` of the host script prints. @throws UnexpectedOutput */
export function parseState(text: string): JobState {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1));
  }
  const field = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined) throw new UnexpectedOutput(`no ${name} in ${JSON.stringify(text.slice(0, 200))}`);
    return value;
  };
  const number = (name: string): number => {
    const value = field(name);
    if (!/^\d{1,15}$/.test(value)) throw new UnexpectedOutput(`${name}=${value.slice(0, 200)} is no number`);
    return Number(value);
  };
  const active = field('ActiveState');
  const running = ['activating', 'deactivating', 'reloading'].includes(active) || field('SubState') === 'running';
  // A unit that was stopped is inactive and about to be dropped: it has no result of its own any more.
  const absent = field('LoadState') === 'not-found' || active === 'inactive';
  const [call, noteBoot, offset, phase] = field('Record').split(' ');
  const status = number('ExecMainStatus');
  // CLD_EXITED is 1, CLD_KILLED 2, CLD_DUMPED 3.
  const killed = ['2', '3'].includes(field('ExecMainCode'));
  const signal = killed ? Object.entries(constants.signals).find(([, n]) => n === status)?.[0] : undefined;
  return {
    unit: running ? 'running' : absent ? 'absent' : 'ended',
    ...(running || absent ? {} : { code: killed ? 128 + status : status }),
    ...(signal === undefined ? {} : { signal }),
    result: field('Result'),
    bootId: field('Boot'),
    logBytes: number('Size'),
    lastLine: field('Last'),
    ...(call && noteBoot && /^\d{1,15}$/.test(offset ?? '') && (phase === 'starting' || phase === 'started')
      ? { note: { call, bootId: noteBoot, offset: Number(offset), phase } }
      : {}),
  };
}
