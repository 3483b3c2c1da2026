/**
 * A Prometheus query as a probe (HTTP API v1: https://prometheus.io/docs/prometheus/latest/querying/api/). Everything that
 * isn't an answer with numbers is inconclusive: Prometheus being down says nothing about the firewalls.
 */
import { z } from 'zod';
import { messageOf } from '../kit';
import { readSecret } from '../ssh/secrets';
import { fulfils, judge, parseCondition } from './bounds';
import { get } from './local';
import type { PrometheusProbe } from './spec';
import type { Measurement } from './verdict';

const sample = z.tuple([z.number(), z.string()]);
const answerSchema = z.union([
  z.object({ status: z.literal('error'), error: z.string().optional() }),
  z.object({
    status: z.literal('success'),
    data: z.discriminatedUnion('resultType', [
      z.object({ resultType: z.literal('scalar'), result: sample }),
      z.object({
        resultType: z.literal('vector'),
        result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: sample.optional() })),
      }),
    ]),
  }),
]);

export interface Element {
  /** Labels as text, empty for a scalar. */
  readonly labels: string;
  readonly value: number;
}

/** Elements of an answer, or why there are none. */
export function parseAnswer(body: string): readonly Element[] | { readonly why: string } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { why: 'the answer isn’t JSON; is this the base URL of Prometheus?' };
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) return { why: 'the answer is neither a scalar nor a vector of numbers' };
  if (parsed.data.status === 'error') return { why: parsed.data.error ?? 'Prometheus reports an error' };
  const { data } = parsed.data;
  if (data.resultType === 'scalar') return [{ labels: '', value: toNumber(data.result[1]) }];
  return data.result.flatMap(({ metric, value: at }) =>
    at === undefined
      ? []
      : [
          {
            labels: Object.entries(metric)
              .map(([k, v]) => `${k}="${v}"`)
              .join(','),
            value: toNumber(at[1]),
          },
        ],
  );
}

/** Prometheus writes +Inf, -Inf and NaN. */
const toNumber = (text: string): number =>
  text === '+Inf' || text === 'Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);

export function judgeElements(
  probe: Pick<PrometheusProbe, 'condition' | 'bound'>,
  elements: readonly Element[],
  baseline: number | undefined,
  options: { readonly isBaseline?: boolean } = {},
): Measurement {
  if (elements.length === 0) return { verdict: 'inconclusive', why: 'the query has no result' };
  const { condition: text, bound } = probe;
  const relative = bound?.minPercent !== undefined || bound?.maxPercent !== undefined;
  if (relative && elements.length !== 1)
    return {
      verdict: 'inconclusive',
      why: `${elements.length} elements can’t be compared with one baseline; write sum(…) or max(…)`,
    };
  const condition = text === undefined ? undefined : parseCondition(text);
  let inconclusive: string | undefined;
  for (const { labels, value } of elements) {
    const where = labels === '' ? '' : ` for {${labels}}`;
    if (Number.isNaN(value)) {
      inconclusive ??= `the value is NaN${where}`;
      continue;
    }
    if (condition !== undefined && !fulfils(value, condition))
      return { verdict: 'fail', why: `${value} isn’t ${text}${where}`, ...one(elements) };
    if (bound === undefined) continue;
    const judged = judge(value, bound, baseline, options);
    if (judged.verdict === 'fail') return { verdict: 'fail', why: `${judged.why}${where}`, ...one(elements) };
    if (judged.verdict === 'inconclusive') inconclusive ??= judged.why;
  }
  return inconclusive === undefined
    ? { verdict: 'pass', ...one(elements) }
    : { verdict: 'inconclusive', why: inconclusive, ...one(elements) };
}

const one = (elements: readonly Element[]): { value?: number } => {
  const value = elements.length === 1 ? elements[0]?.value : undefined;
  return value === undefined || !Number.isFinite(value) ? {} : { value };
};

/** Runs the query once and returns its elements, or why it couldn't. The token is read anew each time and never shown. */
export async function query(
  probe: Pick<PrometheusProbe, 'url' | 'query' | 'token' | 'ca'>,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<readonly Element[] | { readonly why: string }> {
  try {
    const url = new URL('api/v1/query', probe.url.endsWith('/') ? probe.url : `${probe.url}/`);
    url.searchParams.set('query', probe.query);
    url.searchParams.set('timeout', `${limits.timeoutMs}ms`);
    const token = probe.token === undefined ? undefined : (await readSecret(probe.token)).trim();
    const answer = await get(url.href, {
      ...limits,
      ca: probe.ca,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    });
    if (answer.broken !== undefined) return { why: `Prometheus’s answer isn’t whole: ${answer.broken}` };
    const parsed = parseAnswer(answer.body);
    // Errors of a query come as JSON with status 400 or 422; anything else as whatever stands in between.
    if (answer.status === 200) return parsed;
    const said = 'why' in parsed && answer.body.startsWith('{') ? `: ${parsed.why}` : '';
    return { why: `Prometheus answers ${answer.status}${said}` };
  } catch (error) {
    return { why: `Prometheus doesn’t answer: ${messageOf(error)}` };
  }
}

export async function prometheusProbe(
  probe: PrometheusProbe,
  baseline: number | undefined,
  options: { readonly isBaseline?: boolean; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Measurement> {
  const found = await query(probe, options);
  return 'why' in found ? { verdict: 'inconclusive', why: found.why } : judgeElements(probe, found, baseline, options);
}
