/**
 * Reads connection tracking entries as conntrack(8) and conntrackd(8) of conntrack-tools 1.4 print them, one a line:
 *
 *   ipv4     2 tcp      6 431997 ESTABLISHED src=… dst=… sport=… dport=… src=… dst=… sport=… dport=… [ASSURED] mark=0 use=1
 *   udp      17 src=… dst=… sport=… dport=… [ASSURED] [active since 7s]
 *
 * The second form is that of conntrackd's external cache: no timeout, and the original direction alone (measured with 1.4.7).
 * Lines rather than XML: 20,000 entries are 3.3 MB so, and three times that as XML.
 */
import { isIP } from 'node:net';

/**
 * What a flow is told by. `both`: what the client sent and what it gets back, so that two translations of one flow are two flows;
 * `original`: what the client sent.
 */
export type Identity = 'both' | 'original';

export interface FlowsRead {
  /** By identity; the value is the time in seconds until the entry expires, undefined where it isn't printed. */
  readonly table: ReadonlyMap<string, number | undefined>;
  /** Flows left out because `ignore` said so. */
  readonly ignored: number;
  /** Lines that aren't in a form known here; a comparison that skipped them would lie. */
  readonly unreadable: readonly string[];
}

export interface ReadOptions {
  readonly identity: Identity;
  /** Says of an address that flows from or to it aren't compared. */
  readonly ignore: (address: string) => boolean;
}

/** Separates the two directions in an identity. */
const ARROW = ' ⇄ ';
/** Enough to see what the form is. */
const UNREADABLE_SAMPLES = 3;

/**
 * Flows of a dump: established TCP (also where the kernel offloaded it and shows no state), assured UDP. A flow is
 * ignored by its real ends, after translation: where it comes from and who answers it. That is the rule of conntrackd's
 * own "Address Ignore" (filter.c, __ct_filter_test_ipv4).
 */
export function readFlows(text: string, options: ReadOptions): FlowsRead {
  const table = new Map<string, number | undefined>();
  const unreadable: string[] = [];
  let ignored = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const flow = readLine(line);
    if (flow === undefined) {
      if (unreadable.length < UNREADABLE_SAMPLES) unreadable.push(line.slice(0, 200));
      continue;
    }
    if (!flow.counts) continue;
    if (options.ignore(flow.from) || options.ignore(flow.to)) {
      ignored += 1;
      continue;
    }
    const key = options.identity === 'both' && flow.reply !== '' ? flow.original + ARROW + flow.reply : flow.original;
    table.set(key, flow.timeoutS);
  }
  return { table, ignored, unreadable };
}

/** How much of an identity is the original direction. */
export function originalLengthOf(key: string): number {
  const end = key.indexOf(ARROW);
  return end < 0 ? key.length : end;
}

interface Line {
  readonly original: string;
  readonly reply: string;
  /** Real ends of the flow. `to` is who answers; where no reply is printed, who was asked. */
  readonly from: string;
  readonly to: string;
  readonly timeoutS: number | undefined;
  readonly counts: boolean;
}

/**
 * Family (with `-o extended` only), protocol, timeout, state, original direction, what follows it (zone-orig, counters), reply,
 * what follows it (flags, zone). One expression rather than words: this reads every flow of a firewall every minute. With
 * the flag s the rest of a line always matches: without it an odd character at its end has every "src=" tried again.
 */
const LINE =
  /^(?:ipv[46] +\d+ +)?(\w+) +\d+ +(?:(\d+) +)?(?:([A-Z][A-Z_0-9]*) +)?(?:\[\w+\] +)?(src=(\S+) dst=(\S+) sport=\d+ dport=\d+)(.*?)(?: (src=(\S+) dst=\S+ sport=\d+ dport=\d+)(.*))?$/s;

function readLine(line: string): Line | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  const [
    ,
    protocol = '',
    timeout,
    state,
    original = '',
    from = '',
    asked = '',
    middle = '',
    reply = '',
    answers,
    end = '',
  ] = match;
  const to = answers ?? asked;
  if (isIP(from) === 0 || isIP(to) === 0) return undefined;
  const assured = middle.includes('[ASSURED]') || end.includes('[ASSURED]');
  const offloaded = /\[(HW_)?OFFLOAD\]/.test(middle) || /\[(HW_)?OFFLOAD\]/.test(end);
  const zones =
    middle.includes('zone') || end.includes('zone') ? (middle + end).match(/ zone(-orig|-reply)?=\d+/g) : null;
  return {
    original: `${protocol} ${original}${zones?.join('') ?? ''}`,
    reply,
    from,
    to,
    timeoutS: timeout === undefined ? undefined : Number(timeout),
    counts: offloaded || (assured && (protocol !== 'tcp' || state === 'ESTABLISHED')),
  };
}
