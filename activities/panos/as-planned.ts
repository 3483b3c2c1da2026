/**
 * What people approved is what is run: both members are still what the plan found, until the run itself changes them. Pure
 * but for what is read of systems.
 */
import type { ChangedSincePlan } from '../kit';
import { leads } from './ha';
import { servingMembers, type PairReading } from './pair';
import { nodeNames, type DeviceFound, type PanosPlan } from './plan';
import type { SystemInfo } from './system';

type Plan = Pick<PanosPlan, 'nodes' | 'mode' | 'roles' | 'releases' | 'found'>;

const onOff = (value: boolean): string => (value ? 'on' : 'off');
type Value = string | number | undefined;
const change = (where: string, what: string, was: Value, now: Value): ChangedSincePlan[] =>
  was === undefined || was === now ? [] : [{ where, what, change: { was: String(was), now: String(now) } }];

/** Who leads, as long as no member has another release than at the start: later the run itself moves the lead. */
export function leadChanged(plan: Plan, reading: PairReading): ChangedSincePlan[] {
  const members = nodeNames(plan).map((node) => reading.members[node]);
  if (!members.every((member) => member?.answers === true && member.version === plan.releases.from)) return [];
  const leader = servingMembers(reading).find(leads)?.node;
  return leader === undefined ? [] : change('HA', 'the member that leads', plan.roles.active, leader);
}

/** Preemption as it is configured on both. */
export const preemptionChanged = (plan: Plan, now: Readonly<Record<string, boolean>>): ChangedSincePlan[] =>
  Object.entries(plan.found).flatMap(([node, { preemptive }]) =>
    change(node, 'preemption', onOff(preemptive), onOff(now[node] ?? preemptive)),
  );

/**
 * Everything that the plan found of both, before the run has changed any of it; with `goesOn` what no upgrade changes: the rest
 * may be the run's own doing from before a reset, or that of the run that it goes on from.
 */
export function pairChanged(
  plan: Plan,
  reading: PairReading,
  systems: Readonly<Record<string, Pick<SystemInfo, 'serial' | 'version'>>>,
  goesOn = false,
): ChangedSincePlan[] {
  const answering = nodeNames(plan).flatMap((node) => {
    const [member, found] = [reading.members[node], plan.found[node]];
    return member?.answers === true && found !== undefined ? [{ node, member, found }] : [];
  });
  const lasting = [
    ...Object.entries(systems).flatMap(([node, { serial }]) =>
      change(node, 'its serial', plan.found[node]?.serial, serial),
    ),
    ...answering.flatMap(({ node, member, found }) => [
      ...change(node, 'its HA mode', plan.mode, member.mode),
      ...electionChanged(node, found, member),
    ]),
  ];
  if (goesOn) return lasting;
  return [
    ...Object.entries(systems).flatMap(([node, { version }]) =>
      change(node, 'its release', plan.releases.from, version),
    ),
    ...lasting,
    ...preemptionChanged(plan, Object.fromEntries(answering.map(({ node, member }) => [node, member.preemptive]))),
    ...leadChanged(plan, reading),
  ];
}

/** What decides about who leads where both could. */
const electionChanged = (node: string, found: DeviceFound, now: Pick<DeviceFound, 'priority' | 'deviceId'>) => [
  ...change(node, 'its HA priority', found.priority, now.priority),
  ...change(node, 'its HA device ID', found.deviceId, now.deviceId),
];
