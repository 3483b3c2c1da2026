/** The screen of `status --watch` on a real terminal, where python3 is there to make one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const fixture = (name: string): string => join(__dirname, 'fixtures', name);
const hasPython = spawnSync('python3', ['-c', 'import pty, fcntl, termios']).status === 0;

(hasPython ? it : it.skip)('draws in place, follows the size of the terminal, and gives it back at the end', () => {
  const program = [process.execPath, '-r', fixture('ts-hook.cjs'), fixture('draw.ts')];
  const { first, second, third, signal } = JSON.parse(
    execFileSync('python3', [fixture('watch-on-pty.py'), ...program], {
      encoding: 'utf8',
      timeout: 90_000,
    }),
  ) as { first: string; second: string; third: string; signal: number };
  // The terminal echoes what was typed at it before the program began.
  const [, drawn = ''] = first.split('\u001b[?1049h');
  expect(drawn).toContain('\u001b[1;1Hfw-dc1 → 2.0: forward');
  expect(drawn).toContain('hitless decide fw-dc1 hold#1 roll-back');
  expect(drawn).toContain('\u001b[24;1H');
  expect(drawn).not.toContain('\u001b[25;1H');
  // Nothing that would scroll, or add to what can be scrolled back to.
  expect(drawn + second).not.toContain('\n');
  expect(second).not.toContain('\u001b[11;1H');
  expect(third).toContain('\u001b[?25h\u001b[?1049l');
  // What was seen last stays.
  expect(third.split('\u001b[?1049l')[1]).toContain('fw-dc1 → 2.0: forward');
  expect(signal).toBe(2);
});
