/**
 * A Python virtual environment with packages from PyPI, for clients that a simulated device must satisfy. Made once (some
 * 20 s) and kept in the user's cache directory by what goes into it, as the lab's images are.
 */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../../../lab/host/lock';

/** Every package, so that a new release of one that they depend on changes nothing. */
const REQUIREMENTS = [
  'panos-upgrade-assurance==2.1.1',
  'pan-os-python==1.13.1',
  'pan-python==0.17.0',
  'pyOpenSSL==26.4.0',
  'cryptography==50.0.2',
  'cffi==2.1.1',
  'pycparser==3.12',
  'packaging==26.3',
  'typing_extensions==4.16.0',
  'xmltodict==1.0.4',
];

const MISSING = 'This test needs Python 3.10 or newer as `python3`, with venv (Debian: apt-get install python3-venv)';
const NO_PYPI = 'This test needs PyPI, or a mirror that pip is configured for';

function run(command: string, args: readonly string[], hint: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else
        reject(
          new Error(
            `${hint}. ${command} ${args.join(' ')} failed: ${`${stdout}\n${stderr}`.trim().slice(-1_000) || error.message}`,
          ),
        );
    });
  });
}

/** Path of the environment's interpreter. @throws Error that says what is missing */
export async function pythonWithClients(): Promise<string> {
  const version = (await run('python3', ['--version'], MISSING)).trim();
  const key = createHash('sha256')
    .update(JSON.stringify([version, REQUIREMENTS]))
    .digest('hex')
    .slice(0, 16);
  const directory = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hitless', 'python', key);
  const python = join(directory, 'bin', 'python');
  const complete = join(directory, 'complete');
  if (existsSync(complete)) return python;
  return withLock(
    `${directory}.lock`,
    () => undefined,
    async () => {
      if (existsSync(complete)) return python;
      // We hold the lock: whoever made this was killed.
      rmSync(directory, { recursive: true, force: true });
      await run('python3', ['-m', 'venv', directory], MISSING);
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', ...REQUIREMENTS];
      await run(python, pip, NO_PYPI);
      writeFileSync(complete, '');
      return python;
    },
  );
}
