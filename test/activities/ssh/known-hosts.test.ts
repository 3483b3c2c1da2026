import { createHmac } from 'node:crypto';
import {
  fingerprint,
  hostKeyAlgorithms,
  judgeKey,
  keyType,
  knownHostName,
  parseKnownHosts,
  pinnedKeys,
} from '../../../activities/ssh/known-hosts';

/** A key in its wire form: type and some bytes. */
const wire = (type: string, content: string): Buffer => {
  const part = (b: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(b.length);
    return Buffer.concat([length, b]);
  };
  return Buffer.concat([part(Buffer.from(type)), part(Buffer.from(content))]);
};
const ed = wire('ssh-ed25519', 'one');
const other = wire('ssh-ed25519', 'two');
const rsa = wire('ssh-rsa', 'three');
const entry = (hosts: string, key: Buffer, marker = ''): string =>
  `${marker}${hosts} ${keyType(key)} ${key.toString('base64')} comment`;
const judge = (text: string, name: string, key: Buffer): string => judgeKey(parseKnownHosts(text), name, key).verdict;

describe('known_hosts', () => {
  test.each([
    ['fw1.example.net', 'fw1.example.net', 'trusted'],
    ['FW1.example.net', 'fw1.example.net', 'trusted'],
    ['fw1,192.0.2.1', '192.0.2.1', 'trusted'],
    ['fw2', 'fw1', 'unknown'],
    ['*.example.net', 'fw1.example.net', 'trusted'],
    ['*.example.net,!fw1.example.net', 'fw1.example.net', 'unknown'],
    ['!fw1.example.net,*.example.net', 'fw1.example.net', 'unknown'],
    ['192.0.2.?', '192.0.2.7', 'trusted'],
    ['192.0.2.?', '192.0.2.17', 'unknown'],
    ['192.0.2.1', '192.0.211', 'unknown'],
    ['[192.0.2.1]:2222', '[192.0.2.1]:2222', 'trusted'],
    ['192.0.2.1', '[192.0.2.1]:2222', 'unknown'],
    ['[192.0.2.1]:2222', '192.0.2.1', 'unknown'],
    ['2001:db8::1', '2001:db8::1', 'trusted'],
  ])('%s for %s: %s', (hosts, name, verdict) => {
    expect(judge(entry(hosts, ed), name, ed)).toBe(verdict);
  });

  test('names', () => {
    expect(knownHostName('FW1.example.net', 22)).toBe('fw1.example.net');
    expect(knownHostName('2001:DB8::1', 2222)).toBe('[2001:db8::1]:2222');
  });

  test('hashed names', () => {
    const salt = Buffer.alloc(20, 7);
    const hash = createHmac('sha1', salt).update('[fw1]:2222').digest('base64');
    const line = entry(`|1|${salt.toString('base64')}|${hash}`, ed);
    expect(judge(line, '[fw1]:2222', ed)).toBe('trusted');
    expect(judge(line, 'fw1', ed)).toBe('unknown');
    expect(judge(line, '[fw1]:2222', other)).toBe('changed');
  });

  test('another key is a change and names what was expected', () => {
    const verdict = judgeKey(parseKnownHosts([entry('fw1', ed), entry('fw1', rsa)].join('\n')), 'fw1', other);
    expect(verdict).toMatchObject({ verdict: 'changed', expected: [{ type: 'ssh-ed25519' }, { type: 'ssh-rsa' }] });
  });

  test('revoked wins over listed, wherever it stands; certificate authorities are no host keys', () => {
    expect(judge([entry('fw1', ed), entry('*', ed, '@revoked ')].join('\n'), 'fw1', ed)).toBe('revoked');
    expect(judge([entry('*', ed, '@revoked '), entry('fw1', ed)].join('\n'), 'fw1', ed)).toBe('revoked');
    expect(judge(entry('*', ed, '@cert-authority '), 'fw1', ed)).toBe('unknown');
    expect(judge(entry('fw1', ed, '@something '), 'fw1', ed)).toBe('unknown');
  });

  test('comments, blank and damaged lines don’t hide the good ones', () => {
    const text = `# comment\n\n  \nfw1\nfw1 ssh-ed25519\nfw1 1024 35 123456\n#fw1 ${keyType(other)} ${other.toString('base64')}\r\n\t${entry('fw1', ed)}\r\n`;
    expect(judge(text, 'fw1', ed)).toBe('trusted');
    expect(judge(text, 'fw1', other)).toBe('changed');
  });

  test('algorithms of known keys are offered first, SHA-1 never', () => {
    const entries = parseKnownHosts([entry('fw1', rsa), entry('fw2', ed)].join('\n'));
    expect(hostKeyAlgorithms(entries, 'fw1').slice(0, 2)).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
    expect(hostKeyAlgorithms(entries, 'fw1')).toContain('ssh-ed25519');
    expect(hostKeyAlgorithms(entries, 'fw2')[0]).toBe('ssh-ed25519');
    expect(hostKeyAlgorithms(entries, 'fw1')).not.toContain('ssh-rsa');
  });

  test('pinned keys speak of any name', () => {
    expect(judgeKey(pinnedKeys([`ssh-ed25519 ${ed.toString('base64')} root@fw1`]), 'fw9', ed).verdict).toBe('trusted');
  });

  test('fingerprints are as ssh-keygen shows them', () => {
    expect(fingerprint('AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl')).toBe(
      'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU',
    );
    expect(keyType(Buffer.from('x'))).toBe('unknown');
  });
});
