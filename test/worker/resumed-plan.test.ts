/** What of an ended run's plan the next one takes over, and when it may not. */
import { changesLeft, KEPT_ACTIONS, notPutRight, resumedPlan } from '../../worker/resumed-plan';
import { record, type Body, type PlanBase } from '../../workflows/procedure';
import { firewallPair } from '../../workflows/upgrade-firewall-pair';
import { panosPair } from '../../workflows/upgrade-panos-pair';
import { xroadCluster } from '../../workflows/upgrade-xroad-cluster';
import { clusterPlan } from '../support/cluster-run';
import { pairPlan } from '../support/pair-run';

const resolved = {
  schema: 1,
  procedure: 'firewall-pair',
  procedureRevision: 1,
  cluster: 'fw',
  version: '2.0',
  requestedBy: 'alice',
  routing: { routers: { border: { address: '192.0.2.1' } } },
  software: { releases: { '1.0': {}, '2.0': {} }, reboot: true },
  inventoryDigest: 'one',
};
const frozen = {
  ...resolved,
  routing: { ...resolved.routing, original: { border: { owned: 'a', restSha256: 'b' } } },
  roles: { primary: 'fw1', secondary: 'fw2' },
  releases: { from: '1.0', to: '2.0' },
  found: { fw1: { machineId: 'x' } },
};
const differences = (now: object, then: object = frozen): readonly string[] => {
  const told = resumedPlan(now, then, 'first');
  return 'plan' in told ? [] : told.differences.map(({ where, what }) => `${where}: ${what}`);
};

describe('the plan of the run before', () => {
  test('is taken whole, with who asks now, and where it comes from', () => {
    expect(resumedPlan({ ...resolved, requestedBy: 'bob' }, frozen, 'first')).toEqual({
      plan: { ...frozen, requestedBy: 'bob', resumedFrom: 'first' },
    });
    const { requestedBy: _, ...nobody } = resolved;
    expect(resumedPlan(nobody, { ...frozen, resumedFrom: 'older' }, 'first')).toEqual({
      plan: { ...frozen, requestedBy: undefined, resumedFrom: 'first' },
    });
  });

  test('is one plan however often it is asked for', () => {
    const once = resumedPlan(resolved, frozen, 'first');
    expect(JSON.stringify(resumedPlan(resolved, frozen, 'first'))).toBe(JSON.stringify(once));
  });

  test('whatever is read from devices, as builds after this one may read more', () => {
    const more = { ...frozen, read: 'later', routing: { ...frozen.routing, read: 'later' } };
    expect(resumedPlan(resolved, more, 'first')).toMatchObject({ plan: more });
    expect(resumedPlan({ ...resolved, inventoryDigest: 'two' }, more, 'first')).toMatchObject({
      differences: [{ where: 'read' }, { where: 'routing.read' }],
    });
  });

  test('isn’t taken where the version or anything of the inventory differs, and says what', () => {
    const other = { ...resolved, inventoryDigest: 'two' };
    expect(differences({ ...resolved, version: '3.0' })).toEqual(['version: was "2.0", is "3.0"']);
    expect(differences(other)).toEqual([]);
    expect(differences({ ...other, software: { ...resolved.software, reboot: false } })).toEqual([
      'software.reboot: was true, is false',
    ]);
    expect(differences({ ...other, site: 'dc2' })).toEqual(['site: was left out, is "dc2"']);
    expect(differences(other, { ...frozen, site: 'dc2' })).toEqual(['site: was "dc2", is left out']);
    expect(differences({ ...other, routing: { routers: {} } })).toHaveLength(1);
  });

  test('tells the first of many differences, and long values in short', () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, 'x'.repeat(5_000)]));
    const told = differences({ ...resolved, ...many, inventoryDigest: 'two' });
    expect(told).toHaveLength(9);
    expect(told.at(-1)).toBe('the plan: differs in 12 more places');
    expect(Math.max(...told.map((line) => line.length))).toBeLessThan(120);
  });

  test('is what a check looks at, too, which asks for no version', () => {
    expect(resumedPlan({ ...resolved, version: '' }, frozen, 'first')).toMatchObject({ plan: { version: '2.0' } });
    const cluster = { ...resolved, version: '', mode: 'rolling' };
    expect(resumedPlan(cluster, { ...frozen, mode: 'offline' }, 'first')).toMatchObject({ plan: { mode: 'offline' } });
  });

  test('the mode of an X-Road cluster is asked for, that of a PAN-OS pair is read', () => {
    expect(differences({ ...resolved, mode: 'rolling' }, { ...frozen, mode: 'offline' })).toEqual([
      'mode: was "offline", is "rolling"',
    ]);
    expect(differences(resolved, { ...frozen, mode: 'active-active', hops: [], routed: 'fw1' })).toEqual([]);
  });
});

describe('a cluster whose plan is made anew all the same', () => {
  test('must be as it was found, unless all of it has another release by now', () => {
    expect(notPutRight(frozen, { ...frozen, version: '3.0', releases: { from: '1.0', to: '3.0' } })).toEqual([]);
    const turned = { ...frozen, roles: { primary: 'fw2', secondary: 'fw1' } };
    expect(notPutRight(frozen, turned).map(({ where }) => where)).toEqual(['roles.primary', 'roles.secondary']);
    expect(notPutRight(frozen, { ...turned, releases: { from: '2.0', to: '3.0' } })).toEqual([]);
    const switched = { ...frozen, found: { fw1: { machineId: 'x', preemptive: false } } };
    expect(notPutRight(frozen, switched)).toMatchObject([{ where: 'found.fw1.preemptive' }]);
    const moved = { ...frozen, routing: { ...frozen.routing, original: { border: { owned: 'z', restSha256: 'b' } } } };
    expect(notPutRight(frozen, moved)).toMatchObject([{ where: 'routing.border.owned' }]);
  });
});

describe('what a run left', () => {
  const step = { step: '01-x', action: 'packages.install', observed: true, acted: true, undone: false };

  test('is what it changed and didn’t undo; what a rollback leaves doesn’t count', () => {
    expect(changesLeft([step])).toEqual([step]);
    expect(changesLeft([{ ...step, undone: true }])).toEqual([]);
    expect(changesLeft([{ ...step, acted: false }])).toEqual([]);
    expect(changesLeft([{ ...step, action: 'packages.stage' }])).toEqual([]);
  });

  test('and the steps that a rollback leaves are those of the procedures', async () => {
    const hop = { from: '10.2.3', to: '10.2.9', images: ['10.2.9'], wayBack: ['10.2.3'] };
    const panos = {
      ...{ ...pairPlan(), procedure: 'panos-pair', mode: 'active-passive', hops: [hop] },
      roles: { active: 'a', passive: 'b' },
      panos: { order: 'passive-first', failBack: true, timing: {} },
    };
    const kept = new Set<string | undefined>();
    const note = async <P extends PlanBase>(body: Body<P>, plan: P): Promise<void> => {
      for (const item of await record(body, plan)) if (item.kept === true) kept.add(item.action);
    };
    await note(firewallPair, pairPlan());
    await note(xroadCluster, clusterPlan());
    await note(xroadCluster, clusterPlan({ mode: 'offline' }));
    await note(panosPair, panos as never);
    expect([...kept].sort()).toEqual([...KEPT_ACTIONS].sort());
  });
});
