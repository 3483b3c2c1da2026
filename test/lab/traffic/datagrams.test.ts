import * as fc from 'fast-check';
import { FlowAccount } from './datagrams';
import { decode, encode, lostAfterMs, type Datagram } from './protocol';
import { parseSocketDrops } from './socket-drops';

const reply = (sequence: number, received: number): Datagram => ({
  flow: 1,
  sequence,
  query: false,
  received,
  dropped: 0,
});
const query = (received: number, dropped = 0): Datagram => ({ flow: 1, sequence: 0, query: true, received, dropped });

describe('the account of a flow', () => {
  test("tells by the server's count in which direction packets were lost, whatever the order", () => {
    const fates = fc.array(fc.constantFrom('back', 'lost on the way there', 'lost on the way back'), { maxLength: 60 });
    fc.assert(
      fc.property(fates, fc.infiniteStream(fc.nat()), (all, random) => {
        const account = new FlowAccount();
        all.forEach(() => account.send(0));
        let received = 0;
        const replies = all.flatMap((fate, sequence) => {
          if (fate === 'lost on the way there') return [];
          received += 1;
          return fate === 'back' ? [reply(sequence, received)] : [];
        });
        const shuffled = replies
          .map((each) => [random.next().value as number, each] as const)
          .sort(([a], [b]) => a - b);
        for (const [, each] of shuffled) account.receive(each);
        account.sweep(lostAfterMs);
        account.receive(query(received));
        const count = (fate: string): number => all.filter((each) => each === fate).length;
        expect(account.totals(0)).toEqual({
          sent: all.length + received,
          lostToServer: count('lost on the way there'),
          lostToClient: count('lost on the way back'),
          overflowed: 0,
        });
      }),
    );
  });

  test('a packet is lost only after a while, and not any more when it comes late; twice counts once', () => {
    const account = new FlowAccount();
    account.send(1000);
    account.sweep(1000 + lostAfterMs - 1);
    expect(account.totals(0).lostToServer).toBe(0);
    account.sweep(1000 + lostAfterMs);
    expect(account.totals(0).lostToServer).toBe(1);
    account.receive(reply(0, 1));
    account.receive(reply(0, 1));
    expect(account.totals(0)).toEqual({ sent: 2, lostToServer: 0, lostToClient: 0, overflowed: 0 });
  });

  test('what a full socket buffer dropped is set apart, but never more than is missing', () => {
    const account = new FlowAccount();
    account.receive(query(0, 7)); // dropped before our time
    [0, 1, 2, 3].forEach(() => account.send(0));
    account.receive(reply(0, 1));
    account.receive(query(2, 9));
    account.sweep(lostAfterMs);
    expect(account.totals(100)).toEqual({ sent: 6, lostToServer: 0, lostToClient: 0, overflowed: 3 });
    expect(account.totals(0)).toEqual({ sent: 6, lostToServer: 0, lostToClient: 1, overflowed: 2 });
  });
});

test('datagrams survive the wire, and foreign ones are not ours', () => {
  const word = fc.nat(2 ** 32 - 1);
  const datagrams = fc.record({ flow: word, sequence: word, query: fc.boolean(), received: word, dropped: word });
  fc.assert(
    fc.property(datagrams, (datagram) => {
      const buffer = Buffer.alloc(160);
      encode(datagram, buffer);
      expect(decode(buffer)).toEqual(datagram);
    }),
  );
  expect(decode(Buffer.alloc(160))).toBeUndefined();
  expect(decode(Buffer.alloc(3))).toBeUndefined();
});

test('drops are read from /proc/net/udp by local port, summed over sockets', () => {
  const text = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  297: 0A0A0A0A:9C41 0A14000A:1B58 01 00000000:00000000 00:00000000 00000000     0        0 12345 2 0000000000000000 3
  298: 00000000:1B58 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12346 2 0000000000000000 4
  299: 00000000:1B58 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12347 2 0000000000000000 5
`;
  expect(parseSocketDrops(text)).toEqual(
    new Map([
      [40001, 3],
      [7000, 9],
    ]),
  );
});
