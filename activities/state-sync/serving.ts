/**
 * Tells by the nodes' own forwarding counters which of two serves. Copying state the wrong way would put old state over
 * the state of the node that serves, and make a standby answerable for flows that aren't its own (facts §12): so every
 * reseed looks here first, on every attempt.
 */
import { transient, type Host, type StepContext } from '../kit';

/** Packets forwarded since boot, both families: IpForwDatagrams and Ip6OutForwDatagrams (RFC 4293) of the host's namespace. */
export function readForwarded(procNetSnmp: string): number | undefined {
  const [names, values] = procNetSnmp.split('\n').filter((line) => line.startsWith('Ip: '));
  const column = names?.split(' ').indexOf('ForwDatagrams') ?? -1;
  const ipv4 = Number(values?.split(' ')[column]);
  if (column < 0 || !Number.isFinite(ipv4)) return undefined;
  // Absent where IPv6 is switched off.
  return ipv4 + Number(/^Ip6OutForwDatagrams\s+(\d+)$/m.exec(procNetSnmp)?.[1] ?? 0);
}

export async function forwarded(host: Host): Promise<number> {
  const { stdout } = await host.exec(['cat', '/proc/net/snmp', '/proc/net/snmp6'], { okCodes: 'any', quiet: true });
  const count = readForwarded(stdout);
  if (count === undefined) throw transient('VerifyFailed', `${host.name} doesn’t tell how many packets it forwarded`);
  return count;
}

export interface ServingGuard {
  readonly sampleMs: number;
  readonly idlePackets: number;
}

/** Undefined if `from` serves and `to` doesn't, or if nothing moves at all (`quiet`); else why copying would be wrong. */
export function servingFault(
  packets: { readonly from: number; readonly to: number },
  names: { readonly from: string; readonly to: string },
  { sampleMs, idlePackets }: ServingGuard,
): string | undefined {
  const counted = `${names.from} forwarded ${packets.from} packets in ${sampleMs} ms, ${names.to} ${packets.to}`;
  if (packets.to > idlePackets)
    return packets.from > idlePackets
      ? `both nodes forward: ${counted}`
      : `${names.to} is the node that serves: ${counted}`;
  return packets.to > packets.from ? `${names.from} doesn’t seem to serve: ${counted}` : undefined;
}

/** So many times the guard looks before it refuses: the last packets of a shift may still be passing. */
const GUARD_SAMPLES = 5;

export interface Served {
  /** Packets that each node forwarded while it was watched. */
  readonly from: number;
  readonly to: number;
}

/**
 * @throws GuardRefused (transient) if `to` serves, or both do. Where no packet passes at all it can't be told, and
 * nothing can be harmed that a later packet wouldn't show: that passes.
 */
export async function assertServing(
  context: Pick<StepContext, 'pause' | 'progress'>,
  from: Host,
  to: Host,
  guard: ServingGuard,
  samples: number = GUARD_SAMPLES,
): Promise<Served> {
  let fault = '';
  for (let sample = 0; sample < samples; sample += 1) {
    const before = await both(from, to);
    await context.pause(guard.sampleMs);
    const after = await both(from, to);
    const packets = { from: after.from - before.from, to: after.to - before.to };
    const refused = servingFault(packets, { from: from.name, to: to.name }, guard);
    if (refused === undefined) return packets;
    fault = refused;
    context.progress(`not copying session state yet: ${fault}`);
  }
  throw transient(
    'GuardRefused',
    `session state was not copied from ${from.name} to ${to.name}: ${fault}. Nothing was changed; find out which node serves`,
  );
}

const both = async (from: Host, to: Host): Promise<Served> => {
  const [a, b] = await Promise.all([forwarded(from), forwarded(to)]);
  return { from: a, to: b };
};

/** @throws GuardRefused (transient) if the node forwards: it serves, and what is about to be done is for nodes that don't. */
export async function assertIdle(
  context: Pick<StepContext, 'pause'>,
  node: Host,
  guard: ServingGuard,
  what: string,
): Promise<void> {
  const before = await forwarded(node);
  await context.pause(guard.sampleMs);
  const packets = (await forwarded(node)) - before;
  if (packets > guard.idlePackets)
    throw transient(
      'GuardRefused',
      `${what} was not done: ${node.name} serves already, it forwarded ${packets} packets in ${guard.sampleMs} ms. Nothing was changed`,
    );
}
