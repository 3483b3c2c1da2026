import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { failureType } from '../../../activities/kit/errors';
import { createHosts, type Hosts } from '../../../activities/ssh';
import { fingerprint } from '../../../activities/ssh/known-hosts';
import { Sshd, describeWithSshd, freePort, makeKey } from './support/sshd';

const never = new AbortController().signal;

interface Failure extends Error {
  nonRetryable?: boolean;
  details?: unknown[];
}
const failureOf = async (work: Promise<unknown>): Promise<Failure> => {
  try {
    await work;
  } catch (error) {
    return error as Failure;
  }
  throw new Error('it should have failed');
};

describeWithSshd('connections to a real sshd', () => {
  let keys: string;
  let publicKey: string;
  let sshd: Sshd;
  let hosts: Hosts;

  beforeAll(async () => {
    keys = mkdtempSync(join(tmpdir(), 'hitless-keys-'));
    publicKey = makeKey(join(keys, 'good'));
    const locked = makeKey(join(keys, 'locked'), { passphrase: 'correct horse' });
    const rsa = makeKey(join(keys, 'rsa'), { type: 'rsa' });
    makeKey(join(keys, 'wrong'));
    writeFileSync(join(keys, 'passphrase'), 'correct horse\n', { mode: 0o600 });
    sshd = await Sshd.start({ authorized: [publicKey, locked, rsa], config: ['Banner none', 'MaxSessions 10'] });
  });
  afterAll(async () => {
    await sshd?.remove();
    rmSync(keys, { recursive: true, force: true });
  });
  beforeEach(() => {
    hosts = createHosts();
  });
  afterEach(() => hosts.close());

  const spec = (more: object = {}): Record<string, unknown> => ({
    address: sshd.address,
    port: sshd.port,
    user: sshd.user,
    credentials: `file:${join(keys, 'good')}`,
    hostKeys: [sshd.hostKey],
    root: 'none',
    ...more,
  });
  const to = async (more: object = {}, signal = never) => hosts.connect({ hosts: { fw1: spec(more) } }, 'fw1', signal);
  const hello = async (more: object = {}) => (await (await to(more)).exec(['echo', 'hello'])).stdout;

  test('a key from a file, from the environment, with passphrase, RSA', async () => {
    expect(await hello()).toBe('hello\n');
    process.env['HITLESS_TEST_KEY'] = readFileSync(join(keys, 'good'), 'utf8');
    expect(await hello({ credentials: 'env:HITLESS_TEST_KEY' })).toBe('hello\n');
    delete process.env['HITLESS_TEST_KEY'];
    const passphrase = `file:${join(keys, 'passphrase')}`;
    expect(await hello({ credentials: { key: `file:${join(keys, 'locked')}`, passphrase } })).toBe('hello\n');
    expect(await hello({ credentials: `file:${join(keys, 'rsa')}` })).toBe('hello\n');
  });

  test('the second credential is tried when the first is refused', async () => {
    expect(await hello({ credentials: [`file:${join(keys, 'wrong')}`, `file:${join(keys, 'good')}`] })).toBe('hello\n');
  });

  test('a wrong key: AuthenticationFailed, permanent, names the reference', async () => {
    const failure = await failureOf(hello({ credentials: `file:${join(keys, 'wrong')}` }));
    expect(failureType(failure)).toBe('AuthenticationFailed');
    expect(failure.nonRetryable).toBe(true);
    expect(failure.message).toContain(`file:${join(keys, 'wrong')}`);
    expect(failure.message).toContain(`fw1 (${sshd.user}@127.0.0.1:${sshd.port})`);
  });

  test.each([
    [{ key: 'file:/nonexistent/key' }, /\/nonexistent\/key.*ENOENT/],
    [{ key: 'env:HITLESS_NOT_SET' }, /no environment variable HITLESS_NOT_SET/],
    [{ key: 'file:/etc/passwd' }, /\/etc\/passwd has the mode 0644: others than its owner may read it.*chmod 06[04]0/],
    [{ key: 'env:PATH' }, /no private key/],
    [{ password: 'env:HITLESS_TEST_PASSWORD' }, /not sent, for the host accepts only publickey/],
  ])('credentials that can’t be used: %j', async (credentials, message) => {
    process.env['HITLESS_TEST_PASSWORD'] = 'hunter2';
    const failure = await failureOf(hello({ credentials }));
    delete process.env['HITLESS_TEST_PASSWORD'];
    expect(failureType(failure)).toBe('AuthenticationFailed');
    expect(failure.message).toMatch(message);
    expect(JSON.stringify([failure.message, failure.details])).not.toContain('hunter2');
  });

  test('a wrong or missing passphrase is told apart', async () => {
    process.env['HITLESS_TEST_PASSPHRASE'] = 'wrong horse';
    const key = `file:${join(keys, 'locked')}`;
    const wrong = await failureOf(hello({ credentials: { key, passphrase: 'env:HITLESS_TEST_PASSPHRASE' } }));
    expect(wrong.message).toContain('the passphrase is wrong');
    expect(JSON.stringify([wrong.message, wrong.details])).not.toContain('wrong horse');
    delete process.env['HITLESS_TEST_PASSPHRASE'];
    expect((await failureOf(hello({ credentials: key }))).message).toContain('encrypted and no passphrase');
  });

  test('an agent, and an agent that isn’t there', async () => {
    const socket = join(keys, 'agent.sock');
    const agent: ChildProcess = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await once(agent.stdout!, 'data');
      const env = { ...process.env, SSH_AUTH_SOCK: socket };
      execFileSync('ssh-add', ['-q', join(keys, 'wrong')], { env, stdio: 'ignore' });
      execFileSync('ssh-add', ['-q', join(keys, 'good')], { env, stdio: 'ignore' });
      expect(await hello({ credentials: { agent: `file:${socket}` } })).toBe('hello\n');
      hosts.close();
      hosts = createHosts();
      execFileSync('ssh-add', ['-q', '-d', join(keys, 'good')], { env, stdio: 'ignore' });
      const refused = await failureOf(hello({ credentials: { agent: `file:${socket}` } }));
      expect(failureType(refused)).toBe('AuthenticationFailed');
    } finally {
      const gone = once(agent, 'exit');
      agent.kill();
      await gone;
    }
    const missing = await failureOf(hello({ credentials: { agent: `file:${socket}` } }));
    expect(failureType(missing)).toBe('AuthenticationFailed');
    expect(missing.message).toContain(socket);
  });

  test('known_hosts: plain, hashed by ssh-keygen, and revoked', async () => {
    const path = sshd.knownHosts();
    expect(await hello({ hostKeys: undefined, knownHosts: path })).toBe('hello\n');
    execFileSync('ssh-keygen', ['-q', '-H', '-f', path], { stdio: 'ignore' });
    expect(readFileSync(path, 'utf8')).toContain('|1|');
    hosts.close();
    hosts = createHosts();
    expect(await hello({ hostKeys: undefined, knownHosts: path })).toBe('hello\n');

    const name = `[${sshd.address}]:${sshd.port}`;
    const revoked = sshd.knownHosts([`${name} ${sshd.hostKey}`, `@revoked * ${sshd.hostKey}`]);
    const failure = await failureOf(hello({ hostKeys: undefined, knownHosts: revoked }));
    expect(failureType(failure)).toBe('HostKeyMismatch');
    expect(failure.message).toContain('revoked');
  });

  test('a host key that nobody listed is refused, and nothing is learnt', async () => {
    const path = sshd.knownHosts([]);
    const before = readFileSync(path, 'utf8');
    const failure = await failureOf(hello({ hostKeys: undefined, knownHosts: path }));
    expect(failureType(failure)).toBe('HostKeyMismatch');
    expect(failure.nonRetryable).toBe(true);
    expect(failure.message).toContain(fingerprint(sshd.hostKey.split(' ')[1]!));
    expect(failure.message).toContain(path);
    expect(readFileSync(path, 'utf8')).toBe(before);
    const missing = await failureOf(hello({ hostKeys: undefined, knownHosts: '/nonexistent/known_hosts' }));
    expect(missing.message).toContain('/nonexistent/known_hosts');
  });

  test('a changed host key: both fingerprints and the file, and no secret is sent', async () => {
    const other = await Sshd.start({ authorized: [publicKey] });
    try {
      const path = other.knownHosts();
      const at = { port: other.port, hostKeys: undefined, knownHosts: path };
      expect(await hello(at)).toBe('hello\n');
      const expected = fingerprint(other.hostKey.split(' ')[1]!);
      hosts.close();
      hosts = createHosts();
      for (const type of ['ed25519', 'rsa', 'ecdsa'] as const) {
        await other.changeHostKey(type);
        const failure = await failureOf(hello(at));
        expect(failureType(failure)).toBe('HostKeyMismatch');
        expect(failure.message).toContain(`Expected: ssh-ed25519 ${expected}`);
        expect(failure.message).toContain(fingerprint(other.hostKey.split(' ')[1]!));
        expect(failure.message).toContain(path);
      }
    } finally {
      await other.remove();
    }
  });

  test('a host with several keys proves itself by the one that is listed', async () => {
    const other = await Sshd.start({ authorized: [publicKey] });
    try {
      const rsa = makeKey(join(other.directory, 'second'), { type: 'rsa' });
      writeFileSync(
        join(other.directory, 'sshd_config'),
        readFileSync(join(other.directory, 'sshd_config'), 'utf8') + `HostKey ${join(other.directory, 'second')}\n`,
      );
      await other.restart();
      expect(await hello({ port: other.port, hostKeys: [rsa] })).toBe('hello\n');
    } finally {
      await other.remove();
    }
  });

  test('jump hosts: two in a row, each with its own key; a refused forwarding is named', async () => {
    const bastion = await Sshd.start({ authorized: [publicKey] });
    const closed = await Sshd.start({ authorized: [publicKey], config: ['AllowTcpForwarding no'] });
    try {
      const plan = {
        hosts: {
          fw1: spec({ jump: 'inner' }),
          inner: spec({ port: bastion.port, hostKeys: [bastion.hostKey], jump: 'outer' }),
          outer: spec(),
          fw2: spec({ jump: 'closed' }),
          closed: spec({ port: closed.port, hostKeys: [closed.hostKey] }),
          fw3: spec({ jump: 'outer', port: await freePort() }),
        },
      };
      const fw1 = await hosts.connect(plan, 'fw1', never);
      expect((await fw1.exec(['echo', 'through'])).stdout).toBe('through\n');
      expect(hosts.connections).toBe(3);

      const refused = await failureOf((await hosts.connect(plan, 'fw2', never)).exec(['true']));
      expect(failureType(refused)).toBe('InvalidInput');
      expect(refused.message).toContain('AllowTcpForwarding');

      const nobody = await failureOf((await hosts.connect(plan, 'fw3', never)).exec(['true']));
      expect(failureType(nobody)).toBe('Unreachable');
      expect(nobody.message).toMatch(/fw3 .*via outer.*Connection refused/);

      bastion.dropConnections();
      const lost = await fw1.exec(['true']).catch((e: unknown) => e);
      if (lost instanceof Error) expect(failureType(lost)).toBe('Unreachable');
      expect((await fw1.exec(['echo', 'again'])).stdout).toBe('again\n');
    } finally {
      hosts.close();
      await bastion.remove();
      await closed.remove();
    }
  });

  test('unreachable: refused, not resolved, a peer that isn’t sshd', async () => {
    const refused = await failureOf(hello({ port: await freePort() }));
    expect(failureType(refused)).toBe('Unreachable');
    expect(refused.nonRetryable).toBe(false);
    expect(refused.message).toMatch(/connection refused.*Nothing was run there\. Next:/);
    const unknown = await failureOf(hello({ address: 'no-such-host.invalid' }));
    expect(failureType(unknown)).toBe('Unreachable');
    expect(unknown.message).toContain('can’t be resolved');
  });

  test('a host that the plan doesn’t have', async () => {
    await expect(hosts.connect({ hosts: { fw1: spec() } }, 'fw9', never)).rejects.toThrow(/no host fw9; it has fw1/);
    await expect(hosts.connect({}, 'fw1', never)).rejects.toThrow(/section hosts of the plan/);
  });

  test('one connection is shared, ended when idle, and made anew after a restart of sshd', async () => {
    hosts = createHosts({ idleMs: 50 });
    const host = await to();
    await Promise.all(Array.from({ length: 6 }, () => host.exec(['true'])));
    expect(hosts.connections).toBe(1);
    while (hosts.connections > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await host.exec(['echo', 'back'])).stdout).toBe('back\n');
    await sshd.restart();
    while (hosts.connections > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await host.exec(['echo', 'back'])).stdout).toBe('back\n');
  });

  test('more sessions than one connection takes, also where sshd allows few', async () => {
    const meagre = await Sshd.start({ authorized: [publicKey], config: ['MaxSessions 2'] });
    try {
      const host = await to({ port: meagre.port, hostKeys: [meagre.hostKey] });
      const results = await Promise.all(Array.from({ length: 24 }, (_, i) => host.exec(['echo', String(i)])));
      expect(results.map((r) => r.stdout.trim())).toEqual(Array.from({ length: 24 }, (_, i) => String(i)));
      const many = await to();
      await Promise.all(Array.from({ length: 50 }, () => many.exec(['true'])));
    } finally {
      hosts.close();
      await meagre.remove();
    }
  });
});
