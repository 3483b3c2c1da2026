/** The rolling upgrade of an X-Road cluster on the lab, under messages, watched from outside. */
import { observe } from '../lab';
import { describeLab } from '../lab/describe-lab';
import { XRoadSite } from './xroad-support';

jest.setTimeout(900_000);

describeLab('a rolling upgrade of an X-Road cluster', () => {
  let site: XRoadSite;
  beforeAll(async () => {
    site = await XRoadSite.start({ syncPeriodSeconds: 5 });
    await site.writeInventory();
    await site.startWorker();
  }, 900_000);
  afterAll(() => site?.close());

  it('needs no more of sudo than the file that plan --sudoers prints', async () => {
    expect(await site.allowOnlyPrinted('7.8.0-1')).toEqual(['lb', 'ss1', 'ss2', 'ss3']);
  });

  it('fails no message of 200 a second', async () => {
    const { nodes } = site.lab.description.roles;
    const traffic = await site.lab.startTraffic();
    const observer = observe(site.lab);
    await site.begin('7.8.0-1');
    await site.approve('start');
    await site.approve('secondaries');
    await site.approve('next');
    const { report, failure } = await site.ended();
    expect(failure?.message).toBeUndefined();
    expect(report?.ending).toBe('Completed');
    expect(await observer.stop()).toMatchObject({ mostOut: 1, violations: [] });
    const measured = await traffic.stop();
    expect(measured).toMatchObject({ failed: 0, faults: [], answered: measured.sent });
    expect(await Promise.all(nodes.map((node) => site.release(node)))).toEqual(nodes.map(() => '7.8.0-1'));
  });

  it('leaves a history that this build replays, below its budget', async () => {
    expect(await site.replayed('completed')).toBeLessThan(1_000);
  });
});

describeLab('an offline upgrade of an X-Road cluster', () => {
  let site: XRoadSite;
  beforeAll(async () => {
    site = await XRoadSite.start({ syncPeriodSeconds: 5, secondaries: 1 });
    await site.writeInventory();
    await site.startWorker();
  }, 900_000);
  afterAll(() => site?.close());

  it('stops all nodes, and ends with all of them in service on the new release', async () => {
    const { nodes } = site.lab.description.roles;
    const observer = observe(site.lab);
    await site.begin('7.8.0-1', { mode: 'offline' });
    await site.approve('start');
    const { report, failure } = await site.ended();
    expect(failure?.message).toBeUndefined();
    expect(report?.ending).toBe('Completed');
    // Old code never ran on the new schema; that all were out was announced.
    const { mostOut, violations } = await observer.stop();
    expect({ mostOut, old: violations.filter((v) => !v.includes('out')) }).toEqual({ mostOut: 2, old: [] });
    expect(await Promise.all(nodes.map((node) => site.release(node)))).toEqual(nodes.map(() => '7.8.0-1'));
    await site.lab.waitServing();
  });
});
