/** Checks of where traffic really goes, by routes and by counters. They read only. */
import { defineCheck, formatFaults, transient, type Finding, type StepContext } from '../kit';
import { countersOf, packetsBetween, readCounters, type Count } from './counters';
import { assertNode, nodesOf } from './drivers';
import { look, settle, type RoutingContext } from './look';
import { steeringOf } from './methods';
import { unmet, whoServes } from './serving';
import type { RoutingPlan } from './spec';

type Context = StepContext<RoutingPlan>;

export interface ServingResult extends Finding {
  readonly node: string;
  readonly table: readonly string[];
}

/** Who serves, at this moment. @throws VerifyFailed (transient), with the next hops by router and destination. */
export const serving = defineCheck<object, ServingResult, RoutingPlan>({
  async check(context) {
    const { node, faults, table } = whoServes(await look(context));
    if (node === undefined)
      throw transient('VerifyFailed', `no single node serves:\n${formatFaults(faults)}\nRoutes: ${table.join('; ')}`, {
        faults,
        table,
      });
    return { summary: `${node} serves: ${table.join('; ')}`, node, table, nodes: servingNodes(context.plan, node) };
  },
});

const servingNodes = (plan: RoutingPlan, node: string) =>
  Object.fromEntries(nodesOf(plan).map((n) => [n, { serving: n === node }]));

export interface VerifyServingInput {
  readonly node: string;
  /** Whether the other nodes must be able to take over; default: as the way of steering allows. */
  readonly escape?: boolean;
}

export interface VerifyServingResult extends ServingResult {
  /** Packets that passed each node while it was watched. */
  readonly packets: Readonly<Record<string, number>>;
}

/** The predicate of facts §6: routes on every router, stable, then counters: this node's rise, the others' stand still. */
export const verifyServing = defineCheck<VerifyServingInput, VerifyServingResult, RoutingPlan>({
  async check(context, { node, escape }) {
    assertNode(context.plan, node);
    const needsEscape = escape ?? steeringOf(context).keepsEscape;
    const settled = await settle(context, (r) => unmet(r, node, nodesOf(context.plan), needsEscape));
    const { table } = whoServes(settled.readings);
    if (settled.faults.length > 0)
      throw transient(
        'VerifyFailed',
        `${node} doesn’t serve as it should:\n${formatFaults(settled.faults)}\nRoutes: ${table.join('; ')}`,
        {
          faults: settled.faults,
          table,
        },
      );
    const packets = await sample(context);
    const { expectTraffic, sampleMs } = context.plan.routing.traffic;
    const stray = Object.entries(packets).filter(([other, count]) => other !== node && count > 0);
    const counted = Object.entries(packets)
      .map(([n, count]) => `${n} ${count}`)
      .join(', ');
    if (stray.length > 0)
      throw transient(
        'VerifyFailed',
        `routes lead through ${node}, but others forward too: packets in ${sampleMs} ms: ${counted}`,
        { packets },
      );
    if (expectTraffic && packets[node] === 0)
      throw transient(
        'VerifyFailed',
        `routes lead through ${node}, but it forwarded no packet in ${sampleMs} ms. Next: see whether there is traffic at all (routing.traffic.expectTraffic: false where there may be none)`,
        { packets },
      );
    return {
      summary: `${node} serves; packets in ${sampleMs} ms: ${counted}`,
      node,
      table,
      packets,
      nodes: servingNodes(context.plan, node),
    };
  },
});

/** Packets that each node passed within the plan's sample time. A counter that started anew is read once more. */
async function sample(context: RoutingContext): Promise<Record<string, number>> {
  const nodes = nodesOf(context.plan);
  for (let tries = 0; ; tries += 1) {
    const started = performance.now();
    const before = await Promise.all(nodes.map((n) => readCounters(context, n)));
    await context.pause(context.plan.routing.traffic.sampleMs);
    const after = await Promise.all(nodes.map((n) => readCounters(context, n)));
    const elapsedMs = performance.now() - started;
    const results = nodes.map((n, i) =>
      packetsBetween(before[i] ?? [], after[i] ?? [], countersOf(context.plan, n), elapsedMs),
    );
    if (!results.some((r) => r.restarted) || tries > 0)
      return Object.fromEntries(nodes.map((n, i) => [n, results[i]?.packets ?? 0]));
  }
}

export interface IdleInput {
  readonly node: string;
  /** How long the counters must stand still; the plan's value if left out. */
  readonly forMs?: number;
}

export interface IdleResult extends Finding {
  readonly counters: readonly Count[];
  readonly stillMs: number;
  readonly waitedMs: number;
}

/** How often counters are looked at: each look must show no packet. */
const LOOK_EVERY_MS = 1_000;

/**
 * No user traffic passes through the node: routes lead elsewhere, and its own counters stand still for a while.
 * @throws GuardRefused (transient) if it serves, or its counters keep moving.
 */
export const confirmIdle = defineCheck<IdleInput, IdleResult, RoutingPlan>({
  async check(context, { node, forMs }) {
    assertNode(context.plan, node);
    const { idleForMs, idleTimeoutMs } = context.plan.routing.traffic;
    const needMs = forMs ?? idleForMs;
    await assertNotChosen(context, node);
    const started = performance.now();
    let last = await readCounters(context, node);
    let lastAt = performance.now();
    let stillSince = lastAt;
    while (performance.now() - stillSince < needMs) {
      await context.pause(Math.min(LOOK_EVERY_MS, Math.max(50, needMs / 3)));
      const next = await readCounters(context, node);
      const at = performance.now();
      const { packets, restarted } = packetsBetween(last, next, countersOf(context.plan, node), at - lastAt);
      if (packets > 0 || restarted) {
        if (at - started > needMs + idleTimeoutMs)
          throw transient(
            'GuardRefused',
            `${node} is not idle: ${restarted ? 'its counters keep starting anew' : `it forwarded ${packets} packets in the last ${Math.round(at - lastAt)} ms`}, after ${Math.round((at - started) / 1_000)} s of waiting (${show(last)} → ${show(next)}). It was not touched. Next: find what still sends packets through it (tcpdump), as routes on hosts or other routers.`,
            { node, before: last, after: next },
          );
        context.progress(`${node} forwarded ${packets} packets in the last ${Math.round(at - lastAt)} ms`);
        stillSince = at;
      } else
        context.progress(
          `${node} has been idle for ${Math.round((at - stillSince) / 1_000)} of ${Math.round(needMs / 1_000)} s`,
        );
      last = next;
      lastAt = at;
    }
    await assertNotChosen(context, node);
    const stillMs = Math.round(performance.now() - stillSince);
    return {
      summary: `${node} is idle: its counters stood still for ${(stillMs / 1_000).toFixed(1)} s (${show(last)})`,
      counters: last,
      stillMs,
      waitedMs: Math.round(performance.now() - started),
      nodes: { [node]: { serving: false } },
    };
  },
});

const show = (counts: readonly Count[]): string => counts.map((c) => `${c.of} ${c.packets}`).join(', ');

async function assertNotChosen(context: Context, node: string): Promise<void> {
  const { table, node: serves } = whoServes(await look(context));
  const through = table.filter((line) => line.includes(`→ ${node} `) || line.includes(` and ${node} `));
  if (serves === node || through.length > 0)
    throw transient(
      'GuardRefused',
      `${node} is not idle: routes lead through it: ${through.join('; ')}. It was not touched.`,
      { node, table },
    );
}
