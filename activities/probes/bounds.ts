/** Numbers and what they must fulfil. Pure. */
import { patternOf } from '../kit/pattern';
import type { Bound } from './spec';

export type Operator = '<' | '<=' | '>' | '>=' | '==' | '!=';

export interface Condition {
  readonly operator: Operator;
  readonly than: number;
}

const CONDITION = /^\s*(<=|>=|==|!=|<|>)\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*$/;

/** "<= 0.01" as data; undefined if it isn't a comparison with a number. */
export function parseCondition(text: string): Condition | undefined {
  const match = CONDITION.exec(text);
  return match === null ? undefined : { operator: match[1] as Operator, than: Number(match[2]) };
}

export function fulfils(value: number, { operator, than }: Condition): boolean {
  switch (operator) {
    case '<':
      return value < than;
    case '<=':
      return value <= than;
    case '>':
      return value > than;
    case '>=':
      return value >= than;
    case '==':
      return value === than;
    case '!=':
      return value !== than;
  }
}

/** First group of the pattern as a number; undefined if it doesn't match or isn't a finite number. @throws as patternOf */
export function extractNumber(output: string, pattern: string): number | undefined {
  const found = patternOf(pattern).firstGroup(output)?.trim();
  if (found === undefined || found === '') return undefined;
  const value = Number(found);
  return Number.isFinite(value) ? value : undefined;
}

export type Judged = { readonly verdict: 'pass' } | { readonly verdict: 'fail' | 'inconclusive'; readonly why: string };

/** Four significant digits say enough in a sentence. */
const show = (n: number): string => (Number.isInteger(n) ? String(n) : String(Number(n.toPrecision(4))));

/**
 * Holds a value against its bound. Parts relative to the baseline are inconclusive without one – except in the baseline's
 * own rounds, where there is nothing to compare with yet.
 */
export function judge(
  value: number,
  bound: Bound,
  baseline: number | undefined,
  options: { readonly isBaseline?: boolean } = {},
): Judged {
  if (bound.min !== undefined && value < bound.min)
    return { verdict: 'fail', why: `${show(value)} is below ${show(bound.min)}` };
  if (bound.max !== undefined && value > bound.max)
    return { verdict: 'fail', why: `${show(value)} is above ${show(bound.max)}` };
  const relative = bound.minPercent !== undefined || bound.maxPercent !== undefined;
  if (!relative || options.isBaseline === true) return { verdict: 'pass' };
  if (baseline === undefined) return { verdict: 'inconclusive', why: 'there is no baseline to compare with' };
  // A percentage of a negative number turns the comparison around; the distance is taken from its size instead.
  const at = (percent: number): number => baseline + (Math.abs(baseline) * (percent - 100)) / 100;
  if (bound.minPercent !== undefined && value < at(bound.minPercent))
    return { verdict: 'fail', why: `${show(value)} is below ${bound.minPercent} % of the baseline ${show(baseline)}` };
  if (bound.maxPercent !== undefined && value > at(bound.maxPercent))
    return { verdict: 'fail', why: `${show(value)} is above ${bound.maxPercent} % of the baseline ${show(baseline)}` };
  return { verdict: 'pass' };
}

/** Middle of some numbers; of an even count the lower of the two middle ones, a value that really occurred. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1];
}
