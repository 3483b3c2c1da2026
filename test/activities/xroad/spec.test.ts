/** The plan's section, and the sudoers file: every command that a step runs as another user must be in it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRules } from '../../../activities/ssh/sudo';
import * as xroad from '../../../activities/xroad';
import { World } from './world';

describe('section xroad', () => {
  test('defaults are those of the guide, and parsing twice changes nothing', () => {
    const parsed = xroad.xroadSpec.parse({});
    expect(parsed).toMatchObject({
      outOfService: 'both',
      health: { port: 5588, polls: 3, spanMs: 30_000, timeoutMs: 300_000 },
      drain: { messages: 5500, consumers: [8080, 8443], onTimeout: 'ask' },
      database: { port: 5433, name: 'serverconf' },
      sync: { unit: 'xroad-sync', flag: '/var/tmp/xroad/sync-disabled' },
    });
    expect(xroad.xroadSpec.parse(parsed)).toEqual(parsed);
  });

  test.each([
    [{ health: { polls: 1 } }, 'health.polls'],
    [{ database: { name: 'x; drop table y' } }, 'database.name'],
    [{ sync: { flag: '/var/tmp/with space' } }, 'sync.flag'],
    [{ outOfService: 'none' }, 'outOfService'],
    [{ token: { pin: '1234' } }, 'token'],
  ])('refuses %j', (section, path) => {
    const result = xroad.xroadSpec.safeParse(section);
    expect(result.success).toBe(false);
    expect(result.error?.issues[0]?.path.join('.')).toBe(path);
  });
});

describe('the sudoers file', () => {
  const rules = (world: World) =>
    parseRules(
      xroad
        .sudoCommandsOf(world.plan)
        .map(({ as, command }) => `    (${as}) NOPASSWD: ${command}`)
        .join('\n'),
    );

  /** Every step once, forward and back, with the checks around them. */
  async function everything(world: World): Promise<void> {
    const { ss1, ss2, ss3 } = world.nodes as Record<'ss1' | 'ss2' | 'ss3', (typeof world.nodes)[string]>;
    const run = () => world.context();
    await xroad.completeXroadPlan(run());
    await xroad.preflight.check(run(), {});
    for (const node of ['ss2', 'ss3']) {
      const replay = await xroad.pauseReplay.observe(run(), { node });
      await xroad.pauseReplay.act(run(), { node }, replay);
      await xroad.pauseReplay.undo(run(), { node }, replay);
      await xroad.pauseReplay.act(run(), { node }, replay);
      const sync = await xroad.pauseSync.observe(run(), { node });
      await xroad.pauseSync.act(run(), { node }, sync);
      await xroad.pauseSync.undo(run(), { node }, sync);
      await xroad.pauseSync.act(run(), { node }, sync);
    }
    await xroad.paused.check(run(), {});
    const out = async (node: string): Promise<void> => {
      const before = await xroad.maintenanceOn.observe(run(), { node });
      await xroad.maintenanceOn.act(run(), { node }, before);
      await xroad.drained.check(run(), { node });
      await xroad.stopServices.act(run(), { node }, await xroad.stopServices.observe(run(), { node }));
      await xroad.forbidStart.act(run(), { node }, await xroad.forbidStart.observe(run(), { node }));
    };
    const back = async (node: string): Promise<void> => {
      await xroad.upgraded.check(run(), { node, release: '7.4' });
      await xroad.allowStart.act(run(), { node }, await xroad.allowStart.observe(run(), { node }));
      await xroad.startServices.act(run(), { node }, await xroad.startServices.observe(run(), { node }));
      await xroad.healthy.check(run(), { node });
      await xroad.tokensActive.check(run(), { node });
      await xroad.maintenanceOff.act(run(), { node }, await xroad.maintenanceOff.observe(run(), { node }));
    };
    await out('ss1');
    await xroad.assertOutOfService(run(), 'ss1');
    await xroad.upgradePackages.observe(run(), { node: 'ss1', release: '7.4', previous: '7.3' });
    world.upgradePrimary();
    await back('ss1');
    const { lsn } = await xroad.walPosition.check(run(), {});
    for (const node of [ss2, ss3]) {
      await out(node.name);
      const before = await xroad.resumeReplay.observe(run(), { node: node.name });
      await xroad.resumeReplay.act(run(), { node: node.name, position: { lsn } }, before);
      await xroad.assertOutOfService(run(), node.name);
      node.release = ss1.versions['xroad-proxy']!;
      await xroad.resumeSync.act(
        run(),
        { node: node.name },
        await xroad.resumeSync.observe(run(), { node: node.name }),
      );
      await xroad.syncNow.act(run(), { node: node.name }, {});
      await back(node.name);
    }
    await xroad.finalCheck.check(run(), {});
  }

  test('names all that a whole upgrade runs as another user', async () => {
    const world = new World();
    await everything(world);
    const allowed = rules(world);
    const asked = Object.values(world.nodes).flatMap((node) => node.host.ran.filter((c) => c.startsWith('sudo ')));
    expect(asked.length).toBeGreaterThan(100);
    const refused = [...new Set(asked)].filter((command) => {
      const [, as = 'root', rest = ''] = /^sudo (?:-u (\S+) )?(.*)$/s.exec(command) ?? [];
      return !allowed.some((rule) => rule.users.includes(as) && rule.covers(rest));
    });
    expect(refused).toEqual([]);
  });

  test('leaves every node as it should be, with services stopped and started in order', async () => {
    const world = new World();
    await everything(world);
    for (const node of Object.values(world.nodes)) {
      expect(node.running.sort()).toEqual([...world.plan.found[node.name]!.active].sort());
      expect(node).toMatchObject({ flag: false, maintenance: false });
      expect(node.db.pause).toBe('not paused');
    }
  });

  const visudo = '/usr/sbin/visudo';
  // The lab shows the same with the file of each host, where this machine has no sudo of its own.
  if (existsSync(visudo))
    test('is one that sudo takes', () => {
      const directory = mkdtempSync(join(tmpdir(), 'hitless-sudoers-'));
      const file = join(directory, 'hitless');
      const world = new World({ outOfService: 'both', reboot: true });
      const lines = xroad
        .sudoCommandsOf(world.plan)
        .map(({ as, command }) => `hitless ALL = (${as}) NOPASSWD: ${command}`);
      writeFileSync(file, `${[...new Set(lines)].join('\n')}\n`, { mode: 0o440 });
      try {
        expect(execFileSync(visudo, ['-c', '-f', file]).toString()).toMatch(/parsed OK/);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
});
