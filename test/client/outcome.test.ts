/** What an ended run left, and what was only given to it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowFailedError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { isReport } from '../../client/report-shape';
import { outcomeOf } from '../../client/outcome';
import { payloadConverter } from '../../worker/payload-converter';
import { reportMemo } from '../../workflows/contract';
import { readHistory } from '../support/histories';
import { report } from './fixtures/views';

const kept = join(__dirname, '../histories');

/** What each kept run ended with, if that can be a report. */
async function endings(): Promise<unknown[]> {
  const names = readdirSync(kept).filter((name) => name.endsWith('.gz'));
  const histories = await Promise.all(names.map((name) => readHistory(join(kept, name))));
  return histories.flatMap(({ events }) =>
    (events ?? []).flatMap((event) => {
      const failed = event.workflowExecutionFailedEventAttributes?.failure?.applicationFailureInfo;
      const isEnding = failed?.type === 'RolledBack' || failed?.type === 'Stopped';
      const payload =
        event.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0] ??
        (isEnding ? failed.details?.payloads?.[0] : undefined) ??
        event.workflowPropertiesModifiedEventAttributes?.upsertedMemo?.fields?.[reportMemo];
      const value = payload == null ? undefined : payloadConverter.fromPayload<object>(payload);
      // A dry run's result is a plan.
      return value === undefined || 'items' in value ? [] : [value];
    }),
  );
}

it('the reports of all kept runs, of each release, are known as reports', async () => {
  const all = await endings();
  expect(all.length).toBeGreaterThan(20);
  expect(all.filter((value) => !isReport(value))).toEqual([]);
});

it.each<[string, unknown]>([
  ['no object', 5],
  ['fields of other types', { ...report, standing: 2 }],
  ['an ending that there isn’t', { ...report, ending: 'Upgraded' }],
  ['steps that are none', { ...report, steps: [null] }],
  ['nodes that are none', { ...report, nodes: { fw1: { serving: { a: 1 } } } }],
  ['three fields alone', { ending: 'Completed', standing: '', steps: [] }],
])('%s is no report', (_, value) => expect(isReport(value)).toBe(false));

describe('of a cancelled run', () => {
  const payload = payloadConverter.toPayload(report);
  const at = (given: boolean): Promise<object> => {
    const started = given ? { memo: { fields: { [reportMemo]: payload } } } : {};
    const history = { events: [{ workflowExecutionStartedEventAttributes: started }] };
    const client = {
      options: { namespace: 'default' },
      workflow: {
        getHandle: () => ({
          result: () =>
            Promise.reject(
              new WorkflowFailedError('cancelled', new CancelledFailure('cancelled'), 'NON_RETRYABLE_FAILURE'),
            ),
        }),
      },
      workflowService: {
        getWorkflowExecutionHistory: () => Promise.resolve({ history }),
        getWorkflowExecutionHistoryReverse: () => Promise.resolve({ history }),
      },
    };
    const description = {
      workflowId: 'upgrade-fw',
      runId: 'r',
      status: { name: 'CANCELLED' },
      memo: { [reportMemo]: report },
      raw: { workflowExecutionInfo: { memo: { fields: { [reportMemo]: payload } } } },
    };
    return outcomeOf(client as unknown as Client, description as unknown as WorkflowExecutionDescription);
  };
  it('what it said itself is its report', async () => expect(await at(false)).toEqual({ report }));
  it('what it was started with isn’t', async () => expect(await at(true)).toEqual({}));
});
