/**
 * The first screen of the page: what has happened, who is asked what, how to answer, and what was refused last. The Web UI
 * shows a line break as one, and much room between paragraphs, so what belongs together is one paragraph of several lines.
 */
import type { ChoiceView, OpeningView, StatusView } from '../contract';
import { code, json, md, mdClip } from './markdown';
import { dateAndClock, variants, type Part } from './page-parts';
import { oneLine, shortLine, utf8Bytes } from './text';

/** A message longer than this isn't shown to be copied: `hitless status` has the command for it. */
const MESSAGE_BYTES = 300;
/** People, so many bytes of their names. */
const NAMES_BYTES = 160;

const statusOf = (view: StatusView): string => `\`hitless status ${view.cluster}\``;

export const headlinePart = (view: StatusView): Part =>
  variants([600, 250, 120], (bytes) => {
    const cluster = `${md(shortLine(view.cluster, 64))} → ${mdClip(view.target, 80)}`;
    return `**${mdClip(view.sentence, bytes)}**\n${cluster}: ${view.doing ?? view.phase}. ${writtenAt(view)}`;
  });

const writtenAt = ({ asOf, phase }: StatusView): string =>
  asOf === undefined ? '' : `As of ${dateAndClock(asOf)}${phase === 'ended' ? '.' : '; press R to reload this page.'}`;

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
  variants(DEPTHS, (depth) =>
    view.waitingFor.flatMap((o, index) => opening(view, o, { ...depth, how: index === 0 })).join('\n\n'),
  );

function opening(view: StatusView, o: OpeningView, depth: Depth & { readonly how: boolean }): string[] {
  // A short question is the headline already.
  const isTold = view.sentence.includes(oneLine(o.question));
  return [
    [
      `**Waiting for people: ${mdClip(o.id, 140)}** (digest ${mdClip(o.digest, 64)})`,
      ...(isTold ? [] : [mdClip(o.question, depth.questionBytes)]),
      ...(depth.who ? [whoIsAsked(o)] : []),
      ...(depth.how ? ['Answer by *More Actions* → *Send a Signal*, with your own name in one of these:'] : []),
    ].join('\n'),
    ...(o.answers ?? []).map((answer) => choice(view, answer, depth.means)),
  ];
}

function whoIsAsked(o: OpeningView): string {
  const from = o.from === undefined ? 'anyone' : mdClip(o.from.join(', '), NAMES_BYTES);
  const but = o.notFrom === undefined ? '' : `, but not ${mdClip(o.notFrom, 60)}, who asked for the upgrade`;
  const answered = o.answered.length === 0 ? 'nobody' : mdClip(o.answered.join(', '), NAMES_BYTES);
  const until =
    o.expiresAt === undefined ? '' : ` Until ${dateAndClock(o.expiresAt)}, then ${mdClip(o.onExpiry ?? 'hold', 40)}.`;
  return `${o.needed} needed, from ${from}${but}; so far ${answered}.${until}`;
}

function choice(view: StatusView, answer: ChoiceView, withMeans: boolean): string {
  const text = json(answer.message);
  const what = answer.to === undefined ? md(answer.choice) : `${md(answer.choice)} to the ${answer.to}`;
  const means = withMeans && answer.means !== '' ? `: ${mdClip(answer.means, 260)}` : '';
  const message = utf8Bytes(text) > MESSAGE_BYTES ? `Too long for this page: see ${statusOf(view)}` : code(text);
  return `**${what}** (signal ${code(answer.signal)})${means}\n${message}`;
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
