/**
 * The part of a plan that is read from the devices at the start: who they are, who serves, the releases, the path. Source:
 * facts/pan-os.md, section 4.1 (steps 0, 1) and 4.2 (a).
 */
import type { Fault, StepContext } from '../kit';
import { survey, type RoutingPlan, type RoutingSpec } from '../routing';
import { certain, faultsOf, notReady, type Found } from '../readiness/registry';
import { isServing, readHa, type HaMode, type HaReading } from './ha';
import { checkImages, readImages, type Image } from './images';
import {
  nodeNames,
  otherThan,
  type DeviceFound,
  type PanosPlan,
  type PanosServices,
  type PanosStatic,
  type StaticContext,
} from './plan';
import { pathBetween, type Hop } from './releases';
import { readSystem, type SystemInfo } from './system';

/** What one device says of itself. */
export interface Identity {
  readonly node: string;
  readonly system: SystemInfo;
  readonly ha: HaReading | undefined;
  readonly images: readonly Image[];
}

async function identify(context: StaticContext, services: PanosServices, node: string): Promise<Identity> {
  const device = services.device(context, node);
  const [system, ha] = [await readSystem(device), await readHa(device)];
  const { images: files, download } = context.plan.panos;
  // What can't ask the update server knows what it has; the rest is in files, or comes from the other one.
  const asks = files === undefined && context.plan.version !== '' && (download === 'each' || leads(ha));
  const images = asks ? await checkImages(device) : await readImages(device);
  return { node, system, ha, images };
}

/**
 * Reads both devices and freezes what they are.
 * @throws NotReady (permanent) with every fault; transient if a device merely didn’t answer
 */
export const completePlan =
  (services: PanosServices) =>
  async <Static extends PanosStatic>(context: StaticContext): Promise<Static & PanosPlan> => {
    const plan = context.plan as Static;
    const names = nodeNames(plan);
    const results = await Promise.allSettled(names.map((node) => identify(context, services, node)));
    context.signal.throwIfAborted();
    const isOne = results.some((r) => r.status === 'fulfilled');
    const unread = results.flatMap((r, i) =>
      r.status === 'rejected' ? faultsOf(r.reason, names[i] ?? '').map((found) => withAdvice(found, isOne)) : [],
    );
    const identities = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
    const faults = unread.length > 0 ? [] : pairFaults(plan, identities);
    const from = identities[0]?.system.version ?? '';
    const path = faults.length + unread.length > 0 ? { faults: [] } : hopsOf(plan, from, identities);
    const steering = await surveyed(plan, context, identities[0]?.ha?.mode);
    if ('faults' in path || 'faults' in steering)
      throw notReady([
        ...unread,
        ...('faults' in steering ? steering.faults : []),
        ...[...faults, ...('faults' in path ? path.faults : []).map((what) => ({ where: plan.cluster, what }))].map(
          certain,
        ),
      ]);
    const active = identities.find(({ ha }) => leads(ha))?.node ?? '';
    return {
      ...plan,
      ...steering,
      mode: identities[0]?.ha?.mode ?? 'active-passive',
      roles: { active, passive: otherThan(plan, active) },
      releases: { from, to: plan.version === '' ? from : plan.version },
      hops: path.hops,
      found: Object.fromEntries(identities.map((identity) => [identity.node, foundOf(identity)])),
    };
  };

const leads = (ha: HaReading | undefined): boolean => ha?.state === 'active' || ha?.state === 'active-primary';

/** Routing as it is, where traffic is steered on routers, too. */
async function surveyed(
  plan: PanosStatic,
  context: StaticContext,
  mode: HaMode | undefined,
): Promise<Pick<PanosPlan, 'routing' | 'routed'> | { readonly faults: readonly Found[] }> {
  const { routing } = plan;
  if (routing === undefined) return {};
  const wrong = steeringFault(routing, mode);
  if (wrong !== undefined) return { faults: [certain({ where: 'steering', what: wrong })] };
  try {
    const { serving, original } = await survey(context as StepContext<PanosStatic & RoutingPlan>);
    return { routing: { ...routing, original }, routed: serving };
  } catch (error) {
    context.signal.throwIfAborted();
    return { faults: faultsOf(error, 'steering') };
  }
}

/** Pure. */
export function steeringFault(
  { steering }: Pick<RoutingSpec, 'steering'>,
  mode: HaMode | undefined,
): string | undefined {
  if (steering.method !== 'bgp-policy')
    return `the method ${steering.method} logs in to the nodes, which are devices: use bgp-policy`;
  if (mode === 'active-passive')
    return 'of an active/passive pair only the active device has BGP sessions: there is nothing to steer; leave `steering` out';
  return undefined;
}

/** What a person can do where a device has no way out: one of the two, or neither. */
function withAdvice(found: Found, isOne: boolean): Found {
  if (!/Failed to check upgrade info/i.test(found.what)) return found;
  const images = 'name the image files in the inventory, under panos.images';
  return {
    ...found,
    next: isOne
      ? `if it has no way to the update server while it is passive, let the one that leads download for both (panos.download: sync-to-peer, panos.content: keep), or ${images}`
      : `if it has no way to the update server, ${images}`,
  };
}

const foundOf = ({ system, ha }: Identity): DeviceFound => ({
  serial: system.serial,
  model: system.model,
  priority: ha?.priority,
  preemptive: ha?.preemptive === true,
  deviceId: ha?.deviceId,
  advancedRouting: system.advancedRouting,
});

type Readable = Identity & { readonly ha: HaReading };

/** What speaks against the two being one pair whose upgrade can be planned. Pure. */
export function pairFaults(plan: Pick<PanosStatic, 'nodes' | 'cluster'>, identities: readonly Identity[]): Fault[] {
  const faults: Fault[] = [];
  for (const { node, ha } of identities)
    if (ha === undefined) faults.push({ where: node, what: 'high availability isn’t enabled on it' });
  const members = identities.filter((identity): identity is Readable => identity.ha !== undefined);
  const [a, b] = members;
  if (a === undefined || b === undefined) return faults;
  const pair = (what: string, next?: string): void =>
    void faults.push({ where: plan.cluster, what, ...(next === undefined ? {} : { next }) });
  const both = (tell: (member: Readable) => string): string => members.map((m) => `${m.node}: ${tell(m)}`).join(', ');
  if (a.system.serial === b.system.serial)
    pair(
      `both nodes are the same device (serial ${a.system.serial})`,
      'give each node the management address of its own device',
    );
  if (a.ha.mode !== b.ha.mode) pair(`the two don’t have one HA mode: ${both(({ ha }) => ha.mode)}`);
  if (a.system.model !== b.system.model) pair(`the two aren’t of one model: ${both(({ system }) => system.model)}`);
  if (a.system.version !== b.system.version)
    pair(
      `both must run one release: ${both(({ system }) => system.version)}`,
      'finish the upgrade that was begun on the one that is behind, or bring the other one back',
    );
  for (const [me, other] of [
    [a, b],
    [b, a],
  ] as const) {
    if (me.ha.peer.managementAddress !== '' && me.ha.peer.managementAddress !== other.ha.managementAddress)
      faults.push({
        where: me.node,
        what: `its HA peer is ${me.ha.peer.managementAddress}, and ${other.node} is ${other.ha.managementAddress}: the two aren’t one pair`,
      });
    if (me.ha.peer.state !== other.ha.state)
      faults.push({
        where: me.node,
        what: `it sees its peer ${me.ha.peer.state}, and ${other.node} says ${other.ha.state} of itself`,
      });
  }
  const wanted = a.ha.mode === 'active-passive' ? ['active', 'passive'] : ['active-primary', 'active-secondary'];
  if ([a.ha.state, b.ha.state].sort().join() !== wanted.join())
    pair(
      `one must be ${wanted[0]} and the other ${wanted[1]}: ${both(({ ha }) => `${ha.state}${ha.reason === undefined ? '' : ` (${ha.reason})`}`)}`,
      members.some(({ ha }) => isServing(ha.state))
        ? 'bring the other one back first; one that a person suspended is made functional by that person'
        : 'none of the two serves: look at both',
    );
  return faults;
}

function hopsOf(
  plan: PanosStatic,
  from: string,
  identities: readonly Identity[],
): { hops: readonly Hop[] } | { faults: readonly string[] } {
  if (plan.version === '') return { hops: [] };
  const files = Object.keys(plan.panos.images ?? {});
  const imports = plan.panos.images !== undefined;
  const known = identities
    .filter(({ ha }) => plan.panos.download === 'each' || leads(ha))
    .map(({ node, images }) => ({
      node,
      images: images.filter(({ downloaded }) => !imports || downloaded === 'yes'),
    }))
    .map((one) => ({ ...one, versions: one.images.map(({ version }) => version) }));
  // What one device alone is offered isn’t there for the pair.
  const common = (known[0]?.images ?? []).filter(({ version }) => known.every((one) => one.versions.includes(version)));
  return pathBetween(from, plan.version, {
    images: [...common, ...files.map((version) => ({ version, sizeMb: 0 }))],
    whyNot: (version) => {
      const without = known.filter((one) => !one.versions.includes(version)).map(({ node }) => node);
      return imports
        ? `it isn’t on ${without.join(' and ')}, and panos.images names no file for it`
        : `the update server doesn’t offer it to ${without.join(' and ')}`;
    },
    featureReleasesApart: plan.panos.featureReleasesApart,
    ...(plan.panos.path === undefined ? {} : { path: plan.panos.path }),
  });
}
