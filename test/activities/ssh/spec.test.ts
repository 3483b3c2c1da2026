import { hostSpec, hostsSpec } from '../../../activities/ssh/spec';

const host = { address: '192.0.2.1', user: 'hitless', credentials: 'file:/etc/hitless/key' };
const faults = (value: unknown): string[] =>
  hostsSpec.safeParse(value).error?.issues.map((i) => `${i.path.join('.')}: ${i.message}`) ?? [];

describe('host spec', () => {
  test('defaults', () => {
    expect(hostSpec.parse(host)).toEqual({
      address: '192.0.2.1',
      port: 22,
      user: 'hitless',
      credentials: [{ key: 'file:/etc/hitless/key' }],
      root: 'sudo',
    });
  });

  test.each([
    ['agent', [{ agent: 'env:SSH_AUTH_SOCK' }]],
    ['env:FW_KEY', [{ key: 'env:FW_KEY' }]],
    [{ key: 'file:~/key', passphrase: 'env:PHRASE' }, [{ key: 'file:~/key', passphrase: 'env:PHRASE' }]],
    [{ password: 'env:FW_PASSWORD' }, [{ password: 'env:FW_PASSWORD' }]],
    [
      ['agent', 'file:/k'],
      [{ agent: 'env:SSH_AUTH_SOCK' }, { key: 'file:/k' }],
    ],
  ])('credentials %j', (credentials, expected) => {
    const parsed = hostSpec.parse({ ...host, credentials });
    expect(parsed.credentials).toEqual(expected);
    expect(hostSpec.parse(parsed)).toEqual(parsed);
  });

  test.each(['hunter2', 'file:relative', 'env:', '-----BEGIN OPENSSH PRIVATE KEY-----', { password: 'hunter2' }, []])(
    'credentials %j are refused, and the message tells the forms',
    (credentials) => {
      const result = hostSpec.safeParse({ ...host, credentials });
      expect(result.success).toBe(false);
      expect(result.error?.issues.map((i) => i.message).join()).toMatch(/reference|expected array to have/);
      expect(JSON.stringify(result.error?.issues)).not.toContain('hunter2');
    },
  );

  test.each(['2001:db8::1', '::1', 'fe80::1%eth0', 'fw1.example.net', '192.0.2.1'])('address %s', (address) => {
    expect(hostSpec.parse({ ...host, address }).address).toBe(address);
  });

  test.each(['ssh://fw1', '[::1]', '192.0.2.1:22', 'fw1:22', '-oProxyCommand=x', 'a b', ''])(
    'address %j is refused',
    (address) => {
      expect(hostSpec.safeParse({ ...host, address }).success).toBe(false);
    },
  );

  test('a misspelt field is refused', () => {
    expect(faults({ fw1: { ...host, known_hosts: '/x' } })[0]).toContain('known_hosts');
  });

  test('jump hosts must exist and not form a circle', () => {
    expect(faults({ fw1: { ...host, jump: 'bastion' } })).toEqual(['fw1.jump: jump host "bastion" is not under hosts']);
    expect(faults({ fw1: { ...host, jump: 'constructor' } })[0]).toContain('not under hosts');
    expect(faults({ a: { ...host, jump: 'b' }, b: { ...host, jump: 'a' } })[0]).toContain('a → b → a');
    expect(faults({ a: { ...host, jump: 'b' }, b: { ...host, jump: 'c' }, c: host })).toEqual([]);
  });
});
