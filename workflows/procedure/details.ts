/**
 * Live details of a run, in Temporal's markdown: what has happened, who is asked what, and how to answer; then where it stands.
 * The Web UI asks its server for the rendered page by GET, with the whole text in the address, and proxies refuse addresses
 * of more than 8 KB: so what is less urgent is shortened, then left out, in one fixed order.
 */
import type { StatusView } from '../contract';
import { headlinePart, openingsPart, refusedPart } from './page-asks';
import type { Part } from './page-parts';
import { eventsPart, guardPart, nodesPart, stepsPart, watchPart } from './page-standing';
import { clipBytes, utf8Bytes } from './text';
import type { Published } from './types';
import { statusView, type Viewed } from './views';

/** Three times as much, 7.5 KB, if every byte has to be escaped in an address. */
export const PAGE_BYTES = 2_499;
/** A search attribute of type Keyword: some of the databases that Temporal keeps them in take no more. */
const KEYWORD_BYTES = 255;

/** Parts as they stand on the page, and in which order each is made shorter by one, until all of it fits. */
const ORDER = ['headline', 'openings', 'refused', 'nodes', 'watch', 'guard', 'events', 'steps'] as const;
type Name = (typeof ORDER)[number];
const SHORTER: readonly Name[] = [
  ...(['steps', 'events', 'nodes', 'watch', 'guard', 'steps', 'nodes'] as const),
  ...(['openings', 'refused', 'nodes', 'watch', 'headline', 'openings', 'refused', 'headline', 'openings'] as const),
];

const partsOf = (view: StatusView): Record<Name, Part> => ({
  headline: headlinePart(view),
  openings: openingsPart(view),
  refused: refusedPart(view),
  nodes: nodesPart(view),
  watch: watchPart(view),
  guard: guardPart(view),
  events: eventsPart(view),
  steps: stepsPart(view),
});

export function details(view: StatusView): string {
  const parts = partsOf(view);
  const rest = `All of it: \`hitless status ${clipBytes(view.cluster, 64)}\``;
  const level = Object.fromEntries(ORDER.map((name) => [name, 0])) as Record<Name, number>;
  const shown = Object.fromEntries(ORDER.map((name) => [name, parts[name][0]?.() ?? ''])) as Record<Name, string>;
  const page = (): string => [...ORDER.map((name) => shown[name]), rest].filter((part) => part !== '').join('\n\n');
  for (const name of SHORTER) {
    if (utf8Bytes(page()) <= PAGE_BYTES) return page();
    shown[name] = parts[name][++level[name]]?.() ?? shown[name];
  }
  return withoutLast(page(), rest);
}

/** What is asked is itself too long: as many whole paragraphs as fit, and where the rest is. */
function withoutLast(page: string, rest: string): string {
  const kept: string[] = [];
  let bytes = utf8Bytes(rest);
  for (const paragraph of page.split('\n\n')) {
    bytes += utf8Bytes(paragraph) + 2;
    if (bytes > PAGE_BYTES) break;
    kept.push(paragraph);
  }
  return [...kept.filter((paragraph) => paragraph !== rest), rest].join('\n\n');
}

/** `listsSight`: the search attribute of the phase says where nobody watches. */
export function publishedView(run: Viewed, listsSight: boolean): Published {
  const view = statusView(run);
  const isUnseen = view.phase !== 'ended' && (view.watch?.state === 'waiting' || view.watch?.state === 'blind');
  return {
    details: details(view),
    phase: clipBytes(`${view.phase}${listsSight && isUnseen ? ', nobody watches' : ''}`, KEYWORD_BYTES),
    waitingFor: clipBytes(view.waitingFor.map((o) => o.id).join(' '), KEYWORD_BYTES) || 'nobody',
  };
}
