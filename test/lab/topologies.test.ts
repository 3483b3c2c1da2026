import { describeLab, progress } from './describe-lab';
import { moveTraffic, reseed, startFirewallPairLab, type FirewallPairOptions } from './index';

jest.setTimeout(240_000);

const forms: [string, FirewallPairOptions][] = [
  [
    'two edges and two borders with iBGP',
    { names: { edges: ['edge1', 'edge2'], firewalls: ['fw1', 'fw2'], borders: ['leaf1', 'leaf2'] } },
  ],
  [
    'other names, addresses, AS numbers and prefixes, BFD, the second firewall preferred, the cache committed by hand',
    {
      names: {
        client: 'office',
        server: 'shop',
        edges: ['wan-router'],
        firewalls: ['castle', 'moat'],
        borders: ['spine'],
      },
      asNumbers: { edge: 64512, firewalls: 4200000001, border: 64513 },
      addressing: {
        clientPrefixes: ['192.168.7.0/24', '192.168.8.0/25'],
        serverPrefixes: ['172.20.0.0/22', '172.21.0.0/24', '172.22.4.0/24'],
        natAddress: '100.64.9.9',
        linkBlock: '10.99.1.0',
      },
      wanRoutes: 'default-and-clients',
      preferred: 1,
      bfd: true,
      stateSync: 'external-cache',
    },
  ],
];

describeLab.each(forms)('the lab with %s', (_, options) => {
  test('converges on the preferred firewall, passes traffic, and can be moved to the other one', async () => {
    const lab = await startFirewallPairLab(options, progress);
    try {
      const { preferred, other, edges, borders, client } = lab.description.roles;
      const { wan, dc } = lab.description.prefixes;
      const seen = async (): Promise<(string | undefined)[]> => {
        const look = [
          ...borders.flatMap((name) => wan.map((prefix) => [name, prefix] as const)),
          ...edges.flatMap((name) => dc.map((prefix) => [name, prefix] as const)),
        ];
        return Promise.all(look.map(async ([router, prefix]) => (await lab.carrierSeenBy(router, prefix)).firewall));
      };
      expect(new Set(await seen())).toEqual(new Set([preferred]));
      const traffic = await lab.startTraffic({ sessions: 20, quietSessions: 0, udpPacketsPerSecond: 100 });
      if (options.stateSync !== 'external-cache') await reseed(lab, preferred);
      else await lab.host(other).exec('conntrackd -c');
      await moveTraffic(lab, other);
      expect(new Set(await seen())).toEqual(new Set([other]));
      const report = await traffic.stop();
      expect(report.sessions).toMatchObject({ opened: 20, broken: 0 });
      // Every server prefix is reached, not only the first.
      for (const prefix of dc) {
        const target = prefix.replace(/0\/\d+$/, '10');
        const ping = await lab.host(client).tryExec(`ping -q -c 1 -W 2 ${target}`);
        expect(ping.stdout).toContain('1 received');
      }
    } finally {
      await lab.down();
    }
  });
});
