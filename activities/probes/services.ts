/** What the probes need of the worker and of other folders; the worker wires them together. */
import type { ClientChannel } from 'ssh2';
import type { Clock, StepContext } from '../kit';
import type { WorkerServices } from '../kit/register';
import type { EscapeReadiness, Owned } from './beside';
import type { BgpProbe, MonitoringPlan, StateSyncProbe } from './spec';
import type { Measurement } from './verdict';

/** A long-lived command on a host whose lines are delivered as they come. */
export interface LineProcess {
  /** Settles once, when the command or the connection has ended, with the reason in plain words. Never rejects. */
  readonly ended: Promise<string>;
  write(text: string): void;
  /** Closes the channel; the command notices by its standard input. */
  close(): void;
}

/** What is watched, node names of the plan. */
export interface Watched {
  /** Node that serves with the new release. */
  readonly serving: string;
  /** Node that would serve instead; of a pair, the one that still runs the previous release. */
  readonly escapeTo: string;
}

/** What probes of some kinds, and the watch itself, ask of the folder of a procedure. Left out: it has no such thing. */
export interface ProbeAnswers {
  /** Are the router's sessions Established? No answer from the router is inconclusive, not a fail. */
  readonly bgp?: (context: StepContext<MonitoringPlan>, probe: BgpProbe) => Promise<Measurement>;
  /** Is session state synchronized between the nodes? `watched` is missing before traffic moves and at the end. */
  readonly stateSync?: (
    context: StepContext<MonitoringPlan>,
    probe: StateSyncProbe,
    watched: Watched | undefined,
  ) => Promise<Measurement>;
  /** Refreshes the standby's session state once. May be called while traffic is still on the other node: it looks itself. */
  readonly reseed?: (context: StepContext<MonitoringPlan>, watched: Watched) => Promise<unknown>;
  /** Would the way back to the previous release work right now: login, sudo, release, valid path, state, saved config? */
  readonly escapeReady?: (context: StepContext<MonitoringPlan>, watched: Watched) => Promise<EscapeReadiness>;
  /** Is what the run owns as the run last set it? Reads only; throws for what couldn't be read. */
  readonly owned?: (context: StepContext<MonitoringPlan>, watched: Watched) => Promise<Owned>;
}

export interface ProbeServices extends WorkerServices, ProbeAnswers {
  /**
   * Starts a command on a host of the plan over a channel of its own. Rejects as `connect` does: Unreachable,
   * HostKeyMismatch, AuthenticationFailed. An abort closes the channel.
   */
  openLines(
    plan: unknown,
    hostName: string,
    argv: readonly string[],
    onLine: (line: string) => void,
    signal: AbortSignal,
  ): Promise<LineProcess>;
  /** Tests have their own; the worker's if left out. */
  readonly clock?: Clock;
}

/** A line longer than this isn't from our loops. */
const LONGEST_LINE = 64 * 1024;

/** An SSH channel as lines. What the command says on standard error becomes part of why it ended. */
export function channelLines(channel: ClientChannel, onLine: (line: string) => void): LineProcess {
  let rest = '';
  let said = '';
  let code: number | null | undefined;
  channel.setEncoding('utf8');
  channel.on('data', (text: string) => {
    rest += text;
    const lines = rest.split('\n');
    rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
    for (const line of lines) onLine(line);
  });
  channel.stderr.setEncoding('utf8');
  channel.stderr.on('data', (text: string) => (said = (said + text).slice(-500)));
  channel.on('exit', (status: number | null) => (code = status));
  channel.on('error', (error: Error) => (said += ` ${error.message}`));
  const ended = new Promise<string>((resolve) => {
    channel.once('close', () => {
      const tail = said.trim() === '' ? '' : `: ${said.trim().replace(/\s+/g, ' ')}`;
      resolve(
        code === undefined || code === null ? `the connection was lost${tail}` : `it ended with code ${code}${tail}`,
      );
    });
  });
  return {
    ended,
    write: (text) => void (channel.writable && channel.write(text)),
    close: () => channel.close(),
  };
}
