/** `plan.resolve` over a real inventory file and a simulated pair that answers over TLS. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { StepContext } from '../../activities/kit';
import { panosInventoryOf } from '../../demo/panos';
import { startSimulatedPair, type ServedPair } from '../../simulators/panos/server';
import { record } from '../../workflows/procedure/record';
import { panosPair, type PanosPairPlan } from '../../workflows/upgrade-panos-pair';
import { hitlessActivities, type HitlessActivities } from '../../worker/activities';
import { planDigest } from '../../worker/digest';
import type { HistoryService } from '../../worker/histories';
import type { OpenUpgrades } from '../../worker/open-upgrades';
import { planActivities } from '../../worker/plan';
import { ScriptedHost } from '../activities/support/local-host';
import { HistoryBuilder } from '../support/history-builder';

const PASSWORD = 'HITLESS_TEST_PLAN_PASSWORD';
let directory: string;
let inventory: string;
let served: ServedPair;
let hitless: HitlessActivities;
/** Runs of upgrades that are under way. */
const open: HistoryBuilder[] = [];

const history: HistoryService & OpenUpgrades = {
  open: () => Promise.resolve(open.map(({ runId }) => ({ workflowId: `upgrade-${runId}`, runId, startedAt: 0 }))),
  async *pages(_workflowId, runId) {
    yield await Promise.resolve(open.find((run) => run.runId === runId)?.events ?? []);
  },
  runs: () => Promise.resolve([]),
  firstRunOf: (_workflowId, runId) => Promise.resolve(runId),
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hitless-plan-'));
  // An hour passes with each second.
  served = await startSimulatedPair({ speed: 3_600 });
  process.env[PASSWORD] = served.devices[0].password;
  inventory = join(directory, 'inventory.yaml');
  const text = panosInventoryOf(served, { cluster: 'pa-edge', monitoring: '3s', password: `env:${PASSWORD}` });
  await writeFile(inventory, text, { mode: 0o600 });
  hitless = hitlessActivities({ inventory, history });
});
afterAll(async () => {
  hitless.close();
  await served.stop();
  await rm(directory, { recursive: true });
});
beforeEach(() => void (open.length = 0));

const environment = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
const call = (type: string, input: unknown): Promise<unknown> =>
  environment().run(hitless.activities[type] as (given: unknown) => Promise<unknown>, input);
const resolve = (input: unknown, isDryRun = false): Promise<unknown> =>
  call('plan.resolve', { schema: 1, procedure: 'panos-pair', isDryRun, input });
const asked = { cluster: 'pa-edge', version: '10.2.9', requestedBy: 'alice' };

test('twice on unchanged devices, and by another person, it has one digest', async () => {
  const digestOf = async (input: unknown, isDryRun: boolean): Promise<string> => {
    const plan = (await resolve(input, isDryRun)) as PanosPairPlan;
    return planDigest(plan, await record(panosPair, plan));
  };
  const planned = await digestOf(asked, true);
  served.pair.ha.members[0].flaps.preempt = 2;
  served.pair.elapse(served.pair.now + 40 * 86_400_000);
  expect(await digestOf({ ...asked, requestedBy: 'bob' }, false)).toBe(planned);
});

test('nor does it hold the commands that read it, how long they took and what they printed', async () => {
  const services = { connect: async () => new ScriptedHost('fw-a', () => 'up 3 days') };
  const complete = async (context: StepContext<object>) => {
    await (await context.host('fw-a')).exec(['uptime']);
    return { ...context.plan, roles: {} };
  };
  const { 'plan.resolve': resolving } = planActivities(inventory, services, { 'panos-pair': { complete } });
  const call = { schema: 1, procedure: 'panos-pair', isDryRun: false, input: asked } as const;
  const plan: unknown = await environment().run(resolving, call);
  expect(plan).toMatchObject({ cluster: 'pa-edge', roles: {} });
  expect(plan).not.toHaveProperty('ran');
});

test('an upgrade of the same device under another name is under way: refused, and told to a dry run that asks', async () => {
  const plan = (await resolve(asked)) as PanosPairPlan;
  const serial = plan.found['fw-a']?.serial;
  const theirs = { cluster: 'twin', nodes: { a: { address: '192.0.2.77', port: 443 } }, found: { a: { serial } } };
  const other = new HistoryBuilder('twin');
  open.push(other.answer(other.call('plan.resolve', ''), theirs));
  const failure: unknown = await resolve(asked).catch((error: unknown) => error);
  expect(failure).toMatchObject({ type: 'InvalidInput', nonRetryable: true });
  expect((failure as Error).message).toMatch(
    `pa-edge can’t be upgraded now, for it shares nodes with an upgrade that is under way, and nothing was touched:\n- fw-a: it is the node a of upgrade-twin, which is under way, by the serial ${serial}`,
  );
  expect(await resolve(asked, true)).toMatchObject({ cluster: 'pa-edge' });
  expect(await call('plan.shared', plan)).toMatchObject([{ where: 'fw-a' }]);
});

test.each([
  [{ ...asked, version: 7 }, /- version: /],
  [{ version: '10.2.9' }, /- cluster: /],
  ['pa-edge', /- \(whole\): /],
  [undefined, /- \(whole\): /],
])('what is wrong with %j is told with its place', async (input, message) => {
  const failure: unknown = await resolve(input).catch((error: unknown) => error);
  expect(failure).toMatchObject({ type: 'InvalidInput', nonRetryable: true });
  expect((failure as Error).message).toMatch(/^what is to be planned is wrong, and nothing was touched:\n- /);
  expect((failure as Error).message).toMatch(message);
});
