/** The Python clients as a process that answers one request after another. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ServedDevice } from '../../../../simulators/panos/server';
import { pythonWithClients } from './environment';

export interface Clients {
  /** What a request gives. @throws Error with the exception's type and message */
  ask<T = unknown>(request: object): Promise<T>;
  /** Calls pan-os-python's Firewall on a device. */
  device<T = unknown>(device: ServedDevice, call: string, ...args: string[]): Promise<T>;
  stop(): Promise<void>;
}

export const loginOf = ({ address, port, user, password }: ServedDevice) => ({ address, port, user, password });

export async function startClients(): Promise<Clients> {
  const python = await pythonWithClients();
  const child = spawn(python, [join(__dirname, 'driver.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (text: Buffer) => (complaints = (complaints + text.toString()).slice(-4_000)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  const exchange = async (request: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`the Python clients ended: ${complaints}`);
    const answer = JSON.parse(value) as { value?: unknown; exception?: string };
    if (answer.exception !== undefined) throw new Error(answer.exception);
    return answer.value;
  };
  const ask = <T>(request: object): Promise<T> => {
    // Answers come in the order of requests: one at a time.
    const mine = last.catch(() => undefined).then(() => exchange(request));
    last = mine;
    return mine as Promise<T>;
  };
  return {
    ask,
    device: (device, call, ...args) => ask({ do: 'device', device: loginOf(device), call, with: args }),
    async stop() {
      const ended = child.exitCode === null ? once(child, 'exit') : Promise.resolve();
      child.stdin.end();
      await ended;
    },
  };
}
