import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UnexpectedOutput, failureType, jsonOf, permanent, readAnswer } from '../../../activities/kit';
import { JSON_LIMIT_CHARS } from '../../../activities/kit/answer';
import { readInterfaces } from '../../../activities/parity/network';
import { nftCounts } from '../../../activities/routing/counters';
import { forwardingOf } from '../../../activities/routing/frr/json';
import { ownAddresses, readAddresses } from '../../../activities/state-sync/ignored';
import type { Host } from '../../../activities/kit';

const asked = { host: 'fw1', command: ['/usr/sbin/ip', '-j', 'address'], expected: 'addresses, as JSON' };
const failureOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('an answer that can’t be read', () => {
  test('fails by host, command and what was expected, and is asked for again', () => {
    const failure = failureOf(() => readAnswer(asked, () => jsonOf(z.array(z.string()), '{}')));
    expect(failure).toMatchObject({ type: 'CommandFailedRetryable', nonRetryable: false });
    expect((failure as Error).message).toBe(
      'fw1: ip answered with something else than was asked for: JSON of another shape: Invalid input: expected array, received object. Expected: addresses, as JSON. Asked: /usr/sbin/ip -j address. Next: this is tried again; if it stays so, run that on fw1 by hand, and see what it prints.',
    );
  });

  test.each([
    ['a slip of a parser', () => (undefined as unknown as { x: { y: 1 } }).x.y],
    [
      'megabytes',
      () => {
        throw new UnexpectedOutput('x '.repeat(1_000_000));
      },
    ],
  ])('%s, too, in a few words', (_, parse) => {
    const failure = failureOf(() => readAnswer(asked, parse)) as Error;
    expect(failureType(failure)).toBe('CommandFailedRetryable');
    expect(failure.message.length).toBeLessThan(1_000);
  });

  test('a failure that a parser chose stays as it is', () => {
    const chosen = permanent('InvalidInput', 'no such rule');
    expect(
      failureOf(() =>
        readAnswer(asked, () => {
          throw chosen;
        }),
      ),
    ).toBe(chosen);
  });

  test.each([
    ['', 'nothing was printed'],
    ['<html>', 'not JSON'],
    ['['.repeat(100_000), 'nests deeper than 100 levels'],
    [`[${'1,'.repeat(JSON_LIMIT_CHARS / 2)}1]`, 'are the most'],
    ['["a", 1]', 'JSON of another shape at 1: '],
  ])('is told as what it is (%#)', (text, what) => {
    expect(() => jsonOf(z.array(z.string()), text)).toThrow(UnexpectedOutput);
    expect(() => jsonOf(z.array(z.string()), text)).toThrow(what);
  });
});

describe('what once threw raw errors', () => {
  test.each<[string, () => unknown]>([
    ['addresses: [{}] is no fault, {} is', () => readAddresses('{}')],
    ['addresses that are none', () => readAddresses('[{"addr_info":[{"local":"fe80:zz"}]}]')],
    ['interfaces: cut short', () => readInterfaces('[{"ifname":"eth0"')],
    [
      'interfaces: a network of 999 bits',
      () => readInterfaces('[{"ifname":"a","addr_info":[{"local":"10.0.0.1","prefixlen":999}]}]'),
    ],
    ['nft: null', () => nftCounts('null', ['users'], 'fw1')],
    ['nft: text', () => nftCounts('netlink: Error', ['users'], 'fw1')],
    ['FRR: a route that is a number', () => forwardingOf({ '0.0.0.0/0': [1] })],
  ])('%s', (_, parse) => expect(failureOf(parse)).toBeInstanceOf(UnexpectedOutput));

  test('and now tells the host', async () => {
    const host = { name: 'fw2', exec: async () => ({ stdout: '{}', stderr: '', code: 0, ms: 1 }) } as unknown as Host;
    await expect(ownAddresses([host])).rejects.toThrow(
      /^fw2: ip answered with something else.*Asked: \/usr\/sbin\/ip -j address show/,
    );
  });
});

test('nobody parses JSON of hosts but kit/answer.ts', () => {
  // History, snapshots and inventories of ours, and answers that are never thrown for.
  const allowed = [
    'kit/answer.ts',
    'parity/snapshot.ts',
    'ownership/record.ts',
    'packages/state.ts',
    'probes/prometheus.ts',
    'panos/readiness/parse/routing.ts',
  ];
  const root = join(__dirname, '../../../activities');
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && readFileSync(join(root, file), 'utf8').includes('JSON.parse('),
  );
  expect(found.filter((file) => !allowed.includes(file))).toEqual([]);
});
