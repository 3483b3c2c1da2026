/** Which differences of sysctls count: a kernel of another release has other names and other defaults. Pure. */
import type { Difference } from './difference';
import { globbed, type About } from './facts';

/** What a plain name is said to be where the kernel has none of it. */
export const ABSENT = '(absent)';

/**
 * Defaults that no release of the kernel has changed: a value that differs was set by somebody, by whatever means. Without
 * them a router doesn't forward, or drops what it should take. (net/ipv4/devinet.c, net/ipv6/addrconf.c, net/ipv4/sysctl_net_ipv4.c,
 * net/netfilter/nf_conntrack_proto_tcp.c)
 */
const STEADY =
  /^net\.(?:ipv4\.ip_forward|ipv[46]\.conf\..*\.(?:forwarding|rp_filter)|ipv[46]\.fib_multipath_hash_policy|netfilter\.nf_conntrack_tcp_(?:loose|be_liberal))$/;

export interface Judged {
  /** Somebody set it, or the kernels are of one release. */
  readonly faults: readonly Difference[];
  /** What the other kernel brings with it: shown. */
  readonly byKernel: readonly Difference[];
}

/** Parts the differences of sysctls; those of other sections stay faults. */
export function judged(list: readonly Difference[], here: About, there: About): Judged {
  if (here.kernel === undefined || there.kernel === undefined || here.kernel === there.kernel)
    return { faults: list, byKernel: [] };
  const known = here.set !== undefined && there.set !== undefined;
  const set = new Set([...(here.set ?? []), ...(there.set ?? [])]);
  const counts = (difference: Difference): boolean => {
    const { section, path } = difference;
    if (section !== 'sysctls' || STEADY.test(path)) return true;
    const values = [difference.here, difference.there].map((value) => value ?? ABSENT);
    // What one kernel lacks is as good as off there; set to something else, somebody loses what they asked for.
    if (values.includes(ABSENT)) return set.has(path) && values.some((value) => value !== ABSENT && value !== '0');
    return !known || set.has(path);
  };
  return { faults: list.filter(counts), byKernel: list.filter((difference) => !counts(difference)) };
}

/**
 * Patterns of names in the files of sysctl.d, as `systemd-sysctl --cat-config` prints them: "net.ipv4.conf.*.rp_filter". In a name
 * whose first separator is a slash, slashes part it, and dots are dots of an interface's name (sysctl.d(5)).
 */
export function readConfigured(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    const name = line.slice(0, Math.max(at, 0)).trim().replace(/^-/, '');
    if (name === '' || /^[#;]/.test(name)) return [];
    const slash = name.indexOf('/');
    const dot = name.indexOf('.');
    const isSlashed = slash !== -1 && (dot === -1 || slash < dot);
    return [isSlashed ? name.replace(/[./]/g, (c) => (c === '/' ? '.' : '/')) : name];
  });
}

/** Of the compared names those that one of the patterns sets, without those that count anyway. */
export function setNames(names: readonly string[], patterns: readonly string[]): string[] {
  const plain = new Set(patterns);
  const globs = patterns.filter((pattern) => pattern.includes('*')).map(globbed);
  return names.filter((name) => !STEADY.test(name) && (plain.has(name) || globs.some((matches) => matches(name))));
}

const MOST_SHOWN = 20;

/** "net.netfilter.nf_conntrack_sctp_timeout_established 210, before 432000; …", or nothing. */
export function shownByKernel(list: readonly Difference[], here: string, there: string): string[] {
  if (list.length === 0) return [];
  const one = ({ path, here: a = ABSENT, there: b = ABSENT }: Difference): string =>
    `${path} ${here} ${a}, ${there} ${b}`;
  const more = list.length > MOST_SHOWN ? `; and ${list.length - MOST_SHOWN} more` : '';
  return [`by the kernel, and set by nobody: ${list.slice(0, MOST_SHOWN).map(one).join('; ')}${more}`];
}
