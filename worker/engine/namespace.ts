/** Brings a namespace of an engine of ours to what Hitless needs: what the CLI has no flag for. */
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';
import type { SearchAttributeType } from './arguments';
import { ensureSearchAttributes } from './search-attributes';

/** Histories of closed runs are the audit; start-dev would drop them after a day. */
export const retentionDays = 365;
const daySeconds = 86_400;

/** Registers search attributes, and raises the retention to a year; a longer one stays. */
export async function prepareNamespace(
  connection: Pick<Connection, 'operatorService' | 'workflowService'>,
  namespace: string,
  searchAttributes: Readonly<Record<string, SearchAttributeType>>,
): Promise<void> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  if (seconds < retentionDays * daySeconds) {
    await connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(`${retentionDays} days`) },
    });
  }
  await ensureSearchAttributes(connection, namespace, searchAttributes);
}
