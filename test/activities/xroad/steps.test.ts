/** Taking a node out, stopping, upgrading and starting it: guards, order, read-back, undo. */
import {
  allowStart,
  assertOutOfService,
  drained,
  forbidStart,
  healthy,
  maintenanceOff,
  maintenanceOn,
  pauseSync,
  resumeSync,
  startServices,
  stopServices,
  syncNow,
  tokensActive,
  upgraded,
  upgradePackages,
} from '../../../activities/xroad';
import { connectionsArgv } from '../../../activities/xroad/drain';
import { inStartOrder } from '../../../activities/xroad/services';
import { NEW, OLD, World, failureOf } from './world';

describe('maintenance mode', () => {
  test('is switched on, seen at the health port, unchanged when repeated, and taken back', async () => {
    const world = new World();
    const before = await maintenanceOn.observe(world.context(), { node: 'ss1' });
    expect((await maintenanceOn.act(world.context(), { node: 'ss1' }, before)).changed).toBe(true);
    expect((await maintenanceOn.act(world.context(), { node: 'ss1' }, before)).changed).toBe(false);
    expect(world.node('ss1').maintenance).toBe(true);
    expect((await maintenanceOn.undo(world.context(), { node: 'ss1' }, before)).changed).toBe(true);
    expect(world.node('ss1').maintenance).toBe(false);
    const off = await maintenanceOff.act(world.context(), { node: 'ss1' }, before);
    expect(off).toMatchObject({ changed: false, nodes: { ss1: { serving: true } } });
    // Not where the load balancer hasn't been told yet.
    const both = new World({ outOfService: 'both' });
    expect((await maintenanceOff.act(both.context(), { node: 'ss1' }, before)).nodes).toBeUndefined();
  });

  test('that was on before stays on', async () => {
    const world = new World();
    world.node('ss1').maintenance = true;
    const before = await maintenanceOn.observe(world.context(), { node: 'ss1' });
    expect((await maintenanceOn.undo(world.context(), { node: 'ss1' }, before)).changed).toBe(false);
    expect(world.node('ss1').maintenance).toBe(true);
  });

  test('can’t be had without a health port: for good', async () => {
    const world = new World();
    world.node('ss1').localIni = '[proxy]\n';
    const failure = await failureOf(
      maintenanceOn.act(world.context(), { node: 'ss1' }, { health: { kind: 'refused' } }),
    );
    expect(failure).toMatchObject({ type: 'CommandFailed', nonRetryable: true });
    expect(failure.message).toMatch(/No HealthCheckPort found.*Nothing was changed.*health-check-port=5588/s);
  });

  test('is refused while another node can’t serve, unless an outage was announced', async () => {
    const world = new World();
    world.node('ss3').stopAll();
    const before = await maintenanceOn.observe(world.context(), { node: 'ss1' });
    const refusal = await failureOf(maintenanceOn.act(world.context(), { node: 'ss1' }, before));
    expect(refusal).toMatchObject({ type: 'GuardRefused' });
    expect(refusal.message).toMatch(/ss3: is not listening on its health port 5588/);
    expect(world.node('ss1').maintenance).toBe(false);
    world.plan = { ...world.plan, mode: 'offline' };
    expect((await maintenanceOn.act(world.context(), { node: 'ss1' }, before)).changed).toBe(true);
  });
});

describe('draining', () => {
  const busy = '0 0 192.0.2.11:5500 192.0.2.7:41202';

  test('waits until nothing is left', async () => {
    const world = new World();
    const node = world.node('ss1');
    node.maintenance = true;
    node.connections = [busy, busy];
    const context = world.context();
    const waiting = drained.check({ ...context, pause: async () => void node.connections.pop() }, { node: 'ss1' });
    await expect(waiting).resolves.toMatchObject({ drained: true, remaining: [] });
    expect(context.notes.join('\n')).toMatch(/ss1 has 1 connections: 192\.0\.2\.7 → :5500/);
  });

  test('says what remains: to people, or in its result where the plan gives connections up', async () => {
    const world = new World();
    world.node('ss1').maintenance = true;
    world.node('ss1').connections = [busy];
    const failure = await failureOf(drained.check(world.context(), { node: 'ss1' }));
    expect(failure).toMatchObject({ type: 'NotDrained', nonRetryable: true });
    expect(failure.message).toMatch(/1 connections after .*192\.0\.2\.7 → :5500/);
    await expect(drained.check(world.context(), { node: 'ss1', onTimeout: 'report' })).resolves.toMatchObject({
      drained: false,
      remaining: ['192.0.2.7 → :5500'],
    });
  });

  test('isn’t begun while new connections come', async () => {
    const world = new World();
    await expect(drained.check(world.context(), { node: 'ss1' })).rejects.toMatchObject({ type: 'GuardRefused' });
  });
});

describe('services', () => {
  const ready = (): World => {
    const world = new World();
    world.pauseAll();
    world.node('ss1').maintenance = true;
    return world;
  };

  test('stop one after the other, the proxy first; undo starts exactly those, the proxy last', async () => {
    const world = ready();
    world.node('ss1').units.get('xroad-monitor.service')!.active = 'inactive';
    const before = await stopServices.observe(world.context(), { node: 'ss1' });
    expect((await stopServices.act(world.context(), { node: 'ss1' }, before)).changed).toBe(true);
    expect(world.changes).toEqual(
      ['proxy', 'addon-messagelog', 'proxy-ui-api', 'confclient', 'signer'].map(
        (name) => `ss1: sudo /usr/bin/systemctl stop -- xroad-${name}.service`,
      ),
    );
    expect((await stopServices.act(world.context(), { node: 'ss1' }, before)).changed).toBe(false);
    await stopServices.undo(world.context(), { node: 'ss1' }, before);
    expect(world.changes.slice(5)).toEqual(
      ['signer', 'confclient', 'proxy-ui-api', 'addon-messagelog', 'proxy'].map(
        (name) => `ss1: sudo /usr/bin/systemctl start -- xroad-${name}.service`,
      ),
    );
  });

  test.each([
    ['it is reachable', (w: World) => (w.node('ss1').maintenance = false), {}, /ss1: is healthy.*isn’t out of service/],
    [
      'a secondary isn’t paused',
      (w: World) => (w.node('ss3').db.pause = 'not paused'),
      {},
      /ss3: replay of its database is not paused/,
    ],
    ['a secondary may copy', (w: World) => (w.node('ss2').flag = false), {}, /ss2: the flag .* is gone/],
    [
      'another node is sick',
      (w: World) => (w.node('ss2').failing = 'Global configuration is expired'),
      {},
      /ss2: is not healthy/,
    ],
    [
      'it has connections',
      (w: World) => (w.node('ss1').connections = ['0 0 192.0.2.11:8443 192.0.2.30:52000']),
      {},
      /1 connections, which a stop would lose/,
    ],
  ])('aren’t stopped while %s', async (_why, harm, more, message) => {
    const world = ready();
    harm(world);
    const before = await stopServices.observe(world.context(), { node: 'ss1' });
    const refusal = await failureOf(stopServices.act(world.context(), { node: 'ss1', ...more }, before));
    expect(refusal).toMatchObject({ type: 'GuardRefused', nonRetryable: false });
    expect(refusal.message).toMatch(message);
    expect(world.changes).toEqual([]);
  });

  test('connections that people gave up don’t hold a stop', async () => {
    const world = ready();
    world.node('ss1').connections = ['0 0 192.0.2.11:8443 192.0.2.30:52000'];
    const before = await stopServices.observe(world.context(), { node: 'ss1' });
    expect((await stopServices.act(world.context(), { node: 'ss1', drain: { drained: false } }, before)).changed).toBe(
      true,
    );
  });

  test('are never started on a schema that isn’t theirs', async () => {
    const world = ready();
    world.upgradePrimary();
    const node = world.node('ss2');
    node.stopAll();
    node.catchUp();
    const refusal = await failureOf(startServices.act(world.context(), { node: 'ss2' }, { active: [] }));
    expect(refusal).toMatchObject({ type: 'PointOfNoReturn', nonRetryable: true });
    expect(refusal.message).toMatch(/the services of ss2 were not started: .*7\.3 may not understand it/);
    expect(node.running).toEqual([]);
    node.release = NEW;
    expect((await startServices.act(world.context(), { node: 'ss2' }, { active: [] })).changed).toBe(true);
    expect(node.running).toContain('xroad-proxy.service');
  });

  test('ports are the node’s own: what it has on 80 and 443 is waited for, and expected after the start', async () => {
    const world = ready();
    const facts = { ...world.plan.found.ss1!, ports: { health: 5588, messages: 5500, http: 80, https: 443 } };
    world.plan = { ...world.plan, found: { ...world.plan.found, ss1: facts } };
    expect(connectionsArgv(world.plan, 'ss1').at(-1)).toBe(
      '( sport = :5500 or sport = :8080 or sport = :8443 or sport = :80 or sport = :443 or dport = :5500 )',
    );
    expect(connectionsArgv(world.plan, 'ss2').at(-1)).toBe(
      '( sport = :5500 or sport = :8080 or sport = :8443 or dport = :5500 )',
    );
    world.node('ss1').stopAll();
    const silent = await failureOf(startServices.act(world.context(), { node: 'ss1' }, { active: [] }));
    expect(silent.message).toMatch(/nobody listens on port 80, 443/);
    world.node('ss1').listeners = [5500, 5577, 80, 443, 5566, 5588];
    expect((await startServices.act(world.context(), { node: 'ss1' }, { active: [] })).changed).toBe(false);
  });

  test('one that crashes, or is masked, is told with its name', async () => {
    const world = ready();
    world.node('ss1').stopAll();
    world.node('ss1').units.get('xroad-signer.service')!.broken = true;
    const crash = await failureOf(startServices.act(world.context(), { node: 'ss1' }, { active: [] }));
    expect(crash).toMatchObject({ type: 'VerifyFailed' });
    expect(crash.message).toMatch(/xroad-signer.service is failed \(exit-code\)/);
    world.node('ss1').units.get('xroad-signer.service')!.broken = false;
    world.node('ss1').stopAll();
    world.node('ss1').maskAll();
    const masked = await failureOf(startServices.act(world.context(), { node: 'ss1' }, { active: [] }));
    expect(masked.message).toMatch(/xroad-signer.service is masked/);
  });

  test('one that systemd keeps starting again doesn’t count as started', async () => {
    const world = ready();
    world.plan = {
      ...world.plan,
      xroad: { ...world.plan.xroad, services: { ...world.plan.xroad.services, settleMs: 5 } },
    };
    const node = world.node('ss1');
    node.stopAll();
    const context = world.context();
    const crashing = { ...context, pause: async () => void node.units.get('xroad-proxy.service')!.restarts++ };
    const failure = await failureOf(startServices.act(crashing, { node: 'ss1' }, { active: [] }));
    expect(failure.message).toMatch(/xroad-proxy.service was started \d+ times by systemd/);
  });

  test('start order', () => {
    expect(inStartOrder(['xroad-proxy.service', 'xroad-signer.service', 'xroad-opmonitor.service'])).toEqual([
      ...['xroad-signer.service', 'xroad-opmonitor.service', 'xroad-proxy.service'],
    ]);
  });
});

describe('no start by packages', () => {
  test('masks every unit that is there, and takes those masks away again that weren’t there before', async () => {
    const world = new World();
    world.node('ss2').units.get('xroad-monitor.service')!.masked = 'masked-runtime';
    const before = await forbidStart.observe(world.context(), { node: 'ss2' });
    expect((await forbidStart.act(world.context(), { node: 'ss2' }, before)).changed).toBe(true);
    expect(world.changes.every((c) => c.includes('mask --runtime -- xroad-'))).toBe(true);
    expect(world.changes).toHaveLength(5);
    expect((await forbidStart.act(world.context(), { node: 'ss2' }, before)).changed).toBe(false);
    await forbidStart.undo(world.context(), { node: 'ss2' }, before);
    const masked = [...world.node('ss2').units].filter(([, unit]) => unit.masked !== '').map(([name]) => name);
    expect(masked).toEqual(['xroad-monitor.service']);
    expect((await allowStart.act(world.context(), { node: 'ss2' }, before)).changed).toBe(true);
  });

  test('where nodes reboot, masks outlast the reboot', async () => {
    const world = new World({ reboot: true });
    await forbidStart.act(world.context(), { node: 'ss2' }, { masked: [] });
    expect(world.changes[0]).toBe('ss2: sudo /usr/bin/systemctl mask -- xroad-proxy.service');
    await allowStart.act(world.context(), { node: 'ss2' }, { masked: [] });
    expect([...world.node('ss2').units.values()].every((unit) => unit.masked === '')).toBe(true);
  });

  test('a mask that somebody made for good isn’t taken for one of ours', async () => {
    const world = new World();
    world.node('ss2').units.get('xroad-monitor.service')!.masked = 'masked';
    const failure = await failureOf(allowStart.act(world.context(), { node: 'ss2' }, { masked: [] }));
    expect(failure).toMatchObject({ type: 'ForeignChange' });
    expect(failure.message).toMatch(/xroad-monitor.service is still masked/);
  });
});

describe('the guard before packages', () => {
  const guard = (world: World, node: string) => failureOf(assertOutOfService(world.context(), node));
  const primaryReady = (changes: ConstructorParameters<typeof World>[0] = {}): World => {
    const world = new World(changes);
    world.pauseAll();
    world.node('ss1').stopAll();
    world.node('ss1').maskAll();
    return world;
  };
  const secondaryReady = (): World => {
    const world = new World();
    world.pauseAll();
    world.upgradePrimary();
    const node = world.node('ss2');
    node.stopAll();
    node.maskAll();
    node.catchUp();
    node.db.pause = 'not paused';
    return world;
  };

  test('lets the primary and a secondary through when their turn has come', async () => {
    await expect(assertOutOfService(primaryReady().context(), 'ss1')).resolves.toBeUndefined();
    await expect(assertOutOfService(secondaryReady().context(), 'ss2')).resolves.toBeUndefined();
  });

  test.each([
    [
      'a service runs',
      (w: World) => (w.node('ss1').units.get('xroad-signer.service')!.active = 'active'),
      /ss1: xroad-signer.service is active \(running\), and should be stopped/,
    ],
    [
      'a service isn’t masked',
      (w: World) => (w.node('ss1').units.get('xroad-proxy.service')!.masked = ''),
      /xroad-proxy.service isn’t masked: its package would start it/,
    ],
    [
      'PostgreSQL of a secondary was restarted',
      (w: World) => (w.node('ss2').db.pause = 'not paused'),
      /ss2: replay of its database is not paused/,
    ],
    ['a secondary may copy the configuration', (w: World) => (w.node('ss3').flag = false), /ss3: the flag/],
    ['another node is out', (w: World) => (w.node('ss3').maintenance = true), /ss3: is in maintenance mode/],
  ])('stops the primary while %s', async (_why, harm, message) => {
    const world = primaryReady();
    harm(world);
    const refusal = await guard(world, 'ss1');
    expect(refusal).toMatchObject({ type: 'GuardRefused', nonRetryable: false });
    expect(refusal.message).toMatch(message);
  });

  test.each([
    ['the primary isn’t upgraded', (w: World) => (w.node('ss1').release = OLD), /ss1: is upgraded first/],
    [
      'its replay is paused',
      (w: World) => (w.node('ss2').db.pause = 'paused'),
      /ss2: replay of the database is paused/,
    ],
    ['it lacks the schema', (w: World) => (w.node('ss2').db.digest = 'd-old'), /doesn’t have the schema of ss1 yet/],
    [
      'the primary is sick',
      (w: World) => (w.node('ss1').failing = 'ServerConf is not available'),
      /ss1: is not healthy/,
    ],
    ['a migration was cut off', (w: World) => (w.node('ss1').db.locked = 1), /ss1: a migration/],
  ])('stops a secondary while %s', async (_why, harm, message) => {
    const world = secondaryReady();
    harm(world);
    const refusal = await guard(world, 'ss2');
    expect(refusal).toMatchObject({ type: 'GuardRefused' });
    expect(refusal.message).toMatch(message);
  });

  test('asks the load balancer where that is what takes nodes out', async () => {
    const world = primaryReady({ outOfService: 'both' });
    expect((await guard(world, 'ss1')).message).toMatch(
      /ss1: is not taken out at the load balancer: lb messages\/ss1 is UP/,
    );
    world.balancer.ss1!.admin = 'drain';
    await expect(assertOutOfService(world.context(), 'ss1')).resolves.toBeUndefined();
    world.balancer.ss3!.up = false;
    expect((await guard(world, 'ss1')).message).toMatch(/ss3: isn’t in service: lb messages\/ss3 is DOWN/);
  });

  test('offline, all nodes are stopped first, and nothing is paused', async () => {
    const world = new World({ mode: 'offline' });
    for (const node of Object.values(world.nodes)) node.stopAll();
    world.node('ss1').maskAll();
    await expect(assertOutOfService(world.context(), 'ss1')).resolves.toBeUndefined();
    world.node('ss2').units.get('xroad-proxy.service')!.active = 'active';
    expect((await guard(world, 'ss1')).message).toMatch(
      /ss2: xroad-proxy.service is active.*offline, all nodes are stopped first/,
    );
  });
});

describe('the copying of the configuration', () => {
  test('is paused, proved by a start that fails, and taken back with a copy', async () => {
    const world = new World();
    const node = world.node('ss2');
    node.copying = 3;
    const before = await pauseSync.observe(world.context(), { node: 'ss2' });
    expect(before.flag).toBe(false);
    expect((await pauseSync.act(world.context(), { node: 'ss2' }, before)).changed).toBe(true);
    expect(node.flag).toBe(true);
    expect(node.copying).toBe(0);
    expect((await pauseSync.act(world.context(), { node: 'ss2' }, before)).changed).toBe(false);
    expect(node.copies).toBe(0);
    await pauseSync.undo(world.context(), { node: 'ss2' }, before);
    expect(node.flag).toBe(false);
    expect(node.copies).toBe(1);
  });

  test('a unit that ignores the flag is found out', async () => {
    const world = new World();
    world.node('ss2').ignoresFlag = true;
    const failure = await failureOf(pauseSync.act(world.context(), { node: 'ss2' }, { flag: false }));
    expect(failure).toMatchObject({ type: 'CommandFailed', nonRetryable: true });
    expect(failure.message).toMatch(/ss2 copied the configuration although .*ExecStartPre/s);
  });

  test('isn’t resumed before the node’s packages are those of the primary', async () => {
    const world = new World();
    world.pauseAll();
    world.upgradePrimary();
    for (const work of [
      () => resumeSync.act(world.context(), { node: 'ss2' }, { flag: true }),
      () => pauseSync.undo(world.context(), { node: 'ss2' }, { flag: false }),
    ]) {
      const refusal = await failureOf(work());
      expect(refusal).toMatchObject({ type: 'GuardRefused' });
      expect(refusal.message).toMatch(/ss2: has other packages than ss1/);
      expect(world.node('ss2').flag).toBe(true);
    }
    world.node('ss2').release = NEW;
    world.node('ss2').timer = 'inactive';
    expect((await resumeSync.act(world.context(), { node: 'ss2' }, { flag: true })).changed).toBe(true);
    expect(world.node('ss2')).toMatchObject({ flag: false, timer: 'active' });
  });

  test('a forced copy is compared with the primary', async () => {
    const world = new World();
    world.node('ss1').keyconf = 'b'.repeat(64);
    const done = await syncNow.act(world.context(), { node: 'ss2' }, {});
    expect(done.compared).toEqual({ '/etc/xroad/signer/keyconf.xml': 'b'.repeat(64) });
    world.node('ss2').copyFails = true;
    const failure = await failureOf(syncNow.act(world.context(), { node: 'ss2' }, {}));
    expect(failure).toMatchObject({ type: 'VerifyFailed', nonRetryable: false });
    expect(failure.message).toMatch(/couldn’t copy the configuration from ss1: Job for xroad-sync.service failed/);
    world.node('ss2').flag = true;
    await expect(syncNow.act(world.context(), { node: 'ss2' }, {})).rejects.toMatchObject({ type: 'GuardRefused' });
  });

  test('offline, files may come before packages, if all code is stopped', async () => {
    const world = new World({ mode: 'offline' });
    world.upgradePrimary();
    const refusal = await failureOf(syncNow.act(world.context(), { node: 'ss2' }, {}));
    expect(refusal.message).toMatch(/xroad-proxy.service is active \(running\): old code would get files of 7\.4/);
    world.node('ss2').stopAll();
    await expect(syncNow.act(world.context(), { node: 'ss2' }, {})).resolves.toMatchObject({ changed: true });
  });

  test('a node that became a primary by copying is stopped there', async () => {
    const world = new World();
    world.node('ss2').type = 'master';
    const failure = await failureOf(syncNow.act(world.context(), { node: 'ss2' }, {}));
    expect(failure).toMatchObject({ type: 'ForeignChange' });
    expect(failure.message).toMatch(/ss2 is master by .*node.ini/);
  });
});

describe('packages', () => {
  const input = { node: 'ss1', release: '7.4', previous: '7.3' };
  const manifest = JSON.stringify({
    ...{ schema: 1, release: '7.4', packages: [], absent: [] },
    exchange: { from: '7.3', to: '7.4', changes: [] },
  });
  /** ss1 was looked at before its packages, which were then exchanged by an attempt whose result was lost. */
  const done = async () => {
    const world = new World();
    const before = await upgradePackages.observe(world.context(), input);
    world.node('ss1').manifest = manifest;
    world.upgradePrimary();
    return { world, before, act: () => upgradePackages.act(world.context(), input, before) };
  };

  test('that were exchanged and migrated are fine', async () => {
    const { act } = await done();
    await expect(act()).resolves.toMatchObject({ nodes: { ss1: { release: '7.4' } }, changelog: { digest: 'd-new' } });
  });

  test.each([
    [
      'a migration that failed with exit code 0',
      (w: World) => w.node('ss1').log.push('Running database migrations failed'),
      /install\.log says: Running database migrations failed/,
    ],
    [
      'a database that no migration touched',
      (w: World) => Object.assign(w.node('ss1').db, { digest: 'd-old', last: '2026-01-01 00:00:00' }),
      /no change was made to its database .*the packages brought serverconf\/005\.xml.*setup_serverconf_db\.sh/s,
    ],
    [
      'what the scripts of the packages themselves say',
      (w: World) => w.node('ss1').log.push('Running migrations failed, plase check that directory is there'),
      /install\.log says: Running migrations failed, plase/,
    ],
    [
      'a lock that a killed migration left',
      (w: World) => (w.node('ss1').db.locked = 1),
      /databasechangeloglock is held/,
    ],
    [
      'a package that is left half configured',
      (w: World) => (w.node('ss1').status['xroad-proxy'] = 'iF '),
      /xroad-proxy .* is only half installed/,
    ],
    [
      'an add-on that stayed old',
      (w: World) => (w.node('ss1').versions['xroad-opmonitor'] = OLD),
      new RegExp(`xroad-opmonitor is ${OLD} instead of ${NEW}`),
    ],
    [
      'db.properties that the package replaced',
      (w: World) =>
        (w.node('ss1').databaseUrl =
          'serverconf.hibernate.connection.url=jdbc:postgresql://127.0.0.1:5432/serverconf\n'),
      /names jdbc:postgresql:\/\/127\.0\.0\.1:5432\/serverconf instead of one on port 5433/,
    ],
    [
      'a node type that was lost',
      (w: World) => (w.node('ss1').type = 'standalone'),
      /is standalone by node.ini and should be master/,
    ],
  ])('%s shows', async (_what, harm, message) => {
    const { world, act } = await done();
    harm(world);
    const failure = await failureOf(act());
    expect(failure).toMatchObject({ type: 'CommandFailed', nonRetryable: true });
    expect(failure.message).toMatch(message);
  });

  describe('of a patch release, where no admin user of the database is set up, leave its table as it was', () => {
    const patch = async (change: (world: World) => unknown) => {
      const { world, act, before } = await done();
      Object.assign(world.node('ss1').db, { digest: 'd-old', last: '2026-01-01 00:00:00', changes: 12 });
      await change(world);
      return { act, before, world };
    };

    test('which is fine if they brought no change', async () => {
      const { act, before } = await patch((w) => delete w.node('ss1').changeFiles?.['005.xml']);
      expect(before.changes).toEqual({ 'serverconf/003.xml': 'c'.repeat(16), 'serverconf/004.xml': 'd'.repeat(16) });
      await expect(act()).resolves.toMatchObject({ nodes: { ss1: { release: '7.4' } } });
    });

    test('or if the migration says that it had nothing to do', async () => {
      const { act } = await patch((w) =>
        w.node('ss1').log.push('Liquibase: Update has been successful. Rows affected: 0'),
      );
      await expect(act()).resolves.toMatchObject({ nodes: { ss1: { release: '7.4' } } });
    });

    test('and isn’t taken for done where neither is known: by hand it is, and `retry` goes on', async () => {
      const { act, world } = await patch((w) => (w.node('ss1').changeFiles = undefined));
      expect((await failureOf(act())).message).toMatch(/no change was made.*setup_serverconf_db\.sh/s);
      world.node('ss1').migrate();
      await expect(act()).resolves.toMatchObject({ nodes: { ss1: { release: '7.4' } } });
    });
  });

  test('lead nowhere back once one of them is exchanged', async () => {
    const { world, before } = await done();
    const refusal = await failureOf(upgradePackages.undo(world.context(), input, before));
    expect(refusal).toMatchObject({ type: 'PointOfNoReturn', nonRetryable: true });
    expect(refusal.message).toMatch(/the packages of ss1 stay as they are.*go on to 7\.4/s);
    const untouched = new World();
    await expect(upgradePackages.undo(untouched.context(), input, before)).resolves.toMatchObject({ changed: false });
  });

  test('are compared on their own too', async () => {
    const world = new World();
    await expect(upgraded.check(world.context(), { node: 'ss2', release: '7.3' })).resolves.toMatchObject({
      nodes: { ss2: { release: '7.3' } },
    });
    await expect(upgraded.check(world.context(), { node: 'ss2', release: '7.4' })).rejects.toMatchObject({
      type: 'NotReady',
    });
  });
});

describe('health and tokens', () => {
  test('one good answer isn’t healthy; a bad one in between starts anew', async () => {
    const world = new World();
    const node = world.node('ss1');
    let asked = 0;
    const context = world.context();
    const pause = async () => {
      asked++;
      node.failing = asked === 2 ? 'Fetching health check response timed out for: Global conf validity' : undefined;
    };
    await healthy.check({ ...context, pause }, { node: 'ss1' });
    expect(node.host.ran.filter((c) => c.includes('5588'))).toHaveLength(6);
    expect(context.notes.join('\n')).toMatch(/waiting for ss1: not healthy: Fetching/);
  });

  test('what it says is told, and what to do about it', async () => {
    const world = new World();
    world.node('ss1').failing = 'No certificate chain available in authentication key.';
    const failure = await failureOf(healthy.check(world.context(), { node: 'ss1' }));
    expect(failure).toMatchObject({ type: 'VerifyFailed', nonRetryable: false });
    expect(failure.message).toMatch(/not healthy: No certificate chain.*log the token in on the node/s);
  });

  test('a token that nobody initialised, or that wasn’t logged in when the run began, is nobody’s concern', async () => {
    const world = new World();
    const said = [
      'Token: 0 (NOT_INITIALIZED, writable, available, inactive)',
      'Token: HSM of the registry (OK, writable, available, active)',
      'Token: spare (OK, writable, available, inactive)',
    ].join('\n');
    world.node('ss2').tokens = said;
    // Of a plan by a build that didn't ask: all that are used.
    expect((await failureOf(tokensActive.check(world.context(), { node: 'ss2' }))).message).toMatch(
      /ss2 can’t sign: token HSM of the registry is active, token spare is not active/,
    );
    const facts = { ...world.plan.found.ss2!, tokens: ['HSM of the registry'] };
    world.plan = { ...world.plan, found: { ...world.plan.found, ss2: facts } };
    await expect(tokensActive.check(world.context(), { node: 'ss2' })).resolves.toBeDefined();
    world.node('ss2').tokens = said.replace('available, active', 'available, inactive');
    expect(await failureOf(tokensActive.check(world.context(), { node: 'ss2' }))).toMatchObject({ type: 'PinNeeded' });
  });

  test('a token that waits for its PIN asks for people; one that logs in by itself doesn’t', async () => {
    const world = new World();
    world.node('ss2').tokens = 'Token: 0 (OK, writable, available, inactive)\n';
    const failure = await failureOf(tokensActive.check(world.context(), { node: 'ss2' }));
    expect(failure).toMatchObject({ type: 'PinNeeded', nonRetryable: true });
    expect(failure.message).toMatch(/ss2 can’t sign: token 0 is not active.*enter the PIN on ss2.*Never type the PIN/s);
    const context = world.context();
    const pause = async () => void (world.node('ss2').tokens = 'Token: 0 (OK, writable, available, active)\n');
    await expect(tokensActive.check({ ...context, pause }, { node: 'ss2' })).resolves.toMatchObject({
      tokens: ['token 0 is active'],
    });
  });
});
