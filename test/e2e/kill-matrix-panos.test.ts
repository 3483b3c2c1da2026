/**
 * A worker that dies at every boundary of a PAN-OS pair's upgrade: no outage, and nothing is done twice. In every mode and
 * order; fw-a leads at the start. A quarter of an hour each.
 */
import { KillMatrix } from './kill-matrix';
import { PanosSite } from './panos-support';

jest.setTimeout(3_600_000);

describe.each([
  { mode: 'active-passive', order: 'passive-first', first: 'fw-b', second: 'fw-a' },
  { mode: 'active-passive', order: 'active-first', first: 'fw-a', second: 'fw-b' },
  { mode: 'active-active', order: 'passive-first', first: 'fw-b', second: 'fw-a' },
  { mode: 'active-active', order: 'active-first', first: 'fw-a', second: 'fw-b' },
] as const)('a worker that dies at every boundary: $mode, $order', ({ mode, order, first, second }) => {
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
    // Back into HA it may have come by itself.
    const down = site.lab.commands.filter((command) => !command.startsWith('functional'));
    expect(down).toEqual([first, second].flatMap((node) => [`suspend ${node}`, `install ${node}`, `restart ${node}`]));
  });
});
