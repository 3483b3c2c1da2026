/** FRR as border router of IPv4 and IPv6, on booted hosts over SSH, as a user with sudo. */
import { startFirewallPairLab, type FirewallPairLab } from '../../lab';
import { describeLab, progress } from '../../lab/describe-lab';
import { addIpv6, dualStackRouting } from './dual-stack';
import { benchOf, type Bench } from './support';
import { checkRouterDriver } from './kit';

jest.setTimeout(240_000); // a cold start builds the image

describeLab('FRR on the lab', () => {
  let lab: FirewallPairLab;
  let bench: Bench;

  beforeAll(async () => {
    lab = await startFirewallPairLab({}, progress);
    await addIpv6(lab);
    bench = await benchOf(lab.description, dualStackRouting(lab.description));
  });

  afterAll(async () => {
    bench?.close();
    await lab?.down();
  });

  const vtysh = (host: string, ...lines: string[]): Promise<string> =>
    lab.host(host).exec(`vtysh ${['configure terminal', ...lines, 'end'].map((l) => `-c '${l}'`).join(' ')}`);

  checkRouterDriver('frr', () => ({
    bench,
    router: 'border',
    serving: 'fw1',
    other: 'fw2',
    half: async ({ commands }) => {
      const lines = [...commands[0]!.matchAll(/-c '([^']*)'/g)].map((m) => m[1]!);
      await vtysh('border', ...lines.slice(1, lines.indexOf('exit') + 1));
    },
    meddle: async (where) => {
      switch (where) {
        case 'owned-value':
          await vtysh('border', 'route-map FROM-FW2 permit 10', 'set local-preference 77');
          return async () => void (await vtysh('border', 'route-map FROM-FW2 permit 10', 'set local-preference 100'));
        case 'owned-entry':
          await vtysh('border', 'route-map FROM-FW2 permit 10', 'set metric 5');
          return async () => void (await vtysh('border', 'route-map FROM-FW2 permit 10', 'no set metric'));
        case 'elsewhere':
          await vtysh(
            'border',
            'route-map FROM-FW2 deny 20',
            'set metric 5',
            'exit',
            'ip prefix-list OTHERS permit 192.0.2.0/24',
          );
          return async () => void (await vtysh('border', 'no route-map FROM-FW2 deny 20', 'no ip prefix-list OTHERS'));
      }
    },
  }));
});
