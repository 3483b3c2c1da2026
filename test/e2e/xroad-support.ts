/** Whole upgrades of an X-Road cluster on the lab. */
import { writeFile } from 'node:fs/promises';
import { cancel, type RunState } from '../../client';
import { serverView, type PendingCall } from '../../client/server-view';
import { xroadInventoryOf, type XRoadInventoryOptions } from '../../demo/xroad-inventory';
import { observe, startXRoadLab, waitFor, type XRoadLab, type XRoadOptions } from '../lab';
import { pauseState } from '../lab/xroad/by-hand';
import type { OpeningView } from '../../workflows/contract';
import { AnySite, breakGround } from './support';

export const OLD = '7.7.0-1';
export const NEW = '7.8.0-1';

/** Sections of the cluster's entry that scenarios change. */
export interface Entry {
  xroad: { drain: Record<string, unknown>; health: Record<string, unknown> } & Record<string, unknown>;
  software: Record<string, unknown>;
}

export class XRoadSite extends AnySite<XRoadLab> {
  readonly cluster = 'ss-prod';
  readonly kind = 'x-road-cluster';

  static async start(options: XRoadOptions = {}): Promise<XRoadSite> {
    return new XRoadSite(await breakGround((told) => startXRoadLab(options, told)));
  }

  /** A site whose worker polls; `change` edits the cluster's entry of the inventory. */
  static async ready(options: XRoadOptions, change: (entry: Entry) => void = () => undefined): Promise<XRoadSite> {
    const site = await XRoadSite.start({ syncPeriodSeconds: 5, ...options });
    try {
      await site.writeInventory({ monitoring: '5s', change: (entry) => change(entry as unknown as Entry) });
      await site.startWorker();
    } catch (error) {
      await site.close();
      throw error;
    }
    return site;
  }

  async writeInventory(options: XRoadInventoryOptions = {}): Promise<void> {
    await writeFile(this.inventoryPath, xroadInventoryOf(this.lab.description, { cluster: this.cluster, ...options }), {
      mode: 0o644,
    });
  }

  /** Versions of X-Road's packages on a node: one, where all are alike. */
  async release(node: string): Promise<string> {
    const ask = {
      apt: "dpkg-query -W -f '${Version}\\n' 'xroad-*'",
      dnf: "rpm -qa --qf '%{VERSION}-%{RELEASE}\\n' 'xroad-*'",
    };
    const { driver } = this.lab.description.repository;
    const text = await this.lab.host(node).exec(`${ask[driver]} | sort -u`);
    return text.trim().split('\n').join(' ');
  }

  releases(): Promise<string[]> {
    return Promise.all(this.lab.description.roles.nodes.map((node) => this.release(node)));
  }

  /** What the activities in hand say: their last notes, and why their last attempts failed. */
  async pending(): Promise<readonly PendingCall[]> {
    const { client } = this.engine;
    const description = await client.workflow.getHandle(`upgrade-${this.cluster}`).describe();
    return (await serverView(client, description, { why: '' })).pending;
  }

  /** Waits until an activity in hand says it, as its note or as why its last attempt failed. */
  async says(pattern: RegExp): Promise<string> {
    return waitFor(
      `an activity to say ${pattern}`,
      async () => {
        await this.until('an activity says so', () => true);
        const said = (await this.pending()).flatMap(({ note, lastFailure }) => [note ?? '', lastFailure ?? '']);
        return said.find((text) => pattern.test(text)) ?? false;
      },
      { timeoutMs: 120_000, intervalMs: 200 },
    );
  }

  /** Waits until a step is under way, by the beginning of its name. */
  async runs(step: string): Promise<void> {
    await this.until(`"${step}" is under way`, (state) => this.stepState(state, step) === 'running');
  }

  /** Waits for a hold that says so. Fails at any other, and at a gate: the run has got past what was to fail. */
  async holds(pattern: RegExp): Promise<OpeningView> {
    const gate = (state: RunState) => state.status?.waitingFor.find(({ kind }) => kind === 'gate');
    const isAsked = (state: RunState): boolean => (state.status?.waitingFor ?? []).some(({ kind }) => kind === 'hold');
    const state = await this.until(`a hold says ${pattern}`, (now) => isAsked(now) || gate(now) !== undefined);
    const passed = gate(state);
    if (passed !== undefined) throw new Error(`${passed.id} is asked, and nothing has failed: ${passed.question}`);
    const hold = await this.asked('hold');
    if (!pattern.test(hold.question)) throw new Error(`held for another reason than ${pattern}: ${hold.question}`);
    return hold;
  }

  /** Cancels, and waits until what was asked is withdrawn: a hold that opens after that is another one. */
  async cancel(): Promise<void> {
    const open = (await this.state()).status?.waitingFor.map((o) => o.id) ?? [];
    await cancel(this.engine, this.cluster, { by: 'test' });
    await waitFor('the questions to be withdrawn', async () => {
      const { execution, status } = await this.state();
      return execution !== 'running' || status?.waitingFor.every((o) => !open.includes(o.id));
    });
  }

  /** Starts an upgrade that is refused before anything is done, and ends it. Returns what was said. */
  async refused(): Promise<string> {
    await this.begin(NEW);
    const { question } = await this.asked('hold');
    await this.say('hold', 'stop');
    await this.ended();
    return question;
  }

  /** Everything that a run changes, as far as an outsider can tell; the same before a run and after one that was undone. */
  async stand(): Promise<string> {
    const { services, sync, roles } = this.lab.description;
    const own = async (node: string): Promise<string> => {
      const host = this.lab.host(node);
      const isSecondary = roles.secondaries.includes(node);
      const units = [...services, ...(isSecondary ? [sync.timer] : [])].join(' ');
      return [
        node,
        await this.release(node),
        (await host.exec(`systemctl show -p Id,ActiveState,UnitFileState ${units}`)).replace(/\n+/g, ' '),
        isSecondary ? await pauseState(this.lab, node) : '',
        (await host.exec(`ls -A ${sync.flag.replace(/[^/]+$/, '')}`)).trim(),
        await this.lab.sql(node, 'select string_agg(id, chr(32) order by id) from serverconf.databasechangelog'),
        `health ${(await this.lab.health(node)).status}`,
      ].join('; ');
    };
    const servers = (await this.lab.servers()).map((s) => `${s.backend}/${s.server} ${s.status}`);
    return [...(await Promise.all(roles.nodes.map(own))), ...servers].join('\n');
  }

  /** Runs `work` with the observer beside it, and fails if that saw what must never be seen. */
  async observed<T>(work: () => Promise<T>): Promise<T> {
    const observer = observe(this.lab);
    let seen: Awaited<ReturnType<typeof observer.stop>> | undefined;
    try {
      return await work();
    } finally {
      seen = await observer.stop();
      noViolation(seen);
    }
  }
}

/** At most one node was out at any time, and no old code ran on the new schema. */
export function noViolation({
  samples,
  mostOut,
  violations,
}: {
  samples: number;
  mostOut: number;
  violations: string[];
}) {
  if (samples < 3) throw new Error(`the observer took ${samples} samples only`);
  if (mostOut > 1 || violations.length > 0)
    throw new Error(`the observer saw ${mostOut} nodes out at once; ${violations.join('; ')}`);
}

/** A copy of the configuration that takes until `end`: begun when this returns. */
export async function slowCopy(lab: XRoadLab, node: string): Promise<{ end: () => Promise<void> }> {
  const host = lab.host(node);
  const { service } = lab.description.sync;
  const marker = '/var/tmp/slow-copy';
  const more = `[Service]\nExecStart=/bin/sh -c 'while test -e ${marker}; do sleep 0.2; done'\n`;
  await host.exec(
    `mkdir -p /run/systemd/system/${service}.d; cat > /run/systemd/system/${service}.d/slow.conf; systemctl daemon-reload; touch ${marker}; systemctl start --no-block ${service}`,
    { input: more },
  );
  await waitFor('a copy to be under way', async () => {
    const shown = await host.exec(`systemctl show -p ActiveState,SubState ${service}`);
    return shown.includes('ActiveState=activating') && shown.includes('SubState=start\n');
  });
  return { end: async () => void (await host.exec(`rm ${marker}`)) };
}

/** Cuts every secondary off from the primary's database until `restore`. */
export async function cutReplication(lab: XRoadLab): Promise<{ restore: () => Promise<void> }> {
  const { primary, secondaries } = lab.description.roles;
  const hba = '/etc/postgresql/15/serverconf/pg_hba.conf';
  const edit = async (expression: string): Promise<void> => {
    await lab.host(primary).exec(`sed -i '${expression}' ${hba}`);
    await lab.sql(primary, 'select pg_reload_conf()');
  };
  await edit('s/^hostssl replication/#&/');
  await waitFor('the secondaries to be cut off', async () => {
    await lab.sql(primary, 'select pg_terminate_backend(pid) from pg_stat_replication');
    const left = await Promise.all(
      secondaries.map((node) => lab.sql(node, 'select count(*) from pg_stat_wal_receiver')),
    );
    return (await lab.streaming()).length === 0 && left.every((count) => count === '0');
  });
  return {
    restore: async () => {
      await edit('s/^#hostssl replication/hostssl replication/');
      await waitFor('replication', async () => (await lab.streaming()).length === secondaries.length);
    },
  };
}

/** A client that keeps connections open and says nothing more on them, as a pool does: two for each node, until `close`. */
export async function idlePool(lab: XRoadLab): Promise<{ close: () => Promise<void> }> {
  const { nodes, client } = lab.description.roles;
  const { address } = lab.description.loadBalancer;
  const { ports } = lab.description;
  const host = lab.host(client);
  const count = 2 * nodes.length;
  const script = `for n in $(seq 10 ${9 + count}); do
  eval "exec $n<>/dev/tcp/${address}/${ports.client}"
  printf 'GET /${lab.description.serviceCode}?ms=0 HTTP/1.1\\r\\nHost: cluster\\r\\n\\r\\n' >&$n
done
exec sleep infinity`;
  await host.exec('cat > /var/tmp/pool.sh; systemd-run --quiet --unit=pool bash /var/tmp/pool.sh', { input: script });
  for (const node of nodes) {
    const own = `ss -Htn state established 'sport = :${ports.client}' | wc -l`;
    await waitFor(`idle connections to ${node}`, async () => Number(await lab.host(node).exec(own)) >= 2);
  }
  return { close: async () => void (await host.exec('systemctl stop pool')) };
}
