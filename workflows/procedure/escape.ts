/** Traffic is moved away at once: after a regression, or because somebody said `switchBack`. It is never cut. */
import type { Run } from './run';
import { lastGate, summaryOf } from './state';
import type { PlanBase } from './types';

/** Deals with the request, and says in the state what came of it. */
export async function escape<P extends PlanBase>(run: Run<P>): Promise<void> {
  const { regression, switchBack } = run.state.requests;
  const target = run.switchBackTarget();
  const item =
    run.watches.item('watch') ??
    Math.max(
      0,
      run.state.items.findIndex((i) => i.state !== 'done'),
    );
  const why =
    regression === undefined ? `${switchBack?.by} said: ${switchBack?.reason}` : `regression: ${regression.why}`;
  run.know({ reason: why });
  run.dispatch({ type: 'request-met', request: regression === undefined ? 'switchBack' : 'regression' });
  if (regression !== undefined && run.state.recovery.escapedByItself) {
    run.know({
      reason: `${why}. Traffic was moved away by itself once in this run already, so this time a person decides (switchBack moves it)`,
    });
    return;
  }
  if (typeof target === 'string') {
    run.know({ reason: `${why}; ${target}` });
    return;
  }
  if (regression !== undefined) run.know({ escapedByItself: true });
  run.dispatch({ type: 'escape-started', why, at: run.now(), repeatFrom: lastGate(run.state, item) + 1 });
  const performed = await run.calls.perform(target, 'act', item, 'escape');
  // One outcome only: an escape is never cut.
  if (performed.kind === 'failed') {
    run.dispatch({ type: 'escape-ended', at: run.now(), failure: performed.failure });
    run.know({ escapeFailed: true, reason: `${why}. Moving traffic away FAILED: ${performed.failure.message}` });
    return;
  }
  run.dispatch({
    type: 'escape-ended',
    at: run.now(),
    ...(performed.kind === 'done' ? { result: performed.value } : {}),
  });
  const summary = performed.kind === 'done' ? summaryOf(performed.value) : undefined;
  run.know({
    escaped: true,
    escapeFailed: false,
    reason: `${why}. Traffic has been moved away${summary === undefined ? '' : `: ${summary}`}`,
  });
  run.watches.end('watch');
  run.dispatch({ type: 'switch-back-means', means: 'traffic has been moved back already' });
}
