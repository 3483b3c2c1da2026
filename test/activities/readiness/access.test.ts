/** What sudo is asked about: everything that a run can't do without. */
import type { StepContext } from '../../../activities/kit';
import { accessCheck, type SudoCommand } from '../../../activities/readiness';
import { ScriptedHost } from '../support/local-host';
import { attemptOn, failureOf } from '../support/one-host';

const commands = (optional: boolean): SudoCommand[] => [
  { host: 'border', as: 'root', command: '/usr/bin/cat /etc/frr/frr.conf' },
  { host: 'border', as: 'root', command: '/usr/bin/cat /etc/frr/bgpd.conf', ...(optional ? { optional: true } : {}) },
];

/** A host whose sudoers file is of a build that knew of one file for all daemons only. */
const check = async (optional: boolean): Promise<{ readonly summary: string }> => {
  const host = new ScriptedHost('border', (command) => {
    if (command.startsWith('/usr/bin/sudo -n -l -u root'))
      return command.endsWith('/etc/frr/frr.conf') ? 'yes\n' : { code: 1, stderr: '' };
    if (command === '/usr/bin/sudo -n -l') return '    (root) NOPASSWD: /usr/bin/cat /etc/frr/frr.conf\n';
    return command.startsWith('/usr/bin/date') ? `${Date.now()}\n` : '';
  });
  const plan = { hosts: { border: {} }, readiness: { clockSkewMs: 60_000 } };
  const context = { ...attemptOn(() => Promise.resolve(host)), plan } as unknown as StepContext<never>;
  return accessCheck<never>(() => commands(optional)).check(context, {});
};

test('a command that a run can do without is no fault where an older sudoers file lacks it', async () => {
  expect((await check(true)).summary).toContain('sudo allows all 1 commands');
  expect((await failureOf(check(false))).message).toContain('bgpd.conf": it isn’t allowed');
});
