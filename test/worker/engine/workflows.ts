/** Workflows of the engine's tests. */
import { proxyActivities, sleep } from '@temporalio/workflow';

/** Sleeps ten days, then polls once a minute until the activity is content; returns what passed by the workflow's clock. */
export async function tenDays(): Promise<number> {
  const started = Date.now();
  for (let day = 0; day < 10; day++) await sleep('1 day');
  const { untilContent } = proxyActivities<{ untilContent(): Promise<void> }>({
    startToCloseTimeout: '10s',
    retry: { initialInterval: '60s', backoffCoefficient: 1 },
  });
  await untilContent();
  return Date.now() - started;
}
