/** What can be different from one firewall-pair lab to the next. Everything has a default. */
export interface FirewallPairOptions {
  /** Host names. Two edges and two borders make the six-device form (facts/firewall-pair §1, §12). */
  names?: Partial<FirewallPairNames>;
  asNumbers?: Partial<{ edge: number; firewalls: number; border: number }>;
  addressing?: Partial<Addressing>;
  /** What the edges announce to the firewalls. Default: a default route alone, as in facts/firewall-pair §1. */
  wanRoutes?: 'default' | 'default-and-clients';
  /** Which firewall carries the traffic at first: 0 or 1. */
  preferred?: 0 | 1;
  /** BFD on the firewalls' BGP sessions, 300 ms × 3. Default: off. */
  bfd?: boolean;
  /**
   * How a firewall holds the other's sessions: straight in its kernel (`DisableExternalCache on`), or in conntrackd's
   * cache until it is committed. Default: direct.
   */
  stateSync?: 'direct' | 'external-cache';
  conntrack?: Partial<ConntrackOptions>;
  /** Text of /etc/sudoers.d/hitless on every host. Default: everything, without a password. */
  sudoers?: string;
}

export interface FirewallPairNames {
  client: string;
  server: string;
  edges: readonly string[];
  firewalls: readonly [string, string];
  borders: readonly string[];
}

export interface Addressing {
  /** Networks of the client, in front of the firewalls. The client has the tenth address of each. */
  clientPrefixes: readonly string[];
  /** Networks of the server, behind the firewalls: what the border announces. The server has the tenth address of each. */
  serverPrefixes: readonly string[];
  /** Address that both firewalls put in place of the client's, for half of the ports; both announce it to the border. */
  natAddress: string;
  /** Links between routers are numbered from here, four addresses each. */
  linkBlock: string;
  /** Router IDs are numbered from here. */
  routerIdBlock: string;
}

/** Timeouts are short so that a standby that isn't reseeded loses sessions while somebody watches. */
export interface ConntrackOptions {
  /** A session that stays quiet longer than this is lost even without an upgrade. */
  tcpEstablishedSeconds: number;
  udpSeconds: number;
  udpStreamSeconds: number;
  /** nf_conntrack_tcp_be_liberal: take segments out of window, which the asymmetric window of a shift brings. */
  tcpBeLiberal: boolean;
}

export type ResolvedOptions = {
  names: FirewallPairNames;
  asNumbers: { edge: number; firewalls: number; border: number };
  addressing: Addressing;
  wanRoutes: 'default' | 'default-and-clients';
  preferred: 0 | 1;
  bfd: boolean;
  stateSync: 'direct' | 'external-cache';
  conntrack: ConntrackOptions;
  sudoers?: string;
};

/**
 * Ports of the server. UDP and TCP are echoed; several UDP ports, for each has a socket buffer of its own. The
 * firewalls translate the addresses of what goes to the `nat` ports, and let nothing through to `refused`.
 */
export const ports = {
  echo: { direct: [7000, 7001, 7002, 7003, 7004], nat: [7100, 7101, 7102, 7103, 7104] },
  http: { direct: 8080, nat: 8081 },
  /** The server listens here, the firewalls refuse it: a firewall that lets everything through shows here. */
  refused: 7999,
} as const;

/** @throws Error naming what can't be built. */
export function resolveOptions(options: FirewallPairOptions): ResolvedOptions {
  const names: FirewallPairNames = {
    client: 'client',
    server: 'server',
    edges: ['edge'],
    firewalls: ['fw1', 'fw2'],
    borders: ['border'],
    ...options.names,
  };
  const all = [names.client, ...names.edges, ...names.firewalls, ...names.borders, names.server];
  const faults: string[] = [];
  for (const name of all) {
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) faults.push(`"${name}" isn't a host name`);
  }
  if (new Set(all).size !== all.length) faults.push(`host names must differ: ${all.join(', ')}`);
  if (names.edges.length !== names.borders.length || ![1, 2].includes(names.edges.length)) {
    faults.push('there must be one edge and one border, or two of each');
  }
  if (faults.length > 0) throw new Error(`the firewall pair can't be built: ${faults.join('; ')}`);
  return {
    names,
    asNumbers: { edge: 65000, firewalls: 65100, border: 65200, ...options.asNumbers },
    addressing: {
      clientPrefixes: ['10.10.0.0/24'],
      serverPrefixes: ['10.20.0.0/24'],
      natAddress: '10.30.0.1',
      linkBlock: '172.31.0.0',
      routerIdBlock: '10.255.0.0',
      ...options.addressing,
    },
    wanRoutes: options.wanRoutes ?? 'default',
    preferred: options.preferred ?? 0,
    bfd: options.bfd ?? false,
    stateSync: options.stateSync ?? 'direct',
    conntrack: {
      tcpEstablishedSeconds: 100,
      udpSeconds: 30,
      udpStreamSeconds: 60,
      tcpBeLiberal: true,
      ...options.conntrack,
    },
    ...(options.sudoers === undefined ? {} : { sudoers: options.sudoers }),
  };
}
