/** What a demo ends with: the same as text and as JSON. */
import type { Report } from '../workflows/contract';
import { formatDuration } from '../activities/kit/duration';

/** Of every demo; what users felt is added by each. */
export interface Summary {
  readonly outcome: string;
  readonly steps: readonly { readonly name: string; readonly seconds: number }[];
  readonly seconds: { readonly setUp: number; readonly upgrade: number; readonly total: number };
}

/** What users of the cluster felt. */
export interface Measured<Figures extends object> {
  /** For the JSON. */
  readonly figures: Figures;
  /** The same in words: a name and what is said of it. */
  readonly lines: readonly (readonly [string, string])[];
  /** The first few things that went wrong. */
  readonly faults: readonly string[];
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;

export const summaryOf = <Figures extends object>(
  outcome: string,
  report: Report | undefined,
  measured: Measured<Figures>,
  times: { readonly setUpMs: number; readonly upgradeMs: number; readonly totalMs: number },
): Summary & Figures => ({
  outcome,
  ...measured.figures,
  steps: (report?.steps ?? []).flatMap(({ name, startedAt, endedAt }) =>
    startedAt === undefined || endedAt === undefined
      ? []
      : [{ name, seconds: seconds(Date.parse(endedAt) - Date.parse(startedAt)) }],
  ),
  seconds: { setUp: seconds(times.setUpMs), upgrade: seconds(times.upgradeMs), total: seconds(times.totalMs) },
});

export function renderSummary(summary: Summary, { lines, faults }: Measured<object>): string {
  const { steps } = summary;
  const width = Math.max(...steps.map((s) => s.name.length), 10);
  const label = Math.max(...lines.map(([name]) => name.length));
  const { setUp, upgrade, total } = summary.seconds;
  return [
    '',
    `Outcome: ${summary.outcome}`,
    '',
    ...steps.map((s) => `  ${s.name.padEnd(width)}  ${s.seconds.toFixed(1).padStart(6)} s`),
    '',
    ...lines.map(([name, text]) => `  ${name.padEnd(label)}  ${text}`),
    ...faults.slice(0, 5).map((fault) => `  - ${fault}`),
    '',
    `  set-up ${formatDuration(setUp * 1000)}, upgrade ${formatDuration(upgrade * 1000)}, in all ${formatDuration(total * 1000)}`,
    '',
  ].join('\n');
}

/** What users felt of each way to upgrade, line by line. */
export function renderComparison(ways: readonly (readonly [string, Measured<object>])[]): string {
  const width = Math.max(...ways.map(([name]) => name.length));
  return [
    '',
    'Side by side, the same packages under the same traffic:',
    '',
    ...ways.flatMap(([name, { lines }]) =>
      lines.map(([of, text], index) => `  ${(index === 0 ? name : '').padEnd(width)}  ${of}: ${text}`),
    ),
    '',
  ].join('\n');
}
