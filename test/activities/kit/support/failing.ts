/** A workflow that hands on what its activity failed with. */
import { ActivityFailure, ApplicationFailure, proxyActivities } from '@temporalio/workflow';

export interface Arrived {
  readonly type: string | undefined;
  readonly message: string;
  readonly details: unknown;
  readonly nonRetryable: boolean;
}

export async function failing(options: { readonly attempts: number; readonly input: unknown }): Promise<Arrived> {
  const { fail } = proxyActivities<{ fail(input: unknown): Promise<void> }>({
    startToCloseTimeout: '10s',
    retry: { maximumAttempts: options.attempts, initialInterval: '10ms' },
  });
  try {
    await fail(options.input);
  } catch (error) {
    if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) throw error;
    const { type, message, details, nonRetryable } = error.cause;
    return { type: type ?? undefined, message, details: details?.[0], nonRetryable: nonRetryable === true };
  }
  throw new Error('it should have failed');
}
