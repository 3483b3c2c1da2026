/** The short checks over the same probes: can they run at all (ready), what is normal (baseline), is it normal again (final). */
import {
  counted,
  defineCheck,
  failureType,
  formatFaults,
  messageOf,
  permanent,
  transient,
  type CheckDefinition,
  type Fault,
  type Finding,
  type StepContext,
} from '../kit';
import { median } from './bounds';
import { quote } from './loop-script';
import { query } from './prometheus';
import { rulesOf, runProbes } from './runner';
import type { ProbeServices } from './services';
import { probeHost, scheduleOf, type MonitoringPlan, type ProbeSpec } from './spec';
import type { Measurement } from './verdict';

/** What `probes.baseline` returns. */
export interface Baseline extends Finding {
  /** Middle value of each probe that gives numbers, by name. */
  readonly values: Readonly<Record<string, number>>;
  /** Middle time of a round, milliseconds, of probes that connect. */
  readonly latencyMs: Readonly<Record<string, number>>;
}

export interface FinalInput {
  readonly baseline?: Baseline;
}

type Nothing = Record<string, never>;

export interface ProbeChecks {
  readonly ready: CheckDefinition<Nothing, Finding, MonitoringPlan>;
  readonly baseline: CheckDefinition<Nothing, Baseline, MonitoringPlan>;
  readonly final: CheckDefinition<FinalInput, Finding, MonitoringPlan>;
}

export function probeChecks(servicesFor: (plan: unknown) => ProbeServices): ProbeChecks {
  return {
    ready: defineCheck<Nothing, Finding, MonitoringPlan>({
      check: async (context) => {
        const faults = await probeFaults(context, servicesFor(context.plan));
        if (faults.length > 0)
          throw permanent('NotReady', `the probes can’t run:\n${formatFaults(faults)}`, { faults });
        return { summary: `${counted(context.plan.monitoring.probes.length, 'probe')} can run` };
      },
    }),
    baseline: defineCheck<Nothing, Baseline, MonitoringPlan>({
      check: async (context) => {
        const seen = await rounds(context, servicesFor(context.plan), { isBaseline: true });
        const faults = [...seen].flatMap(([name, found]) => firstTrouble(name, found, 1));
        if (faults.length > 0)
          throw permanent(
            'NotReady',
            `probes fail before anything was changed:\n${formatFaults(faults)}\nNext: repair the service or the probe; nothing was touched.`,
            { faults },
          );
        const { baselineRounds } = context.plan.monitoring;
        return {
          summary: `${counted(seen.size, 'probe')} passed ${counted(baselineRounds, 'time')} each`,
          values: middle(seen, (m) => m.value),
          latencyMs: middle(seen, (m) => m.latencyMs),
        };
      },
    }),
    final: defineCheck<FinalInput, Finding, MonitoringPlan>({
      check: async (context, input) => {
        const seen = await rounds(context, servicesFor(context.plan), {
          ...(input.baseline && { baseline: input.baseline.values }),
        });
        const rules = new Map(rulesOf(context.plan).map((rule) => [rule.name, rule]));
        const faults = [...seen].flatMap(([name, found]) =>
          firstTrouble(name, found, rules.get(name)?.tolerance.fail ?? 1),
        );
        if (faults.length > 0)
          throw transient('VerifyFailed', `not all probes are as they were before:\n${formatFaults(faults)}`, {
            faults,
          });
        return { summary: `${counted(seen.size, 'probe')} measured: as before the upgrade` };
      },
    }),
  };
}

async function rounds(
  context: StepContext<MonitoringPlan>,
  services: ProbeServices,
  options: { readonly isBaseline?: boolean; readonly baseline?: Readonly<Record<string, number>> },
): Promise<Map<string, Measurement[]>> {
  const { probes, baselineRounds } = context.plan.monitoring;
  const seen = new Map<string, Measurement[]>(probes.map((probe) => [probe.name, []]));
  const report = (): void => {
    const done = [...seen.values()].filter((found) => found.length >= baselineRounds).length;
    context.progress(`${done} of ${probes.length} probes ran ${baselineRounds} times`);
  };
  report();
  await runProbes({
    services,
    context,
    probes,
    rounds: baselineRounds,
    ...options,
    emit: (name, measurement) => {
      seen.get(name)?.push(measurement);
      report();
    },
    signal: context.signal,
  });
  if (context.signal.aborted) throw context.signal.reason;
  return seen;
}

/** A fault if a probe failed `fails` times or more, or if a round gave nothing: no data is not a pass. */
function firstTrouble(name: string, found: readonly Measurement[], fails: number): Fault[] {
  const failed = found.filter((m) => m.verdict === 'fail');
  const blind = found.filter((m) => m.verdict === 'inconclusive');
  const where = `probe ${name}`;
  if (failed.length >= fails)
    return [{ where, what: `failed ${failed.length} of ${found.length} times: ${failed[0]?.why ?? 'failed'}` }];
  if (blind.length > 0 || found.length === 0)
    return [{ where, what: `inconclusive ${blind.length} of ${found.length} times: ${blind[0]?.why ?? 'no data'}` }];
  return [];
}

function middle(
  seen: ReadonlyMap<string, readonly Measurement[]>,
  of: (m: Measurement) => number | undefined,
): Record<string, number> {
  return Object.fromEntries(
    [...seen].flatMap(([name, found]) => {
      const value = median(found.flatMap((m) => of(m) ?? []));
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Everything that would keep a probe from giving a verdict, in one list; empty if all can run. Reads only. */
export async function probeFaults(context: StepContext<MonitoringPlan>, services: ProbeServices): Promise<Fault[]> {
  const { monitoring, hosts } = context.plan;
  const byHost = new Map<string, ProbeSpec[]>();
  const others: ProbeSpec[] = [];
  for (const probe of monitoring.probes) {
    const host = probeHost(probe);
    if (host === undefined) others.push(probe);
    else byHost.set(host, [...(byHost.get(host) ?? []), probe]);
  }
  const found = await Promise.all([
    ...[...byHost].map(async ([name, probes]): Promise<Fault[]> => {
      if (!Object.hasOwn(hosts, name))
        return [{ where: `probe ${probes[0]?.name ?? ''}`, what: `host ${name} isn’t in the inventory` }];
      return hostFaults(context, name, probes);
    }),
    ...others.map(async (probe): Promise<Fault[]> => {
      const where = `probe ${probe.name}`;
      if (probe.kind === 'bgp' && services.bgp === undefined)
        return [{ where, what: 'a cluster of this kind has no BGP sessions to ask for' }];
      if (probe.kind === 'state-sync' && services.stateSync === undefined)
        return [{ where, what: 'a cluster of this kind has no session state to compare' }];
      if (probe.kind !== 'prometheus') return [];
      const { timeoutMs } = scheduleOf(probe, monitoring);
      const answer = await query(probe, { timeoutMs, signal: context.signal });
      return 'why' in answer ? [{ where, what: `${answer.why} (${probe.url})` }] : [];
    }),
  ]);
  return found.flat();
}

async function hostFaults(
  context: StepContext<MonitoringPlan>,
  name: string,
  probes: readonly ProbeSpec[],
): Promise<Fault[]> {
  try {
    const host = await context.host(name);
    const result = await host.exec(['bash', '-c', toolScript(probes)], { okCodes: 'any' });
    if (result.code !== 0)
      return [
        {
          where: name,
          what: `its tools can’t be checked: ${result.stderr.trim() || `code ${result.code}`}`,
          next: 'install bash 5',
        },
      ];
    return result.stdout.split('\n').flatMap((line) => {
      const [what, next] = line.split('\t');
      return what === undefined || what === '' ? [] : [{ where: name, what, ...(next === undefined ? {} : { next }) }];
    });
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    return [{ where: name, what: `${failureType(error) ?? 'unreachable'}: ${messageOf(error)}` }];
  }
}

/** Says what is missing, one fault a line: what, tab, what to do. */
export function toolScript(probes: readonly ProbeSpec[]): string {
  const tools = new Set(['timeout', 'tail', 'head', 'tr', 'base64']);
  const lines: string[] = [];
  for (const probe of probes) {
    if (probe.kind === 'http') tools.add('curl');
    if ((probe.kind === 'tcp' || probe.kind === 'http') && probe.control !== undefined && !/:\d+$/.test(probe.control))
      tools.add('ping');
    if (probe.kind !== 'command') continue;
    const words = probe.argv.map(quote).join(' ');
    lines.push(
      probe.sudo
        ? `((EUID == 0)) || sudo -n -l -- ${words} >/dev/null 2>&1 || printf '%s\\t%s\\n' ${quote(`probe ${probe.name}: sudo refuses ${probe.argv.join(' ')}`)} 'install the sudoers file that hitless plan --sudoers prints'`
        : `command -v -- ${quote(probe.argv[0] ?? '')} >/dev/null || printf '%s\\n' ${quote(`probe ${probe.name}: command ${probe.argv[0] ?? ''} not found`)}`,
    );
  }
  return `export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
[[ -n "$EPOCHREALTIME" ]] || printf 'bash %s is too old\\tinstall bash 5\\n' "$BASH_VERSION"
for t in ${[...tools].join(' ')}; do command -v "$t" >/dev/null || printf '%s is missing\\tinstall it\\n' "$t"; done
case $( { exec 3<>/dev/tcp/127.0.0.1/1; } 2>&1 ) in *"No such file"*) printf 'bash was built without /dev/tcp\\tinstall the distribution’s own bash\\n';; esac
${lines.join('\n')}
exit 0`;
}
