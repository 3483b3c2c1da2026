/** Pausing and resuming, and the point of no return. */
import { keepPaused, pauseReplay, paused, staysPaused, resumeReplay, caughtUp } from '../../../activities/xroad';
import { hasCaughtUp, resumeRefusal, startRefusal, type Side } from '../../../activities/xroad/guards';
import { NEW, OLD, World, failureOf } from './world';

const PAUSE = /select pg_wal_replay_pause\(\)$/;
const RESUME = /select pg_wal_replay_resume\(\)$/;

describe('pausing replay', () => {
  test('pauses, reads back, is unchanged when repeated, and is taken back while nothing has happened', async () => {
    const world = new World();
    const before = await pauseReplay.observe(world.context(), { node: 'ss2' });
    expect(before.standby.pause).toBe('not paused');
    const done = await pauseReplay.act(world.context(), { node: 'ss2' }, before);
    expect(done).toMatchObject({ changed: true, at: '0/3000148', nodes: { ss2: { replay: 'paused' } } });
    expect((await pauseReplay.act(world.context(), { node: 'ss2' }, before)).changed).toBe(false);
    expect(world.changes.filter((c) => PAUSE.test(c))).toHaveLength(1);

    const undone = await pauseReplay.undo(world.context(), { node: 'ss2' }, before);
    expect(undone.changed).toBe(true);
    expect(world.node('ss2').db.pause).toBe('not paused');
    expect((await pauseReplay.undo(world.context(), { node: 'ss2' }, before)).changed).toBe(false);
  });

  test('what was paused before stays paused', async () => {
    const world = new World();
    world.node('ss2').db.pause = 'paused';
    const before = await pauseReplay.observe(world.context(), { node: 'ss2' });
    expect((await pauseReplay.undo(world.context(), { node: 'ss2' }, before)).changed).toBe(false);
    expect(world.node('ss2').db.pause).toBe('paused');
  });

  test.each([
    ['the primary’s packages are new', (world: World) => (world.node('ss1').release = NEW)],
    ['one package of the primary is new', (world: World) => (world.node('ss1').versions['xroad-proxy'] = NEW)],
    ['a package of the primary is half installed', (world: World) => (world.node('ss1').status['xroad-proxy'] = 'iF ')],
    ['only the primary’s schema is new', (world: World) => world.node('ss1').migrate()],
  ])('is never taken back under old code once %s', async (_why, happen) => {
    const world = new World();
    const before = await pauseReplay.observe(world.context(), { node: 'ss2' });
    await pauseReplay.act(world.context(), { node: 'ss2' }, before);
    happen(world);
    const refusal = await failureOf(pauseReplay.undo(world.context(), { node: 'ss2' }, before));
    expect(refusal).toMatchObject({ type: 'PointOfNoReturn', nonRetryable: true });
    expect(refusal.message).toMatch(
      /replay on ss2 stays paused: ss2 has the packages of 7\.3, and .*ss1.*finish the upgrade/s,
    );
    expect(world.changes.some((c) => RESUME.test(c))).toBe(false);
  });

  test('nor can it be told when the primary can’t be read: that may pass', async () => {
    const world = new World();
    const before = await pauseReplay.observe(world.context(), { node: 'ss2' });
    await pauseReplay.act(world.context(), { node: 'ss2' }, before);
    world.node('ss1').db.down = true;
    const failure = await failureOf(pauseReplay.undo(world.context(), { node: 'ss2' }, before));
    expect(failure).toMatchObject({ type: 'CommandFailedRetryable', nonRetryable: false });
    expect(world.changes.some((c) => RESUME.test(c))).toBe(false);
  });

  test('a pause that only was asked for isn’t one; a receiver that is gone shows', async () => {
    const world = new World();
    world.node('ss2').db.receiver = '';
    const before = await pauseReplay.observe(world.context(), { node: 'ss2' });
    const failure = await failureOf(pauseReplay.act(world.context(), { node: 'ss2' }, before));
    expect(failure).toMatchObject({ type: 'VerifyFailed' });
    expect(failure.message).toMatch(/paused, but nothing is received.*no receiver/);
  });

  test('before PostgreSQL 14 a position that stays is the proof', async () => {
    const world = new World();
    world.node('ss2').db.version = 120_019;
    const before = await pauseReplay.observe(world.context(), { node: 'ss2' });
    await pauseReplay.act(world.context(), { node: 'ss2' }, before);
    const looks = world.node('ss2').host.ran.filter((c) => c.includes('pg_is_wal_replay_paused'));
    expect(looks.length).toBeGreaterThanOrEqual(3);
  });

  test('only secondaries have something to pause; a promoted one is told as such', async () => {
    const world = new World();
    await expect(pauseReplay.observe(world.context(), { node: 'ss1' })).rejects.toThrow(/ss1 is the primary/);
    world.node('ss2').db.standby = false;
    // The statement itself fails on PostgreSQL; here its error is what the tool prints.
    const failure = await failureOf(
      pauseReplay.act(world.context(), { node: 'ss2' }, { version: 150_004, standby: {} as never }),
    );
    expect(failure).toMatchObject({ type: 'ForeignChange' });
    expect(failure.message).toMatch(/no standby any more/);
  });
});

describe('the paused state, looked at again and again', () => {
  test('a restart of PostgreSQL, a flag that is gone, a copy that still runs', async () => {
    const world = new World();
    world.pauseAll();
    expect(await staysPaused.look(world.context(), {})).toEqual({ verdict: 'pass' });
    world.node('ss2').db.pause = 'not paused';
    world.node('ss3').flag = false;
    const seen = await staysPaused.look(world.context(), {});
    expect(seen.verdict).toBe('fail');
    expect(seen.why).toMatch(/ss2: replay of its database is not paused → was PostgreSQL restarted/);
    expect(seen.why).toMatch(/ss3: the flag .*sync-disabled is gone/);
    await expect(paused.check(world.context(), {})).rejects.toMatchObject({ type: 'VerifyFailed' });

    world.pauseAll();
    world.node('ss3').copying = 1;
    expect((await failureOf(paused.check(world.context(), {}))).message).toMatch(/still under way/);
    // The timer's own attempts, which the flag ends.
    Object.assign(world.node('ss3'), { copying: 1, testing: true });
    await paused.check(world.context(), {});
    // Nothing received harms nobody, while the primary is restarted too.
    world.node('ss3').db.receiver = 'waiting';
    expect(await staysPaused.look(world.context(), {})).toEqual({ verdict: 'pass' });
    world.node('ss3').db.down = true;
    expect((await staysPaused.look(world.context(), {})).verdict).toBe('inconclusive');
    // What one hides doesn't keep the other from being judged, nor from being put right.
    world.node('ss2').db.pause = 'not paused';
    expect((await staysPaused.look(world.context(), {})).why).toMatch(/^.*ss2: replay of its database is not paused/);
  });

  test('a node whose turn it is, or was, replays by right', async () => {
    const world = new World();
    world.pauseAll();
    world.upgradePrimary();
    const node = world.node('ss2');
    node.stopAll();
    node.db.pause = 'not paused';
    // Stopped alone it could be started at any time.
    expect((await staysPaused.look(world.context(), {})).verdict).toBe('fail');
    node.maskAll();
    expect(await staysPaused.look(world.context(), {})).toEqual({ verdict: 'pass' });
    expect((await keepPaused.act(world.context(), {}, {})).changed).toBe(false);
    expect(node.db.pause).toBe('not paused');

    const upgraded = new World();
    upgraded.pauseAll();
    upgraded.node('ss2').release = NEW;
    upgraded.node('ss2').db.pause = 'not paused';
    upgraded.node('ss2').flag = false;
    expect(await staysPaused.look(upgraded.context(), {})).toEqual({ verdict: 'pass' });
  });
});

describe('the remedy for a lost pause', () => {
  test('pauses again what was lost, and says which node ran ahead of its code', async () => {
    const world = new World();
    world.pauseAll();
    expect((await keepPaused.act(world.context(), {}, {})).changed).toBe(false);
    world.node('ss2').db.pause = 'not paused';
    world.node('ss3').flag = false;
    const kept = await keepPaused.act(world.context(), {}, {});
    expect(kept).toMatchObject({ changed: true, summary: 'ss2, ss3: replay and copying are paused again' });
    expect(kept.attention).toBeUndefined();
    expect(world.node('ss2').db.pause).toBe('paused');
    expect(world.node('ss3').flag).toBe(true);

    // The primary's PostgreSQL was restarted: one that is paused connects again only when it replays.
    world.node('ss3').db.receiver = '';
    world.node('ss2').db.pause = 'not paused';
    expect(await keepPaused.act(world.context(), {}, {})).toMatchObject({ changed: true });

    world.upgradePrimary();
    world.node('ss2').db.pause = 'not paused';
    world.node('ss2').catchUp();
    const late = await keepPaused.act(world.context(), {}, {});
    expect(late.attention).toMatch(/ss2: runs 7\.3 on a schema of 13 changes, which is newer → does it still serve/);
    expect(late.attention).not.toMatch(/ss3:/);
    expect(world.node('ss2').db.pause).toBe('paused');
  });
});

describe('resuming replay (C3)', () => {
  /** ss2 as it is when its turn has come: taken out, stopped, the primary upgraded. */
  const turn = (): World => {
    const world = new World();
    world.pauseAll();
    world.upgradePrimary();
    world.node('ss2').stopAll();
    return world;
  };

  test('resumes when old code is stopped, and waits for the primary’s position and schema', async () => {
    const world = turn();
    const before = await resumeReplay.observe(world.context(), { node: 'ss2' });
    const done = await resumeReplay.act(world.context(), { node: 'ss2', position: { lsn: '0/3000200' } }, before);
    expect(done).toMatchObject({ changed: true, reached: '0/3100000' });
    expect((await resumeReplay.act(world.context(), { node: 'ss2' }, before)).changed).toBe(false);
    expect((await caughtUp.check(world.context(), { node: 'ss2' })).reached).toBe('0/3100000');
  });

  test.each([
    [
      'services that run',
      (w: World) => (w.node('ss2').units.get('xroad-signer.service')!.active = 'active'),
      /ss2: xroad-signer.service is active.*old code/,
    ],
    ['a primary without the target', (w: World) => (w.node('ss1').release = OLD), /ss1: doesn’t have 7\.4/],
    [
      'another node that is sick',
      (w: World) => (w.node('ss3').failing = 'ServerConf is not available'),
      /ss3: is not healthy: ServerConf/,
    ],
    ['another node in maintenance', (w: World) => (w.node('ss3').maintenance = true), /ss3: is in maintenance mode/],
  ])('refuses with %s, and changes nothing', async (_what, harm, message) => {
    const world = turn();
    harm(world);
    const before = await resumeReplay.observe(world.context(), { node: 'ss2' });
    const refusal = await failureOf(resumeReplay.act(world.context(), { node: 'ss2' }, before));
    expect(refusal).toMatchObject({ type: 'GuardRefused', nonRetryable: false });
    expect(refusal.message).toMatch(message);
    expect(world.node('ss2').db.pause).toBe('paused');
  });

  test('a receiver that is cut off is not caught up, although replayed equals received', async () => {
    const world = turn();
    const { db } = world.node('ss2');
    db.pause = 'not paused';
    db.receiver = '';
    expect(db.replayed).toBe(db.received);
    const failure = await failureOf(caughtUp.check(world.context(), { node: 'ss2' }));
    expect(failure).toMatchObject({ type: 'VerifyFailed' });
    expect(failure.message).toMatch(/receiver is absent, 1048248 bytes behind 0\/3100000/);
  });

  test('nor is one that has everything, and receives no more', () => {
    const position = '0/3100000';
    expect(hasCaughtUp({ replayed: position, receiver: 'streaming' }, position)).toBe(true);
    expect(hasCaughtUp({ replayed: position, receiver: undefined }, position)).toBe(false);
    expect(hasCaughtUp({ replayed: position, receiver: 'waiting' }, position)).toBe(false);
    expect(hasCaughtUp({ replayed: undefined, receiver: 'streaming' }, position)).toBe(false);
  });

  test('nothing replayed since the start is not caught up', async () => {
    const world = turn();
    Object.assign(world.node('ss2').db, { pause: 'not paused', replayed: '', received: '' });
    await expect(caughtUp.check(world.context(), { node: 'ss2' })).rejects.toThrow(/nothing was replayed since/);
  });

  test('a database with all positions and another schema is no copy', async () => {
    const world = turn();
    world.node('ss2').catchUp();
    world.node('ss2').db.pause = 'not paused';
    world.node('ss2').db.digest = 'd-else';
    const failure = await failureOf(caughtUp.check(world.context(), { node: 'ss2' }));
    expect(failure).toMatchObject({ type: 'ForeignChange' });
  });
});

describe('what may run on what (pure)', () => {
  const { plan } = new World();
  const side = (version: string, digest: string, changes = 12): Side => ({
    packages: ['xroad-base', 'xroad-proxy', 'xroad-signer', 'xroad-confclient', 'xroad-addon-messagelog'].map(
      (name) => ({
        ...{ name, version, whole: true },
      }),
    ),
    schema: { digest, changes },
  });
  const mixed: Side = {
    packages: side(OLD, '').packages.map((p) => (p.name === 'xroad-proxy' ? { ...p, version: NEW } : p)),
    schema: { digest: 'd-old', changes: 12 },
  };

  test.each([
    ['old beside old', side(OLD, 'd-old'), side(OLD, 'd-old'), undefined],
    ['old beside new packages', side(OLD, 'd-old'), side(NEW, 'd-new'), /ss1 hasn’t any more \(xroad-/],
    ['old beside new packages with the same schema', side(OLD, 'd-old'), side(NEW, 'd-old'), /ss1 hasn’t any more/],
    ['old beside a new schema', side(OLD, 'd-old'), side(OLD, 'd-new', 13), /another schema than when the run began/],
    ['new beside new', side(NEW, 'd-old'), side(NEW, 'd-new'), undefined],
    ['half-new beside new', mixed, side(NEW, 'd-new'), /ss1 hasn’t any more/],
  ])('replay: %s', (_name, own, primary, why) => {
    const refusal = resumeRefusal(plan, 'ss2', own, primary);
    if (why === undefined) expect(refusal).toBeUndefined();
    else expect(refusal).toMatch(why);
  });

  test.each([
    ['old code on the old schema', side(OLD, 'd-old'), side(NEW, 'd-new'), undefined],
    ['old code on the new schema', side(OLD, 'd-new'), side(NEW, 'd-new'), /7\.3 may not understand it/],
    ['new code on the new schema', side(NEW, 'd-new'), side(NEW, 'd-new'), undefined],
    ['new code on the old schema', side(NEW, 'd-old'), side(NEW, 'd-new'), /doesn’t have the schema of ss1 yet/],
    ['half-new code', mixed, side(OLD, 'd-old'), /neither all packages of 7\.3 nor all of 7\.4/],
  ])('services: %s', (_name, own, primary, why) => {
    const refusal = startRefusal(plan, 'ss2', own, primary);
    if (why === undefined) expect(refusal).toBeUndefined();
    else expect(refusal).toMatch(why);
  });
});
