/** A host with which nothing can be agreed is named with what both sides offer. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureType, messageOf } from '../../../activities/kit/errors';
import { createHosts } from '../../../activities/ssh';
import { Offers } from '../../../activities/ssh/agreement';
import { Sshd, describeWithSshd, makeKey } from './support/sshd';

const target = { name: 'fw1', user: 'ops', address: '192.0.2.1', port: 22, via: [] };

test('another failure, or one without lists, is left to others', () => {
  const offers = new Offers();
  offers.hear('Handshake: (local) KEX method: a');
  offers.hear('Handshake: (remote) KEX method: b');
  expect(offers.failure(target, new Error('Connection lost before handshake'))).toBeUndefined();
  expect(new Offers().failure(target, new Error('Handshake failed: no matching C->S cipher'))).toBeUndefined();
});

test('what no sshd here has any more: hmac-sha1 alone, and what isn’t a method stays out of the list', () => {
  const offers = new Offers();
  offers.hear('Handshake: (local) KEX method: curve25519-sha256,kex-strict-c-v00@openssh.com,ext-info-c');
  offers.hear('Handshake: (remote) KEX method: diffie-hellman-group1-sha1,kex-strict-s-v00@openssh.com');
  const kex = messageOf(offers.failure(target, new Error('Handshake failed: no matching key exchange algorithm')));
  expect(kex).toContain('The host offers diffie-hellman-group1-sha1; the worker takes curve25519-sha256. Nothing');
  offers.hear('Handshake: (local) S->C MAC: hmac-sha2-256');
  offers.hear('Handshake: (remote) S->C MAC: hmac-sha1');
  const mac = messageOf(offers.failure(target, new Error('Handshake failed: no matching S->C MAC')));
  expect(mac).toContain('have no MAC in common. The host offers hmac-sha1; the worker takes hmac-sha2-256.');
  offers.hear('Handshake: (local) Host key format: ssh-ed25519,rsa-sha2-512');
  offers.hear('Handshake: (remote) Host key format: ssh-dss');
  const key = messageOf(offers.failure(target, new Error('Handshake failed: no matching host key format')));
  expect(key).toContain('have no type of host key in common. The host offers ssh-dss; the worker takes ssh-ed25519, ');
  expect(mac).toContain('in its sshd_config (MACs; ');
});

describeWithSshd('with a real sshd', () => {
  let folder: string;
  let publicKey: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitless-agreement-'));
    publicKey = makeKey(join(folder, 'key'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const failureWith = async (config: readonly string[], more: object = {}): Promise<unknown> => {
    const sshd = await Sshd.start({ authorized: [publicKey], config });
    const hosts = createHosts();
    try {
      const { address, port, user, hostKey } = sshd;
      const credentials = `file:${join(folder, 'key')}`;
      const spec = { address, port, user, credentials, hostKeys: [hostKey], root: 'none', ...more };
      const host = await hosts.connect({ hosts: { fw1: spec } }, 'fw1', new AbortController().signal);
      return await host.exec(['true']).catch((error: unknown) => error);
    } finally {
      hosts.close();
      await sshd.remove();
    }
  };

  test.each([
    ['KexAlgorithms diffie-hellman-group1-sha1', 'key exchange', 'diffie-hellman-group1-sha1', 'curve25519-sha256'],
    ['Ciphers 3des-cbc', 'cipher', '3des-cbc', 'aes256-gcm@openssh.com'],
  ])('%s', async (config, what, theirs, ours) => {
    const failure = await failureWith([config]);
    expect(failureType(failure)).toBe('InvalidInput');
    expect(messageOf(failure)).toMatch(/^fw1 \(.*\) and the worker have no /);
    expect(messageOf(failure)).toContain(`have no ${what} in common. The host offers ${theirs}; the worker takes `);
    expect(messageOf(failure)).toContain(ours);
    expect(messageOf(failure)).toContain(`in its sshd_config (${config.split(' ')[0]}; `);
  });

  test('what sshd says of a login that it refuses stays in the message', async () => {
    const banner = join(folder, 'banner');
    writeFileSync(banner, 'System is booting up. Unprivileged users are not permitted to log in yet.\n');
    makeKey(join(folder, 'other'));
    const failure = await failureWith([`Banner ${banner}`], { credentials: `file:${join(folder, 'other')}` });
    expect(failureType(failure)).toBe('AuthenticationFailed');
    expect(messageOf(failure)).toContain('It said: System is booting up. Unprivileged');
    expect((failure as { details: unknown[] }).details[0]).toMatchObject({
      answered: true,
      said: expect.stringMatching(/^System is booting/),
    });
  });
});
