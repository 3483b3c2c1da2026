/**
 * One normal form for a line of a ruleset, whichever release of nftables printed it. Text rather than `nft -j`: the JSON of
 * 1.0 leaves out the device of an ingress chain, comments of chains and tables, `dynamic` and `typeof` of sets, and prints
 * a statement that it can't put into JSON as text, so that two rulesets that differ would look alike. Each rule below is a
 * difference seen between 1.0.6, 1.0.9, 1.1.3 and 1.1.7 (Debian, Ubuntu) on one ruleset in one kernel
 * (test/cases/05-nft-release/all-*.txt). For comparing only; people are shown what was printed.
 */
import { UNIT_MS } from '../kit/duration';

/** Changes with every change of what this file does: digests of different forms say nothing about each other. */
export const NORMAL_FORM = 1;

/** Texts in quotes are somebody's words: prefixes, comments, names. */
const QUOTED = /("[^"]*")/;

/** The line as it is compared. */
export function normalRule(line: string): string {
  const parts = line.split(QUOTED);
  // Odd parts are quoted. What is between braces may hold quotes, so it is put in order last.
  const plain = parts.map((part, index) => (index % 2 === 1 ? part : unquotedNormal(part))).join('');
  return inOrder(devicesUnquoted(plain));
}

function unquotedNormal(text: string): string {
  return (
    text
      .replace(HEX, (number) => BigInt(number).toString())
      // The kernel's default, which 1.0.6 leaves unsaid and later releases print.
      .replace(/(\brate (?:over )?\d+\/(?:second|minute|hour|day|week)) burst 5 packets/g, '$1')
      .replace(SLASHED_FLAGS, (_all, not: string | undefined, value: string, mask: string) =>
        flags(mask, not === undefined ? '==' : '!=', value),
      )
      .replace(MASKED_FLAGS, (_all, mask: string, operator: string, value: string) => flags(mask, operator, value))
      .replace(/\bcheck (missing|exists)\b/g, 'oif $1')
      .replace(ICMP_CODE, (_all, kind: string, not: string | undefined, codes: string) => {
        const known = kind === 'icmp' ? ICMP_CODES : ICMPV6_CODES;
        return `${kind} code ${not ?? ''}${codes.replace(/[a-z][a-z-]+/g, (name) => known[name] ?? name)}`;
      })
      .replace(/\b(timeout|expiration|expires) ((?:\d+(?:ms|[wdhms]))+)(?:-((?:\d+(?:ms|[wdhms]))+))?/g, durations)
      .replace(/^policy = \{.*\}$/, (policy) => policy.replace(/ : (\d+(?:\w*))/g, (_a, d: string) => ` : ${msOf(d)}`))
  );
}

/** A number of its own: not a part of an address or a name. */
const HEX = /(?<![\w.:/-])0x[0-9a-f]+(?![\w.:])/gi;

const SLASHED_FLAGS = /\btcp flags (?:(!=) )?([a-z]+(?:,[a-z]+)*) \/ ([a-z]+(?:,[a-z]+)*)/g;
const MASKED_FLAGS =
  /\btcp flags & (\([a-z]+(?: \| [a-z]+)*\)|[a-z]+(?:,[a-z]+)*) (==|!=) ((?:[a-z]+ \| )*[a-z]+|[a-z]+(?:,[a-z]+)+)/g;

/** "tcp flags syn / syn,ack" and "tcp flags & (syn | ack) == syn" are one thing. */
function flags(mask: string, operator: string, value: string): string {
  const sorted = (list: string): string => (list.match(/[a-z]+/g) ?? []).sort().join(',');
  return `tcp flags & ${sorted(mask)} ${operator} ${sorted(value)}`;
}

/** 1.1 prints numbers. Names of nftables' symbol tables icmp_code and icmpv6_code (src/datatype.c, src/proto.c). */
const ICMP_CODE = /\b(icmp|icmpv6) code ((?:!=|[<>]=?|vmap) )?(\{[^{}]*\}|[a-z][a-z-]+)/g;
const ICMP_CODES: Readonly<Record<string, string>> = {
  'net-unreachable': '0',
  'host-unreachable': '1',
  'prot-unreachable': '2',
  'port-unreachable': '3',
  'frag-needed': '4',
  'net-prohibited': '9',
  'host-prohibited': '10',
  'admin-prohibited': '13',
};
const ICMPV6_CODES: Readonly<Record<string, string>> = {
  'no-route': '0',
  'admin-prohibited': '1',
  'addr-unreachable': '3',
  'port-unreachable': '4',
  'policy-fail': '5',
  'reject-route': '6',
};

/** "2h4m" and "7440" (seconds) as milliseconds. */
const msOf = (duration: string): string =>
  /^\d+$/.test(duration)
    ? `${Number(duration) * 1_000}ms`
    : `${[...duration.matchAll(/(\d{1,12})(ms|[wdhms])/g)].reduce((sum, [, n, unit]) => sum + Number(n) * (UNIT_MS[unit ?? ''] ?? 0), 0)}ms`;
const durations = (_all: string, word: string, from: string, to: string | undefined): string =>
  `${word} ${msOf(from)}${to === undefined ? '' : `-${msOf(to)}`}`;

/** 1.1.7 doesn't quote them; their order is the kernel's. */
const devicesUnquoted = (line: string): string =>
  line.replace(/\bdevices = \{([^{}]*)\}/g, (all) => all.replaceAll('"', ''));

/** A set in a rule has no order of its own; releases sort by what they print. */
const inOrder = (line: string): string =>
  line.replace(/\{ ((?:[^{}"]|"[^"]*")*) \}/g, (_all, inner: string) => {
    const elements = inner.match(/(?:[^,"]|"[^"]*"|,(?! ))+/g) ?? [];
    return `{ ${elements
      .map((element) => element.trim())
      .sort()
      .join(', ')} }`;
  });
