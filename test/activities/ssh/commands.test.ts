import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { failureType } from '../../../activities/kit/errors';
import type { Host } from '../../../activities/kit/host';
import { createHosts, isMissingFile, type Hosts } from '../../../activities/ssh';
import { Sshd, describeWithSshd, makeKey } from './support/sshd';

const failureOf = (work: Promise<unknown>): Promise<Error & { nonRetryable?: boolean; details?: unknown[] }> =>
  work.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: Error) => error,
  );
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
};
/** Processes `sleep MARKER`, each test with a marker of its own: shows when a command has begun, and whether it lives on. */
const sleepers = (marker: string): number[] =>
  readdirSync('/proc')
    .filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `sleep\0${marker}\0`;
      } catch {
        return false;
      }
    })
    .map(Number);
const running = (marker: string): boolean => sleepers(marker).length > 0;
const end = (marker: string): void => sleepers(marker).forEach((pid) => process.kill(pid));

describeWithSshd('commands on a real sshd', () => {
  let keys: string;
  let sshd: Sshd;
  let hosts: Hosts;
  let host: Host;
  const connect = (signal = new AbortController().signal): Promise<Host> =>
    hosts.connect(
      {
        hosts: {
          fw1: {
            address: sshd.address,
            port: sshd.port,
            user: sshd.user,
            credentials: `file:${join(keys, 'good')}`,
            hostKeys: [sshd.hostKey],
            root: 'none',
          },
        },
      },
      'fw1',
      signal,
    );

  beforeAll(async () => {
    keys = mkdtempSync(join(tmpdir(), 'hitless-keys-'));
    sshd = await Sshd.start({ authorized: [makeKey(join(keys, 'good'))] });
    hosts = createHosts({ outputLimitBytes: 1_000_000 });
    host = await connect();
  });
  afterAll(async () => {
    hosts?.close();
    await sshd?.remove();
    rmSync(keys, { recursive: true, force: true });
  });

  test('arguments arrive as they are', async () => {
    const argument = fc.oneof(
      fc.string({ unit: 'binary' }).filter((s) => !s.includes('\0') && Buffer.from(s).toString() === s),
      fc.constantFrom('', ' ', "'", '"', '$HOME', '`id`', '\\', 'a\nb', '*', '~', '-n', '!', "'; echo x; '", '#', '\t'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { minLength: 1, maxLength: 8 }), async (args) => {
        const { stdout } = await host.exec(['/usr/bin/printf', '%s\\0', ...args]);
        expect(stdout.split('\0').slice(0, -1)).toEqual(args);
      }),
      { numRuns: 25 },
    );
    expect(failureType(await failureOf(host.exec(['echo', 'a\0b'])))).toBe('InvalidInput');
  });

  test('exit codes, both outputs, and the message of a failed command', async () => {
    const result = await host.exec(['sh', '-c', 'echo out; echo err >&2; exit 3'], { okCodes: [0, 3] });
    expect(result).toMatchObject({ code: 3, stdout: 'out\n', stderr: 'err\n' });
    const failure = await failureOf(host.exec(['sh', '-c', 'echo out; echo "no space left" >&2; exit 4']));
    expect(failureType(failure)).toBe('CommandFailed');
    expect(failure.message).toMatch(/^fw1: "sh -c .*" ended with exit code 4: no space left$/);
    const quiet = await failureOf(host.exec(['sh', '-c', 'cat; exit 1'], { quiet: true, stdin: 'hunter2' }));
    expect(JSON.stringify([quiet.message, quiet.details])).not.toContain('hunter2');
    expect((await host.exec(['sh', '-c', 'kill -TERM $$'], { okCodes: 'any' })).code).toBe(143);
    expect((await host.exec(['no-such-command'], { okCodes: 'any' })).code).toBe(127);
  });

  test('messages are in English, whatever the login says', async () => {
    expect((await host.exec(['printenv', 'LC_ALL'])).stdout).toBe('C\n');
  });

  test('standard input, also a large one', async () => {
    const stdin = 'äöü\n'.repeat(100_000);
    expect((await host.exec(['sha256sum'], { stdin })).stdout).toBe(
      createHash('sha256').update(stdin).digest('hex') + '  -\n',
    );
    // Nobody reads it: no hang, no error.
    expect((await host.exec(['true'], { stdin })).code).toBe(0);
  });

  test('a huge output ends the command and says so, unless it was asked for', async () => {
    const argv = ['sh', '-c', 'head -c 20000000 /dev/zero | tr "\\0" x; echo end >&2'];
    const failure = await failureOf(host.exec(argv));
    expect(failureType(failure)).toBe('CommandFailed');
    expect(failure.message).toContain('printed more than 1000000 bytes');
    const result = await host.exec(argv, { outputLimitBytes: 20_000_004 });
    expect(result).toMatchObject({ code: 0, stderr: 'end\n' });
    expect(result.stdout).toHaveLength(20_000_000);
  });

  test('a command whose background process keeps the output open still ends', async () => {
    const { stdout } = await host.exec(['sh', '-c', 'echo started; sleep 86.41 & echo $! >&2'], { okCodes: 'any' });
    expect(stdout).toBe('started\n');
    await until(() => running('86.41'));
    end('86.41');
  });

  test('a time limit: retryable, and says that it may still run', async () => {
    const failure = await failureOf(host.exec(['sleep', '86.42'], { timeoutMs: 200 }));
    expect(failureType(failure)).toBe('CommandFailedRetryable');
    expect(failure.message).toContain('may still run');
    await until(() => running('86.42'));
    end('86.42');
    expect((await host.exec(['echo', 'next'])).stdout).toBe('next\n');
  });

  test('an abort ends the wait with its reason and leaves the connection', async () => {
    const controller = new AbortController();
    const mine = await connect(controller.signal);
    const work = mine.exec(['sleep', '86.43']);
    await until(() => running('86.43'));
    const reason = new Error('cut');
    controller.abort(reason);
    expect(await failureOf(work)).toBe(reason);
    expect(await failureOf(mine.exec(['true']))).toBe(reason);
    expect((await host.exec(['echo', 'still here'])).stdout).toBe('still here\n');
    expect(hosts.connections).toBe(1);
    end('86.43');
  });

  test('a connection dropped in the middle: retryable, and the command may have run', async () => {
    const work = failureOf(host.exec(['sleep', '86.44']));
    await until(() => running('86.44'));
    sshd.dropConnections();
    const failure = await work;
    expect(failureType(failure)).toBe('Unreachable');
    expect(failure.nonRetryable).toBe(false);
    expect(failure.message).toMatch(/while "sleep 86.44" ran.*may have run/);
    expect(running('86.44')).toBe(true);
    end('86.44');
  });

  test('a peer that has gone silent is noticed by keepalive', async () => {
    const work = failureOf(host.exec(['sleep', '86.45']));
    await until(() => running('86.45'));
    sshd.dropConnections('SIGSTOP');
    const failure = await work;
    expect(failureType(failure)).toBe('Unreachable');
    expect(failure.message).toContain('Keepalive');
    sshd.dropConnections('SIGKILL');
    end('86.45');
  });

  test('boot ID', async () => {
    expect(await host.bootId()).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  });

  describe('files', () => {
    let directory: string;
    beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'hitless-files-'))));
    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    test('a new file, with mode; then replaced, keeping the mode', async () => {
      const path = join(directory, 'it’s a "file" $x');
      await host.writeFile(path, 'one\n', { mode: '0640' });
      expect(readFileSync(path, 'utf8')).toBe('one\n');
      expect(statSync(path).mode & 0o7777).toBe(0o640);
      chmodSync(path, 0o600);
      await host.writeFile(path, 'two ä\n');
      expect(await host.readFile(path)).toBe('two ä\n');
      expect(statSync(path).mode & 0o7777).toBe(0o600);
      await host.writeFile(path, '', { mode: '0755' });
      expect(statSync(path).mode & 0o7777).toBe(0o755);
      expect(readFileSync(path, 'utf8')).toBe('');
      expect(readdirSync(directory)).toHaveLength(1);
    });

    test('a leftover of a cut attempt does no harm', async () => {
      const path = join(directory, 'frr.conf');
      writeFileSync(path, 'old\n');
      writeFileSync(`${path}.hitless-new`, 'half of something much longer than what comes now');
      await host.writeFile(path, 'new\n');
      expect(readFileSync(path, 'utf8')).toBe('new\n');
    });

    test('the real file is never half written, also when the connection drops', async () => {
      const path = join(directory, 'frr.conf');
      writeFileSync(path, 'old\n');
      const big = 'x'.repeat(500_000);
      const work = host.writeFile(path, big).catch((error: Error) => error);
      await until(() => existsSync(`${path}.hitless-new`));
      sshd.dropConnections();
      const outcome = await work;
      expect(['old\n', big]).toContain(readFileSync(path, 'utf8'));
      if (outcome instanceof Error) expect(failureType(outcome)).toBe('Unreachable');
      await host.writeFile(path, 'new\n');
      expect(readFileSync(path, 'utf8')).toBe('new\n');
    });

    test('missing, too large, a directory that isn’t there, a wrong mode', async () => {
      const missing = await failureOf(host.readFile(join(directory, 'none')));
      expect(isMissingFile(missing)).toBe(true);
      writeFileSync(join(directory, 'large'), 'x'.repeat(1_000_001));
      expect((await failureOf(host.readFile(join(directory, 'large')))).message).toContain('too large');
      expect(failureType(await failureOf(host.writeFile(join(directory, 'no/file'), 'x')))).toBe('CommandFailed');
      expect(failureType(await failureOf(host.writeFile(join(directory, 'f'), 'x', { mode: '+x' })))).toBe(
        'InvalidInput',
      );
    });
  });
});
