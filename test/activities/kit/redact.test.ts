/** No secret leaves in what is kept or shown, wherever it stands; what is no secret stays readable. */
import fc from 'fast-check';
import { Recorder, boundedFailure, permanent, redact, redactDeep } from '../../../activities/kit';

/** As people and machines make passwords and tokens; with a mark, so that no part of it passes for something else. */
const secret = fc
  .tuple(fc.stringMatching(/^[A-Za-z0-9!$%*()_+.~^=-]{0,12}$/), fc.stringMatching(/^[A-Za-z0-9]{4,12}$/))
  .map(([begin, end]) => `S3cr${begin}t${end}`);

/** Where secrets have been seen: addresses, headers, parameters, files of configuration, command lines, XML, JSON. */
const places: readonly ((secret: string) => string)[] = [
  (s) =>
    `'http://repouser:${encodeURIComponent(s)}@10.0.0.1/./frr_8.4.4-1_amd64.deb' frr_8.4.4-1_amd64.deb 3854556 SHA256:37f5`,
  (s) => `deb [signed-by=/etc/key.gpg] https://u:${encodeURIComponent(s)}@repo.example/debian stable main`,
  (s) => `E: Failed to fetch http://u:${s.replaceAll('/', '')}@host:8080/x  401  Unauthorized`,
  (s) => `baseurl=ftp://:${encodeURIComponent(s)}@host/repo`,
  (s) => `git clone https://ghp_${s.replace(/\W/g, 'x')}0123456789@github.com/x/y`,
  (s) => `proxy=http://host:3128\nproxy_username=me\nproxy_password=${s}\n`,
  (s) => `Authorization: Bearer ${s}`,
  (s) => `> authorization: Basic ${Buffer.from(`me:${s}`).toString('base64')}`,
  (s) => `curl -H 'X-PAN-KEY: ${s}' https://fw/api/`,
  (s) => `curl -u admin:${s} https://fw/`,
  (s) => `POST /api/?type=op&key=${encodeURIComponent(s)}&cmd=x`,
  (s) => `key=${s}`,
  (s) => `{"user":"me","password":"${s}","n":1}`,
  (s) => `{"password": ${JSON.stringify(`${s}" and ${s}`)}}`,
  (s) => `password: "${s}"`,
  (s) => `Password = '${s} ${s}'`,
  (s) => `serverconf.hibernate.connection.password=${s}`,
  (s) => `PGPASSWORD=${s} psql`,
  (s) => `mysql --password=${s} --host=x`,
  (s) => `tool --client-secret ${s} --verbose`,
  (s) => `<response><result><key>${s}</key></result></response>`,
  (s) => `<entry name="x"><password>${s}</password></entry>`,
  (s) => `<phash>${s}</phash>`,
  (s) => ` neighbor 10.0.0.1 password ${s}`,
  (s) => `snmp-server community ${s}`,
  (s) => `-----BEGIN OPENSSH PRIVATE KEY-----\n${s}\n${s}\n-----END OPENSSH PRIVATE KEY-----`,
  (s) => `-----BEGIN PRIVATE KEY-----\n${s}\n`,
];
const around = fc.constantFrom('', ' ', '\n', 'x ', '\nGet:1 http://host/a b\n', '{"a":1}\n', ' [ok]\n');
const holding = fc.tuple(secret, fc.constantFrom(...places), around, around).map(([s, place, before, after]) => ({
  secrets: [s, encodeURIComponent(s), Buffer.from(`me:${s}`).toString('base64')],
  text: `${before}${before === 'x ' ? '\n' : ''}${place(s)}${after}`,
}));
const expectNone = (value: unknown, secrets: readonly string[]): void => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  for (const one of secrets) expect(text).not.toContain(one);
};

it.each(places.map((place) => [place('<here>').split('\n')[0], place] as const))('of %s', (_, place) => {
  expectNone(redact(place('S3cr1t.Mark-9')), ['S3cr1t.Mark-9']);
});

it('wherever it stands, in text, commands, outputs, failures and results', () => {
  fc.assert(
    fc.property(fc.array(holding, { minLength: 1, maxLength: 4 }), (parts) => {
      const text = parts.map((part) => part.text).join('\n');
      const secrets = parts.flatMap((part) => part.secrets);
      expectNone(redact(text), secrets);
      const recorder = new Recorder();
      recorder.add({ host: 'fw1', command: text, code: 0, ms: 1, out: text });
      expectNone(recorder.list(), secrets);
      const failure = permanent('CommandFailed', text, { host: 'fw1', output: text, list: [{ text }] });
      expectNone([failure.message, failure.details, failure.stack], secrets);
      const bounded = boundedFailure(new TypeError(text, { cause: new Error(text) })) as Error;
      expectNone([bounded.message, bounded.stack, (bounded.cause as Error).message], secrets);
      expectNone(redactDeep({ a: [{ b: text }] }), secrets);
    }),
    { numRuns: 500 },
  );
});

it('also where a long output is cut', () => {
  fc.assert(
    fc.property(holding, fc.integer({ min: 0, max: 800 }), fc.boolean(), ({ text, secrets }, at, isLong) => {
      const filler = 'Get:1 http://host/a b\n'.repeat(isLong ? 30_000 : 300);
      const recorder = new Recorder();
      recorder.add({ host: 'fw1', command: 'x', code: 0, ms: 1, out: `${filler.slice(0, at)}\n${text}\n${filler}` });
      recorder.add({ host: 'fw1', command: 'x', code: 0, ms: 1, out: `${filler}\n${text}\n${filler.slice(0, at)}` });
      expectNone(recorder.list(), secrets);
    }),
    { numRuns: 100 },
  );
});

it.each([
  'sudo: a password is required',
  'sudo: a terminal is required to read the password',
  'Tried: key file:/etc/hitless/key; password env:FW_PASSWORD. Nothing was run there.',
  'hosts.fw1.credentials.password: a reference: "file:/absolute/path"',
  'http://10.0.0.1:8080/path/@scope/pkg',
  'ssh://root@10.0.0.1:22 and root@host:/path',
  '/usr/sbin/conntrack -L -f ipv4 -p tcp --state ESTABLISHED -u ASSURED -o extended',
  'psql --no-password --tuples-only -c SELECT',
  'tcp      6 431997 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 [ASSURED] mark=0 use=1',
  'The token softToken-0 isn’t logged in: token: 0',
  'set community 65000:100 additive',
  'Inst frr [8.4.4-1] (8.4.4-1.1 Debian:12/stable [amd64])',
  'fw-a (10.0.0.1:443) doesn’t answer: no answer within 500 ms',
])('leaves alone: %s', (text) => expect(redact(text)).toBe(text));

it('of what has a life of its own, nothing is taken', () => {
  const when = new Date(0);
  expect(redactDeep({ when, n: 1, none: null, text: 'x' })).toEqual({ when, n: 1, none: null, text: 'x' });
});
