/**
 * One upgrade in four links of its chain, on hosts: to them it is one run. Its worker is killed in the middle of an
 * installation, while one link hands over to the next, at the beginning of that one, and in the middle of an undo.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runTag } from '../../activities/jobs';
import { command, follow, type RunState } from '../../client';
import { describeLab } from '../lab/describe-lab';
import { ChainOnHosts } from './chain-support';
import { Site } from './support';

jest.setTimeout(900_000);

const PRELOAD = join(__dirname, '../../build/test/e2e/die-before.js');
/** Edited on the nodes; the lab's release 2.0 has another one. */
const EDITED = '/etc/conntrackd/conntrackd.conf';

describeLab('a run in several links on hosts', () => {
  let site: Site;
  let chain: ChainOnHosts;
  let evidence: string;
  const over = new AbortController();
  beforeAll(async () => {
    site = await Site.start();
    chain = new ChainOnHosts(site);
    evidence = join(site.directory, 'evidence');
    await site.writeInventory({
      monitoring: '5s',
      // So that edited files are saved on the node, under the run's name, for the undo.
      change: (cluster) => Object.assign(cluster['software'] as object, { conffiles: 'replace' }),
    });
  }, 900_000);
  afterAll(async () => {
    over.abort();
    await site?.close();
  });

  const startWorker = (env: NodeJS.ProcessEnv = {}): Promise<void> => site.startWorker(env, ['--evidence', evidence]);
  /** A worker that ends before it does the first activity of this type. */
  const workerThatDiesBefore = async (type: string): Promise<void> => {
    // It may do so before it says that it polls.
    await startWorker({ HITLESS_DIE_BEFORE: type, NODE_OPTIONS: `--require ${PRELOAD}` }).catch(() => undefined);
    await site.workerEnded();
  };
  const fw1 = (script: string): Promise<string> => site.lab.host('fw1').exec(script);
  const lines = async (script: string): Promise<string[]> => (await fw1(script)).split('\n').filter((l) => l !== '');
  /** "name old new" of every package that dpkg exchanged on fw1 so far. */
  const exchanges = (): Promise<string[]> => lines(`awk '$3 == "upgrade" { print $4, $5, $6 }' /var/log/dpkg.log`);
  /** Settles while dpkg works for this job of the run; fails if that doesn't come, as where the run holds. */
  const dpkgRuns = (job: string): Promise<string> =>
    site.lab
      .host('fw1')
      .exec(
        `until systemctl -q is-active 'hitless-*-${job}.service' && pgrep -x dpkg >/dev/null; do sleep 0.05; done`,
        {
          timeoutMs: 120_000,
        },
      );

  it('acts, is killed, and undoes over its links as one run', async () => {
    const before = { ...(await site.stand()), edited: await fw1(`cat ${EDITED}`) };
    const installed = (await exchanges()).length;
    await startWorker();
    await site.start();
    const { firstRunId, workflowId } = await site.state();
    const tag = runTag(firstRunId);
    const seen: RunState[] = [];
    const { cluster } = site;
    const onState = (state: RunState): unknown => seen.push(state);
    const followed = follow(site.engine, { cluster, workflowId, onState, signal: over.signal });
    followed.catch(() => undefined);

    // Both releases are staged in link 0, which the start gate's flood ends.
    const asked = await site.asked('start');
    const staging = await chain.owned('fw1');
    expect(staging).toMatchObject({ released: false, owner: { runId: firstRunId, workflowId } });
    await chain.flood(asked.id);
    await chain.link(1);
    expect(await site.asked('start')).toMatchObject({ id: asked.id, digest: asked.digest });

    // fw1 is installed in link 1. No worker lives when the installation ends and the next flood comes.
    await site.approve('start');
    await dpkgRuns('install');
    expect(await command(site.engine, site.cluster, 'pause', { by: 'tester', reason: 'look' })).toMatchObject({
      kind: 'accepted',
    });
    await site.killWorker();
    await chain.flood(asked.id);
    // In the hand-over: the digest of what the installation left as evidence.
    await workerThatDiesBefore('core.digest');
    // The first call of the next link.
    await workerThatDiesBefore('core.whoami');
    await startWorker();
    await chain.link(2);
    const paused = await site.until('a pause', ({ status }) => status?.phase.includes('paused') === true);
    expect(site.stepState(paused, 'Upgrade fw1')).toBe('done');
    expect(site.stepState(paused, 'Restart fw1')).not.toBe('running');
    expect((await exchanges()).length).toBe(installed + 4);
    const installing = await chain.owned('fw1');
    expect(installing.owner.runId).toBe(firstRunId);
    expect(installing.owner.call).toBeGreaterThan(staging.owner.call);
    // Started by one attempt, found again by another: the note says for which call.
    const installs = (await chain.calls()).filter((c) => c.type === 'packages.install.act');
    expect(installs).toMatchObject([{ link: 1, number: installing.owner.call }]);
    expect(installs[0]?.attempts).toBeGreaterThan(1);
    expect((await fw1(`cat ~hitless/.hitless/hitless-${tag}-install.job`)).split(' ')[0]).toBe(
      String(installing.owner.call),
    );

    // A person merges what the release made of the file. Restarted and put to work in link 2, watched into link 3.
    expect(await fw1(`cat ${EDITED}`)).not.toBe(before.edited);
    await site.lab.host('fw1').exec(`cat >${EDITED}`, { input: `${before.edited}# merged\n` });
    await command(site.engine, site.cluster, 'resume', { by: 'tester', reason: 'seen' });
    await site.approve('return');
    const finish = await site.asked('finish');
    expect([await site.serving(), await site.release('fw1')]).toEqual(['fw1', '2.0']);
    const observed = (await site.state()).status?.wait?.observedMs ?? 0;
    await chain.flood(finish.id);
    await chain.link(3);
    const watched = await site.until('the watch', ({ status }) => status?.watch?.state === 'watching');
    expect(watched.status?.wait?.observedMs ?? 0).toBeGreaterThanOrEqual(observed);
    const { stdout } = await site.cli('status', site.cluster, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ firstRunId, runId: watched.runId, status: { link: 3 } });

    // In link 3 all is undone, and the file put back from what link 1 had saved.
    await site.say('finish', 'reject');
    await site.say('hold', 'roll-back', { to: 'start' });
    await dpkgRuns('install-undo');
    await site.killWorker();
    await startWorker();
    expect(await site.ended()).toMatchObject({ failure: { type: 'RolledBack' }, firstRunId });
    expect({ ...(await site.stand()), edited: await fw1(`cat ${EDITED}`) }).toEqual(before);
    // There and back, each package once.
    const exchanged = (await exchanges()).slice(installed).map((line) => line.split(' '));
    expect(exchanged.slice(0, 4).map(([name]) => name)).toEqual([...new Set(exchanged.map(([name]) => name))]);
    expect(exchanged.slice(4).sort()).toEqual(
      exchanged
        .slice(0, 4)
        .map(([name, from, to]) => [name, to, from])
        .sort(),
    );

    // Whoever follows an upgrade follows its chain.
    expect(await followed).toMatchObject({ firstRunId, failure: { type: 'RolledBack' } });
    expect([...new Set(seen.map((state) => state.firstRunId))]).toEqual([firstRunId]);
    expect(new Set(seen.flatMap((state) => state.status?.link ?? []))).toEqual(new Set([1, 2, 3]));
  });

  it('goes by one name on hosts and in the evidence, and lets go of all', async () => {
    const { firstRunId } = await site.state();
    const tag = runTag(firstRunId);
    for (const host of ['border', 'fw1', 'fw2']) {
      const { owner, history, released, token } = await chain.owned(host);
      expect({ host, released, token }).toEqual({ host, released: true, token: '' });
      const owners = [...history, owner];
      expect([...new Set(owners.map((o) => o.runId))]).toEqual([firstRunId]);
      const numbers = owners.map((o) => o.call);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    }
    const logs = await lines('ls /var/log/hitless');
    expect(logs).toEqual(expect.arrayContaining([`hitless-${tag}-install.log`, `hitless-${tag}-install-undo.log`]));
    expect(logs.filter((name) => !name.startsWith(`hitless-${tag}-`))).toEqual([]);
    expect(await lines(`find /var/lib/hitless -name 'conffiles-*'`)).toEqual([
      expect.stringContaining(`/conffiles-${tag}.tar`),
    ]);
    expect(await lines(`systemctl list-units --plain --no-legend --state=running 'hitless-*'`)).toEqual([]);
    const runs = join(evidence, chain.workflowId);
    expect(await readdir(runs)).toEqual([firstRunId]);
    const files = (await readdir(join(runs, firstRunId))).join('\n');
    for (const step of ['02-stage', '08-upgrade-fw1', '09-restart-fw1']) expect(files).toContain(step);
  });

  it('counts its calls through, and none is refused as stale', async () => {
    const { firstRunId } = await site.state();
    const calls = await chain.calls();
    expect([...new Set(calls.map((c) => c.link))]).toEqual([0, 1, 2, 3]);
    expect([...new Set(calls.map((c) => c.firstRunId))]).toEqual([firstRunId]);
    expect(calls.filter((c) => c.executing !== c.runId)).toEqual([]);
    expect(new Set(calls.map((c) => c.runId)).size).toBe(4);
    // One that is cut in the moment in which it is made is counted, too, and no host ever hears of it.
    const numbers = calls.map((c) => c.number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    const refused = ['OwnedByAnother', 'WasReset'];
    expect(calls.filter((c) => c.failures.some((type) => refused.includes(type)))).toEqual([]);
    expect(site.log.filter((line) => refused.some((type) => line.includes(type)))).toEqual([]);
    await chain.replayed();
  });
});
