/** Statements and steps against a real PostgreSQL: a primary and a hot standby that talk over sockets in a directory. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { caughtUp, pauseReplay, resumeReplay, staysPaused } from '../../../activities/xroad';
import * as database from '../../../activities/xroad/database';
import { hasCaughtUp } from '../../../activities/xroad/guards';
import { LocalHost, ScriptedHost } from '../support/local-host';
import { NEW, World, failureOf } from './world';

const versions = existsSync('/usr/lib/postgresql')
  ? readdirSync('/usr/lib/postgresql')
      .map(Number)
      .sort((a, b) => b - a)
  : [];
const bin = `/usr/lib/postgresql/${versions[0]}/bin`;
const why =
  process.getuid?.() !== 0
    ? 'needs root, to become the user postgres'
    : !existsSync(join(bin, 'initdb')) || !existsSync('/usr/bin/psql')
      ? 'needs PostgreSQL: apt-get install postgresql'
      : undefined;
const describeIfThere = why === undefined ? describe : describe.skip;

describeIfThere(`PostgreSQL${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let directory: string;
  let world: World;
  const running = new Set<string>();

  const as = (...argv: string[]): string =>
    execFileSync('/usr/sbin/runuser', ['-u', 'postgres', '--', ...argv], { cwd: directory, stdio: 'pipe' }).toString();
  const socket = (name: string): string => join(directory, `${name}-socket`);
  const ctl = (name: string, ...verb: string[]): void => {
    as(join(bin, 'pg_ctl'), '-D', join(directory, name), '-l', join(directory, `${name}.log`), '-w', ...verb);
    if (verb[0] === 'stop') running.delete(name);
    else running.add(name);
  };
  const sql = (name: string, text: string): string =>
    as(
      '/usr/bin/env',
      `PGHOST=${socket(name)}`,
      '/usr/bin/psql',
      '-XtA',
      '-p',
      '5433',
      '-d',
      'serverconf',
      '-c',
      text,
    ).trim();
  const configure = (name: string): void =>
    appendFileSync(
      join(directory, name, 'postgresql.conf'),
      `\nlisten_addresses = ''\nport = 5433\nunix_socket_directories = '${socket(name)}'\nfsync = off\nmax_wal_senders = 3\nwal_level = replica\nhot_standby = on\nwal_receiver_status_interval = 1s\n`,
    );
  const until = async (condition: () => boolean): Promise<void> => {
    for (let i = 0; i < 200 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(condition()).toBe(true);
  };
  const streams = (): boolean => sql('ss2', 'select status from pg_stat_wal_receiver') === 'streaming';
  const host = (name: string) => world.node(name).host;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'hitless-postgres-'));
    for (const name of ['ss1', 'ss2']) mkdirSync(socket(name));
    execFileSync('chown', ['-R', 'postgres', directory]);
    as(join(bin, 'initdb'), '-D', join(directory, 'ss1'), '--no-sync', '-A', 'trust', '-U', 'postgres');
    configure('ss1');
    ctl('ss1', 'start');
    as('/usr/bin/env', `PGHOST=${socket('ss1')}`, '/usr/bin/createdb', '-p', '5433', 'serverconf');
    sql(
      'ss1',
      'create schema serverconf; create table serverconf.databasechangelog (id text, dateexecuted timestamp, orderexecuted int); create table serverconf.databasechangeloglock (id int, locked boolean);',
    );
    sql(
      'ss1',
      "insert into serverconf.databasechangelog values ('001-tables', '2026-01-01', 1), ('separate-admin-user', '2026-01-01', 2)",
    );
    sql('ss1', 'insert into serverconf.databasechangeloglock values (1, false)');
    as(
      join(bin, 'pg_basebackup'),
      '-D',
      join(directory, 'ss2'),
      '-h',
      socket('ss1'),
      '-p',
      '5433',
      '-R',
      '--checkpoint=fast',
    );
    configure('ss2');
    ctl('ss2', 'start');
    await until(streams);

    world = new World();
    for (const name of ['ss1', 'ss2']) {
      const node = world.node(name);
      const real = new LocalHost(name, {
        home: directory,
        rewrite: (argv) => [
          '/usr/sbin/runuser',
          '-u',
          'postgres',
          '--',
          '/usr/bin/env',
          `PGHOST=${socket(name)}`,
          ...argv,
        ],
      });
      node.host = new ScriptedHost(name, (command, _how, argv) =>
        command.includes('/usr/bin/psql') ? real.exec(argv, { okCodes: 'any' }) : node.answer(command),
      );
    }
    const { digest } = await database.changelogOf(world.plan, host('ss1'));
    const times = { pauseTimeoutMs: 10_000, catchUpTimeoutMs: 10_000, pollIntervalMs: 1 };
    world.plan = {
      ...world.plan,
      nodes: { ss1: { host: 'ss1' }, ss2: { host: 'ss2' } },
      roles: { primary: 'ss1', secondaries: ['ss2'] },
      xroad: { ...world.plan.xroad, database: { ...world.plan.xroad.database, ...times } },
      found: { ss1: { ...world.plan.found.ss1!, schema: digest }, ss2: { ...world.plan.found.ss2!, schema: digest } },
    };
  }, 60_000);

  afterAll(() => {
    for (const name of [...running]) ctl(name, 'stop', '-m', 'immediate');
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  test('what the two are', async () => {
    const [one, two] = [
      await database.identityOf(world.plan, host('ss1')),
      await database.identityOf(world.plan, host('ss2')),
    ];
    expect(one).toMatchObject({ isStandby: false });
    expect(two).toMatchObject({ isStandby: true, system: one.system });
    expect(Math.floor(one.version / 10_000)).toBe(versions[0]);
    expect(await database.standbyOf(world.plan, host('ss2'), two.version)).toMatchObject({
      ...{ pause: 'not paused', receiver: 'streaming' },
    });
    expect(await database.sendersOf(world.plan, host('ss1'))).toMatchObject([
      { user: 'postgres', state: 'streaming', sync: 'async' },
    ]);
    const log = await database.changelogOf(world.plan, host('ss1'));
    expect(log).toMatchObject({ changes: 2, last: '2026-01-01 00:00:00', locked: false });
    await until(() => sql('ss2', 'select count(*) from serverconf.databasechangeloglock') === '1');
    expect(await database.changelogOf(world.plan, host('ss2'))).toEqual(log);
  });

  test('the statements of older releases still are statements', async () => {
    expect(await database.standbyOf(world.plan, host('ss2'), 120_000)).toMatchObject({
      pause: 'not paused',
      receiver: 'streaming',
    });
  });

  test('a primary has no replay to pause, a standby no end of its own', async () => {
    const onPrimary = await failureOf(database.pauseReplayOn(world.plan, host('ss1')));
    expect(onPrimary).toMatchObject({ type: 'ForeignChange' });
    expect(onPrimary.message).toMatch(/ss1: its database on port 5433 is no standby any more/);
    const onStandby = await failureOf(database.positionOf(world.plan, host('ss2')));
    expect(onStandby.message).toMatch(/ss2: its database on port 5433 is a standby, and should be the primary/);
  });

  test('a pause receives and doesn’t replay; a restart ends it silently; undo leads back', async () => {
    const before = await pauseReplay.observe(world.context(), { node: 'ss2' });
    const { at } = await pauseReplay.act(world.context(), { node: 'ss2' }, before);
    sql('ss1', 'create table serverconf.later as select generate_series(1, 1000)');
    const end = await database.positionOf(world.plan, host('ss1'));
    await until(() => database.compareLsn(sql('ss2', 'select pg_last_wal_receive_lsn()'), end) >= 0);
    const standby = await database.standbyOf(world.plan, host('ss2'), before.version);
    expect(standby).toMatchObject({ pause: 'paused', replayed: at, receiver: 'streaming' });
    world.node('ss2').flag = true;
    expect(await staysPaused.look(world.context(), {})).toEqual({ verdict: 'pass' });

    ctl('ss2', 'restart', '-m', 'fast');
    await until(streams);
    expect((await staysPaused.look(world.context(), {})).why).toMatch(/ss2: replay of its database is not paused/);

    await pauseReplay.act(world.context(), { node: 'ss2' }, before);
    await pauseReplay.undo(world.context(), { node: 'ss2' }, before);
    expect(sql('ss2', 'select pg_get_wal_replay_pause_state()')).toBe('not paused');
    expect(sql('ss2', 'select count(*) from serverconf.later')).toBe('1000');
  }, 30_000);

  test('a migration while paused: no way back, and forward only with services stopped', async () => {
    const before = await pauseReplay.observe(world.context(), { node: 'ss2' });
    await pauseReplay.act(world.context(), { node: 'ss2' }, before);
    sql('ss1', "insert into serverconf.databasechangelog values ('004-add-tps-cost', '2026-11-22', 3)");
    // The packages are old on both: the schema alone tells.
    const refusal = await failureOf(pauseReplay.undo(world.context(), { node: 'ss2' }, before));
    expect(refusal).toMatchObject({ type: 'PointOfNoReturn' });
    expect(refusal.message).toMatch(/another schema than when the run began \(3 changes\)/);
    expect(sql('ss2', 'select pg_get_wal_replay_pause_state()')).toBe('paused');

    world.node('ss1').release = NEW;
    const resumed = await resumeReplay.observe(world.context(), { node: 'ss2' });
    await expect(resumeReplay.act(world.context(), { node: 'ss2' }, resumed)).rejects.toMatchObject({
      type: 'GuardRefused',
    });
    world.node('ss2').stopAll();
    const done = await resumeReplay.act(world.context(), { node: 'ss2' }, resumed);
    expect(done.changed).toBe(true);
    expect(sql('ss2', 'select count(*) from serverconf.databasechangelog')).toBe('3');
  }, 30_000);

  test('cut off, it is not caught up, whatever the guide’s test says', async () => {
    sql('ss2', "alter system set primary_conninfo = ''");
    sql('ss2', 'select pg_reload_conf()');
    await until(() => sql('ss2', 'select count(*) from pg_stat_wal_receiver') === '0');
    sql('ss1', 'create table serverconf.unseen (id int)');
    await until(() => sql('ss2', 'select pg_last_wal_replay_lsn() = pg_last_wal_receive_lsn()') === 't');
    const { version } = await database.identityOf(world.plan, host('ss2'));
    const standby = await database.standbyOf(world.plan, host('ss2'), version);
    expect(hasCaughtUp(standby, await database.positionOf(world.plan, host('ss1')))).toBe(false);
    world.plan = {
      ...world.plan,
      xroad: { ...world.plan.xroad, database: { ...world.plan.xroad.database, catchUpTimeoutMs: 100 } },
    };
    await expect(caughtUp.check(world.context(), { node: 'ss2' })).rejects.toThrow(
      /its receiver is absent, \d+ bytes behind/,
    );
  }, 30_000);

  test('a database that is down is told as such, and may come back', async () => {
    ctl('ss1', 'stop', '-m', 'fast');
    const failure = await failureOf(database.positionOf(world.plan, host('ss1')));
    expect(failure).toMatchObject({ type: 'CommandFailedRetryable', nonRetryable: false });
    expect(failure.message).toMatch(/ss1: PostgreSQL doesn’t answer on port 5433: .*pg_lsclusters/s);
  }, 30_000);
});
