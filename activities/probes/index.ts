/**
 * Probes: what users of the network would notice, measured from where they are. `ready`, `baseline` and `final` are checks;
 * `watch` runs the same probes for hours or days beside the procedure.
 */
import { registerActivities, type CheckDefinition, type StepCall } from '../kit';
import { sudoersCommand } from '../ssh/quote';
import { probeChecks, type ProbeChecks } from './checks';
import type { ProbeAnswers, ProbeServices } from './services';
import type { Monitoring } from './spec';
import { watchActivity, type WatchCall, type WatchFinding, type WatchInput } from './watch-activity';

export { probeFaults, type Baseline, type FinalInput } from './checks';
export { sshLines } from './ssh-lines';
export { channelLines, type LineProcess, type ProbeAnswers, type ProbeServices, type Watched } from './services';
export { monitoringSpec, needsBaseline, probeHost, type Monitoring, type MonitoringPlan, type ProbeSpec } from './spec';
export type { BgpProbe, StateSyncProbe } from './spec';
export type { EscapeReadiness, Owned } from './beside';
export type { ProbesReport } from './machine';
export type { Measurement } from './verdict';
export type { WatchCall, WatchFinding, WatchInput } from './watch-activity';

/** Types of the checks, for handles in workflows. They need the worker's services, so registerProbes makes them. */
export declare const ready: ProbeChecks['ready'];
export declare const baseline: ProbeChecks['baseline'];
export declare const final: ProbeChecks['final'];
export declare const watch: CheckDefinition<WatchInput, WatchFinding>;

/**
 * The Temporal activities `probes.ready.check`, `probes.baseline.check`, `probes.final.check` and `probes.watch.check`.
 * The watch registers itself: it returns when cut instead of failing, and its heartbeats carry what it has seen.
 */
export function registerProbes(
  services: ProbeServices,
  /** By the plan, where procedures answer differently. */
  answersOf: (plan: unknown) => ProbeAnswers = () => ({}),
): Record<string, (call: StepCall) => Promise<unknown>> {
  const servicesFor = (plan: unknown): ProbeServices => ({ ...services, ...answersOf(plan) });
  return {
    ...registerActivities('probes', { ...probeChecks(servicesFor) }, services),
    'probes.watch.check': (call: WatchCall) => watchActivity(call, servicesFor(call.plan)),
  };
}

/** Everything that probes run with sudo, in the syntax of sudoers(5). */
export const sudoCommands = (
  monitoring: Monitoring,
): readonly { readonly host: string; readonly as: string; readonly command: string }[] =>
  monitoring.probes.flatMap((probe) =>
    probe.kind === 'command' && probe.sudo
      ? [{ host: probe.from, as: 'root', command: sudoersCommand(probe.argv) }]
      : [],
  );
