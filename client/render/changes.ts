/** What is new in a status since the last look: the lines that `start --follow` prints. Pure. */
import type { OpeningView, StatusView, WatchView } from '../../workflows/contract';
import { formatDuration } from '../../activities/kit/duration';
import { renderOpening, renderTakenOver } from './status';
import { printable } from './text';
import { ownedState, wayBack } from './watch';

/** Progress of a wait is told in so many parts, not at every look. */
const WAIT_PARTS = 10;

/** Lines for people; empty if nothing happened that is worth a line. */
export function changes(before: StatusView | undefined, now: StatusView): string[] {
  return [
    ...stepLines(before, now),
    ...nodeLines(before, now),
    ...watchLines(before, now),
    ...guardLines(before, now),
    ...waitLines(before, now),
    ...openingLines(before, now),
    ...refusedLines(before, now),
    ...takenOverLines(before, now),
    ...(before?.phase === now.phase ? [] : [`— ${printable(now.doing ?? now.phase)}: ${printable(now.sentence)}`]),
  ];
}

function stepLines(before: StatusView | undefined, now: StatusView): string[] {
  const known = new Map(before?.steps.map((s) => [s.number, s]));
  return now.steps.flatMap((step) => {
    const was = known.get(step.number)?.state ?? 'pending';
    if (was === step.state) return [];
    const took =
      step.startedAt === undefined || step.endedAt === undefined
        ? ''
        : ` (${formatDuration(Math.max(0, Date.parse(step.endedAt) - Date.parse(step.startedAt)))})`;
    const note = step.failure ?? step.summary;
    return [
      `${step.number}/${now.step.of} ${step.state}: ${printable(step.name)}${took}${note === undefined ? '' : ` – ${printable(note)}`}`,
    ];
  });
}

function nodeLines(before: StatusView | undefined, now: StatusView): string[] {
  return Object.entries(now.nodes).flatMap(([node, facts]) => {
    const news = Object.entries(facts).filter(([name, fact]) => before?.nodes[node]?.[name] !== fact);
    if (news.length === 0) return [];
    return [`  ${node}: ${printable(news.map(([name, fact]) => `${name} ${String(fact)}`).join(', '))}`];
  });
}

function guardLines(before: StatusView | undefined, { guard, remedies = [] }: StatusView): string[] {
  if (guard === undefined) return [];
  const last = guard.last === undefined ? '' : ` – ${printable(guard.last)}`;
  return [
    ...(guard.state === before?.guard?.state ? [] : [`guard ${guard.state}: ${printable(guard.name)}${last}`]),
    ...remedies
      .slice(before?.remedies?.length ?? 0)
      .map(({ why, outcome }) => `lost: ${printable(why)} → ${printable(outcome)}`),
  ];
}

function watchLines(before: StatusView | undefined, now: StatusView): string[] {
  const { watch } = now;
  if (watch === undefined) return [];
  const was = before?.watch;
  const { escape, owned } = watch;
  const last = watch.last === undefined ? '' : ` – ${printable(watch.last)}`;
  const isOtherWay = escape?.ready !== was?.escape?.ready || escape?.unknown !== was?.escape?.unknown;
  // That all is as it was is no news at the first look.
  const isOtherOwned = owned?.asWanted !== (was?.owned === undefined ? true : was.owned.asWanted);
  return [
    ...(watch.state === was?.state ? [] : [`watch ${WATCH_WORDS[watch.state]}: ${printable(watch.name)}${last}`]),
    ...(isOtherWay ? [wayBack(watch)] : []),
    ...(isOtherOwned ? [ownedState(watch)] : []),
  ].filter((line) => line !== undefined);
}

const WATCH_WORDS: Readonly<Record<WatchView['state'], string>> = {
  waiting: 'begins, NOBODY WATCHES YET',
  watching: 'watching',
  blind: 'BLIND',
  regression: 'regression',
  ended: 'ended',
};

const part = (wait: StatusView['wait']): number =>
  wait === undefined || wait.neededMs === 0 ? -1 : Math.floor((wait.observedMs / wait.neededMs) * WAIT_PARTS);

function waitLines(before: StatusView | undefined, now: StatusView): string[] {
  const { wait } = now;
  if (wait === undefined || part(wait) === part(before?.wait)) return [];
  return [
    `${printable(wait.name)}: ${formatDuration(wait.observedMs)} of ${formatDuration(wait.neededMs)} (${part(wait) * (100 / WAIT_PARTS)} %)`,
  ];
}

function openingLines(before: StatusView | undefined, now: StatusView): string[] {
  const known = new Map<string, OpeningView>(before?.waitingFor.map((o) => [o.id, o]));
  const opened = now.waitingFor.flatMap((o) => {
    const was = known.get(o.id);
    if (was === undefined) return ['WAITING FOR PEOPLE', renderOpening(now.cluster, o)];
    return o.answered
      .slice(was.answered.length)
      .map((answer) => `${o.id}: ${printable(answer)} (${o.answered.length} given, ${o.needed} needed)`);
  });
  const open = new Set(now.waitingFor.map((o) => o.id));
  const closed = [...known.keys()].filter((id) => !open.has(id)).map((id) => `${id} is closed`);
  return [...closed, ...opened];
}

function takenOverLines(before: StatusView | undefined, { takenOver = [] }: StatusView): string[] {
  const news = takenOver.slice(before?.takenOver?.length ?? 0);
  return news.length === 0 ? [] : [renderTakenOver({ takenOver: news })];
}

function refusedLines(before: StatusView | undefined, now: StatusView): string[] {
  return newRefusals(before, now).map(
    (r) => `refused ${printable(r.signal)}${r.by === undefined ? '' : ` by ${printable(r.by)}`}: ${printable(r.why)}`,
  );
}

/** Refusals that the earlier view doesn't show; the list holds the newest few only, so it may have moved on. */
export function newRefusals(
  before: Pick<StatusView, 'refused'> | undefined,
  now: Pick<StatusView, 'refused'>,
): StatusView['refused'] {
  const seen = new Map<string, number>();
  for (const r of before?.refused ?? []) seen.set(JSON.stringify(r), (seen.get(JSON.stringify(r)) ?? 0) + 1);
  return now.refused.filter((r) => {
    const left = seen.get(JSON.stringify(r)) ?? 0;
    if (left > 0) seen.set(JSON.stringify(r), left - 1);
    return left === 0;
  });
}
