/**
 * Two nodes alike where they must be, and one node the firewall that it was: ruleset, NAT, sysctls, routes, interfaces,
 * services. Registered as `parity`.
 */
import { defineCheck, permanent, type Fault, type Finding, type StepContext } from '../kit';
import { countedFacts, downWith, HELD_SECTIONS, isOfDown } from './counted';
import { differences } from './difference';
import type { NodeReading } from './facts';
import { differenceFaults, nameOf, notWaived, type NamedFault } from './faults';
import { namingOf, renamer } from './naming';
import { readNode, serviceFaults, SUDO_COMMANDS } from './reading';
import { changedSince, digestOf, takeSnapshot, type Snapshot } from './snapshot';
import type { ParityPlan, Section } from './spec';
import { judged, shownByKernel } from './sysctls';

export { paritySpec, type ParityPlan, type ParitySpec } from './spec';
export type { Snapshot } from './snapshot';

/** Time between two looks at a node that has just booted. */
const POLL_INTERVAL_MS = 2_000;

async function nodeOf(context: StepContext<ParityPlan>, node: string): Promise<NodeReading> {
  const host = context.plan.nodes[node]?.host;
  if (host === undefined)
    throw permanent(
      'InvalidInput',
      `the plan has no node ${node}; it has ${Object.keys(context.plan.nodes).join(', ')}`,
    );
  return readNode(await context.host(host), context.plan.parity);
}

const list = (faults: readonly Fault[]): string => faults.map((f) => `${f.where}: ${f.what}`).join('; ');

/** What people waived, by name: what a check returns, or their answer to one that failed. */
export interface Waivers {
  readonly waived?: readonly string[];
}

/**
 * All that is left of what was found, as one failure. Waivable where the plan has people asked by name; a plan of a build
 * before has no such question.
 */
function failureOf(plan: ParityPlan, what: string, faults: readonly NamedFault[]): Error {
  const message = `${what}: ${list(faults).slice(0, 2_000)}`;
  if (plan.waivers !== true) return permanent('NotReady', message, { faults: faults.map(withoutName) });
  const waivable = [...new Set(faults.map(({ check }) => check))];
  return permanent('Waivable', message, { faults: faults.map((fault) => ({ ...fault, waivable: true })), waivable });
}
const withoutName = ({ check: _check, ...fault }: NamedFault): Fault => fault;

/** What was found by names, in one line each; what was waived before is told. */
const remarked = (remarks: readonly string[]): string => remarks.map((remark) => `; ${remark}`).join('');
const waivedRemark = (waived: readonly string[]): string[] =>
  waived.length === 0 ? [] : [`waived: ${waived.join(', ')}`];
const waivedIn = (waivers: readonly Waivers[] = []): string[] => [
  ...new Set(waivers.flatMap(({ waived }) => waived ?? [])),
];

const notWaivedFaults = (faults: readonly NamedFault[], waived: readonly string[]): readonly NamedFault[] =>
  faults.filter(({ check }) => !waived.includes(check));

export interface AlikeInput {
  readonly nodes: readonly [string, string];
  readonly waivers?: readonly Waivers[];
}

/** Every difference between two nodes that isn't one by design. @throws NotReady, or Waivable, with all of them. */
export const alike = defineCheck<AlikeInput, Finding & Waivers, ParityPlan>({
  async check(context, { nodes: [here, there], waivers }) {
    const { substitute } = context.plan.parity;
    const waived = waivedIn(waivers);
    const [a, b] = [await nodeOf(context, here), await nodeOf(context, there)];
    const found = differences(
      countedFacts(a.facts),
      countedFacts(b.facts),
      renamer(namingOf(a.addresses, b.addresses), substitute[here] ?? {}),
      renamer(namingOf(b.addresses, a.addresses), substitute[there] ?? {}),
    ).filter((d) => d.section !== 'services');
    const { faults: different, byKernel } = judged(found, a.about, b.about);
    const faults = [
      ...notWaivedFaults(
        [here, there].flatMap((node, i) => serviceFaults(node, [a, b][i]?.facts.services)),
        waived,
      ),
      ...differenceFaults(
        notWaived(different, waived),
        `${here}/${there}`,
        { here, there },
        'make the nodes alike, or say in parity.substitute or parity.ignore that they differ by design',
      ),
    ];
    if (faults.length > 0) throw failureOf(context.plan, `${here} and ${there} are not alike`, faults);
    const remarks = [
      ...(a.about.vrrp === true || b.about.vrrp === true
        ? ['keepalived runs here: this pair isn’t only steered by BGP; its addresses are left aside']
        : []),
      ...shownByKernel(byKernel, here, there),
      ...waivedRemark(waived),
    ];
    return {
      summary: `${here} and ${there} are alike: ${counted(a)}${remarked(remarks)}`,
      ...(waived.length === 0 ? {} : { waived }),
    };
  },
});

function counted({ facts }: NodeReading): string {
  const rules = Object.values(facts.ruleset ?? {}).reduce((sum, lines) => sum + lines.length, 0);
  const parts = [
    ...(facts.ruleset === undefined ? [] : [`${rules} lines of ruleset`]),
    ...(facts.sysctls === undefined ? [] : [`${Object.keys(facts.sysctls).length} sysctls`]),
    ...(facts.routes === undefined ? [] : [`${Object.keys(facts.routes).length} routes`]),
    ...(facts.interfaces === undefined ? [] : [`${Object.keys(facts.interfaces).length} interfaces`]),
    ...(facts.services === undefined ? [] : [`${Object.keys(facts.services).length} services`]),
  ];
  return parts.join(', ');
}

export interface SnapshotResult extends Finding {
  readonly snapshot: Snapshot;
}

/** Records what nodes are, to be given to `unchanged` later. */
export const snapshot = defineCheck<{ readonly nodes: readonly string[] }, SnapshotResult, ParityPlan>({
  async check(context, { nodes }) {
    const readings: Record<string, NodeReading> = {};
    for (const node of nodes) readings[node] = await nodeOf(context, node);
    const taken = takeSnapshot(readings);
    const said = Object.entries(readings).map(([node, reading]) => `${node}: ${counted(reading)}`);
    return { summary: `recorded ${said.join('; ')}`, snapshot: taken };
  },
});

export interface UnchangedInput {
  readonly node: string;
  /** What the check `snapshot` returned before the change. */
  readonly snapshot: SnapshotResult;
  /** What people waived in checks of this kind before. */
  readonly waivers?: readonly Waivers[];
}

/** Interfaces of a node that steering holds down right now. */
export type HeldDown = (context: StepContext<ParityPlan>, node: string) => Promise<readonly string[]>;

/**
 * A node is again what it was when the snapshot was taken; after a boot it may take a while until it is. What steering
 * holds down is left aside: it is up again when traffic has moved back, and the nodes are compared once more then.
 * @throws NotReady, or Waivable, with every difference that is left after parity.settleTimeoutMs.
 */
export const unchangedBut = (heldDown: HeldDown) =>
  defineCheck<UnchangedInput, Finding & Waivers, ParityPlan>({
    async check(context, { node, snapshot: before, waivers }) {
      const until = performance.now() + context.plan.parity.settleTimeoutMs;
      const waived = waivedIn(waivers);
      for (;;) {
        const held = await heldDown(context, node);
        const reading = await nodeOf(context, node);
        const { faults, remarks } = since(before, node, { reading, held, waived });
        if (faults.length === 0)
          return {
            summary: `${node} is what it was: ${counted(reading)}${remarked([...remarks, ...waivedRemark(waived)])}`,
            ...(waived.length === 0 ? {} : { waived }),
          };
        if (performance.now() >= until)
          throw failureOf(context.plan, `${node} is not the firewall that it was`, faults);
        context.progress(`${node} differs from what it was, waiting: ${list(faults).slice(0, 300)}`);
        await context.pause(POLL_INTERVAL_MS);
      }
    },
  });

/** Where nothing is held down. */
export const unchanged = unchangedBut(async () => []);

interface Now {
  readonly reading: NodeReading;
  readonly held: readonly string[];
  readonly waived: readonly string[];
}

/** What is left of a comparison with a snapshot. Pure. */
export function since(
  { snapshot: before }: SnapshotResult,
  node: string,
  { reading, held, waived }: Now,
): { readonly faults: readonly NamedFault[]; readonly remarks: readonly string[] } {
  if (before?.schema !== 1) throw permanent('InvalidInput', 'this worker reads snapshots of schema 1 only');
  const changed = changedSince(before, node, reading.facts);
  if (changed === undefined) throw permanent('InvalidInput', `the snapshot doesn’t know ${node}`);
  const next = `undo the change on ${node}, or decide that it is meant`;
  const down = downWith(held, reading);
  const isHeld = (section: Section): boolean => held.length > 0 && HELD_SECTIONS.some((one) => one === section);
  const { faults: different, byKernel } = judged(
    changed.differences.filter((d) => d.section !== 'services' && !isOfDown(d, down)),
    reading.about,
    before.about?.[node] ?? {},
  );
  const unseen = changed.changedUnseen.map((section): NamedFault & { readonly section: Section } => ({
    section,
    where: `${node} ${section}`,
    what: 'differs from what it was; the text was too long to be kept in history',
    next: `compare with the other node, or with the output kept in the worker’s evidence directory; then ${next}`,
    check: nameOf(section, digestOf(reading.facts[section] ?? {})),
  }));
  return {
    faults: [
      ...notWaivedFaults(serviceFaults(node, reading.facts.services), waived),
      ...differenceFaults(notWaived(different, waived), node, { here: 'now it', there: 'before it' }, next),
      ...notWaivedFaults(
        unseen.filter(({ section }) => !isHeld(section)).map(({ section: _section, ...fault }) => fault),
        waived,
      ),
    ],
    remarks: [
      ...(held.length === 0
        ? []
        : [`steering holds ${held.join(', ')} down: left aside, with the routes by way of it`]),
      ...unseen
        .filter(({ section }) => isHeld(section))
        .map(({ section }) => `${section} were too long to be kept, and can’t be compared meanwhile`),
      ...shownByKernel(byKernel, 'now', 'before'),
    ],
  };
}

/** What this folder runs as root, for the sudoers file of each node. */
export function sudoCommands(
  plan: ParityPlan,
): { readonly host: string; readonly as: string; readonly command: string }[] {
  if (!plan.parity.sections.includes('ruleset')) return [];
  return Object.values(plan.nodes).flatMap(({ host }) =>
    SUDO_COMMANDS.map((command) => ({ host, as: 'root', command })),
  );
}
