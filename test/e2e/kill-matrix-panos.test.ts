/** A worker that dies at every boundary of a PAN-OS pair's upgrade: no outage, and nothing is done twice. */
import { KillMatrix } from './kill-matrix';
import { PanosSite } from './panos-support';

jest.setTimeout(3_600_000);

describe.each([
  ['active-passive', 'passive-first'],
  ['active-active', 'active-first'],
] as const)('a worker that dies at every boundary: %s, %s', (mode, order) => {
  let site: PanosSite;
  let matrix: KillMatrix | undefined;
  beforeAll(async () => {
    site = await PanosSite.start({ mode, devices: [{ preemptive: true }, { preemptive: true }] });
    await site.writeInventory({ panos: { order } });
  }, 300_000);
  afterAll(async () => {
    await matrix?.stop();
    await site?.close();
  });

  it('leaves no moment without a device that serves, and does nothing twice', async () => {
    matrix = await KillMatrix.begin(site);
    await site.begin('10.2.9');
    for (const gate of ['start', 'fail-over', 'second']) await site.approve(gate);
    const { report, failure } = await site.ended();
    const missed = await matrix.end();
    expect(failure?.message).toBeUndefined();
    expect(report?.ending).toBe('Completed');
    expect(missed).toEqual([]);
    expect(site.lab.outages).toEqual([]);
    expect(site.releases()).toEqual(['10.2.9', '10.2.9']);
    const [first, second] = order === 'passive-first' ? ['fw-b', 'fw-a'] : ['fw-a', 'fw-b'];
    const down = site.lab.commands.filter((command) => !command.startsWith('functional'));
    expect(down).toEqual([first, second].flatMap((node) => [`suspend ${node}`, `install ${node}`, `restart ${node}`]));
  });
});
