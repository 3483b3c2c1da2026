/** Counters read and compared. */
import { kernelCounts, nftCounts, packetsBetween } from '../../../activities/routing/counters';
import type { CounterSpec } from '../../../activities/routing/spec';

const snmp = `Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos
Ip: 1 64 1000 0 0 321 0
Icmp: InMsgs
Icmp: 5
Ip6InReceives                   \t12
Ip6OutForwDatagrams             \t45
`;

test('the kernel’s forwarded packets, by family', () => {
  expect(kernelCounts(snmp, ['ipv4', 'ipv6'], 'fw1')).toEqual([
    { of: 'forwarded ipv4', packets: 321 },
    { of: 'forwarded ipv6', packets: 45 },
  ]);
  expect(kernelCounts(snmp.replace(/^Ip6.*$/gm, ''), ['ipv4', 'ipv6'], 'fw1')).toHaveLength(1);
  expect(() => kernelCounts('', ['ipv4'], 'fw1')).toThrow('fw1 doesn’t tell');
});

test('rules by comment; several with one comment are added up; one that doesn’t count is named', () => {
  const rule = (comment: string, packets?: number) => ({
    rule: {
      comment,
      expr: [{ match: {} }, ...(packets === undefined ? [] : [{ counter: { packets, bytes: 1 } }]), { accept: null }],
    },
  });
  const json = JSON.stringify({ nftables: [{ metainfo: {} }, { chain: {} }, rule('a', 3), rule('a', 4), rule('b')] });
  expect(nftCounts(json, ['a'], 'fw1')).toEqual([{ of: 'a', packets: 7 }]);
  expect(() => nftCounts(json, ['b'], 'fw1')).toThrow(/fw1: no rule with the comment "b" counts packets/);
});

describe('between two readings', () => {
  const counters: CounterSpec[] = [{ source: 'interface', interface: 'wan0', controlPerSecond: 3 }];
  test.each<[string, number, number, number]>([
    ['control plane alone', 100, 106, 0],
    ['more than that', 100, 116, 10],
  ])('an interface: %s', (_name, before, after, packets) => {
    expect(
      packetsBetween([{ of: 'wan0', packets: before }], [{ of: 'wan0', packets: after }], counters, 2_000),
    ).toEqual({ packets, restarted: false });
  });
  test('a counter that started anew says nothing', () => {
    expect(packetsBetween([{ of: 'a', packets: 10 }], [{ of: 'a', packets: 2 }], [], 1_000).restarted).toBe(true);
    expect(packetsBetween([], [{ of: 'a', packets: 2 }], [], 1_000).restarted).toBe(true);
  });
});
