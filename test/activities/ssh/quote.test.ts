import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { ANYTHING, hexDigits, quoteCommand, sudoersCommand } from '../../../activities/ssh/quote';
import { commandLine } from '../../../activities/ssh/command';

test('a shell splits a quoted command into the same arguments', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string().filter((s) => !s.includes('\0')),
        { maxLength: 5 },
      ),
      (args) => {
        const out = execFileSync('/bin/sh', ['-c', quoteCommand(['/usr/bin/printf', '%s\\0', 'x', ...args])], {
          encoding: 'utf8',
        });
        expect(out.split('\0').slice(1, -1)).toEqual(args);
      },
    ),
    { numRuns: 40 },
  );
});

test('what needs no quotes has none', () => {
  expect(quoteCommand(['/usr/bin/vtysh', '-c', 'show ip bgp', 'a=b'])).toBe(`/usr/bin/vtysh -c 'show ip bgp' 'a=b'`);
});

test.each([
  [{ root: 'sudo' }, undefined, '/usr/bin/env LC_ALL=C id'],
  [{ root: 'sudo' }, true, '/usr/bin/env LC_ALL=C /usr/bin/sudo -n -- id'],
  [{ root: 'sudo' }, 'postgres', '/usr/bin/env LC_ALL=C /usr/bin/sudo -n -u postgres -- id'],
  [{ root: 'none' }, true, '/usr/bin/env LC_ALL=C id'],
  [{ root: 'none' }, 'postgres', '/usr/bin/env LC_ALL=C /usr/sbin/runuser -u postgres -- id'],
] as const)('%j with sudo %j', (spec, sudo, line) => {
  expect(commandLine(spec, ['id'], sudo === undefined ? {} : { sudo }).replace("'LC_ALL=C'", 'LC_ALL=C')).toBe(line);
});

test('a lock stands before sudo', () => {
  expect(commandLine({ root: 'sudo' }, ['id'], { sudo: true, via: ['/usr/bin/flock', 'f'] })).toContain(
    "LC_ALL=C' /usr/bin/flock f /usr/bin/sudo -n -- id",
  );
});

test('sudoers syntax', () => {
  expect(sudoersCommand(['/usr/bin/true'])).toBe('/usr/bin/true ""');
  expect(sudoersCommand(['/usr/bin/apt-get', '-o', 'Dpkg::Options::=--x', 'a,b'])).toBe(
    '/usr/bin/apt-get -o Dpkg\\:\\:Options\\:\\:\\=--x a\\,b',
  );
  expect(sudoersCommand(['/bin/x', ['--unit=hitless-', hexDigits(2), '-a'], ANYTHING])).toBe(
    '/bin/x --unit\\=hitless-[0-9a-f][0-9a-f]-a *',
  );
});
