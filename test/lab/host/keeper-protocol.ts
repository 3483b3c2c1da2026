import { connect } from 'node:net';
import { join } from 'node:path';

/** What the keeper of a lab can be asked for; one JSON object a line in both directions, over a Unix socket. */
export type KeeperRequest =
  | { op: 'status' }
  /** Boots a host that is off. */
  | { op: 'start'; host: string }
  /** Pulls the cables and the plug: no process of the host gets to say good-bye. */
  | { op: 'power-off'; host: string }
  /** What the next reboot from inside leads to. `once`: applies to one reboot, then it is `start` again. */
  | { op: 'on-reboot'; host: string; then: 'start' | 'stay-off' | 'restore-snapshot' }
  /** Keeps a copy of the host's disk as it is now, for `restore-snapshot`. */
  | { op: 'snapshot'; host: string }
  /** Opens or closes the package repository's port. */
  | { op: 'repository'; listen: boolean };

export interface HostStatus {
  host: string;
  state: 'on' | 'off';
  /** How often it was booted, the first time included. */
  boots: number;
  /** Process ID of its systemd as seen from outside; absent while it is off or just starting. */
  leader?: number;
}

export type KeeperReply = { ok: true; hosts: HostStatus[] } | { ok: false; error: string };

export const keeperSocket = (directory: string): string => join(directory, 'keeper.sock');

/** @throws Error with the keeper's own message, or one that says that the keeper isn't there. */
export function askKeeper(directory: string, request: KeeperRequest): Promise<HostStatus[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(keeperSocket(directory));
    let text = '';
    socket.setEncoding('utf8').on('data', (data: string) => (text += data));
    socket.on('error', (error) =>
      reject(new Error(`the keeper of the lab at ${directory} doesn't answer: ${error.message}`)),
    );
    socket.on('close', () => {
      if (text === '') return reject(new Error(`the keeper of the lab at ${directory} hung up on "${request.op}"`));
      const reply = JSON.parse(text) as KeeperReply;
      if (reply.ok) resolve(reply.hosts);
      else reject(new Error(reply.error));
    });
    socket.end(JSON.stringify(request) + '\n');
  });
}
