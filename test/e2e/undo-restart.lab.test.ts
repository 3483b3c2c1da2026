/** Ways back from a restart that went wrong, on the lab. */
import { describeLab } from '../lab/describe-lab';
import { Site } from './support';

jest.setTimeout(900_000);

describeLab('ways back from a restart', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start();
    await site.writeInventory({ monitoring: '2m' });
    await site.startWorker();
  }, 900_000);
  afterAll(() => site?.close());

  it('a node that comes back on the wrong release: held before traffic returns, and undone', async () => {
    const before = await site.stand();
    await site.lab.repo.publishFaulty('2.2');
    const { releases } = site.lab.description.repository;
    const faulty = { ...releases['2.0'], 'fw-release': '2.2' };
    await site.writeInventory({
      monitoring: '2m',
      releases: { ...releases, '2.2': faulty },
      // What the node itself says, for the package database believes what the package is called.
      change: (cluster) =>
        Object.assign(cluster['software'] as object, { release: { file: '/etc/fw-release', pattern: '^(.+)$' } }),
    });
    await site.start('2.2');
    await site.approve('start');
    const hold = await site.asked('hold');
    expect(hold.question).toMatch(/1\.9/);
    expect(await site.serving()).toBe('fw2');
    await site.say('hold', 'roll-back', { to: 'start' });
    expect((await site.ended()).failure?.type).toBe('RolledBack');
    expect(await site.stand()).toEqual(before);
  });

  it('a node that doesn’t come back: held, and retried once it does', async () => {
    await site.writeInventory({
      monitoring: '5s',
      change: (cluster) => Object.assign(cluster['software'] as object, { rebootTimeoutMs: '20s' }),
    });
    await site.start();
    await site.approve('start');
    await site.until('the restart', (s) => site.stepState(s, 'Restart fw1') === 'running');
    await site.lab.host('fw1').powerOff();
    const hold = await site.asked('hold');
    expect(hold.question).toMatch(/fw1/);
    expect(await site.serving()).toBe('fw2');
    await site.lab.host('fw1').start();
    await site.lab.host('fw1').waitBooted();
    await site.say('hold', 'retry');
    await site.approve('return');
    await site.approve('finish');
    expect((await site.ended()).report?.ending).toBe('Completed');
  });
});
