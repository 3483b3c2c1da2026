/**
 * Two nodes alike where they must be, and one node the firewall that it was: ruleset, NAT, sysctls, routes, interfaces,
 * services. Registered as `parity`.
 */
import { defineCheck, permanent, type Fault, type Finding, type StepContext } from '../kit';
import { differenceFaults, differences } from './difference';
import type { NodeReading } from './facts';
import { namingOf, renamer } from './naming';
import { readNode, serviceFaults, SUDO_COMMANDS } from './reading';
import { changedSince, takeSnapshot, type Snapshot } from './snapshot';
import type { ParityPlan } from './spec';

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

/** Every difference between two nodes that isn't one by design. @throws NotReady with all of them. */
export const alike = defineCheck<{ readonly nodes: readonly [string, string] }, Finding, ParityPlan>({
  async check(context, { nodes: [here, there] }) {
    const { substitute } = context.plan.parity;
    const [a, b] = [await nodeOf(context, here), await nodeOf(context, there)];
    const found = differences(
      a.facts,
      b.facts,
      renamer(namingOf(a.addresses, b.addresses), substitute[here] ?? {}),
      renamer(namingOf(b.addresses, a.addresses), substitute[there] ?? {}),
    );
    const faults = [
      ...serviceFaults(here, a.facts.services),
      ...serviceFaults(there, b.facts.services),
      ...differenceFaults(
        found.filter((d) => d.section !== 'services'),
        `${here}/${there}`,
        { here, there },
        'make the nodes alike, or say in parity.substitute or parity.ignore that they differ by design',
      ),
    ];
    if (faults.length > 0)
      throw permanent('NotReady', `${here} and ${there} are not alike: ${list(faults).slice(0, 2_000)}`, { faults });
    return { summary: `${here} and ${there} are alike: ${counted(a)}` };
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
    const taken = takeSnapshot(Object.fromEntries(Object.entries(readings).map(([node, { facts }]) => [node, facts])));
    const said = Object.entries(readings).map(([node, reading]) => `${node}: ${counted(reading)}`);
    return { summary: `recorded ${said.join('; ')}`, snapshot: taken };
  },
});

export interface UnchangedInput {
  readonly node: string;
  /** What the check `snapshot` returned before the change. */
  readonly snapshot: SnapshotResult;
}

/**
 * A node is again what it was when the snapshot was taken; after a boot it may take a while until it is.
 * @throws NotReady with every difference that is left after parity.settleTimeoutMs.
 */
export const unchanged = defineCheck<UnchangedInput, Finding, ParityPlan>({
  async check(context, { node, snapshot: before }) {
    const until = performance.now() + context.plan.parity.settleTimeoutMs;
    for (;;) {
      const reading = await nodeOf(context, node);
      const faults = faultsSince(before, node, reading);
      if (faults.length === 0) return { summary: `${node} is what it was: ${counted(reading)}` };
      if (performance.now() >= until)
        throw permanent('NotReady', `${node} is not the firewall that it was: ${list(faults).slice(0, 2_000)}`, {
          faults,
        });
      context.progress(`${node} differs from what it was, waiting: ${list(faults).slice(0, 300)}`);
      await context.pause(POLL_INTERVAL_MS);
    }
  },
});

function faultsSince({ snapshot: before }: SnapshotResult, node: string, reading: NodeReading): Fault[] {
  if (before?.schema !== 1) throw permanent('InvalidInput', 'this worker reads snapshots of schema 1 only');
  const since = changedSince(before, node, reading.facts);
  if (since === undefined) throw permanent('InvalidInput', `the snapshot doesn’t know ${node}`);
  const next = `undo the change on ${node}, or decide that it is meant`;
  return [
    ...serviceFaults(node, reading.facts.services),
    ...differenceFaults(
      since.differences.filter((d) => d.section !== 'services'),
      node,
      { here: 'now it', there: 'before it' },
      next,
    ),
    ...since.changedUnseen.map((section) => ({
      where: `${node} ${section}`,
      what: 'differs from what it was; the text was too long to be kept in history',
      next: `compare with the other node, or with the output kept in the worker’s evidence directory; then ${next}`,
    })),
  ];
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
