import { Client, Connection, ServiceError } from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import { ensureSearchAttributes, productSearchAttributes, type ServerConnection } from '../../../worker/engine';
import { prepareNamespace } from '../../../worker/engine/namespace';
import { engineTimeoutMs, startTestEngine, type TestEngine } from '../../support/engine';

let engine: TestEngine;
let connection: Connection;
beforeAll(async () => {
  engine = await startTestEngine({ uiPort: 0, searchAttributes: { Wrong: 'Int' } });
  connection = await Connection.connect({ address: engine.address });
}, engineTimeoutMs);
afterAll(async () => {
  await connection?.close();
  await engine?.remove();
});

test('what the product needs', () => {
  expect(productSearchAttributes).toEqual({
    UpgradeCluster: 'Keyword',
    UpgradePhase: 'Keyword',
    UpgradeWaitingFor: 'Keyword',
    UpgradeTarget: 'Keyword',
  });
});

test('missing ones are registered and accepted at once, then left alone', async () => {
  const client = new Client({ connection });
  const key = defineSearchAttributeKey('UpgradeCluster', SearchAttributeType.KEYWORD);
  const startOne = (workflowId: string) =>
    client.workflow.start('none', { workflowId, taskQueue: 'none', typedSearchAttributes: [{ key, value: 'fw' }] });
  await expect(startOne('too-early')).rejects.toThrow();

  expect(await ensureSearchAttributes(connection, 'default')).toEqual(Object.keys(productSearchAttributes));
  await startOne('in-time');
  expect(await ensureSearchAttributes(connection, 'default')).toEqual([]);
});

test('another type, another namespace: an error that says so', async () => {
  await expect(ensureSearchAttributes(connection, 'default', { Wrong: 'Keyword' }, 'temporal:7233')).rejects.toThrow(
    'In namespace default of temporal:7233 these search attributes have another type than Hitless needs: Wrong (is INDEXED_VALUE_TYPE_INT, must be Keyword)',
  );
  await expect(ensureSearchAttributes(connection, 'nowhere')).rejects.toThrow('There is no namespace nowhere.');
});

describe('where the server refuses its operator API', () => {
  const refusal = Object.assign(new ServiceError('7 PERMISSION_DENIED: Request unauthorized.'), { code: 7, details: '', metadata: {} });
  const refuse = (): Promise<never> => Promise.reject(refusal);
  const without = (...methods: string[]): ServerConnection => ({
    workflowService: connection.workflowService,
    operatorService: new Proxy(connection.operatorService, {
      get: (service, name, receiver) =>
        methods.includes(String(name)) ? refuse : (Reflect.get(service, name, receiver) as unknown),
    }),
  });

  test('it is enough that the attributes are there', async () => {
    await ensureSearchAttributes(connection, 'default', { There: 'Keyword' });
    expect(await ensureSearchAttributes(without('listSearchAttributes'), 'default', { There: 'Keyword' })).toEqual([]);
  });

  test.each([['listSearchAttributes'], ['addSearchAttributes']])('%s: the error has the command', async (method) => {
    await expect(
      ensureSearchAttributes(without(method), 'default', { Missing: 'Keyword' }, 'temporal:7233'),
    ).rejects.toThrow(
      'temporal operator search-attribute create --address temporal:7233 --namespace default --name Missing --type Keyword',
    );
  });
});

test('an engine whose namespace keeps histories for a day keeps them for a year', async () => {
  const retention = async (): Promise<number> => {
    const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
    return Number(config?.workflowExecutionRetentionTtl?.seconds);
  };
  const day = { low: 86_400, high: 0, unsigned: false };
  await connection.workflowService.updateNamespace({
    namespace: 'default',
    config: { workflowExecutionRetentionTtl: { seconds: day as never } },
  });
  expect(await retention()).toBe(86_400);
  await prepareNamespace(connection, 'default', {});
  expect(await retention()).toBe(365 * 86_400);
});
