/** Live details of a run, in Temporal's markdown, and what is published with them: views of the status. */
import type { OpeningView, StatusView, StepView } from '../contract';
import type { Published } from './types';
import { statusView, type Viewed } from './views';

/** Table cells and headings: a reader's text must not break the table. */
const cell = (value: unknown): string =>
  (value === true ? 'yes' : value === false ? 'no' : String(value)).replace(/[|\n\r]/g, ' ').slice(0, 300);

/** What came of a step: also of one that was undone. */
const said = ({ failure, summary, undo }: StepView): string =>
  [failure ?? summary, undo === undefined ? undefined : `undone: ${undo.summary ?? undo.at}`]
    .filter((part) => part !== undefined)
    .join('; ');

const waiveBody = (o: OpeningView, names: readonly string[]): string =>
  `{"opening":"${o.id}","digest":"${o.digest}","by":"you","choice":"waive","waive":${JSON.stringify(names)},"comment":"why"}`;

const how = (o: OpeningView): string[] => {
  const signal = o.kind === 'gate' ? '`approve` or `reject`' : o.kind === 'pause' ? '`resume`' : '`decide`';
  const choice = o.kind === 'hold' || o.kind === 'task' ? `,"choice":"${o.choices[0]}"` : '';
  const body =
    o.kind === 'pause'
      ? '{"by":"you","reason":"…"}'
      : `{"opening":"${o.id}","digest":"${o.digest}","by":"you"${choice}}`;
  const from = o.from === undefined ? 'anyone' : o.from.join(', ');
  return [
    `**${o.id}**: ${cell(o.question)}`,
    `- choices: ${o.choices.join(', ')}; from: ${from}; ${o.answered.length === 0 ? 'nobody' : o.answered.join(', ')} so far, ${o.needed} needed${o.expiresAt === undefined ? '' : `; until ${o.expiresAt}, then ${o.onExpiry}`}`,
    `- signal ${signal}: \`${body}\``,
    ...(o.waivable === undefined ? [] : [`- to waive them: \`${waiveBody(o, o.waivable)}\``]),
  ];
};

export function details(view: StatusView): string {
  const lines = [
    `**${view.cluster} → ${cell(view.target)}**: ${view.sentence}`,
    '',
    `Step ${view.step.number} of ${view.step.of}: ${cell(view.step.name)}`,
    '',
  ];
  if (view.waitingFor.length > 0) lines.push('### Waiting for people', ...view.waitingFor.flatMap(how), '');
  const columns = [...new Set(Object.values(view.nodes).flatMap((n) => Object.keys(n)))];
  if (columns.length > 0) {
    if (view.nodesAsOf !== undefined) lines.push(`As of ${view.nodesAsOf}:`, '');
    lines.push(`| node | ${columns.join(' | ')} |`, `| --- |${columns.map(() => ' --- |').join('')}`);
    for (const [node, facts] of Object.entries(view.nodes))
      lines.push(`| ${node} | ${columns.map((c) => cell(facts[c] ?? '')).join(' | ')} |`);
    lines.push('');
  }
  if (view.watch !== undefined) {
    const { watch } = view;
    lines.push(
      `Watch “${watch.name}”: ${watch.state}; probes passed ${watch.pass}, failed ${watch.fail}, inconclusive ${watch.inconclusive}${watch.last === undefined ? '' : `; ${cell(watch.last)}`}`,
    );
    if (watch.escape !== undefined)
      lines.push(
        watch.escape.ready
          ? 'The way back is ready.'
          : `**The way back is NOT ready**: ${cell(watch.escape.why ?? '')}`,
      );
    lines.push('');
  }
  if (view.guard !== undefined) {
    const { guard } = view;
    lines.push(`Guard “${guard.name}”: ${guard.state}${guard.last === undefined ? '' : `; ${cell(guard.last)}`}`, '');
  }
  for (const { at, why, outcome } of view.remedies ?? [])
    lines.push(`- ${at} **lost**: ${cell(why)}. ${cell(outcome)}`);
  for (const { at, why, outcome } of view.escapes ?? [])
    lines.push(`- ${at} **moved away**: ${cell(why)}. ${cell(outcome)}`);
  lines.push('| # | step | state | |', '| --- | --- | --- | --- |');
  for (const s of view.steps) lines.push(`| ${s.number} | ${cell(s.name)} | ${s.state} | ${cell(said(s))} |`);
  if (view.refused.length > 0) {
    lines.push(
      '',
      '### Refused messages',
      ...view.refused.map(
        (r) => `- ${r.at} ${cell(r.signal)}${r.by === undefined ? '' : ` by ${cell(r.by)}`}: ${cell(r.why)}`,
      ),
    );
  }
  return lines.join('\n');
}

export function publishedView(run: Viewed): Published {
  const view = statusView(run);
  return {
    details: details(view),
    phase: view.phase,
    waitingFor: view.waitingFor.map((o) => o.id).join(' ') || 'nobody',
  };
}
