/** What others changed of the role policy, between two steps of a run. */
import { driverFor } from '../../../activities/routing/drivers';
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

let original: OriginalRouting;
const steering = () => {
  const plan: RoutingPlan = {
    cluster: 'fw-test',
    nodes: { fw1: { host: 'fw1' }, fw2: { host: 'fw2' } },
    routing: { ...spec, original: { border: original } },
  };
  return steeringOf(contextOf({ plan, connect: async () => router }));
};
/** What the watch is told, traffic going through `serving`; fw1 served when the plan was made. */
const changed = (serving?: string): Promise<readonly string[]> => steering().changed(serving, 'fw1');

const pristine = router.config;
beforeEach(async () => {
  router.config = pristine;
  await byHand('FROM-FW1', 'set local-preference 200');
  const { owned, restSha256, reliedSha256, relied } = await driver.config();
  original = { owned, restSha256, reliedSha256, ...(relied === undefined ? {} : { relied }) };
});

test('as it was at the start, and as the run writes it for either node: nothing', async () => {
  expect(await changed('fw1')).toEqual([]);
  await shift('fw2');
  expect(await changed('fw2')).toEqual([]);
  await shift('fw1');
  expect(await changed('fw1')).toEqual([]);
  // Traffic is about to follow, or isn’t told of: that is for the routes to say.
  expect(await changed(undefined)).toEqual([]);
});

test('a value that this run never wrote', async () => {
  await shift('fw1');
  await byHand('FROM-FW2', 'set local-preference 150');
  expect(await changed('fw1')).toEqual([
    expect.stringMatching(/^border: .*FROM-FW2 10 has "set local-preference 150"/),
  ]);
});

test('a line beside the owned ones, in an owned entry', async () => {
  await shift('fw1');
  router.config = router.config.replace(
    'route-map TO-FW2 permit 10\n',
    'route-map TO-FW2 permit 10\n set origin igp\n',
  );
  expect((await changed('fw1'))[0]).toMatch(/^border: .*TO-FW2 10 has "set origin igp"/);
});

test('half of one role and half of the other: both are known, the mixture isn’t wanted', async () => {
  await shift('fw1');
  await byHand('FROM-FW1', 'set local-preference 100');
  expect(await changed('fw1')).toEqual([expect.stringMatching(/mixture of both roles[^]*set local-preference/)]);
});

test('the roles turned around by hand, with the very values of this run, while traffic hasn’t followed', async () => {
  await shift('fw2');
  expect(await changed('fw1')).toEqual(['border: the role policy prefers fw2, and traffic goes through fw1']);
});

test('the BGP instance that it relies on: the way back may not work either', async () => {
  await shift('fw1');
  router.config = router.config.replace('router bgp 65200\n', 'router bgp 65200\n bgp bestpath as-path ignore\n');
  const [told] = await changed('fw1');
  expect(told).toMatch(/BGP configuration is not as it was when the plan was made: \+ bgp bestpath as-path ignore/);
  expect((await steering().escapeFaults()).map(({ what }) => what)).toContain(told);
});

test('what an urgent move goes over is no fault of the way back', async () => {
  const before = await steering().escapeFaults();
  await byHand('FROM-FW2', 'set local-preference 150');
  expect(await steering().escapeFaults()).toEqual(before);
});
