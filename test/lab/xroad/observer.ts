import { sleep } from '../host/command';
import { releases } from './packages';
import { rpmRelease } from './rpms';
import type { XRoadLab } from './start';

/** What an outsider sees of a node at one moment, by the back door: it uses none of the ways that an upgrade uses. */
export interface NodeSample {
  node: string;
  /** Of xroad-proxy; undefined while it doesn't run. */
  proxyPid: number | undefined;
  /** Release that the running proxy said it is when it started. */
  running: string | undefined;
  /** As PostgreSQL says it: `not paused`, `pause requested`, `paused`; undefined on the primary and while it is down. */
  replay: string | undefined;
  /** The health port answers 200, and HAProxy has the node UP in every backend. */
  serving: boolean;
}

export interface Sample {
  /** Milliseconds since the start. */
  atMs: number;
  /** Schema of the primary's database: the number of its last change; undefined while it can't be asked. */
  primarySchema: number | undefined;
  nodes: NodeSample[];
}

export interface Observation {
  samples: number;
  /** The most nodes that were out of service at once, as two samples in a row showed. */
  mostOut: number;
  /** What must never be seen (facts/x-road.md section 7, invariants), each once, with the time of its first sample. */
  violations: string[];
}

const knownSchema = (release: string): number =>
  Object.values(releases).find((each) => release === each.version || release === rpmRelease(each))?.schema.serverconf ??
  Infinity;

/** The old code runs on a database that follows the migrated primary. */
const isTorn = (node: NodeSample, primarySchema: number | undefined): boolean =>
  node.proxyPid !== undefined &&
  node.running !== undefined &&
  node.replay === 'not paused' &&
  primarySchema !== undefined &&
  primarySchema > knownSchema(node.running);

const outOf = (sample: Sample | undefined): string[] =>
  sample?.nodes.filter(({ serving }) => !serving).map(({ node }) => node) ?? [];

/**
 * Judges samples in their order. What one sample alone shows doesn't count, for a sample isn't taken in one instant: a node
 * is torn if the sample before showed it so with the same process, and nodes are out together if they were in both.
 */
export function judge(samples: readonly Sample[]): Observation {
  const violations = new Map<string, string>();
  let mostOut = 0;
  samples.forEach((sample, index) => {
    const at = `${(sample.atMs / 1000).toFixed(1)} s`;
    const earlier = outOf(samples[index - 1]);
    const out = outOf(sample).filter((node) => earlier.includes(node));
    mostOut = Math.max(mostOut, out.length);
    const together = `out of service at once: ${out.join(', ')}`;
    if (out.length > 1 && !violations.has(together)) violations.set(together, `${at}: ${together}`);
    for (const node of sample.nodes) {
      const before = samples[index - 1]?.nodes.find((each) => each.node === node.node);
      const same = before !== undefined && before.proxyPid === node.proxyPid;
      if (!same || !isTorn(node, sample.primarySchema) || !isTorn(before, samples[index - 1]!.primarySchema)) continue;
      const torn = `${node.node} replays schema ${sample.primarySchema} while its proxy of ${node.running} runs`;
      if (!violations.has(torn)) violations.set(torn, `${at}: ${torn}`);
    }
  });
  return { samples: samples.length, mostOut, violations: [...violations.values()] };
}

const schemaQuery = "select max(substring(id from '^[0-9]+')::int) from serverconf.databasechangelog";

/** Replay is asked for first: whoever resumes it in the right order has stopped the services before. */
async function sampleNode(lab: XRoadLab, node: string, up: ReadonlySet<string>): Promise<NodeSample> {
  const host = lab.host(node);
  const { primary } = lab.description.roles;
  const replay =
    node === primary ? undefined : await lab.sql(node, 'select pg_get_wal_replay_pause_state()').catch(() => undefined);
  const shown = await host.tryExec('systemctl show -p MainPID --value xroad-proxy').catch(() => undefined);
  const pid = Number(shown?.stdout.trim() ?? 0);
  const started = [...readLog(lab, node).matchAll(/Starting proxy \((.*?)\)\.\.\./g)].at(-1)?.[1];
  const healthy = (await lab.health(node).catch(() => undefined))?.status === 200;
  return { node, proxyPid: pid > 0 ? pid : undefined, running: started, replay, serving: healthy && up.has(node) };
}

function readLog(lab: XRoadLab, node: string): string {
  try {
    return lab.host(node).readFile('/var/log/xroad/proxy.log');
  } catch {
    return ''; // it is just being made
  }
}

/** Watches all nodes until `stop`, about once in `intervalMs`. A node that is off counts as out of service. */
export function observe(lab: XRoadLab, intervalMs = 1000): { stop: () => Promise<Observation> } {
  const { primary, nodes } = lab.description.roles;
  const samples: Sample[] = [];
  const startedAt = Date.now();
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const servers = await lab.servers().catch(() => []);
      const up = new Set(
        nodes.filter((node) =>
          servers.filter(({ server }) => server === node).every(({ status }) => status.startsWith('UP')),
        ),
      );
      // The primary before the others, or a pause that came between would look like one that is missing.
      const schema = Number(await lab.sql(primary, schemaQuery).catch(() => Number.NaN));
      const seen = await Promise.all(nodes.map((node) => sampleNode(lab, node, servers.length === 0 ? new Set() : up)));
      const primarySchema = Number.isNaN(schema) ? undefined : schema;
      const sample = { atMs: Date.now() - startedAt, primarySchema, nodes: seen };
      samples.push(sample);
      // A suspicion is looked at again soon.
      await sleep(outOf(sample).length < 2 ? intervalMs : Math.min(intervalMs, 200));
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await running;
      return judge(samples);
    },
  };
}
