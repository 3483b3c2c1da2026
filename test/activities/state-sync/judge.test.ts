/** The table of cases: what becomes of a flow if traffic moves, by what conntrack(8) prints of it on the two nodes. */
import { FlowTable } from '../../../activities/state-sync/flow-table';
import { readFlows } from '../../../activities/state-sync/flows';
import { judgeFlow } from '../../../activities/state-sync/judge';
import { limitsOf, stateSyncSpec } from '../../../activities/state-sync/spec';

const ENDS = 'src=10.8.0.1 dst=10.8.1.1 sport=60170 dport=7000';
const BACK = 'src=10.8.1.1 dst=10.8.0.1 sport=7000 dport=60170';
const tcp = (timeoutS: number, state = 'ESTABLISHED', back = BACK): string =>
  `ipv4     2 tcp      6 ${timeoutS} ${state} ${ENDS} ${back} [ASSURED] mark=0 use=1`;
const udp = (timeoutS: number, assured = '[ASSURED]'): string =>
  `ipv4     2 udp      17 ${timeoutS} ${ENDS} ${BACK} ${assured} mark=0 use=1`;
const OFFLOADED = `ipv4     2 tcp      6 ${ENDS} ${BACK} [OFFLOAD] mark=0 use=2`;
const NONE = '';
const OTHER_NAT = tcp(431_999, 'ESTABLISHED', 'src=10.8.1.1 dst=192.0.2.9 sport=7000 dport=60170');

const identityOf = (lines: readonly string[]): string =>
  lines.flatMap((line) => [...readFlows(line, { identity: 'both', ignore: () => false }).table.keys()])[0] ?? '';

function verdict(before: string, here: string, after: string, lifeNeededMs?: number): string {
  const spec = stateSyncSpec.parse({
    driver: 'conntrackd',
    variant: 'direct',
    ...(lifeNeededMs === undefined ? {} : { lifeNeededMs }),
  });
  const key = identityOf([before, after]);
  const seen = (line: string) =>
    FlowTable.of(readFlows(line, { identity: 'both', ignore: () => false }).table).entry(key);
  return judgeFlow({ before: seen(before), here: seen(here), after: seen(after) }, limitsOf(spec));
}

describe('a flow of the node that serves', () => {
  it.each([
    ['as it is on both', tcp(431_999), tcp(431_990), tcp(431_998), 'kept'],
    ['copied while data was under way', tcp(431_999), tcp(291), tcp(431_999), 'kept'],
    ['with data under way for all of the time', tcp(299), tcp(290), tcp(299), 'kept'],
    ['with data under way on the sender, copied before', tcp(299), tcp(431_990), tcp(300), 'kept'],
    ['copied so long ago that its time runs out', tcp(431_999), tcp(119), tcp(431_999), 'aged'],
    ['about to expire on both', tcp(70), tcp(60), tcp(69), 'kept'],
    ['sent by the client between the two readings', tcp(70), tcp(60), tcp(431_999), 'kept'],
    ['with a short timer, refreshed', udp(119), udp(60), udp(118), 'kept'],
    ['with a short timer, not refreshed', udp(119), udp(40), udp(118), 'aged'],
    ['not there', tcp(431_999), NONE, tcp(431_999), 'missing'],
    ['there as one that ended', tcp(431_999), tcp(100, 'TIME_WAIT'), tcp(431_999), 'missing'],
    ['there as one that nobody answered', udp(119), udp(119, ''), udp(119), 'missing'],
    ['translated differently there', tcp(431_999), OTHER_NAT, tcp(431_999), 'missing'],
    ['opened just now', NONE, NONE, tcp(431_999), 'young'],
    ['ended meanwhile', tcp(431_999), NONE, tcp(119, 'TIME_WAIT'), 'ended'],
    ['forgotten meanwhile', udp(1), NONE, NONE, 'ended'],
    ['without a timer', OFFLOADED, tcp(431_999), OFFLOADED, 'kept'],
  ])('%s', (_what, before, here, after, expected) => {
    expect(verdict(before, here, after)).toBe(expected);
  });

  it('needs as long a life as the plan says', () => {
    expect(verdict(tcp(431_999), tcp(291), tcp(431_999), 295_000)).toBe('aged');
    expect(verdict(tcp(431_999), tcp(5), tcp(431_999), 4_000)).toBe('kept');
  });
});
