import { transient } from '../kit/errors';
import type { Host } from '../kit/host';
import type { StepContext } from '../kit/step';
import { runTag, unitName } from '../jobs/names';
import { complaint, complaintText, runScript } from './host-script';

/** One look at the host lasts this long at most, so that an abort isn't late and the evidence stays short. */
const LOOK_SECONDS = 8;
/** systemd gives a unit 90 s to end before it kills it. */
const STOP_TIMEOUT_MS = 120_000;

/** Waits until no unit of these runs runs on the host. Bounded by the activity's own time limit. */
export async function awaitUnits(context: StepContext, host: Host, tags: readonly string[]): Promise<void> {
  for (let seconds = 0; ; seconds = LOOK_SECONDS) {
    const result = await runScript(host, 'settle', [seconds, ...tags], { timeoutMs: (seconds + 30) * 1_000 });
    if (complaint(result) !== undefined)
      throw transient('Busy', `${host.name}: its units can’t be listed: ${complaintText(result)}`, { host: host.name });
    const units = result.stdout.trim();
    if (units === '') return;
    context.progress(`waiting on ${host.name} for the end of ${units.split('\n').join(', ')}`);
    await context.pause(0);
  }
}

/** Stops units through `host`; a guarded one checks ownership at each. */
export async function stopUnits(host: Host, units: readonly string[]): Promise<void> {
  for (const unit of units)
    await host.exec(['/usr/bin/systemctl', 'stop', '--', unit], { sudo: true, timeoutMs: STOP_TIMEOUT_MS });
}

/**
 * Awaits or stops every job of this run that still runs on a host, but for those named in `except` (names of jobs, as given
 * to runJob). `host` is what takeOwnership returned.
 */
export async function stopUnitsOfRun(
  context: StepContext,
  host: Host,
  options: { readonly mode?: 'await' | 'stop'; readonly except?: readonly string[] } = {},
): Promise<void> {
  const tag = runTag(context.run.runId);
  if (options.mode !== 'stop' && (options.except ?? []).length === 0) return awaitUnits(context, host, [tag]);
  const spared = (options.except ?? []).map((job) => `${unitName(context.run.runId, job)}.service`);
  for (;;) {
    const { stdout } = await runScript(host, 'settle', [0, tag]);
    const units = stdout.split('\n').filter((unit) => unit !== '' && !spared.includes(unit));
    if (units.length === 0) return;
    if (options.mode === 'stop') {
      await stopUnits(host, units);
      continue;
    }
    context.progress(`waiting on ${host.name} for the end of ${units.join(', ')}`);
    await context.pause(1_000);
  }
}
