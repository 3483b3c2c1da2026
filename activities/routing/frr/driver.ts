/**
 * FRR as border and edge router. FRR has no commit-confirm: edited route-maps stay without effect (delay-timer 0) until a
 * soft clear, so that the edit can be read back in between; the clear is what is atomic (facts/firewall-pair §4).
 */
import { transient, type Host } from '../../kit';
import type {
  Change,
  ConfigReading,
  DestinationReading,
  Path,
  RouterDriver,
  RouterReading,
  SessionReading,
} from '../driver';
import type { Family, RouterSpec } from '../spec';
import {
  blankSecrets,
  canonical,
  configFaults,
  diffOf,
  entriesOf,
  foreignLines,
  intendedText,
  ownedOf,
  ownedText,
  reliedLines,
  restLines,
  sameOwned,
  sha256,
  stanzas,
  type ConfigScope,
  type Owned,
} from './config';
import { forwardingOf, neighborOf, prefixDocument, prependsOf, summaryDocument, type PrefixDocument } from './json';
import { commandsFor, configure, jsonFamily, runningConfig, save, Vtysh, vtyshArgv } from './vtysh';

/** Longer than this it isn't kept in the plan, only its digest. */
const RELIED_LIMIT_CHARS = 6_000;
const SAVED_CONFIG = '/etc/frr/frr.conf';

interface Neighbor {
  readonly family: Family;
  readonly node: string;
  readonly address: string;
}

const familiesOf = (spec: RouterSpec) =>
  Object.entries(spec.families) as [Family, NonNullable<RouterSpec['families'][Family]>][];

const neighborsOf = (spec: RouterSpec): Neighbor[] =>
  familiesOf(spec).flatMap(([family, { paths }]) =>
    Object.entries(paths).flatMap(([node, { neighbor }]) =>
      neighbor === undefined ? [] : [{ family, node, address: canonical(neighbor) }],
    ),
  );

/** The node that a path leads through, by the neighbor that it was learnt from, else by its next hop. */
export function nodeOfPath(
  spec: RouterSpec,
  family: Family,
  path: PrefixDocument['paths'][number],
): string | undefined {
  const from = [path.peer.peerId, path.peer.interface];
  const hops = path.nexthops.map((h) => h.ip);
  return Object.entries(spec.families[family]?.paths ?? {}).find(
    ([, { neighbor, nextHops }]) =>
      (neighbor !== undefined && from.includes(canonical(neighbor))) ||
      nextHops.some((hop) => hops.includes(canonical(hop))),
  )?.[0];
}

export function frr(name: string, spec: RouterSpec, host: Host): RouterDriver {
  const vtysh = new Vtysh(host, spec.access);
  const command = commandsFor(spec.vrf);
  const neighbors = neighborsOf(spec);
  const { policy } = spec;
  const owned: Owned[] = policy === undefined ? [] : ownedOf(policy);
  const scope: ConfigScope = {
    neighbors: neighbors.map((n) => n.address),
    owned,
    ...(spec.vrf === undefined ? {} : { vrf: spec.vrf }),
  };
  /** Neighbors whose route-maps are owned: theirs alone are made to take effect, nobody else's pending edits. */
  const steered = neighbors.filter((n) => policy?.routeMaps[n.node] !== undefined);
  const reads = readCommands(spec, neighbors, steered);

  const read = async (): Promise<RouterReading> => {
    const documents = await vtysh.show(reads);
    return readingOf(name, spec, neighbors, steered, new Map(reads.map((c, i) => [c, documents[i]])));
  };

  const config = async (): Promise<ConfigReading> => {
    // Running configurations hold passwords: neither shown nor kept.
    const text = await vtysh.run([runningConfig], { quiet: true });
    const relied = reliedLines(text, scope);
    const reading = {
      owned: ownedText(text, owned),
      restSha256: sha256(restLines(text, owned)),
      reliedSha256: sha256(relied),
      ...(relied.join('\n').length > RELIED_LIMIT_CHARS ? {} : { relied: relied.map(blankSecrets) }),
      faults: policy === undefined ? [] : configFaults(text, name, policy, scope),
    };
    const unsaved = await differsFromSaved(host, spec, owned, reading.owned);
    return { ...reading, ...(unsaved === undefined ? {} : { unsaved }) };
  };

  const clears = (direction: 'in' | 'out'): string[] => [
    ...new Set(steered.map((n) => command.soften(n.family, n.address, direction))),
  ];
  /** The invocations that make an edited policy take effect. */
  const softening = (): string[][] =>
    policy?.inboundAfterMs === 0 ? [[...clears('out'), ...clears('in')]] : [clears('out'), clears('in')];
  const load = (text: string): string[] => configure(stanzas(owned, text));

  const plan: RouterDriver['plan'] = (target, now): Change => {
    const intended = policy === undefined ? now.owned : intendedText(policy, target, now.owned);
    const invocations = [load(intended), [runningConfig], ...softening()];
    return {
      owned: intended,
      diff: diffOf(now.owned, intended),
      commands: invocations.map((i) => [...vtyshArgv([]), ...i.map((c) => `-c '${c}'`)].join(' ')),
    };
  };

  const runningOwned = async (): Promise<string> => ownedText(await vtysh.run([runningConfig], { quiet: true }), owned);

  const shift: RouterDriver['shift'] = async (change) => {
    const before = await runningOwned();
    if (!sameOwned(before, change.owned)) {
      const said = await vtysh.run(load(change.owned));
      const after = await runningOwned();
      if (!sameOwned(after, change.owned)) {
        await vtysh.run(load(before));
        throw transient(
          'VerifyFailed',
          `${name}: FRR did not take the policy as it was sent; it said ${JSON.stringify(said.trim().slice(0, 300))}. The difference was: ${diffOf(after, change.owned)}. What was there before was put back, and nothing took effect.`,
          { router: name },
        );
      }
    }
    await takeEffect();
  };

  /**
   * Between the two ways out and in lies the window in which new connections stall. Measured on FRR 8.4.4 (n = 10, on a
   * busy machine): both in one invocation, inbound routes asked for again, 22–53 ms; with soft-reconfiguration inbound the
   * own choice needs no asking and comes 96–164 ms early, which a delay takes away (11 ms in quiet, ± 150 under load).
   * Both commands are sent at once, and the host does the waiting: a worker that is lost leaves no half.
   */
  const takeEffect = async (): Promise<void> => {
    const [first = [], second] = softening();
    const wait = ['/bin/sh', '-c', `sleep ${((policy?.inboundAfterMs ?? 0) / 1_000).toFixed(3)}; exec "$@"`, 'sh'];
    await Promise.all([vtysh.run(first), ...(second === undefined ? [] : [vtysh.run(second, { via: wait })])]);
  };

  return {
    platform: 'frr',
    read,
    config,
    plan,
    foreign: (now, known) => foreignLines(owned, now, known),
    inEffect: (reading, text) => policy !== undefined && inEffect(reading, text, owned),
    shift,
    confirm: async () => undefined,
    restore: (before) => shift({ owned: before.owned, diff: '', commands: [] }, { revertAfterMs: 0 }),
    persist: async () => {
      const said = await vtysh.run([save]);
      if (!/saved to|\[OK\]/i.test(said))
        throw transient('VerifyFailed', `${name}: the configuration was not saved: ${said.trim().slice(0, 300)}`, {
          router: name,
        });
      if ((await config()).unsaved === true)
        throw transient('VerifyFailed', `${name}: FRR says that it saved, but ${SAVED_CONFIG} holds another policy`, {
          router: name,
        });
    },
    persistCommands: [`${vtyshArgv([]).join(' ')} -c '${save}'`],
    sudo: (original) => {
      if (spec.access === 'group') return [];
      const readOnly = [vtyshArgv(reads), vtyshArgv([runningConfig])];
      if (policy === undefined) return readOnly;
      const blank = owned.map((o) => `route-map ${o.name} permit ${o.sequence}\nexit\n`).join('');
      const targets = [
        ...Object.keys(spec.families['ipv4 unicast']?.paths ?? spec.families['ipv6 unicast']?.paths ?? {}).map((node) =>
          intendedText(policy, { kind: 'prefer', node }, blank),
        ),
        ...(policy.equal === undefined ? [] : [intendedText(policy, { kind: 'equal' }, blank)]),
        ...(original === undefined ? [] : [original]),
      ];
      return [
        ...readOnly,
        ...targets.map((text) => vtyshArgv(load(text))),
        ...softening().map(vtyshArgv),
        vtyshArgv([save]),
        ['/usr/bin/cat', SAVED_CONFIG],
      ];
    },
  };
}

function readCommands(spec: RouterSpec, neighbors: readonly Neighbor[], steered: readonly Neighbor[]): string[] {
  const command = commandsFor(spec.vrf);
  return [
    ...new Set([
      ...familiesOf(spec).flatMap(([family, { destinations }]) => [
        command.summary(family),
        ...destinations.flatMap((p) => [command.prefix(family, p), command.route(family, p)]),
      ]),
      ...neighbors.map((n) => command.neighbor(n.address)),
      ...steered.map((n) => command.advertised(n.family, n.address)),
    ]),
  ];
}

function readingOf(
  name: string,
  spec: RouterSpec,
  neighbors: readonly Neighbor[],
  steered: readonly Neighbor[],
  documents: ReadonlyMap<string, unknown>,
): RouterReading {
  const command = commandsFor(spec.vrf);
  const destinations = familiesOf(spec).flatMap(([family, section]) =>
    section.destinations.map((prefix): DestinationReading => {
      const { paths } = prefixDocument.parse(documents.get(command.prefix(family, prefix)));
      const forwarding = forwardingOf(documents.get(command.route(family, prefix)));
      return { family, prefix, paths: paths.map((p) => pathOf(spec, family, p)), forwarding };
    }),
  );
  const sessions = neighbors.map((n): SessionReading => {
    const peer = summaryDocument.parse(documents.get(command.summary(n.family))).peers[n.address];
    const info = neighborOf(documents.get(command.neighbor(n.address)), n.address);
    const family = info?.addressFamilyInfo[jsonFamily(n.family)];
    const endOfRib = info?.gracefulRestartInfo?.endOfRibRecv?.[jsonFamily(n.family)];
    return {
      family: n.family,
      node: n.node,
      neighbor: n.address,
      state: info?.adminShutDown === true ? 'Idle (shut down by configuration)' : (peer?.state ?? 'missing'),
      prefixesReceived: peer?.pfxRcd ?? 0,
      prefixesSent: peer?.pfxSnt ?? 0,
      ...(endOfRib === undefined ? {} : { endOfRib }),
      keepsRoutesOnRestart: info?.gracefulRestartInfo?.remoteGrMode?.startsWith('Restart') ?? false,
      ...(family?.routeMapForIncomingAdvertisements === undefined
        ? {}
        : { routeMapIn: family.routeMapForIncomingAdvertisements }),
      ...(family?.routeMapForOutgoingAdvertisements === undefined
        ? {}
        : { routeMapOut: family.routeMapForOutgoingAdvertisements }),
      keepsReceivedRoutes: family?.inboundSoftConfigPermit ?? false,
    };
  });
  const prepends: Record<string, number[]> = {};
  for (const n of steered)
    (prepends[n.node] ??= []).push(
      ...prependsOf(documents.get(command.advertised(n.family, n.address)), spec.policy?.localAs ?? 0),
    );
  return { router: name, side: spec.side, destinations, sessions, prepends };
}

function pathOf(spec: RouterSpec, family: Family, path: PrefixDocument['paths'][number]): Path {
  const node = nodeOfPath(spec, family, path);
  return {
    ...(node === undefined ? {} : { node }),
    from: path.peer.peerId,
    nextHops: path.nexthops.flatMap((h) => h.ip ?? []),
    valid: path.valid && path.nexthops.every((h) => h.accessible),
    used: path.bestpath.overall || path.multipath,
    ...(path.locPrf === undefined ? {} : { localPreference: path.locPrf }),
    asPathLength: path.aspath.length,
  };
}

/** The values that the owned entries set for a node, as they would show in its routes and announcements. */
function inEffect(reading: RouterReading, text: string, owned: readonly Owned[]): boolean {
  const entries = entriesOf(text);
  const valuesOf = (node: string, direction: 'in' | 'out'): (number | undefined)[] =>
    owned
      .filter((o) => o.node === node && o.direction === direction)
      .map((o) => entries.find((e) => e.name === o.name && e.sequence === o.sequence))
      .map((entry) => {
        const lines = entry?.lines ?? [];
        if (direction === 'in') {
          const value = lines.flatMap((l) => /^set local-preference (\d+)$/.exec(l)?.[1] ?? [])[0];
          return value === undefined ? undefined : Number(value);
        }
        return (
          lines
            .flatMap((l) => /^set as-path prepend (\d[\d ]*)$/.exec(l)?.[1] ?? [])[0]
            ?.trim()
            .split(/\s+/).length ?? 0
        );
      });
  return [...new Set(owned.map((o) => o.node))].every((node) => {
    const preferences = valuesOf(node, 'in');
    const prepends = valuesOf(node, 'out');
    const paths = reading.destinations.flatMap((d) => d.paths.filter((p) => p.node === node));
    return (
      paths.every((p) => preferences.includes(p.localPreference)) &&
      (reading.prepends[node] ?? []).every((count) => prepends.includes(count))
    );
  });
}

/**
 * Whether the saved policy is another than the running one; undefined where it can't be told: a login without root can't read
 * the file, and configurations in one file per daemon are elsewhere.
 */
async function differsFromSaved(
  host: Host,
  spec: RouterSpec,
  owned: readonly Owned[],
  running: string,
): Promise<boolean | undefined> {
  if (spec.policy === undefined || spec.access === 'group') return undefined;
  const { code, stdout } = await host.exec(['/usr/bin/cat', SAVED_CONFIG], { sudo: true, okCodes: 'any', quiet: true });
  const saved = ownedText(stdout, owned);
  return code !== 0 || saved === '' ? undefined : !sameOwned(saved, running);
}
