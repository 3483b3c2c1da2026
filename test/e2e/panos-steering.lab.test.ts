/**
 * A PAN-OS pair whose traffic real routers steer: devices are simulated, the border router is FRR on the lab, and what it
 * prefers is read from it. The lab's own firewalls carry the packets in place of the devices.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { inventoryOf } from '../../demo/inventory';
import { panosInventoryOf } from '../../demo/panos';
import { startFirewallPairLab, type FirewallPairLab } from '../lab';
import { describeLab } from '../lab/describe-lab';
import { PanosSite } from './panos-support';

jest.setTimeout(1_200_000);

type Clusters = { clusters: Record<string, Record<string, unknown>>; hosts: unknown };

describeLab('a PAN-OS pair with steering', () => {
  let lab: FirewallPairLab | undefined;
  let site: PanosSite;
  beforeAll(async () => {
    lab = await startFirewallPairLab();
    const [a, b] = lab.description.roles.firewalls as [string, string];
    site = await PanosSite.start({ mode: 'active-active', devices: [{ name: a }, { name: b }] });
    await site.writeInventory();
    const devices = parse(
      panosInventoryOf(site.lab.served, {
        cluster: site.cluster,
        monitoring: '3s',
        password: 'env:HITLESS_TEST_PANOS_PASSWORD',
        panos: { failBack: true, backups: join(site.directory, 'backups') },
      }),
    ) as Clusters;
    const routers = parse(inventoryOf(lab.description)) as Clusters;
    const entry = { ...devices.clusters[site.cluster], steering: routers.clusters['fw-dc1']?.['routing'] };
    await writeFile(
      site.inventoryPath,
      stringify({ ...devices, hosts: routers.hosts, clusters: { [site.cluster]: entry } }),
      { mode: 0o644 },
    );
    await site.startWorker();
  }, 900_000);
  afterAll(async () => {
    await site?.close();
    await lab?.down();
  });

  it('moves traffic on the routers before each failover, loses nothing, and puts the routing back', async () => {
    const { prefixes, roles } = lab!.description;
    const carrier = async () => (await lab!.carrierSeenBy(roles.borders[0]!, prefixes.wan[0]!)).firewall;
    const [a, b] = roles.firewalls as [string, string];
    const before = await lab!.host('border').exec('vtysh -c "show running-config"');
    const preferred = await carrier();
    const traffic = await lab!.startTraffic({ sessions: 40, quietSessions: 5, udpPacketsPerSecond: 200 });
    await site.begin('10.2.9');
    for (const gate of ['start', 'fail-over']) await site.approve(gate);
    await site.asked('second');
    // The second device was the active-secondary, and serves the new release now.
    expect([await carrier(), ...site.states()]).toEqual([b, 'suspended', 'active-primary']);
    await site.approve('second');
    const { report, failure } = await site.ended();
    const { packets, sessions } = await traffic.stop();
    expect(failure?.message).toBeUndefined();
    expect(report?.ending).toBe('Completed');
    expect([await carrier(), ...site.states()]).toEqual([preferred, 'active-primary', 'active-secondary']);
    expect(await lab!.host('border').exec('vtysh -c "show running-config"')).toBe(before);
    expect({ lost: packets.lost, broken: sessions.faults, outages: site.lab.outages }).toEqual({
      lost: 0,
      broken: [],
      outages: [],
    });
    expect(preferred).toBe(a);
  });
});
