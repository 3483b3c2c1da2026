/** Two clusters that share a node: the second isn't started while the first is under way. */
import { workflowTypes } from '../../workflows/contract';
import { HistoryGone } from '../../worker/histories';
import { listOpen, sharedWithOpen, type OpenRun, type OpenUpgrades } from '../../worker/open-upgrades';
import { encrypted, HistoryBuilder } from '../support/history-builder';

const planOf = (cluster: string, serial: string, address = '192.0.2.1') => ({
  cluster,
  nodes: { [`${cluster}-a`]: { address, port: 443 } },
  found: { [`${cluster}-a`]: { serial } },
});
/** A run whose plan was resolved, with messages before that. */
function started(runId: string, plan: unknown, messages = 0): HistoryBuilder {
  const run = new HistoryBuilder(runId);
  for (let i = 0; i < messages; i++) run.signal();
  return run.answer(run.call('plan.resolve', ''), plan).step('panos.backup', '03-save', {});
}

interface Listed extends Partial<OpenRun> {
  readonly history: HistoryBuilder;
}
function temporal(runs: readonly Listed[]): OpenUpgrades & { readonly pagesRead: number } {
  const service = {
    pagesRead: 0,
    open: () =>
      Promise.resolve(
        runs.map(({ history: { runId }, workflowId = `upgrade-${runId}`, startedAt = 0 }) => ({
          ...{ workflowId, runId, startedAt },
        })),
      ),
    async *pages(_workflowId: string, runId: string) {
      const { history } = runs.find((run) => run.history.runId === runId)!;
      if (history.events.length === 0) throw new HistoryGone('gone');
      for (let at = 0; at < history.events.length; at += 3) {
        service.pagesRead++;
        yield await Promise.resolve(history.events.slice(at, at + 3));
      }
    },
  };
  return service;
}

const mine = planOf('mine', 'S1');
const asking = { cluster: 'mine', runId: 'me', nowMs: 100_000, known: [] };
const around = { onPage: (): void => undefined };
const faultsWith = (...runs: readonly Listed[]) => sharedWithOpen(temporal(runs), mine, asking, around);

test('the other run, both names of the node, and by what it was recognised', async () => {
  expect(await faultsWith({ history: started('theirs', planOf('theirs', 'S1', '192.0.2.9')) })).toEqual([
    {
      where: 'mine-a',
      what: 'it is the node theirs-a of upgrade-theirs, which is under way, by the serial S1',
      next: expect.stringMatching(/^wait for the end of that upgrade/) as string,
    },
  ]);
});

test('every one of many, however their histories begin; no more of one is read than its plan', async () => {
  const runs = [
    ...Array.from({ length: 20 }, (_, i) => ({
      history: started(`other${i}`, planOf(`other${i}`, `X${i}`, `198.51.100.${i}`)),
    })),
    { history: started('late', planOf('late', 'S1'), 300) },
    { history: started('before', {}).continuedAs('linked', { continued: { plan: planOf('linked', 'S1') } }) },
  ];
  const service = temporal(runs);
  const faults = await sharedWithOpen(service, mine, asking, around);
  expect(faults.map(({ what }) => /upgrade-\w+/.exec(what)?.[0])).toEqual(['upgrade-late', 'upgrade-linked']);
  expect(service.pagesRead).toBeLessThan(200);
});

test('a machine ID may have been copied with its machine, which is said', async () => {
  const of = (cluster: string) => ({
    ...planOf(cluster, '', `192.0.2.${cluster.length}`),
    found: { [`${cluster}-a`]: { machineId: 'f'.repeat(32) } },
  });
  const service = temporal([{ history: started('theirs', of('theirs')) }]);
  const [fault] = await sharedWithOpen(service, of('mine'), asking, around);
  expect(fault?.next).toMatch(/systemd-machine-id-setup/);
});

test.each<[string, Listed]>([
  ['the cluster’s own run', { history: started('me', planOf('mine', 'S1')), workflowId: 'upgrade-mine' }],
  ['another node', { history: started('theirs', planOf('theirs', 'S2', '192.0.2.9')) }],
  ['a plan that can’t be read', { history: started('theirs', encrypted) }],
  ['a plan of no shape', { history: started('theirs', { nodes: 'none' }) }],
  ['a run that was deleted meanwhile', { history: Object.assign(new HistoryBuilder('gone'), { events: [] }) }],
])('nothing is said of %s', async (_what, run) => {
  expect(await faultsWith(run)).toEqual([]);
});

describe('two that start together', () => {
  const resolving = (startedAt: number): Listed => ({ history: new HistoryBuilder('theirs'), startedAt });
  const me: Listed = { history: new HistoryBuilder('me'), workflowId: 'upgrade-mine', startedAt: 90_000 };

  test('the later one waits for the plan of the other', async () => {
    await expect(faultsWith(me, resolving(89_000))).rejects.toMatchObject({ type: 'Busy', nonRetryable: false });
    await expect(faultsWith(me, resolving(89_000))).rejects.toThrow(
      /^upgrade-theirs is being started too.*Next: start/,
    );
    // Its own run isn't in the list yet.
    await expect(faultsWith(resolving(99_000))).rejects.toThrow(/is being started too/);
  });

  test('the earlier one doesn’t, nor does anybody for one that never gets a plan', async () => {
    expect(await faultsWith(me, resolving(91_000))).toEqual([]);
    expect(await faultsWith(me, resolving(1_000))).toEqual([]);
    // At the same instant one of the two is the earlier one, by their IDs.
    expect(await faultsWith(me, resolving(90_000))).toEqual([]);
  });

  test('clusters of one inventory are known to share nothing that it names', async () => {
    const service = temporal([me, resolving(89_000)]);
    expect(await sharedWithOpen(service, mine, { ...asking, known: ['theirs'] }, around)).toEqual([]);
  });
});

test('open upgrades alone are asked for, and no more than there may be', async () => {
  const queries: string[] = [];
  const client = {
    workflow: {
      async *list({ query }: { query: string }) {
        queries.push(query);
        for (let i = 0; ; i++)
          yield await Promise.resolve({ workflowId: `upgrade-${i}`, runId: `${i}`, startTime: new Date(i) });
      },
    },
  };
  expect(await listOpen(client as never, 3)).toHaveLength(3);
  expect(queries[0]).toMatch(/^ExecutionStatus = "Running" AND WorkflowType IN \(/);
  for (const { upgrade, plan } of Object.values(workflowTypes)) {
    expect(queries[0]).toContain(`"${upgrade}"`);
    expect(queries[0]).not.toContain(plan);
  }
});
