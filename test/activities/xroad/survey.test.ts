/** The plan's completion, the check before and the check after: every fault at once. */
import { completeXroadPlan, finalCheck, preflight } from '../../../activities/xroad';
import { NEW, World, failureOf } from './world';

describe('completing the plan', () => {
  test('roles, release and what is to be restored', async () => {
    const world = new World();
    world.node('ss2').units.get('xroad-monitor.service')!.active = 'inactive';
    const { roles, releases, found } = await completeXroadPlan(world.context());
    expect(roles).toEqual({ primary: 'ss1', secondaries: ['ss2', 'ss3'] });
    expect(releases).toEqual({ from: '7.3', to: '7.4' });
    expect(found.ss2).toMatchObject({ postgres: 150_004, schema: 'd-old', autologin: false });
    expect(found.ss1?.active).toContain('xroad-monitor.service');
    expect(found.ss2?.active).not.toContain('xroad-monitor.service');
  });

  test('two primaries, no release in common, an unknown one', async () => {
    const world = new World();
    world.node('ss2').type = 'master';
    world.node('ss2').db.standby = false;
    world.node('ss3').release = '7.2.0-1.ubuntu22.04';
    const failure = await failureOf(completeXroadPlan(world.context()));
    expect(failure).toMatchObject({ type: 'NotReady', nonRetryable: true });
    expect(failure.message).toMatch(/cluster: has 2 primaries: ss1, ss2/);
    expect(failure.message).toMatch(/ss3: has none of the releases 7\.3, 7\.4 \(xroad-proxy 7\.2\.0-1\.ubuntu22\.04/);
  });

  test('an upgrade that was begun is not begun again', async () => {
    const world = new World();
    world.upgradePrimary();
    const failure = await failureOf(completeXroadPlan(world.context()));
    expect(failure.message).toMatch(/all nodes must have one release: ss1 has 7\.4, ss2 has 7\.3, ss3 has 7\.3/);
    for (const name of ['ss2', 'ss3']) world.node(name).release = NEW;
    expect((await failureOf(completeXroadPlan(world.context()))).message).toMatch(
      /have 7\.4 already: nothing to upgrade/,
    );
  });

  test('a node that is silent for a moment may answer later', async () => {
    const world = new World();
    world.node('ss3').db.down = true;
    expect(await failureOf(completeXroadPlan(world.context()))).toMatchObject({ nonRetryable: false });
  });

  test.each([
    ['7.3.0-1', '8.0.0-1', /another major release than 7\.3.*upgrade guide of X-Road 8/],
    ['7.3.0-1', '7.6.1-1', /can’t be reached from 7\.3: its packages upgrade 7\.4\.0 or newer.*upgrade to 7\.5 first/],
    ['7.8.1-1', '7.8.0-1', /is older than 7\.3/],
  ])('from %s to %s is no upgrade of packages', async (old, wanted, message) => {
    const world = new World();
    const { software } = world.plan;
    const packages = (version: string) => ({
      mayRemove: [],
      packages: Object.fromEntries(Object.keys(software.releases['7.3']!.packages).map((name) => [name, version])),
    });
    const releases = { '7.3': packages(old), '7.4': packages(wanted) };
    world.plan = { ...world.plan, software: { ...software, releases } };
    for (const node of Object.values(world.nodes)) node.release = old;
    expect((await failureOf(completeXroadPlan(world.context()))).message).toMatch(message);
  });

  test('two minor releases at once are within the window, and other projects’ packages are theirs', async () => {
    const world = new World();
    world.node('ss1').versions['xroad-metrics-collector'] = '1.1.1';
    const { found } = await completeXroadPlan(world.context());
    expect(found.ss1).toMatchObject({
      tokens: ['0'],
      ports: { messages: 5500, http: 8080, https: 8443, health: 5588 },
    });
  });
});

describe('preflight', () => {
  test('a cluster that is well', async () => {
    const world = new World({ outOfService: 'both' });
    const found = await preflight.check(world.context(), {});
    expect(found.summary).toMatch(/ss1 is the primary of ss2, ss3; all are healthy and in sync; all nodes are up/);
    expect(found.nodes).toMatchObject({ ss1: { role: 'primary' }, ss2: { role: 'secondary', release: '7.3' } });
    expect(world.changes).toEqual([]);
  });

  test('says who will have to enter a PIN after a reboot', async () => {
    const world = new World({ reboot: true });
    world.node('ss1').autologin = true;
    expect((await preflight.check(world.context(), {})).summary).toMatch(
      /the PIN of ss2, ss3 has to be entered by hand/,
    );
  });

  test('names everything that is wrong, in one list', async () => {
    const world = new World({ outOfService: 'both' });
    const { ss1, ss2, ss3 } = world.nodes as Record<'ss1' | 'ss2' | 'ss3', (typeof world.nodes)[string]>;
    ss1.localIni = '[proxy]\n';
    ss1.db.locked = 1;
    ss1.versions['xroad-opmonitor'] = '7.2.9-1.ubuntu22.04';
    ss2.flag = true;
    ss2.unitText = '[Service]\nExecStart=/usr/bin/rsync\n';
    ss2.timer = 'inactive';
    ss2.db.pause = 'paused';
    ss2.tokens = 'Token: 0 (OK, writable, available, inactive)\n';
    ss2.keyconf = 'c'.repeat(64);
    ss1.messageLogLocks = 1;
    ss2.messageLogLocks = undefined;
    ss3.db.receiver = '';
    ss3.db.system = '7300000000000000002';
    ss3.db.version = 140_010;
    ss3.db.replayed = '0/1000000';
    ss3.db.digest = 'd-else';
    ss3.failing = 'Global configuration is expired';
    ss3.units.get('xroad-proxy-ui-api.service')!.active = 'failed';
    ss3.units.get('xroad-monitor.service')!.masked = 'masked-runtime';
    world.balancer.ss3!.up = false;
    const failure = await failureOf(preflight.check(world.context(), {}));
    expect(failure).toMatchObject({ type: 'NotReady', nonRetryable: true });
    for (const expected of [
      /ss1: has no health check port/,
      /ss1: is not listening on its health port 5588/,
      /ss1: a migration of its database runs, or was cut off/,
      /ss1: a migration of its own database messagelog runs, or was cut off/,
      /ss2: its own database messagelog.* can’t be asked: psql: error/,
      /ss1: xroad-opmonitor is 7\.2\.9-1\.ubuntu22\.04 instead of 7\.3\.0/,
      /ss1: sends WAL to 1 of 2 secondaries \(ss2: streaming\)/,
      /ss2: .*sync-disabled is there/,
      /ss2: xroad-sync.service doesn’t test for/,
      /ss2: xroad-sync.timer is inactive/,
      /ss2: replay of its database is paused/,
      /ss2: token 0 isn’t logged in/,
      /ss2: .*keyconf.xml differs from ss1/,
      /ss3: its database receives nothing from the primary/,
      /ss3: its database is no copy of ss1’s/,
      /ss3: has PostgreSQL 14, ss1 has 15/,
      /ss3: its database is 33554760 bytes of WAL behind/,
      /ss3: its database has another schema than ss1’s/,
      /ss3: is not healthy: Global configuration is expired/,
      /ss3: xroad-proxy-ui-api.service is failed/,
      /ss3: xroad-monitor.service is masked.*unmask --runtime/,
      /ss3: isn’t in service: lb messages\/ss3 is DOWN/,
    ])
      expect(failure.message).toMatch(expected);
  });

  test('a plan that can’t take nodes out, or would restart PostgreSQL', async () => {
    const world = new World({ outOfService: 'both' });
    const { loadBalancer: _, ...plan } = world.plan;
    const release = plan.software.releases['7.4']!;
    world.plan = {
      ...plan,
      software: {
        ...plan.software,
        releases: {
          ...plan.software.releases,
          '7.4': { ...release, packages: { ...release.packages, 'postgresql-15': '15.9-1' } },
        },
      },
    };
    const failure = await failureOf(preflight.check(world.context(), {}));
    expect(failure.message).toMatch(/outOfService is both, and there is no section loadBalancer/);
    expect(failure.message).toMatch(/release 7\.4: names postgresql-15: a restart of PostgreSQL ends every pause/);
  });
});

describe('the final check', () => {
  const finished = (): World => {
    const world = new World({ outOfService: 'both' });
    world.upgradePrimary();
    for (const name of ['ss2', 'ss3']) {
      world.node(name).release = NEW;
      world.node(name).catchUp();
    }
    return world;
  };

  test('a cluster that is upgraded', async () => {
    const found = await finalCheck.check(finished().context(), {});
    expect(found.summary).toBe('ss1, ss2, ss3 run 7.4, healthy, in service, and in sync up to 0/3100000');
  });

  test.each([
    ['a flag that was forgotten', (w: World) => (w.node('ss2').flag = true), /ss2: .*sync-disabled is there/],
    [
      'a pause that was forgotten',
      (w: World) => (w.node('ss3').db.pause = 'paused'),
      /ss3: replay of its database is paused/,
    ],
    ['a mask that was forgotten', (w: World) => w.node('ss3').maskAll(), /xroad-signer.service is masked/],
    [
      'a service that isn’t back',
      (w: World) => (w.node('ss1').units.get('xroad-monitor.service')!.active = 'inactive'),
      /ss1: xroad-monitor.service is inactive/,
    ],
    [
      'a node that stayed old',
      (w: World) => (w.node('ss3').release = '7.3.0-1.ubuntu22.04'),
      /ss3: xroad-proxy is 7\.3\.0.* \(release 7\.4\)/,
    ],
    [
      'a node that is still drained',
      (w: World) => (w.balancer.ss2!.admin = 'drain'),
      /ss2: isn’t in service: lb messages\/ss2 is DRAIN/,
    ],
    ['maintenance mode', (w: World) => (w.node('ss1').maintenance = true), /ss1: is in maintenance mode/],
    [
      'a secondary that is behind',
      (w: World) => (w.node('ss2').db.replayed = '0/30FFFFF'),
      /ss2 hasn’t caught up: 1 bytes behind/,
    ],
  ])('%s shows', async (_what, harm, message) => {
    const world = finished();
    harm(world);
    const failure = await failureOf(finalCheck.check(world.context(), {}));
    expect(failure).toMatchObject({ type: 'VerifyFailed', nonRetryable: false });
    expect(failure.message).toMatch(message);
  });
});
