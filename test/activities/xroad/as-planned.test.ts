/** A plan of unchanged nodes is the same plan at any time; what somebody changed by hand after it is named. */
import { observed, type StepDefinition } from '../../../activities/kit';
import * as xroad from '../../../activities/xroad';
import { readMachineId, toldApart } from '../../../activities/readiness';
import { digestOf } from '../../../worker/digest';
import { ScriptedHost } from '../support/local-host';
import { failureOf, World } from './world';

const planned = async (world: World): Promise<string> => digestOf(await xroad.completeXroadPlan(world.context()));

test('planned again while the cluster works, it has the same digest', async () => {
  const world = new World();
  const { ss1, ss2, ss3 } = world.nodes as Record<'ss1' | 'ss2' | 'ss3', (typeof world.nodes)[string]>;
  const autologin = ss3.units.get('xroad-autologin.service')!;
  Object.assign(autologin, { exists: true, active: 'inactive' });
  const first = await planned(world);
  ss1.db.position = '4/5000000';
  for (const node of [ss2, ss3]) Object.assign(node.db, { replayed: '4/4FFFFFF', received: '4/5000000' });
  ss1.connections = ['0 0 10.0.0.1:5500 10.0.0.9:40000'];
  ss2.copying = 1;
  ss2.copies = 99;
  ss3.units.get('xroad-signer.service')!.restarts = 3;
  ss3.log = ['a line'];
  // It has just entered the PIN, which it does for a moment.
  autologin.active = 'active';
  expect(await planned(world)).toBe(first);
});

const step = (name: 'pauseReplay' | 'pauseSync' | 'maintenanceOn' | 'stopServices') =>
  xroad[name] as StepDefinition<unknown, unknown, never>;
async function plannedWorld(): Promise<World> {
  const world = new World();
  world.plan = await xroad.completeXroadPlan(world.context());
  return world;
}

test.each<[string, Parameters<typeof step>[0], (world: World) => unknown, string]>([
  [
    'replay that was paused',
    'pauseReplay',
    (w) => (w.node('ss2').db.pause = 'paused'),
    'ss2: replay of its database was running when the plan was made, and is paused now',
  ],
  [
    'a flag that was set',
    'pauseSync',
    (w) => (w.node('ss2').flag = true),
    'ss2: copying of the configuration was on when the plan was made, and is paused by its flag now',
  ],
  [
    'maintenance mode',
    'maintenanceOn',
    (w) => (w.node('ss2').maintenance = true),
    'ss2: maintenance mode was off when the plan was made, and is on now',
  ],
  ...(['pauseReplay', 'maintenanceOn', 'stopServices'] as const).map(
    (name): [string, typeof name, (w: World) => unknown, string] => [
      'another primary',
      name,
      (w) => Object.assign(w.node('ss1'), { type: 'slave' }),
      'ss1: its type in node.ini was master when the plan was made, and is slave now',
    ],
  ),
])('%s by hand, found by %s, is named and refused', async (_what, name, change, told) => {
  const world = await plannedWorld();
  const input = { node: 'ss2' };
  await observed(step(name), world.context(), input);
  change(world);
  const failure = await failureOf(observed(step(name), world.context(), input));
  expect(failure).toMatchObject({ type: 'ForeignChange', nonRetryable: true });
  expect(failure.message).toContain(`- ${told}`);
  expect(world.changes).toEqual([]);
});

test('nothing is held against a plan of a build that doesn’t say how it was', async () => {
  const world = new World();
  world.node('ss2').db.pause = 'paused';
  Object.assign(world.node('ss2'), { flag: true, maintenance: true });
  for (const name of ['pauseReplay', 'pauseSync', 'maintenanceOn'] as const)
    await observed(step(name), world.context(), { node: 'ss2' });
});

test('a step that was undone finds what the plan found', async () => {
  const world = await plannedWorld();
  for (const name of ['pauseReplay', 'pauseSync', 'maintenanceOn'] as const) {
    const before = await observed(step(name), world.context(), { node: 'ss2' });
    await step(name).act(world.context(), { node: 'ss2' }, before);
    await step(name).undo(world.context(), { node: 'ss2' }, before);
    await observed(step(name), world.context(), { node: 'ss2' });
  }
});

test('machines are told apart by their IDs, which aren’t told; copies of one machine aren’t', async () => {
  const ids: Record<string, string> = { a: 'a'.repeat(32), b: 'b'.repeat(32), c: 'c'.repeat(32), d: 'c'.repeat(32) };
  const read = (name: string) =>
    readMachineId(new ScriptedHost(name, () => (ids[name] === undefined ? { code: 1 } : `${ids[name]}\n`)));
  const found = toldApart(await Promise.all([...'abcde'].map(async (node) => ({ node, machineId: await read(node) }))));
  const [a, b] = [await read('a'), await read('b')];
  expect(found).toEqual({ a: { machineId: a }, b: { machineId: b }, c: {}, d: {}, e: {} });
  expect(a).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set([a, b, ...Object.values(ids)]).size).toBe(5);
  const world = new World();
  const plan = await xroad.completeXroadPlan(world.context());
  expect(new Set(Object.values(plan.found).map(({ machineId }) => machineId)).size).toBe(3);
});
