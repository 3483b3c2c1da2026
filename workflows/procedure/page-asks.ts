/** The first screen of the page: what has happened, who is asked what, how to answer, and what was refused last. */
import type { ChoiceView, OpeningView, StatusView } from '../contract';
import { block, json, md, mdClip } from './markdown';
import { dateAndClock, variants, type Part } from './page-parts';
import { oneLine, shortLine, utf8Bytes } from './text';

/** A message longer than this isn't shown to be copied: `hitless status` has the command for it. */
const MESSAGE_BYTES = 300;
/** People, so many bytes of their names. */
const NAMES_BYTES = 160;

const statusOf = (view: StatusView): string => `\`hitless status ${view.cluster}\``;

export const headlinePart = (view: StatusView): Part =>
  variants([600, 250, 120], (bytes) =>
    [
      `**${mdClip(view.sentence, bytes)}**`,
      `${md(shortLine(view.cluster, 64))} → ${mdClip(view.target, 80)}: ${view.doing ?? view.phase}. ${writtenAt(view)}`,
    ].join('\n\n'),
  );

const writtenAt = ({ asOf, phase }: StatusView): string =>
  asOf === undefined
    ? ''
    : `As of ${dateAndClock(asOf)}${phase === 'ended' ? '.' : '; press R to reload, this page doesn’t do so by itself.'}`;

/** How much of each question is shown. */
interface Depth {
  readonly questionBytes: number;
  readonly means: boolean;
  readonly who: boolean;
}
const DEPTHS: readonly Depth[] = [
  { questionBytes: 1_000, means: true, who: true },
  { questionBytes: 450, means: true, who: true },
  { questionBytes: 250, means: false, who: true },
  { questionBytes: 100, means: false, who: false },
];

export const openingsPart = (view: StatusView): Part =>
  variants(DEPTHS, (depth) => view.waitingFor.map((o) => opening(view, o, depth)).join('\n\n'));

function opening(view: StatusView, o: OpeningView, { questionBytes, means, who }: Depth): string {
  // A short question is the headline already.
  const told = view.sentence.includes(oneLine(o.question)) ? [] : [mdClip(o.question, questionBytes)];
  const answers = o.answers ?? [];
  return [
    `### Waiting for people: ${mdClip(o.id, 140)}`,
    ...told,
    `${who ? `${whoIsAsked(o)} ` : ''}Digest ${md(o.digest)}. To answer, use *Send a Signal* in the menu at the top right, with your own name in it:`,
    ...answers.flatMap((answer) => choice(view, answer, means)),
  ].join('\n\n');
}

function whoIsAsked(o: OpeningView): string {
  const from = o.from === undefined ? 'anyone' : mdClip(o.from.join(', '), NAMES_BYTES);
  const but = o.notFrom === undefined ? '' : ` but not ${mdClip(o.notFrom, 60)}, who asked for the upgrade`;
  const answered = o.answered.length === 0 ? 'nobody' : mdClip(o.answered.join(', '), NAMES_BYTES);
  const until =
    o.expiresAt === undefined ? '' : ` Until ${dateAndClock(o.expiresAt)}, then ${mdClip(o.onExpiry ?? 'hold', 40)}.`;
  return `${o.needed} needed, from ${from}${but}; so far ${answered}.${until}`;
}

function choice(
  view: StatusView,
  { choice: name, to, signal, means, message }: ChoiceView,
  withMeans: boolean,
): string[] {
  const text = json(message);
  const what = to === undefined ? md(name) : `${md(name)} to the ${to}`;
  const says = withMeans && means !== '' ? `: ${mdClip(means, 260)}` : '';
  const head = `**${what}**, signal \`${signal}\`${says}`;
  return utf8Bytes(text) > MESSAGE_BYTES
    ? [`${head}. Its message is too long for this page: see ${statusOf(view)}.`]
    : [`${head}:`, block(text)];
}

/** The last refusal; how many there were. */
export const refusedPart = (view: StatusView): Part =>
  variants([320, 140, 0], (bytes) => {
    const last = view.refused.at(-1);
    if (last === undefined || bytes === 0) return '';
    const count = view.refusedCount ?? view.refused.length;
    const all = count > 1 ? ` (${count} refused in all)` : '';
    const by = last.by === undefined ? '' : ` by ${mdClip(last.by, 60)}`;
    return `**Refused** ${dateAndClock(last.at)}: ${mdClip(last.signal, 60)}${by}: ${mdClip(last.why, bytes)}${all}`;
  });
