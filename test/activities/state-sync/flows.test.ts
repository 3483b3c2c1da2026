import {
  compareFlows as compareTables,
  describeDifference,
  differenceFault,
  FlowSamples,
  type Comparison,
  type FlowDifference,
} from '../../../activities/state-sync/compare';
import { FlowTable } from '../../../activities/state-sync/flow-table';
import { originalLengthOf, readFlows, type ReadOptions } from '../../../activities/state-sync/flows';
import { ignoring, readAddresses } from '../../../activities/state-sync/ignored';
import { EXTERNAL_CACHE, SERVING, STANDBY } from './fixtures';

const all: ReadOptions = { identity: 'both', ignore: () => false };
const tableOf = (text: string, options: ReadOptions = all) => readFlows(text, options).table;
type Flows = ReadonlyMap<string, number | undefined>;

/** As comparing.ts does it: the sender's second reading names what differs. */
function comparisonOf(
  { before, receiver, after }: Record<'before' | 'receiver' | 'after', Flows>,
  agedMs: number,
  behindBefore?: FlowTable,
): Promise<Comparison> {
  const tables = {
    before: FlowTable.of(before),
    receiver: FlowTable.of(receiver),
    after: FlowTable.of(after),
    ...(behindBefore === undefined ? {} : { behindBefore }),
  };
  // No flow lives so long that it can't be too old.
  const limits = { agedMs, lifeNeededMs: 1_000_000_000 };
  const samples = new FlowSamples(tables, limits);
  for (const [key, timeoutS] of after) samples.notice(key, timeoutS);
  return compareTables(tables, limits, samples.all);
}
const compareFlows = async (...args: Parameters<typeof comparisonOf>): Promise<FlowDifference> =>
  (await comparisonOf(...args)).difference;
const strict = { missing: 0, missingPercent: 0 };

describe('reading flows', () => {
  it('takes established TCP and answered UDP of both families, whatever else is printed', () => {
    const { table, unreadable } = readFlows(SERVING, all);
    expect(unreadable).toEqual([]);
    expect([...table]).toEqual([
      [
        'tcp src=10.8.0.1 dst=10.8.1.1 sport=60170 dport=7000 ⇄ src=10.8.1.1 dst=10.8.0.1 sport=7000 dport=60170',
        431999,
      ],
      [
        'tcp src=fd00:8::1 dst=fd00:8:1::1 sport=43694 dport=7000 ⇄ src=fd00:8:1::1 dst=fd00:8::1 sport=7000 dport=43694',
        431999,
      ],
      ['udp src=10.8.0.1 dst=10.8.1.1 sport=57918 dport=9000 ⇄ src=10.8.1.1 dst=10.8.0.1 sport=9000 dport=57918', 119],
      [
        'tcp src=10.8.0.1 dst=10.8.1.1 sport=51708 dport=7050 ⇄ src=10.8.1.1 dst=192.0.2.1 sport=7050 dport=51708',
        431999,
      ],
      [
        'tcp src=10.8.0.1 dst=10.8.1.1 sport=42898 dport=7000 zone=7 ⇄ src=10.8.1.1 dst=10.8.0.1 sport=7000 dport=42898',
        431997,
      ],
      [
        'udp src=10.8.0.1 dst=10.8.1.1 sport=46921 dport=9000 zone-orig=9 ⇄ src=10.8.1.1 dst=10.8.0.1 sport=9000 dport=46921',
        116,
      ],
    ]);
  });

  it('reads the external cache, which shows no reply and no timeout', () => {
    expect([...tableOf(EXTERNAL_CACHE, { ...all, identity: 'original' })]).toEqual([
      ['tcp src=10.8.0.1 dst=10.8.1.1 sport=45400 dport=7050', undefined],
      ['udp src=10.8.0.1 dst=10.8.1.1 sport=59835 dport=9000', undefined],
      ['tcp src=fd00:8::1 dst=fd00:8:1::1 sport=51454 dport=7000', undefined],
    ]);
  });

  it('counts a flow that the kernel offloaded, which shows neither state nor timeout', () => {
    const line =
      'ipv4     2 tcp      6 src=10.0.0.1 dst=10.0.1.1 sport=1 dport=2 src=10.0.1.1 dst=10.0.0.1 sport=2 dport=1 [OFFLOAD] mark=0 use=2';
    expect(tableOf(line).size).toBe(1);
  });

  it('leaves out flows by their real ends: who sends, and who answers after translation', () => {
    const without = (...addresses: string[]) => readFlows(SERVING, { ...all, ignore: ignoring(addresses) });
    expect(without('10.8.1.0/24').table.size).toBe(1);
    expect(without('10.8.1.0/24').ignored).toBe(5);
    expect(without('fd00:8:1::/64').ignored).toBe(1);
    // The address that is put in place of the client's is no end of the flow.
    expect(without('192.0.2.1').ignored).toBe(0);
  });

  it('says which lines it can’t read instead of skipping them', () => {
    expect(readFlows(`${SERVING}<flow/>\nudp 17 src=10.0.0.1\n`, all).unreadable).toEqual([
      '<flow/>',
      'udp 17 src=10.0.0.1',
    ]);
  });

  it('reads the nodes’ own addresses', () => {
    expect(
      readAddresses('[{"ifname":"lo","addr_info":[{"local":"127.0.0.1"},{"local":"::1"}]},{},{"addr_info":[{}]}]'),
    ).toEqual(['127.0.0.1', '::1']);
  });
});

describe('a table of flows', () => {
  const key = (n: number, reply = n): string =>
    `tcp src=10.${n >> 16}.${(n >> 8) & 255}.${n & 255} dst=192.0.2.1 sport=${n & 65_535} dport=443 ⇄ src=192.0.2.1 dst=198.51.100.${reply & 255} sport=443 dport=${n & 65_535}`;

  it('knows what it was given, and nothing else', async () => {
    const known = new Map(Array.from({ length: 5_000 }, (_, n) => [key(n), n % 7 === 0 ? undefined : n % 90]));
    const table = FlowTable.of(known);
    expect(table.set(key(1), 5)).toBe(false);
    known.set(key(1), 5);
    expect(table.size).toBe(known.size);
    expect([...known].filter(([flow, timeoutS]) => table.entry(flow)?.timeoutS !== timeoutS)).toEqual([]);
    expect(table.entry(key(5_000))).toBeUndefined();
    // The same from the client, translated differently.
    expect([table.entry(key(3, 4)), table.hasOriginal(key(3, 4)), table.hasOriginal(key(5_000))]).toEqual([
      undefined,
      true,
      false,
    ]);
    const times = new Map<string, number>();
    await table.each(({ timeoutS }) => times.set(String(timeoutS), (times.get(String(timeoutS)) ?? 0) + 1));
    expect([...times.values()].reduce((a, b) => a + b)).toBe(known.size);
    expect(times.get('undefined')).toBe([...known.values()].filter((s) => s === undefined).length);
  });

  it('takes little memory, and the loop turns while it is gone through', async () => {
    const table = new FlowTable();
    for (let n = 0; n < 40_000; n++) table.set(key(n), 100);
    expect(table.bytes / table.size).toBeLessThan(32);
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await table.each(() => undefined);
    isOver = true;
    expect(turns).toBeGreaterThan(4);
  });
});

describe('comparing flows', () => {
  const [before, after, receiver] = [tableOf(SERVING), tableOf(SERVING), tableOf(STANDBY)];

  it('finds what the standby lacks', async () => {
    const difference = await compareFlows({ before, receiver, after }, 60_000);
    expect(difference).toMatchObject({
      flows: 6,
      missing: 1,
      translatedDifferently: 0,
      aged: 0,
      extra: 0,
      firstExpiryS: 118,
    });
    expect(difference.samples).toEqual([expect.stringMatching(/^missing: udp .* zone-orig=9/)]);
    expect(differenceFault(difference, strict)).toBe('1 of 6 flows are missing (tolerated: 0)');
    expect(describeDifference(difference)).toBe('6 flows, 1 missing');
  });

  it('doesn’t miss flows that were opened or closed meanwhile', async () => {
    const key = [...before.keys()].find((k) => k.includes('zone-orig')) ?? '';
    const without = new Map([...before].filter(([k]) => k !== key));
    expect(await compareFlows({ before: without, receiver, after }, 60_000)).toMatchObject({ flows: 5, missing: 0 });
    expect(await compareFlows({ before, receiver, after: without }, 60_000)).toMatchObject({ flows: 5, missing: 0 });
  });

  it('tells a flow that is translated differently from one that is missing', async () => {
    const other = tableOf(STANDBY.replace('dst=192.0.2.1', 'dst=192.0.2.9'));
    const difference = await compareFlows({ before, receiver: other, after }, 60_000);
    expect(difference).toMatchObject({ missing: 2, translatedDifferently: 1, extra: 1 });
    expect(differenceFault(difference, strict)).toBe(
      '2 of 6 flows are missing, 1 of them because they are translated differently (tolerated: 0)',
    );
  });

  it('finds flows that were not refreshed, by the smaller of the sender’s two readings', async () => {
    const old = new Map([...before].map(([key, s]) => [key, s === undefined ? s : s - 61]));
    expect(await compareFlows({ before, receiver: old, after }, 60_000)).toMatchObject({ missing: 0, aged: 6 });
    expect(await compareFlows({ before: old, receiver: old, after }, 60_000)).toMatchObject({ missing: 0, aged: 0 });
    expect(differenceFault(await compareFlows({ before, receiver: old, after }, 60_000), strict)).toBe(
      '6 of 6 flows would expire too early (tolerated: 0)',
    );
  });

  it('counts only what was behind before, too', async () => {
    const none = new Map<string, number>();
    const first = await comparisonOf({ before, receiver, after }, 60_000);
    expect([first.difference.missing, first.behind.size]).toEqual([1, 1]);
    const again = await comparisonOf({ before, receiver, after }, 60_000, first.behind);
    expect(again.difference).toMatchObject({ missing: 1, late: 0 });
    // All are missing now: five of them for the first time.
    const worse = await comparisonOf({ before, receiver: none, after }, 60_000, first.behind);
    expect(worse.difference).toMatchObject({ missing: 1, aged: 0, late: 5 });
    expect(worse.difference.samples).toEqual(first.difference.samples);
    expect(describeDifference(worse.difference)).toBe('6 flows, 1 missing, 5 late');
    expect(differenceFault(worse.difference, { missing: 1, missingPercent: 0 })).toBeUndefined();
    const worst = await comparisonOf({ before, receiver: none, after }, 60_000, worse.behind);
    expect(worst.difference).toMatchObject({ missing: 6, late: 0 });
  });

  it('counts what only the standby has, and compares nothing as nothing', async () => {
    const none = new Map<string, number>();
    const difference = await compareFlows({ before: none, receiver, after: none }, 60_000);
    expect(difference).toMatchObject({ flows: 0, missing: 0, extra: 5 });
    expect(describeDifference(difference)).toBe('no established flow to compare');
  });

  it('tolerates a number or a share, whichever is more', () => {
    const difference = { flows: 1_000, missing: 15, translatedDifferently: 0, aged: 5, extra: 0, samples: [] };
    expect(differenceFault(difference, { missing: 0, missingPercent: 2 })).toBeUndefined();
    expect(differenceFault(difference, { missing: 20, missingPercent: 0 })).toBeUndefined();
    expect(differenceFault(difference, { missing: 19, missingPercent: 1.9 })).toMatch(/tolerated: 19/);
  });

  it('matches an external cache by the original direction', async () => {
    const originals = new Map([...before.keys()].map((key) => [key.slice(0, originalLengthOf(key)), undefined]));
    const served = tableOf(SERVING, { ...all, identity: 'original' });
    expect(await compareFlows({ before: served, receiver: originals, after: served }, 60_000)).toMatchObject({
      flows: 6,
      missing: 0,
      aged: 0,
    });
  });
});
