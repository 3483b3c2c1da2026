/** A whole upgrade of a simulated pair as a user runs it: the command line, a worker of its own, devices over TLS. */
import { PanosSite } from '../e2e/panos-support';

jest.setTimeout(600_000);

let site: PanosSite;
beforeAll(async () => {
  site = await PanosSite.start({ advancedRouting: true, suspendSurvivesReboot: true });
  await site.writeInventory({ panos: { failBack: true } });
  await site.startWorker();
}, 300_000);
afterAll(() => site?.close());

it('a look changes nothing: other tools suspend the active device in their dry run', async () => {
  const plan = await site.cli('plan', site.cluster, '10.2.9');
  expect(plan).toMatchObject({ code: 0 });
  expect(plan.stdout).toContain('request high-availability state suspend');
  expect(plan.stdout).toContain('request system software install version 10.2.9');
  expect(site.lab.commands).toEqual([]);
  for (const { jobs } of site.lab.served.pair.devices)
    expect(jobs.list().filter(({ type }) => type !== 'AutoCom')).toEqual([]);
});

it('says what can’t be, and touches nothing', async () => {
  const down = await site.cli('plan', site.cluster, '10.1.9');
  expect(down.code).toBe(1);
  expect(`${down.stdout}${down.stderr}`).toContain('10.1.9 is older than 10.2.3, which the devices run');
  expect(site.lab.commands).toEqual([]);
});

it('asks for waivers by name, upgrades both, fails back, and keeps its secrets', async () => {
  const { pair, devices } = site.lab.served;
  pair.devices[0].facts.ntp = [];
  await site.begin('10.2.9');
  const { id, waivable, question } = await site.asked('hold');
  expect(question).toContain('[ntp_sync]');
  expect(waivable).toEqual(['ntp_sync']);
  const refused = await site.cli('decide', site.cluster, id, 'waive', '--by', 'ann', '--comment', 'planned');
  expect(`${refused.stdout}${refused.stderr}`).toContain('not named in "waive": ntp_sync');
  const waived = await site.cli(
    'decide',
    site.cluster,
    id,
    'waive',
    '--waive',
    'ntp_sync',
    '--by',
    'ann',
    '--comment',
    'planned',
  );
  expect(waived).toMatchObject({ code: 0 });
  for (const gate of ['start', 'fail-over', 'second']) await site.approve(gate);
  const { report, failure } = await site.ended();
  expect(failure?.message).toBeUndefined();
  expect(report?.ending).toBe('Completed');
  expect(report?.steps[0]?.summary).toBe('waived by ann: ntp_sync (planned)');
  expect([site.releases(), site.states()]).toEqual([
    ['10.2.9', '10.2.9'],
    ['active', 'passive'],
  ]);
  expect(site.lab.outages).toEqual([]);
  expect(await site.replayed('completed')).toBeLessThan(600);
  const history = await site.engine.client.workflow.getHandle(`upgrade-${site.cluster}`).fetchHistory();
  // Payloads are base64 there.
  const payloads = [...JSON.stringify(history.events).matchAll(/"data":"([^"]+)"/g)]
    .map(([, data]) => Buffer.from(data!, 'base64').toString('utf8'))
    .join('\n');
  expect(payloads).toContain('request restart system');
  for (const { password } of devices) expect(payloads).not.toContain(password);
  expect(payloads).not.toMatch(/LUFRPT/);
});
