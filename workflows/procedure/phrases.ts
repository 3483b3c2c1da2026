/** Parts of sentences about a run. */
import type { ItemState, State } from './state';
import { shortLine } from './text';

const NAME_CHARS = 80;
/** More nodes than this are counted, not named. */
const NAMED_NODES = 4;

/** The ends of watches and guards are no steps to people. */
export const isCounted = ({ item: { kind } }: ItemState): boolean => kind !== 'watch-end' && kind !== 'guard-end';

export const stepName = ({ item: { kind, name } }: ItemState): string => (kind === 'gate' ? `Gate ${name}` : name);

export const quoted = (entry: ItemState): string => `“${shortLine(stepName(entry), NAME_CHARS)}”`;

/** "Step 7 of 23" */
export function place({ items }: State, index: number): string {
  const of = items.filter(isCounted).length;
  return `Step ${items.slice(0, index).filter(isCounted).length + 1} of ${of}`;
}

/** With a full stop, or what ends it already. */
export const stop = (text: string): string => (/[.?!…]$/.test(text) ? text : `${text}.`);

/** `03:12Z` */
export const clock = (at: number): string => `${new Date(at).toISOString().slice(11, 16)}Z`;

/** Who serves, as the last reading saw it, with the time of that reading: never more than was read. */
export function serving({ nodes, nodesAt }: State): string {
  const all = Object.entries(nodes);
  const serve = all.filter(([, facts]) => facts['serving'] === true);
  const seen = nodesAt === undefined ? '' : ` (read ${clock(nodesAt)})`;
  if (all.length === 0) return 'no node has been read yet';
  if (serve.length === 0) return `no node was seen serving${seen}`;
  if (serve.length > NAMED_NODES) return `${serve.length} of ${all.length} nodes serve${seen}`;
  const names = serve.map(([node]) => shortLine(node, NAME_CHARS));
  const releases = [...new Set(serve.map(([, { release }]) => release))].filter((release) => release !== undefined);
  const runs = releases.length === 1 ? shortLine(String(releases[0]), NAME_CHARS) : undefined;
  const [only] = names;
  if (names.length === 1) return `traffic is on ${only}${runs === undefined ? '' : `, which runs ${runs}`}${seen}`;
  return `traffic is on ${names.slice(0, -1).join(', ')} and ${names.at(-1)}${runs === undefined ? '' : `, which run ${runs}`}${seen}`;
}
