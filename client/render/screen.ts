/** A run on a screen that is kept up to date: state and question always, of the rest what there is room for. Pure. */
import type { OpeningView, StatusView } from '../../workflows/contract';
import type { RunState } from '../run';
import { fit, type Section } from './fit';
import { inHandLines, renderRun } from './run';
import {
  renderEscapes,
  renderNodes,
  renderOpening,
  renderSteps,
  renderTakenOver,
  renderVotes,
  renderWait,
  type StatusOptions,
} from './status';
import { printable, time } from './text';
import { renderGuard, renderWatch, since } from './watch';

export interface ScreenOptions {
  readonly rows: number;
  readonly columns: number;
  readonly nowMs: number;
  /** Why what is shown may be old. */
  readonly trouble?: string;
}

/** The rows of the screen; never more of them, nor longer ones, than it has. */
export function renderScreen(run: RunState, { rows, columns, nowMs, trouble }: ScreenOptions): string[] {
  const { status } = run;
  const options = { width: columns, nowMs };
  const sections: Section[] =
    status === undefined
      ? [{ lines: renderRun(run, options).split('\n'), wrap: true }]
      : [...statusSections(status, run, options), { lines: [`Run ${run.workflowId}`] }];
  const foot = trouble === undefined ? [] : [`AS OF EARLIER: ${printable(trouble)}`];
  const now = time(new Date(nowMs).toISOString());
  foot.push(`${now}; Ctrl-C ends the looking, not the upgrade`);
  const footer = fit([{ lines: foot }], Math.min(foot.length, rows), columns);
  return [...fit(sections, rows - footer.length, columns), ...footer];
}

/** In the order of their weight. */
function statusSections(view: StatusView, run: RunState, options: StatusOptions): Section[] {
  const lines = (text: string): string[] => (text === '' ? [] : text.split('\n'));
  return [
    { lines: headLines(view, options), wrap: true, keep: 'ends' },
    ...view.waitingFor.map((opening, index) => asking(view, opening, index === 0, options)),
    { lines: lines(renderVotes(view, options)), wrap: true },
    { lines: lines(lastRefusal(view)), wrap: true },
    { lines: lines(renderTakenOver(view, options)), wrap: true },
    { lines: lines(renderWait(view, options)) },
    { lines: lines(view.watch === undefined ? '' : renderWatch(view.watch, options)), wrap: true },
    { lines: lines(renderNodes(view.nodes, view.nodesAsOf)) },
    { lines: inHandLines(run, options).map((line) => `  ${printable(line)}`) },
    { lines: lines(renderGuard(view, options)) },
    { lines: lines(renderEscapes(view, options)) },
    steps(view, options),
  ];
}

const headLines = (view: StatusView, options: StatusOptions): string[] => {
  const { cluster, target, phase, doing = phase, sentence, step } = view;
  return [
    `${cluster}${target === '' ? '' : ` → ${printable(target)}`}: ${printable(doing)}`,
    printable(sentence),
    ...(step.of === 0
      ? []
      : [`Step ${step.number} of ${step.of}: ${printable(step.name)}${since(step.since, options)}`]),
  ];
};

/** What can be answered stands at the end, so that a long question doesn't push it off the screen. */
const asking = (view: StatusView, opening: OpeningView, isFirst: boolean, options: StatusOptions): Section => ({
  lines: [...(isFirst ? ['WAITING FOR PEOPLE'] : []), ...renderOpening(view.cluster, opening, options).split('\n')],
  wrap: true,
  keep: 'ends',
});

/** Whoever sent it may still believe that it was taken. */
function lastRefusal({ refused }: StatusView): string {
  const last = refused.at(-1);
  if (last === undefined) return '';
  const by = last.by === undefined ? '' : ` by ${printable(last.by)}`;
  return `REFUSED ${time(last.at)} ${printable(last.signal)}${by}: ${printable(last.why)}`;
}

function steps(view: StatusView, options: StatusOptions): Section {
  const lines = renderSteps(view.steps, options).split('\n');
  const current = new RegExp(`^\\s*${view.step.number}\\s`);
  return {
    lines: lines[0] === '' ? [] : lines,
    keep: {
      around: Math.max(
        0,
        lines.findIndex((line) => current.test(line)),
      ),
    },
  };
}
