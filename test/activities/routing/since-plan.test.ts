/** What somebody changed of the role policy between the plan and the step that moves traffic first. */
import { observed } from '../../../activities/kit';
import { driverFor } from '../../../activities/routing/drivers';
import { routingChanged } from '../../../activities/routing';
import { steeringOf } from '../../../activities/routing/methods';
import type { OriginalRouting, RoutingPlan } from '../../../activities/routing/spec';
import { borderSpec } from './border-spec';
import { contextOf } from './support';
import { fakeRouter } from './fake-router';

const spec = borderSpec;

const router = fakeRouter(/^$/, 'FROM-FW2', 'TO-FW2');
const driver = driverFor('border', spec.routers['border']!, router);
const shift = async (node: string): Promise<void> =>
  driver.shift(driver.plan({ kind: 'prefer', node }, await driver.config()), { revertAfterMs: 1 });
const byHand = (map: string, line: string): Promise<unknown> =>
  router.exec(['vtysh', '-c', `route-map ${map} permit 10`, '-c', line]);

let original: OriginalRouting | undefined;
const context = () => {
  const plan: RoutingPlan = {
    cluster: 'fw-test',
    nodes: { fw1: { host: 'fw1' }, fw2: { host: 'fw2' } },
    routing: { ...spec, ...(original === undefined ? {} : { original: { border: original } }) },
  };
  return contextOf({ plan, connect: async () => router });
};

/** The first look of a move: as `prefer` does, without the routes. */
const look = (isFirst: boolean, as: 'role' | 'restore' | 'escape' = 'role') =>
  observed(
    {
      observe: async () => ({ table: [], state: await steeringOf(context()).observe() }),
      changedSincePlan: (_context, _input, before) => routingChanged(context(), { as }, before, isFirst),
    },
    context(),
    {},
  );

const pristine = router.config;
beforeEach(async () => {
  router.config = pristine;
  await byHand('FROM-FW1', 'set local-preference 200');
  const { owned, restSha256, reliedSha256 } = await driver.config();
  original = { owned, restSha256, reliedSha256 };
});

test('as it was when the plan was made', async () => {
  await look(true);
});

test.each([
  ['a value that no role has', () => byHand('FROM-FW1', 'set local-preference 150'), /\+ set local-preference 150/],
  ['one less', () => byHand('FROM-FW1', 'no set local-preference'), /- set local-preference 200/],
  ['the very values that the run would write for the other node', () => shift('fw2'), /\+ set as-path prepend/],
  [
    'a line beside the owned ones',
    async () => void (router.config = router.config.replace(/(route-map TO-FW2 permit 10\n)/, '$1 set origin igp\n')),
    /\+ set origin igp/,
  ],
])('%s is named and refused before the first move', async (_what, change, difference) => {
  await change();
  const failure: unknown = await look(true).catch((error: unknown) => error);
  expect(failure).toMatchObject({ type: 'ForeignChange', nonRetryable: true });
  const { message } = failure as Error;
  expect(message).toMatch(difference);
  expect(message).toMatch(/^somebody changed what this run owns after the plan was made/);
  expect(message).toMatch(/border: the route-map entries that carry the roles/);
  expect(message).toMatch(/Nothing was changed by this step. Next: put it back as it was and retry; or roll back/);
});

test('later the run’s own values are known, and others aren’t', async () => {
  await shift('fw2');
  await look(false);
  await shift('fw1');
  await look(false, 'restore');
  await byHand('FROM-FW2', 'set local-preference 150');
  await expect(look(false)).rejects.toThrow(/FROM-FW2 10 has "set local-preference 150"/);
});

test('never an escape, and nothing by a plan that doesn’t say how it was', async () => {
  await byHand('FROM-FW1', 'set local-preference 150');
  await look(true, 'escape');
  original = undefined;
  await look(true);
});
