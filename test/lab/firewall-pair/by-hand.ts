import { waitFor } from '../host/command';
import type { FirewallPairLab } from './start';

/**
 * What an engineer would type, without the product: tests use it to show that the lab can be steered without loss, and what goes
 * wrong when a step is left out.
 */

/** Copies the sessions of the firewall that carries the traffic to the other one (facts/firewall-pair §0.2, §0.3). */
export async function reseed(lab: FirewallPairLab, from: string): Promise<void> {
  // -R takes over from the kernel what the daemon didn't see change state; -B sends it all.
  await lab.host(from).exec('conntrackd -R && conntrackd -B');
  const { firewalls } = lab.description.roles;
  const to = firewalls.find((name) => name !== from)!;
  await waitFor(`${to} to hold the sessions of ${from}`, async () => {
    const [here, there] = await Promise.all([establishedFlows(lab, from), establishedFlows(lab, to)]);
    const missing = [...here].filter((flow) => !there.has(flow));
    if (missing.length > 0) throw new Error(`${missing.length} of ${here.size} are missing, as ${missing[0]}`);
    return true;
  });
}

/** TCP sessions in a firewall's kernel that pass through it (BGP and SSH have an end at the firewall itself). */
export async function establishedFlows(lab: FirewallPairLab, firewall: string): Promise<Set<string>> {
  const text = await lab.host(firewall).exec('conntrack -L -p tcp --state ESTABLISHED 2>/dev/null');
  const server = `dst=${lab.description.service.address} `;
  const flows = text.split('\n').filter((line) => line.includes(server));
  return new Set(flows.map((line) => /src=\S+ dst=\S+ sport=\d+ dport=\d+/.exec(line)![0]));
}

/** Writes the total policy for "`to` carries the traffic" to every border, makes it effective, and waits until both sides follow. */
export async function moveTraffic(lab: FirewallPairLab, to: string): Promise<void> {
  const { borders, edges } = lab.description.roles;
  const { wan, dc } = lab.description.prefixes;
  for (const border of borders) {
    const command = "cat > /run/flip && vtysh -f /run/flip && vtysh -c 'clear bgp ipv4 unicast * soft'";
    await lab.host(border).exec(command, { input: lab.policyFile(border, to) });
  }
  const look = [
    ...borders.map((router) => ({ router, prefix: wan[0]! })),
    ...edges.map((router) => ({ router, prefix: dc[0]! })),
  ];
  for (const { router, prefix } of look) {
    await waitFor(`${router} to send ${prefix} through ${to}`, async () => {
      const { firewall, escape } = await lab.carrierSeenBy(router, prefix);
      return firewall === to && escape;
    });
  }
}

/** After a move: the new one tells what it carries, and the old one forgets that it ever did (§12). */
export async function settleAfterMove(lab: FirewallPairLab, from: string, to: string): Promise<void> {
  await reseed(lab, to);
  await lab.host(from).exec('conntrackd -f internal');
}

/** Installs a release with the traffic on the other firewall, and reboots. */
export async function installRelease(lab: FirewallPairLab, firewall: string, release: '1.0' | '2.0'): Promise<void> {
  const host = lab.host(firewall);
  const install = `apt-get install -y -q --allow-downgrades -o Dpkg::Options::=--force-confold`;
  await host.exec('apt-get update -q');
  await host.exec(`DEBIAN_FRONTEND=noninteractive ${install} ${lab.repo.installArguments(release).join(' ')}`);
  await host.reboot();
  await lab.waitRouting();
}
