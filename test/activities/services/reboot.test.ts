/** Waiting for a host that boots: how often its sshd is asked, and what is kept of what it said. */
import type { Host } from '../../../activities/kit/host';
import type { StepContext } from '../../../activities/kit/step';
import { leaveBoot } from '../../../activities/services/reboot';
import { authenticationFailed, unreachable } from '../../../activities/ssh/errors';
import { ScriptedHost } from '../support/local-host';
import { attemptOn } from '../support/one-host';

const target = { name: 'fw1', user: 'ops', address: '192.0.2.1', port: 22, via: [] };
const BANNER = 'System is booting up. Unprivileged users are not permitted to log in yet.';

/** Each look meets the next of these, then the host is up. */
const waitThrough = async (failures: readonly Error[]) => {
  const left = [...failures];
  const booted = new ScriptedHost('fw1', (command) =>
    command.endsWith('is-system-running') ? 'running\n' : command.includes('show') ? '' : undefined,
  );
  const pausesMs: number[] = [];
  const attempt = attemptOn(() => Promise.resolve(booted as Host));
  const context: StepContext = {
    ...attempt,
    host: (name) => {
      const failure = left.shift();
      return failure === undefined ? attempt.host(name) : Promise.reject(failure);
    },
    pause: async (ms) => void pausesMs.push(ms),
  };
  await leaveBoot(context, 'fw1', 'old', 60_000, () => Promise.reject(new Error('it has rebooted already')));
  return { pausesMs, notes: attempt.notes };
};

const code = (name: string): Error => Object.assign(new Error(name), { code: name });

test('sshd’s penalties (findings, case 15): a refused login is given time, a silent host isn’t', async () => {
  const { pausesMs } = await waitThrough([
    unreachable(target, code('EHOSTUNREACH')),
    unreachable(target, code('ECONNREFUSED')),
    authenticationFailed(target, ['key file:/k'], { banner: BANNER, answered: true }),
    unreachable(target, new Error('Connection lost before handshake'), { answered: true }),
    unreachable(target, code('ECONNREFUSED')),
  ]);
  expect(pausesMs).toEqual([1_000, 1_000, 5_000, 5_000, 1_000]);
});

test('“System is booting up” isn’t lost when sshd then drops connections without a word', async () => {
  const { notes } = await waitThrough([
    authenticationFailed(target, ['key file:/k'], { banner: BANNER, answered: true }),
    unreachable(target, new Error('Connection lost before handshake'), { answered: true }),
    unreachable(target, new Error('Connection lost before handshake'), { answered: true }),
    unreachable(target, code('ECONNREFUSED')),
  ]);
  expect(notes[0]?.split(BANNER)).toHaveLength(2);
  expect(notes[1]).toContain(
    `Connection lost before handshake. Nothing was run there. Next: look at sshd’s log on the host. Before that it said: ${BANNER}`,
  );
  expect(notes[2]).toContain(BANNER);
  // It went down again: what it said is of another boot.
  expect(notes[3]).not.toContain('booting up');
});
