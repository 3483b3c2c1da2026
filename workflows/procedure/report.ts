/** What a finished run says: a view of its state, bounded by construction, so that a run can always end. */
import type { Report } from '../contract';
import { sizeWithin } from './door';
import { clipText } from './text';
import { iso, statusView, type Viewed } from './views';

/** Characters of JSON. The server takes 2 MB; people take less. */
const REPORT_CHARS = 192 * 1024;
/** Of each sentence, where the whole report is too long. */
const SHORT_CHARS = [600, 200, 60];

export function reportView(run: Viewed): Report {
  const { waitingFor: _, ...status } = statusView(run);
  const { state } = run;
  const report: Report = {
    ...status,
    ending: state.ending?.ending ?? 'Stopped',
    standing: state.ending?.standing ?? '',
    answers: state.openings.flatMap((o) =>
      o.answers.map((a) => ({
        at: iso(a.at),
        opening: o.id,
        question: o.question,
        by: a.by,
        choice: a.choice,
        ...(a.to === undefined ? {} : { to: a.to }),
        ...(a.comment === undefined ? {} : { comment: a.comment }),
      })),
    ),
    startedAt: iso(state.startedAt),
    endedAt: iso(state.ending?.at ?? run.now()),
  };
  const earlier = state.answersDropped;
  return fitting(
    earlier === 0 ? report : { ...report, leftOut: `${earlier} earlier answers: they stand in the history` },
  );
}

/** Within bounds: sentences grow shorter, then questions, nodes and steps are left out; how it ended and who said so stays. */
function fitting(report: Report): Report {
  const fits = (candidate: Report): boolean => sizeWithin(candidate, REPORT_CHARS) !== Infinity;
  if (fits(report)) return report;
  const note = (what: string): string =>
    [report.leftOut, `${what}: the whole stands in the history, event by event`]
      .filter((part) => part !== undefined)
      .join('; ');
  for (const chars of SHORT_CHARS) {
    const short = { ...shortened(report, chars), leftOut: note('texts are shortened') };
    if (fits(short)) return short;
  }
  const least = shortened(report, SHORT_CHARS.at(-1) ?? 0);
  const without = {
    ...least,
    nodes: {},
    steps: least.steps.slice(-100),
    answers: least.answers.slice(-100),
    leftOut: note('nodes, earlier steps and earlier answers are left out'),
  };
  return fits(without) ? without : { ...without, steps: [], answers: without.answers.slice(-10) };
}

const shortened = (report: Report, chars: number): Report => {
  const short = (text: string): string => clipText(text, chars);
  const maybe = <K extends string>(key: K, text: string | undefined): { readonly [key in K]?: string } =>
    text === undefined ? {} : ({ [key]: short(text) } as { readonly [key in K]?: string });
  return {
    ...report,
    standing: short(report.standing),
    steps: report.steps.map((s) => ({
      ...s,
      name: short(s.name),
      ...maybe('summary', s.summary),
      ...maybe('failure', s.failure),
      ...(s.undo === undefined ? {} : { undo: { ...s.undo, ...maybe('summary', s.undo.summary) } }),
    })),
    answers: report.answers.map((a) => ({ ...a, ...maybe('question', a.question), ...maybe('comment', a.comment) })),
    refused: report.refused.map((r) => ({ ...r, why: short(r.why) })),
  };
};
