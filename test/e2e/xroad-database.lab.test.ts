/** What databases do on the way: a pause that is lost, a migration that fails, a secondary that is cut off. */
import type { Traffic } from '../lab';
import { observe, waitFor, type MessageReport } from '../lab';
import { describeLab } from '../lab/describe-lab';
import { pauseState } from '../lab/xroad/by-hand';
import { NEW, OLD, XRoadSite, cutReplication, idlePool, noViolation, slowCopy } from './xroad-support';

jest.setTimeout(600_000);

describeLab('an upgrade of an X-Road cluster whose databases misbehave', () => {
  let site: XRoadSite;
  let traffic: Traffic<MessageReport>;
  let observer: ReturnType<typeof observe>;
  let pool: Awaited<ReturnType<typeof idlePool>>;
  let copy: Awaited<ReturnType<typeof slowCopy>>;
  beforeAll(async () => {
    site = await XRoadSite.ready({ secondaries: 1, pooledConnections: true }, ({ xroad }) => {
      xroad.drain['timeoutMs'] = '8s';
    });
    // While nothing else goes through HAProxy, so that each node gets its share.
    pool = await idlePool(site.lab);
    traffic = await site.lab.startTraffic({ perSecond: 100 });
    observer = observe(site.lab);
  }, 900_000);
  afterAll(() => site?.close());

  const sql = (node: string, query: string): Promise<string> => site.lab.sql(node, query);
  const restartDatabase = (node: string): Promise<string> =>
    site.lab.host(node).exec(`systemctl restart ${site.lab.description.database.unit}`);
  /** How far the guide's own test says that the standby is: t, f, or nothing. */
  const guideTest = (): Promise<string> => sql('ss2', 'select pg_last_wal_replay_lsn() = pg_last_wal_receive_lsn()');

  it('a copy of the configuration that is under way when it is paused: its end is waited for', async () => {
    // In the way of a change of the new release, for later.
    await sql('ss1', 'alter table serverconf.service add column tps_cost integer');
    await site.begin(NEW);
    await site.asked('start');
    copy = await slowCopy(site.lab, 'ss2');
    await site.approve('start');
    await site.says(/waiting on ss2 for the end of a copy/);
    expect((await site.lab.host('ss2').tryExec(`test -e ${site.lab.description.sync.flag}`)).code).toBe(0);
    expect(site.stepState(await site.state(), 'Pause configuration synchronization on ss2')).toBe('running');
  });

  it('a standby restarted after its pause: the primary isn’t touched before it is paused again', async () => {
    // Replay was paused before the step that still waits, so the restart falls between the pause and the packages.
    expect(await pauseState(site.lab, 'ss2')).toBe('paused');
    await restartDatabase('ss2');
    await site.lab.waitServing(['ss2']);
    await copy.end();
    await pausedAgain();
    expect(await site.releases()).toEqual([OLD, OLD]);
    await site.until('the primary’s turn', (s) => site.stepState(s, 'Take ss1 out') !== 'pending');
    expect(await pauseState(site.lab, 'ss2')).toBe('paused');
  });

  /** By the run itself; or, where it only tells, as it tells to. */
  async function pausedAgain(): Promise<void> {
    await waitFor(
      'the lost pause to be noticed',
      async () => {
        if ((await pauseState(site.lab, 'ss2')) === 'paused') return true;
        const said = (await site.pending()).map(({ lastFailure }) => lastFailure ?? '');
        const asked = (await site.state()).status?.waitingFor.map(({ question }) => question) ?? [];
        return [...said, ...asked].some((text) => /replay of its database is not paused/.test(text));
      },
      { timeoutMs: 120_000, intervalMs: 250 },
    );
    expect(await site.release('ss1')).toBe(OLD);
    if ((await pauseState(site.lab, 'ss2')) !== 'paused') await sql('ss2', 'select pg_wal_replay_pause()');
    await waitFor('the pause', async () => (await pauseState(site.lab, 'ss2')) === 'paused');
    const { status } = await site.state();
    if (status?.waitingFor.some((o) => o.kind === 'hold')) await site.say('hold', 'retry');
  }

  it('idle connections of a pool never end: people are asked, and give them up', async () => {
    const hold = await site.holds(/ss1 still has 2 connections/);
    expect(hold.question).toContain('To go on means: the connections that are left are lost');
  });

  it('a pause that somebody takes back meanwhile is put back at once, and nothing goes on before', async () => {
    const { flag } = site.lab.description.sync;
    await sql('ss2', 'select pg_wal_replay_resume()');
    await site.lab.host('ss2').exec(`rm ${flag}`);
    const { status } = await site.until('it was mended', (s) => (s.status?.remedies?.length ?? 0) > 0);
    expect(status?.remedies?.[0]?.why).toMatch(/ss2: replay of its database is not paused/);
    expect(await pauseState(site.lab, 'ss2')).toBe('paused');
    expect((await site.lab.host('ss2').tryExec(`test -e ${flag}`)).code).toBe(0);
    expect(await site.releases()).toEqual([OLD, OLD]);
    await site.holds(/ss1 still has 2 connections/);
    await site.say('hold', 'go-on');
  });

  it('a migration that fails with exit code 0: a hold, with the secondary paused and serving', async () => {
    const hold = await site.holds(/ss1 has the packages of 7\.8\.0-1, and not all is well/);
    expect(hold.question).toContain('Running database migrations failed');
    expect(hold.choices).toEqual(['retry', 'stop']);
    expect(await site.releases()).toEqual([NEW, OLD]);
    expect(await pauseState(site.lab, 'ss2')).toBe('paused');
    expect((await site.lab.health('ss2')).status).toBe(200);
    expect((await site.lab.health('ss1')).status).toBe(0);

    // Tried again as it is, it says the same.
    await site.say('hold', 'retry');
    await site.holds(/Running database migrations failed/);

    const log = /(\/var\/log\/hitless\/\S+\.log) says/.exec(hold.question)?.[1];
    await sql('ss1', 'alter table serverconf.service drop column tps_cost');
    await site.lab.host('ss1').exec(`/usr/share/xroad/scripts/setup_serverconf_db.sh && mv ${log} ${log}.seen`);
    await site.say('hold', 'retry');
    await site.asked('secondaries');
    await site.lab.waitServing(['ss1']);
  });

  it('a cancel after the point of no return undoes nothing: it becomes a question', async () => {
    await site.cancel();
    const hold = await site.holds(/cancel was asked for, but the point of no return is behind/);
    expect(hold.choices).toEqual(['retry', 'stop']);
    expect(await site.releases()).toEqual([NEW, OLD]);
    expect(await pauseState(site.lab, 'ss2')).toBe('paused');
    await site.say('hold', 'retry');
    await site.asked('secondaries');
  });

  it('a secondary that is cut off is not taken for one that has caught up', async () => {
    await site.approve('secondaries');
    await site.holds(/ss2 still has 2 connections/);
    const cut = await cutReplication(site.lab);
    await sql('ss1', "insert into serverconf.ui_user values ('eve')");
    await pool.close();
    await site.say('hold', 'retry');
    await site.says(/the database of ss2 is catching up: its receiver is absent/);
    await waitFor('all to be replayed that was received', async () => (await guideTest()) === 't');
    expect(await site.release('ss2')).toBe(OLD);

    // Started anew, and told of no primary: nothing was received, and the guide's test says nothing at all.
    await sql('ss2', "alter system set primary_conninfo = ''");
    await restartDatabase('ss2');
    await waitFor('the database', async () => (await guideTest()) === '');
    await site.says(/the database of ss2 is catching up: its receiver is absent/);
    expect(await site.release('ss2')).toBe(OLD);

    await sql('ss2', 'alter system reset primary_conninfo');
    await sql('ss2', 'select pg_reload_conf()');
    await cut.restore();
    const { report, failure } = await site.ended();
    expect(failure?.message).toBeUndefined();
    expect(report?.ending).toBe('Completed');
    expect(await sql('ss2', "select count(*) from serverconf.ui_user where name = 'eve'")).toBe('1');
  });

  it('failed no message, and never were two nodes out or old code on the new schema', async () => {
    noViolation(await observer.stop());
    const measured = await traffic.stop();
    expect(measured).toMatchObject({ failed: 0, faults: [], answered: measured.sent });
    expect(await site.releases()).toEqual([NEW, NEW]);
  });

  it('leaves a history that this build replays', async () => {
    expect(await site.replayed('mended')).toBeLessThan(1_500);
  });
});
