/** The probes' loop over SSH: a channel of a pooled connection, held as long as the loop runs. */
import { z } from 'zod';
import { messageOf, permanent, transient } from '../kit';
import type { Pool } from '../ssh/pool';
import { quoteCommand } from '../ssh/quote';
import { hostsSpec } from '../ssh/spec';
import { channelLines, type LineProcess, type ProbeServices } from './services';

/** What ProbeServices wants, over the connections of a pool. The pool's owner closes it. */
export const sshLines =
  (pool: Pool): ProbeServices['openLines'] =>
  async (plan, hostName, argv, onLine, signal) => {
    const hosts = hostsSpec.safeParse((plan as { hosts?: unknown }).hosts);
    if (!hosts.success) throw permanent('InvalidInput', `section hosts of the plan: ${z.prettifyError(hosts.error)}`);
    const lease = await pool.session(hosts.data, hostName, signal);
    return new Promise<LineProcess>((resolve, reject) => {
      const refuse = (error: Error): void => {
        lease.release();
        reject(error);
      };
      const forget = lease.connection.onLost((cause) =>
        refuse(transient('Unreachable', `${hostName} was lost while the probes’ loop was started: ${cause}`)),
      );
      if (!lease.connection.alive) return;
      lease.connection.client.exec(quoteCommand(argv), (error, channel) => {
        forget();
        if (error !== undefined)
          return refuse(
            transient(
              'CommandFailedRetryable',
              `${hostName} opens no session for the probes’ loop (${messageOf(error)}). Next: check MaxSessions in its sshd_config.`,
            ),
          );
        const lines = channelLines(channel, onLine);
        const close = (): void => lines.close();
        signal.addEventListener('abort', close, { once: true });
        void lines.ended.then(() => {
          signal.removeEventListener('abort', close);
          lease.release();
        });
        if (signal.aborted) close();
        resolve(lines);
      });
    });
  };
