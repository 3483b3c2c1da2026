/**
 * From what a round saw to a verdict: one place for both ways of probing, by a host's loop and from the worker. Pure.
 *
 * A fault of the probe's own host (no route of its own, link down, tool missing, name that doesn't resolve, its control
 * target silent) is inconclusive, whichever answer was expected: a host with its cable out must not pass for a firewall
 * that refuses.
 */
import type { CommandProbe, HttpProbe, TcpProbe } from './spec';
import { patternFault } from '../kit/pattern';
import { extractNumber, judge } from './bounds';
import type { Measurement } from './verdict';

export interface TcpOutcome {
  readonly state: 'open' | 'refused' | 'timeout' | 'error';
  /** The system's own words, as "Connection refused". */
  readonly message: string;
  readonly ms: number;
  /** What is wrong with the probing host itself; undefined if nothing was found. */
  readonly own?: string;
}

export interface HttpOutcome {
  /** Status of the answer; undefined if none came. */
  readonly status?: number;
  /** Why the answer isn't whole, as a body that broke off. */
  readonly broken?: string;
  /** Whether the text was found; undefined if none was looked for. */
  readonly contains?: boolean;
  readonly message: string;
  readonly ms: number;
  readonly own?: string;
}

export interface CommandOutcome {
  readonly code: number;
  readonly output: string;
  readonly message: string;
  readonly ms: number;
}

const brief = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 120);

export function classifyTcp(probe: Pick<TcpProbe, 'to' | 'expect'>, seen: TcpOutcome): Measurement {
  if (seen.state === 'open')
    return probe.expect === 'open'
      ? { verdict: 'pass', latencyMs: seen.ms }
      : { verdict: 'fail', why: `${probe.to} can be reached; it must be refused` };
  if (seen.own !== undefined) return { verdict: 'inconclusive', why: brief(seen.own) };
  if (seen.state === 'error') return { verdict: 'inconclusive', why: brief(`${probe.to}: ${seen.message}`) };
  if (probe.expect === 'refused') return { verdict: 'pass' };
  return {
    verdict: 'fail',
    why: brief(
      `${probe.to}: ${seen.state === 'timeout' ? `no answer within ${Math.round(seen.ms)} ms` : seen.message}`,
    ),
  };
}

export function statusFits(status: number, statuses: string): boolean {
  return statuses.split(',').some((part) => {
    const [low, high] = part.trim().split('-').map(Number);
    return low !== undefined && status >= low && status <= (high ?? low);
  });
}

export function classifyHttp(
  probe: Pick<HttpProbe, 'url' | 'status' | 'contains' | 'expect'>,
  seen: HttpOutcome,
): Measurement {
  if (seen.status === undefined) {
    if (seen.own !== undefined) return { verdict: 'inconclusive', why: brief(seen.own) };
    if (probe.expect === 'refused') return { verdict: 'pass' };
    return { verdict: 'fail', why: brief(`${probe.url}: ${seen.message}`) };
  }
  if (probe.expect === 'refused')
    return { verdict: 'fail', why: brief(`${probe.url} answers ${seen.status}; it must be refused`) };
  if (seen.broken !== undefined)
    return { verdict: 'fail', why: brief(`${probe.url}: status ${seen.status}, then ${seen.broken}`) };
  if (!statusFits(seen.status, probe.status))
    return { verdict: 'fail', why: brief(`${probe.url}: status ${seen.status}, not ${probe.status}`) };
  if (probe.contains !== undefined && seen.contains !== true)
    return { verdict: 'fail', why: brief(`${probe.url}: the body doesn’t contain “${probe.contains.slice(0, 40)}”`) };
  return { verdict: 'pass', latencyMs: seen.ms };
}

export function classifyCommand(
  probe: Pick<CommandProbe, 'argv' | 'okCodes' | 'pattern' | 'bound'>,
  seen: CommandOutcome,
  baseline: number | undefined,
  options: { readonly isBaseline?: boolean } = {},
): Measurement {
  const name = probe.argv[0] ?? '';
  const said = seen.message === '' ? '' : `: ${seen.message}`;
  if (!probe.okCodes.includes(seen.code)) {
    const how =
      seen.code === 124 ? 'took too long' : seen.code === 127 ? 'isn’t installed' : `ended with code ${seen.code}`;
    return { verdict: 'inconclusive', why: brief(`${name} ${how}${said}`) };
  }
  const fault = patternFault(probe.pattern);
  if (fault !== undefined) return { verdict: 'inconclusive', why: brief(`the probe’s pattern is ${fault}`) };
  const value = extractNumber(seen.output, probe.pattern);
  if (value === undefined)
    return { verdict: 'inconclusive', why: brief(`${name} printed no number: “${seen.output.slice(0, 60)}”${said}`) };
  const judged = judge(value, probe.bound, baseline, options);
  return judged.verdict === 'pass'
    ? { verdict: 'pass', value }
    : { verdict: judged.verdict, value, why: brief(`${name}: ${judged.why}`) };
}
