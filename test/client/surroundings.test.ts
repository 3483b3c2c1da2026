/** The command as a program where its surroundings are poor: streams that can't be written to, a user without a name. */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

jest.setTimeout(60_000);

const root = join(__dirname, '../..');
const program = ['--require', join(root, 'test/support/typescript-hook.cjs'), join(root, 'client/cli.ts')];
const env = { PATH: process.env['PATH'], HOME: homedir(), TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' };

/** A disk without room for a byte. */
const FULL = '/dev/full';
const whereFull = existsSync(FULL) ? describe : describe.skip;

whereFull('on a full disk', () => {
  let full: number;
  beforeAll(() => (full = openSync(FULL, 'w')));
  afterAll(() => closeSync(full));

  it('a log that can’t be written ends nothing: the exit code is that of the command', () => {
    const args = [...program, 'inventory', 'validate', '/nonexistent/inventory.yaml'];
    const { status } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'pipe', full] });
    expect(status).toBe(2);
  });

  it('an answer that can’t be written is a failure, in a sentence', () => {
    const args = [...program, 'engine', 'status', '--json'];
    const { status, stderr } = spawnSync(process.execPath, args, {
      env: { ...env, XDG_DATA_HOME: '/nonexistent' },
      stdio: ['ignore', full, 'pipe'],
    });
    expect({ status, said: stderr.toString() }).toEqual({
      status: 1,
      said: expect.stringMatching(/^hitless: standard output can’t be written: ENOSPC.*\n$/),
    });
  });
});

/** IDs that no passwd file has a name for can only be taken by root. */
const setpriv = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0;
const asNobody = setpriv ? it : it.skip;

asNobody('a user without a name, as in a container, looks at runs, and is asked who acts', () => {
  const code =
    `const { clientIdentity } = require(${JSON.stringify(join(root, 'client/identity.ts'))});` +
    `const { defaultUser } = require(${JSON.stringify(join(root, 'client/context.ts'))});` +
    `console.log(clientIdentity());` +
    `console.log(defaultUser({ HITLESS_USER: 'ann' }));` +
    `try { defaultUser({}) } catch (error) { console.log(error.code, error.message, error.next) }`;
  const priv = ['--reuid', '54321', '--regid', '54321', '--clear-groups'];
  const out = execFileSync('setpriv', [...priv, process.execPath, ...program.slice(0, 2), '-e', code], {
    env,
  }).toString();
  expect(out.trim().split('\n')).toEqual([
    expect.stringMatching(/^user 54321@\S+ \(pid \d+\)$/),
    'ann',
    expect.stringMatching(/^2 nobody says who acts: .* ID 54321 give --by NAME/),
  ]);
});
