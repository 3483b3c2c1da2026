/** Calls the watch as the core does (workflows/procedure/runtime.ts), once. */
import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  defineSignal,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';

export const cutSignal = defineSignal('cut');

export async function watchOnce(call: unknown): Promise<unknown> {
  const activities = proxyActivities<Record<string, (call: unknown) => Promise<unknown>>>({
    startToCloseTimeout: '24h',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '5s', maximumInterval: '5s', backoffCoefficient: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  let cut = false;
  setHandler(cutSignal, () => {
    cut = true;
  });
  const scope = new CancellationScope({ cancellable: true });
  const result = scope.run(() => activities['probes.watch.check']!(call));
  void condition(() => cut).then(() => scope.cancel());
  return result;
}
