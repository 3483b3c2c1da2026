/** PlanView → text. Pure. */
import type { PlannedItem, PlanView, PreviewView } from '../../workflows/contract';
import { indent, printable, table } from './text';

const KINDS: Readonly<Record<PlannedItem['kind'], string>> = {
  step: 'step',
  check: 'look',
  gate: 'ASK',
  wait: 'wait',
  watch: 'watch',
  'watch-end': 'watch end',
  guard: 'guard',
  'guard-end': 'guard end',
  'no-return': 'NO RETURN',
};

export function renderPlan(cluster: string, view: PlanView): string {
  const previews = new Map(view.previews?.map((p) => [p.item, p]));
  // Numbered as the status numbers them: the end of a watch is no step.
  let number = 0;
  const items = view.items.map((item, index) => {
    const shown = item.kind.endsWith('-end') ? '' : String(++number);
    const kept = item.kept === true ? ' (stays as it is when rolled back)' : '';
    const head = `${shown.padStart(3)}  ${KINDS[item.kind].padEnd(9)}  ${printable(item.name)}${kept}`;
    const preview = previews.get(index);
    return [head, ...(preview === undefined ? [] : renderPreview(preview))].join('\n');
  });
  const sections = [
    resumedLine(view.plan),
    `STEPS\n${items.join('\n')}`,
    view.readiness === undefined ? '' : renderReadiness(cluster, view.readiness),
    `Plan ${view.digest.slice(0, 12)}`,
  ];
  return sections.filter((s) => s !== '').join('\n\n');
}

/** Of a cluster that a run left half-way: what the plan was made from. */
export function resumedLine(plan: unknown): string {
  const { resumedFrom } = (plan ?? {}) as { readonly resumedFrom?: unknown };
  return typeof resumedFrom === 'string'
    ? `Goes on with the plan of run ${printable(resumedFrom)}, which was ended from outside: roles, releases and configuration\nare those that it had read at its start; what it had changed since counts as changed by this upgrade.`
    : '';
}

function renderPreview({ commands, differences, failure }: PreviewView): string[] {
  return [
    ...(commands.length === 0
      ? []
      : [
          table(
            commands.map((c) => [c.host, c.command]),
            { indent: 9 },
          ),
        ]),
    ...differences.map(({ host, of, diff }) => `         ${host}: ${printable(of)}\n${indent(diff.trimEnd(), 11)}`),
    ...(failure === undefined ? [] : [indent(`can't be shown: ${failure}`, 9)]),
  ];
}

export function renderReadiness(cluster: string, readiness: NonNullable<PlanView['readiness']>): string {
  const { ready, summary, faults } = readiness;
  if (ready) return `${cluster} is ready${summary === undefined ? '' : `: ${printable(summary)}`}`;
  const rows = faults.map(
    ({ where, what, check, next }) =>
      `- ${printable(where)}: ${printable(what)}${check === undefined ? '' : ` [${printable(check)}]`}${next === undefined ? '' : `\n    → ${printable(next)}`}`,
  );
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  return `${cluster} is NOT READY, ${count}; nothing was changed:\n${rows.join('\n')}`;
}
