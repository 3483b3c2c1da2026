/** What people get wrong, as whole runs: one clear message each, nothing touched, and no endless retry. */
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { startUpgrade, type RunState } from '../../client';
import { describeLab } from '../lab/describe-lab';
import { CLUSTER, Site } from './support';

jest.setTimeout(300_000);

interface Inventory {
  hosts: Record<string, Record<string, unknown>>;
  clusters: Record<string, Record<string, never>>;
}

describeLab('what people get wrong', () => {
  let site: Site;
  let untouched: string;
  beforeAll(async () => {
    site = await Site.start();
    await site.writeInventory();
    await site.startWorker();
    untouched = await stand();
  }, 900_000);
  beforeEach(() => site.writeInventory());
  afterEach(async () => expect(await stand()).toBe(untouched));
  afterAll(() => site?.close());

  /** What a run could have changed. */
  const stand = async (): Promise<string> => {
    const seen = await Promise.all([
      site.border(),
      ...['fw1', 'fw2'].map((fw) =>
        site.lab
          .host(fw)
          .exec('dpkg-query -W; cat /proc/sys/kernel/random/boot_id; ls -A /var/cache/hitless 2>/dev/null; true'),
      ),
    ]);
    return [...seen, await site.serving()].join('\n');
  };
  const edit = async (change: (inventory: Inventory) => void): Promise<void> => {
    const inventory = parse(await readFile(site.inventoryPath, 'utf8')) as Inventory;
    change(inventory);
    await writeFile(site.inventoryPath, stringify(inventory), { mode: 0o644 });
  };
  /** Starts it and waits for its end; a hold is answered with `stop`. Returns what was said. */
  const refused = async (version = '2.0'): Promise<{ said: string; state: RunState }> => {
    await site.start(version);
    let said = '';
    for (;;) {
      const state = await site.state();
      const hold = state.status?.waitingFor.find((o) => o.kind === 'hold');
      if (state.execution !== 'running') return { said: said || (state.failure?.message ?? ''), state };
      if (hold !== undefined && said === '') {
        said = hold.question;
        await site.say('hold', 'stop');
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };

  it('a cluster that the inventory doesn’t have', async () => {
    await startUpgrade(site.engine, { cluster: 'fw-dc9', version: '2.0', requestedBy: 'test' });
    const handle = site.engine.client.workflow.getHandle('upgrade-fw-dc9');
    const failure = await handle.result().catch((error: Error & { cause?: Error }) => error.cause?.message);
    expect(failure).toMatch(/fw-dc9.*fw-dc1/s);
  });

  it('a release that the inventory doesn’t have', async () => {
    const { said, state } = await refused('9.9');
    expect(said).toMatch(/9\.9/);
    expect(said).toMatch(/1\.0.*2\.0/s);
    expect(state.failure?.type).toBe('InvalidInput');
  });

  it('a broken inventory: every fault with its path', async () => {
    await edit(({ hosts, clusters }) => {
      hosts['fw1']!['address'] = 7;
      delete clusters[CLUSTER]!['software'];
    });
    const { said } = await refused();
    expect(said).toMatch(/hosts\.fw1\.address/);
    expect(said).toMatch(/clusters\.fw-dc1\.software/);
  });

  it('a host key that changed', async () => {
    const known = join(site.directory, 'known_hosts');
    const path = (parse(await readFile(site.inventoryPath, 'utf8')) as Inventory).hosts['fw2']!['knownHosts'] as string;
    const lines = (await readFile(path, 'utf8')).split('\n');
    const { fw1, fw2 } = site.lab.description.hosts;
    const other = lines.find((line) => line.includes(fw1!.address))!;
    // As if somebody else answered at its address.
    const changed = lines.map((line) =>
      line.includes(fw2!.address) ? other.replace(fw1!.address, fw2!.address) : line,
    );
    await writeFile(known, changed.join('\n'));
    await edit(({ hosts }) => (hosts['fw2']!['knownHosts'] = known));
    const { said } = await refused();
    expect(said).toMatch(/fw2.*host key/s);
  });

  it('credentials that don’t open the door', async () => {
    const key = join(site.directory, 'wrong-key');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(key, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
    await edit(({ hosts }) => (hosts['fw1']!['credentials'] = [{ key: `file:${key}` }]));
    const { said } = await refused();
    expect(said).toMatch(/fw1/);
    expect(said).not.toContain('PRIVATE KEY');
  });

  it('a host that can’t be reached', async () => {
    // A port where nobody listens.
    await edit(({ hosts }) => (hosts['fw2']!['port'] = 2));
    const { said } = await refused();
    expect(said).toMatch(/fw2/);
  });

  it('a package that the repository doesn’t have', async () => {
    const { repo } = site.lab;
    const version = site.lab.description.repository.releases['2.0']!['frr']!;
    await repo.remove('frr', version);
    try {
      const { said } = await refused();
      expect(said).toMatch(/frr/);
      expect(said).toContain(version);
    } finally {
      await repo.putBack('frr', version);
    }
  });

  it('a second upgrade beside the first', async () => {
    await site.start();
    await site.asked('start');
    const second = startUpgrade(site.engine, { cluster: CLUSTER, version: '2.0', requestedBy: 'somebody' });
    await expect(second).rejects.toThrow(/upgrade-fw-dc1|already/);
    await site.say('start', 'reject');
    await site.say('hold', 'stop');
    expect((await site.ended()).failure?.type).toBe('Stopped');
  });
});
