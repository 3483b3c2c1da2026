/**
 * Native time skipping of the real server (1.32; facts/temporal.md, f): a workflow whose every wait is a timer doesn't wait.
 * Per workflow, so tests can run side by side. The SDK has no sugar for it.
 */
import type { Client } from '@temporalio/client';

/**
 * What the engine must be started with (`startEngine({ dynamicConfig: timeSkippingConfig })`). The server looks up to
 * `timerProcessorMaxTimeShift` ahead in its timer queue and takes new timers only after that; at its default of 1 s, each skip
 * takes a second.
 */
export const timeSkippingConfig = {
  'frontend.WorkflowTimeSkippingEnabled': true,
  'history.timerProcessorMaxTimeShift': '10ms',
} as const;

/** Switches time skipping on for a running workflow; its children inherit it. `maxSkips` bounds a loop that never ends. */
export async function enableTimeSkipping(client: Client, workflowId: string, maxSkips = 10_000): Promise<void> {
  await client.workflowService.updateWorkflowExecutionOptions({
    namespace: client.options.namespace,
    workflowExecution: { workflowId },
    workflowExecutionOptions: { timeSkippingConfig: { enabled: true, maxSessionSkipCount: maxSkips } },
    updateMask: { paths: ['time_skipping_config'] },
  });
}
