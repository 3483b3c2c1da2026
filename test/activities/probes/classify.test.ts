import {
  classifyCommand,
  classifyHttp,
  classifyTcp,
  statusFits,
  type HttpOutcome,
  type TcpOutcome,
} from '../../../activities/probes/classify';

describe('tcp', () => {
  const open: TcpOutcome = { state: 'open', message: '', ms: 3 };
  const refused: TcpOutcome = { state: 'refused', message: 'Connection refused', ms: 3 };
  const timeout: TcpOutcome = { state: 'timeout', message: '', ms: 800 };
  const ownFault: TcpOutcome = { ...timeout, own: "this host's interface eth1 is down" };
  const error: TcpOutcome = { state: 'error', message: 'Name or service not known', ms: 1 };

  test.each([
    ['open', open, 'pass'],
    ['open', refused, 'fail'],
    ['open', timeout, 'fail'],
    ['open', ownFault, 'inconclusive'],
    ['open', error, 'inconclusive'],
    ['refused', open, 'fail'],
    ['refused', refused, 'pass'],
    ['refused', timeout, 'pass'],
    // A cable that is out must not pass for a firewall that refuses.
    ['refused', ownFault, 'inconclusive'],
    ['refused', error, 'inconclusive'],
  ] as const)('expecting %s: %j is %s', (expect_, seen, verdict) =>
    expect(classifyTcp({ to: '192.0.2.1:80', expect: expect_ }, seen).verdict).toBe(verdict),
  );

  test('a pass has its latency, a fail says what was seen', () => {
    expect(classifyTcp({ to: 'a:1', expect: 'open' }, open).latencyMs).toBe(3);
    expect(classifyTcp({ to: 'a:1', expect: 'open' }, refused).why).toBe('a:1: Connection refused');
    expect(classifyTcp({ to: 'a:1', expect: 'open' }, timeout).why).toBe('a:1: no answer within 800 ms');
  });
});

describe('http', () => {
  const probe = { url: 'http://a/', status: '200-299', expect: 'answer' as const };
  const seen = (part: Partial<HttpOutcome>): HttpOutcome => ({ message: '', ms: 5, ...part });

  test.each([
    ['the status fits', {}, seen({ status: 204 }), 'pass'],
    ['another status', {}, seen({ status: 503 }), 'fail'],
    ['no answer', {}, seen({ message: 'Failed to connect' }), 'fail'],
    ['broke off', {}, seen({ status: 200, broken: 'transfer closed' }), 'fail'],
    ['own host', {}, seen({ own: 'no route' }), 'inconclusive'],
    ['text found', { contains: 'ok' }, seen({ status: 200, contains: true }), 'pass'],
    ['text missing', { contains: 'ok' }, seen({ status: 200, contains: false }), 'fail'],
    ['refused as it must be', { expect: 'refused' as const }, seen({ message: 'refused' }), 'pass'],
    ['answers an error, yet it passed the firewall', { expect: 'refused' as const }, seen({ status: 403 }), 'fail'],
    [
      'half an answer passed the firewall too',
      { expect: 'refused' as const },
      seen({ status: 200, broken: 'x' }),
      'fail',
    ],
    ['own host, refused', { expect: 'refused' as const }, seen({ own: 'no route' }), 'inconclusive'],
  ])('%s', (_name, part, outcome, verdict) =>
    expect(classifyHttp({ ...probe, contains: undefined, ...part }, outcome).verdict).toBe(verdict),
  );

  test.each([
    [200, '200', true],
    [201, '200', false],
    [299, '200-299', true],
    [302, '200, 300-399', true],
    [404, '200,300-399', false],
  ])('%d fits %j: %s', (status, statuses, fits) => expect(statusFits(status, statuses)).toBe(fits));
});

describe('command', () => {
  const probe = { argv: ['/usr/sbin/conntrack', '-C'], okCodes: [0], pattern: '(\\d+)', bound: { max: 10 } };
  const seen = { code: 0, output: '7\n', message: '', ms: 4 };

  test.each([
    ['in bounds', seen, 'pass'],
    ['out of bounds', { ...seen, output: '11' }, 'fail'],
    ['no number', { ...seen, output: 'none' }, 'inconclusive'],
    ['failed', { ...seen, code: 1, message: 'no such device' }, 'inconclusive'],
    ['took too long', { ...seen, code: 124 }, 'inconclusive'],
    ['not installed', { ...seen, code: 127 }, 'inconclusive'],
  ])('%s', (_name, outcome, verdict) => expect(classifyCommand(probe, outcome, undefined).verdict).toBe(verdict));

  test('the number is handed on also when it fails, and faults quote the command’s own words', () => {
    expect(classifyCommand(probe, { ...seen, output: '11' }, undefined).value).toBe(11);
    expect(classifyCommand(probe, { ...seen, code: 2, message: 'permission denied' }, undefined).why).toBe(
      '/usr/sbin/conntrack ended with code 2: permission denied',
    );
  });

  test('relative bounds need the baseline', () => {
    const relative = { ...probe, bound: { minPercent: 50 } };
    expect(classifyCommand(relative, seen, 14).verdict).toBe('pass');
    expect(classifyCommand(relative, seen, 15).verdict).toBe('fail');
    expect(classifyCommand(relative, seen, undefined).verdict).toBe('inconclusive');
    expect(classifyCommand(relative, seen, undefined, { isBaseline: true }).verdict).toBe('pass');
  });
});
