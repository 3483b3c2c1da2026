/**
 * What of a node's facts is its configuration. The rest comes and goes by itself: elements that time out, what bans put
 * in, interfaces that steering holds down. Told of both sides of a comparison, so that what a build before recorded is
 * compared alike.
 */
import type { Difference } from './difference';
import type { Facts, NodeReading } from './facts';

/**
 * Tables that are kept by programs that ban addresses, by name: fail2ban's nftables actions (config/action.d/nftables.conf,
 * `table = f2b-table`), sshguard (sshg-fw-nft-sets), crowdsec's firewall bouncer. They make and remove them as they run.
 */
const BANS = /^\S+ (?:f2b-table|sshguard|crowdsec6?)(?: |$)/;
/** fail2ban's chains in tables of others. */
const BAN_CHAIN = /^\S+ \S+ chain f2b-/;

const FLAGS_TIMEOUT = /^flags .*\btimeout\b/;
const DIGEST = /^\d+ elements, whatever their order: /;

/** Without what isn't configuration. */
export function countedFacts(facts: Facts): Facts {
  if (facts.ruleset === undefined) return facts;
  const ruleset = Object.entries(facts.ruleset)
    .filter(([path]) => !BANS.test(path) && !BAN_CHAIN.test(path))
    .map(([path, lines]) => [path, / (?:set|map) \S+$/.test(path) ? withoutPassing(lines) : lines] as const);
  return { ...facts, ruleset: Object.fromEntries(ruleset) };
}

/** A set's lines without elements that time out: with a timeout of their own, or of the set's. */
function withoutPassing(lines: readonly string[]): readonly string[] {
  const isTimed = lines.some((line) => line.startsWith('timeout ') || FLAGS_TIMEOUT.test(line));
  if (!isTimed) return lines;
  const allPass = lines.some((line) => line.startsWith('timeout '));
  // Of more elements than are listed those that time out can't be told from the others.
  const passes = (line: string): boolean =>
    DIGEST.test(line) || (line.startsWith('element ') && (allPass || isTimedElement(line)));
  return lines.filter((line) => !passes(line));
}

/** Not in a comment of its. */
const isTimedElement = (line: string): boolean => / timeout \d/.test(line.replace(/"[^"]*"/g, ''));

/** Sections in which an interface that is held down shows. */
export const HELD_SECTIONS = ['routes', 'interfaces'] as const;

/** Interfaces that are down with those that are held down: what is stacked on them and has no carrier now, and that on it. */
export function downWith(
  held: readonly string[],
  { facts, stacked }: Pick<NodeReading, 'facts' | 'stacked'>,
): ReadonlySet<string> {
  const down = new Set(held);
  const lost = stacked.filter(([upper]) => facts.interfaces?.[upper]?.includes('no carrier'));
  for (let before = 0; before !== down.size;) {
    before = down.size;
    for (const [upper, lower] of lost) if (down.has(lower)) down.add(upper);
  }
  return down;
}

/** Whether a difference is what taking interfaces down makes: their state and addresses, and the routes by way of them. */
export function isOfDown({ section, path, here, there }: Difference, down: ReadonlySet<string>): boolean {
  if (section === 'interfaces') return down.has(path);
  if (section !== 'routes') return false;
  return [here, there].some((text = '') =>
    [...text.matchAll(/ ?\bdev (\S+)/g)].some(([, device]) => device !== undefined && down.has(device)),
  );
}
