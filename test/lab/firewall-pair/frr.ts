import type { PairPlan, RouterPlan } from './plan';

export const fromMap = (firewall: string): string => `FROM-${firewall.toUpperCase()}`;
export const toMap = (firewall: string): string => `TO-${firewall.toUpperCase()}`;

/** What a border does with the routes of one firewall. */
export interface FirewallPolicy {
  firewall: string;
  localPreference: number;
  /** Extra copies of the border's own AS in front of what it announces to the firewall. */
  prepend: number;
}

/**
 * The total policy of one border for "`active` carries the traffic", both firewalls or its own one: never a half, and
 * never one that ends in a tie (facts/firewall-pair §0.1). One border: the active firewall gets local preference 110, the
 * other one prepended AS. Two borders: the first prepends once and never changes; the second alone carries the roles (§12).
 */
export function policyOf(plan: PairPlan, border: string, active: string): FirewallPolicy[] {
  const { firewalls, borders } = plan.options.names;
  if (borders.length === 1) {
    return firewalls.map((firewall) =>
      firewall === active
        ? { firewall, localPreference: 110, prepend: 0 }
        : { firewall, localPreference: 100, prepend: 1 },
    );
  }
  if (border === borders[0]) return [{ firewall: firewalls[0], localPreference: 100, prepend: 1 }];
  const carries = active === firewalls[1];
  return [{ firewall: firewalls[1], localPreference: carries ? 110 : 90, prepend: carries ? 0 : 2 }];
}

/** The route-maps of a policy, in the order and form in which FRR 8.4 shows them. */
export function renderPolicy(plan: PairPlan, policy: readonly FirewallPolicy[]): string {
  const as = String(plan.options.asNumbers.border);
  return policy
    .flatMap(({ firewall, localPreference, prepend }) => [
      `route-map ${fromMap(firewall)} permit 10`,
      ` set local-preference ${localPreference}`,
      'exit',
      '!',
      `route-map ${toMap(firewall)} permit 10`,
      ...(prepend > 0 ? [` set as-path prepend ${Array<string>(prepend).fill(as).join(' ')}`] : []),
      'exit',
      '!',
    ])
    .join('\n');
}

/**
 * What `vtysh -f` must be given to reach a policy from whatever is there: as `renderPolicy`, but naming what must be absent
 * too. Takes effect by a soft clear.
 */
export function renderPolicyChange(plan: PairPlan, border: string, active: string): string {
  const text = renderPolicy(plan, policyOf(plan, border, active));
  return text.replace(/^(route-map TO-\S+ permit 10)\nexit$/gm, '$1\n no set as-path prepend\nexit') + '\n';
}

/** /etc/frr/frr.conf of a router, in the form in which FRR 8.4 itself writes it. */
export function renderFrr(plan: PairPlan, router: RouterPlan, preferred: string): string {
  const { addressing, bfd } = plan.options;
  const lines = [
    'frr version 8.4.4',
    'frr defaults traditional',
    `hostname ${router.name}`,
    'log syslog informational',
  ];
  lines.push('no ipv6 forwarding');
  // On a border, so that an edited route-map is inert until the soft clear: FRR would apply it by itself after 5 s
  // (§0.5). On the others, because bgpd holds back its first connections for as long as this timer, plus one second.
  lines.push('bgp route-map delay-timer 0', 'service integrated-vtysh-config', '!');
  if (router.role === 'firewall') lines.push(`ip route ${addressing.natAddress}/32 Null0`, '!');
  lines.push(`router bgp ${router.asNumber}`, ` bgp router-id ${router.routerId}`, ' no bgp ebgp-requires-policy');
  for (const { host, address, asNumber } of router.neighbors) {
    lines.push(` neighbor ${address} remote-as ${asNumber}`, ` neighbor ${address} description ${host}`);
    if (bfd && asNumber !== router.asNumber) lines.push(` neighbor ${address} bfd 3 300 300`);
    // The firewalls connect, the routers answer: two that connect at once refuse each other for seconds.
    if (router.role !== 'firewall' && host !== firstOf(plan, router)) lines.push(` neighbor ${address} passive`);
    lines.push(` neighbor ${address} timers 3 9`, ` neighbor ${address} timers connect 1`);
  }
  lines.push(' !', ' address-family ipv4 unicast', ...addressFamily(plan, router), ' exit-address-family', 'exit', '!');
  if (router.role === 'edge') {
    wanPrefixes(plan).forEach((prefix, index) =>
      lines.push(`ip prefix-list WAN seq ${5 * (index + 1)} permit ${prefix}`),
    );
    lines.push('!', 'route-map TO-FIREWALLS permit 10', ' match ip address prefix-list WAN', 'exit', '!');
  }
  if (router.role === 'firewall') {
    addressing.serverPrefixes.forEach((prefix, index) =>
      lines.push(`ip prefix-list DC seq ${5 * (index + 1)} permit ${prefix}`),
    );
    // The address that stands in for clients concerns the border only.
    lines.push('!', 'route-map TO-EDGE permit 10', ' match ip address prefix-list DC', 'exit', '!');
  }
  if (router.role === 'border') lines.push(renderPolicy(plan, policyOf(plan, router.name, preferred)));
  return lines.join('\n') + '\n';
}

/** Of two edges or two borders the first one connects to the second. */
function firstOf(plan: PairPlan, router: RouterPlan): string | undefined {
  const { edges, borders } = plan.options.names;
  return [edges, borders].find((pair) => pair[0] === router.name)?.[1];
}

/** What the firewalls, and through them the borders, learn from the edges. */
export function wanPrefixes({ options }: PairPlan): string[] {
  return ['0.0.0.0/0', ...(options.wanRoutes === 'default' ? [] : options.addressing.clientPrefixes)];
}

function addressFamily(plan: PairPlan, router: RouterPlan): string[] {
  const { names, addressing } = plan.options;
  const networks: string[] = [];
  if (router.role === 'firewall') networks.push(`${addressing.natAddress}/32`);
  if (router.name === names.borders[0]) networks.push(...addressing.serverPrefixes);
  if (router.name === names.edges[0]) networks.push(...addressing.clientPrefixes);
  const lines = networks.map((prefix) => `  network ${prefix}`);
  for (const { address, asNumber, host } of router.neighbors) {
    if (asNumber === router.asNumber) {
      lines.push(`  neighbor ${address} addpath-tx-all-paths`, `  neighbor ${address} next-hop-self`);
    } else if (router.role === 'edge') {
      lines.push(`  neighbor ${address} default-originate`, `  neighbor ${address} route-map TO-FIREWALLS out`);
    } else if (router.role === 'firewall') {
      if (names.edges.includes(host)) lines.push(`  neighbor ${address} route-map TO-EDGE out`);
    } else {
      lines.push(`  neighbor ${address} route-map ${fromMap(host)} in`);
      lines.push(`  neighbor ${address} route-map ${toMap(host)} out`);
    }
  }
  return lines;
}
