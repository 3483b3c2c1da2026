import { inWords, jobOf, readReply } from '../../../activities/panos/api';
import { failureType } from '../../../activities/kit';

const reply = (body: string, status = 200) => readReply('pa1', '<show/>', { status, body: Buffer.from(body) });
const failure = (body: string, status = 200): unknown => {
  try {
    reply(body, status);
  } catch (error) {
    return error;
  }
  return undefined;
};
const error = (text: string, code?: number): string =>
  `<response status="error"${code === undefined ? '' : ` code="${code}"`}><msg><line>${text}</line></msg></response>`;

it('reads a result, whatever the quotes and line breaks', () => {
  expect(reply("<response status='success'><result>yes\n</result></response>").result.text).toBe('yes\n');
});

it('reads the ID of a job, from its element or from the text', () => {
  const queued =
    '<response status="success" code="19"><result><msg><line>Download job enqueued with jobid 12</line></msg>';
  expect(jobOf(reply(`${queued}<job>12</job></result></response>`))).toBe(12);
  expect(jobOf(reply(`${queued}</result></response>`))).toBe(12);
  expect(
    jobOf(reply('<response status="success"><msg>There are no changes to commit.</msg></response>')),
  ).toBeUndefined();
});

it.each([
  'Another commit/validate is in progress. Please try again later',
  'A commit is in progress.',
  'You cannot commit while an install is in progress. Please try again later.',
  'HA synchronization is already in progress',
  'The software manager is currently in use. Please try again later.',
  'Failed to check upgrade info due to Unknown error. Please check network connectivity and try again.',
])('%s: later', (text) => expect(failureType(failure(error(text)))).toBe('Busy'));

it.each([
  ['Configuration is locked by other administrators', /have the lock removed/],
  ['Failed to synchronize running configuration with HA peer', /compare the configurations/],
  ['No update available', /licences/],
  ['Command deprecated in Advanced Routing Mode.', /legacy engine/],
])('%s: people', (text, advice) => {
  const found = failure(error(text, 13));
  expect(failureType(found)).toBe('CommandFailed');
  expect(String(found)).toMatch(advice);
  expect(String(found)).toContain('(code 13)');
});

it('a session that timed out, and errors inside the device, may pass', () => {
  for (const code of [2, 3, 4, 5, 11, 21, 22]) expect(failureType(failure(error('x', code)))).toBe('Busy');
});

it('several lines, and CDATA', () => {
  const found = failure(
    '<response status="error" code="17"><msg><line><![CDATA[ foo  is unexpected]]></line><line>b</line></msg></response>',
  );
  expect(String(found)).toContain('foo is unexpected; b');
});

it('HTTP 403 is a matter of credentials, and what is no XML may pass', () => {
  const refused = "<response status = 'error' code = '403'><result><msg>Invalid Credential</msg></result></response>";
  expect(failureType(failure(refused, 403))).toBe('AuthenticationFailed');
  expect(failureType(failure('<html>starting', 200))).toBe('CommandFailedRetryable');
  expect(failureType(failure('', 503))).toBe('CommandFailedRetryable');
});

it('tells commands as people type them', () => {
  expect(
    inWords('<request><system><software><install><version>10.2.9</version></install></software></system></request>'),
  ).toBe('request system software install version 10.2.9');
  expect(inWords("<show><arp><entry name = 'all'/></arp></show>")).toBe('show arp entry');
});
