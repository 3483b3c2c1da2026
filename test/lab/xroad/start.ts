import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor, type Progress } from '../host/command';
import { openLabs, startLab, type Lab, type LabOptions } from '../host/lab';
import type { LabHost } from '../host/lab-host';
import { ensureMachine } from '../host/machine';
import { writeIndex } from '../repo/deb';
import { fillRepository, PackageRepository, readCatalogue } from '../repo/repository';
import { dnfSource, fillRpmRepository } from '../repo/rpm';
import { Traffic } from '../traffic/start';
import { describe, type XRoadDescription } from './description';
import { parseStat, runtime, type ServerState } from './haproxy';
import { hostSpecs } from './hosts';
import { xroadImage } from './image';
import { addressesOf, nodesOf, ports, resolveOptions, serviceCode, tokenPin, type XRoadOptions } from './options';
import { buildStandIns, type XRoadRelease } from './packages';
import { firstSql } from './postgres';
import { makeSecrets } from './secrets';
import type { MessageOptions, MessageReport } from './traffic/protocol';

const kind = 'xroad';

/** What a node's health port answers; `status` 0 when nobody listens. */
export interface HealthReply {
  status: number;
  body: string;
}

/** An X-Road Security Server cluster that is up, behind its load balancer. */
export class XRoadLab {
  constructor(
    readonly lab: Lab,
    readonly description: XRoadDescription,
  ) {}

  get id(): string {
    return this.lab.id;
  }

  get hosts(): Readonly<Record<string, LabHost>> {
    return this.lab.hosts;
  }

  host(name: string): LabHost {
    return this.lab.host(name);
  }

  get primary(): LabHost {
    return this.host(this.description.roles.primary);
  }

  get repo(): PackageRepository {
    const { directory, url } = this.lab.record.repository!;
    return new PackageRepository(directory, url);
  }

  /** Builds another release into the repository of debs. Hosts see it after `apt-get update`. */
  async publish(release: XRoadRelease): Promise<void> {
    const { driver } = this.description.repository;
    if (driver !== 'apt') throw new Error(`the lab's repository is of ${driver}: releases are published for apt only`);
    const { directory } = this.lab.record.repository!;
    const catalogue = readCatalogue(directory);
    catalogue.versions[release.version] = await buildStandIns(directory, release);
    writeFileSync(join(directory, 'releases.json'), JSON.stringify(catalogue, undefined, 2));
    await writeIndex(directory);
  }

  /** `description`, as a file: written when the lab came up. */
  get descriptionPath(): string {
    return descriptionPath(this.lab);
  }

  /** Asks a node's health port, on the node itself. The body is as it came, a final newline included. */
  async health(node: string): Promise<HealthReply> {
    const url = `http://127.0.0.1:${ports.health}/`;
    const { stdout } = await this.host(node).tryExec(`curl -s -m 20 -w '\\n%{http_code}' ${url}`);
    const end = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
  }

  /** Sets maintenance mode on a node; returns the body of the answer. */
  maintenance(node: string, targetState: boolean): Promise<string> {
    return this.host(node).exec(`curl -s 'http://localhost:${ports.admin}/maintenance?targetState=${targetState}'`);
  }

  /** Runs SQL in `serverconf` as the superuser; values of columns separated by `|`, without the last newline. */
  async sql(node: string, query: string): Promise<string> {
    const psql = `runuser -u postgres -- psql -XtAq -v ON_ERROR_STOP=1 -p ${ports.serverconf} serverconf`;
    return (await this.host(node).exec(psql, { input: `${query}\n` })).trimEnd();
  }

  /** Secondaries that stream from the primary now. */
  async streaming(): Promise<string[]> {
    const text = await this.sql(
      this.description.roles.primary,
      "select usename from pg_stat_replication where state = 'streaming' order by 1",
    );
    return text.split('\n').filter((line) => line !== '');
  }

  /** All servers of all backends, as HAProxy sees them. */
  async servers(): Promise<ServerState[]> {
    return parseStat(await this.balancer('show stat'));
  }

  /** A command of HAProxy's runtime API. @throws Error with what it said against it. */
  balancer(command: string): Promise<string> {
    return runtime(this.host(this.description.roles.lb), command);
  }

  /** Enters a PIN on a node, as a person would. */
  async login(node: string, pin: string = tokenPin): Promise<void> {
    await this.host(node).exec('runuser -u xroad -- signer-console login-token 0', { input: `${pin}\n` });
  }

  /** Waits until a node (all, by default) answers 200 and HAProxy has it UP in every backend. */
  async waitServing(nodes: readonly string[] = this.description.roles.nodes, timeoutMs = 180_000): Promise<void> {
    for (const node of nodes) {
      await waitFor(
        `${node} to be healthy`,
        async () => {
          const { status, body } = await this.health(node);
          if (status !== 200) throw new Error(status === 0 ? 'nobody listens' : `${status} ${body.trim()}`);
          return true;
        },
        { timeoutMs, intervalMs: 500 },
      );
    }
    await waitFor(
      `HAProxy to have ${nodes.join(', ')} up`,
      async () => {
        const down = (await this.servers()).filter(({ server, status }) => nodes.includes(server) && status !== 'UP');
        if (down.length > 0)
          throw new Error(down.map(({ server, status, check }) => `${server} ${status} ${check}`).join());
        return true;
      },
      { timeoutMs, intervalMs: 250 },
    );
  }

  /** Starts messages from the client through the load balancer; by default the demo's: 200 a second, two of them 5 s long. */
  startTraffic(options: Partial<MessageOptions> = {}): Promise<Traffic<MessageReport>> {
    const client = this.host(this.description.roles.client);
    return Traffic.run<MessageReport>(this.lab.record, client.namespace, 'xroad/traffic/generator.js', {
      server: this.description.loadBalancer.address,
      ports: [ports.message, ports.client],
      service: serviceCode,
      perSecond: 200,
      longEvery: 100,
      longMs: 5000,
      patienceMs: 10_000,
      ...options,
    } satisfies MessageOptions);
  }

  down(): Promise<void> {
    return this.lab.down();
  }
}

const listens = async (node: LabHost): Promise<boolean> =>
  (await node.exec(`ss -Htln 'sport = :${ports.admin}'`)) !== '';

const descriptionPath = (lab: Lab): string => join(lab.record.directory, 'description.json');

/**
 * Brings up a cluster: hosts booted, databases replicating, tokens logged in, the oldest release serving on all nodes behind
 * the load balancer.
 * @throws Error in one sentence if the lab can't run here, or saying which host or service didn't come up; nothing is left then.
 */
export async function startXRoadLab(
  options: XRoadOptions & Pick<LabOptions, 'owner'> = {},
  progress: Progress = () => undefined,
): Promise<XRoadLab> {
  const resolved = resolveOptions(options);
  const { names } = resolved;
  const nodes = nodesOf(names);
  await ensureMachine(progress); // openssl makes the keys
  const secrets = await makeSecrets(nodes);
  const lab = await startLab(
    {
      kind,
      image: xroadImage(resolved.packages),
      hostNames: [names.client, names.lb, ...nodes, names.provider],
      links: [],
      segments: [
        {
          ends: [
            { host: names.client, interface: 'lan0' },
            { host: names.lb, interface: 'out0' },
          ],
        },
        { ends: [names.lb, ...nodes, names.provider].map((host) => ({ host, interface: 'lan0' })) },
      ],
      hosts: ({ hostKey }) => hostSpecs(resolved, secrets, hostKey),
      ...(resolved.packages === 'apt'
        ? { repository: fillRepository }
        : { repository: fillRpmRepository, source: dnfSource }),
      services: ({ programs }) => [
        {
          name: 'provider',
          host: names.provider,
          argv: [process.execPath, join(programs, 'xroad/provider.js'), String(ports.service)],
        },
      ],
    },
    {
      ...(options.owner === undefined ? {} : { owner: options.owner }),
      ...(options.sudoers === undefined ? {} : { sudoers: options.sudoers }),
    },
    progress,
  );
  try {
    const catalogue = readCatalogue(lab.record.repository!.directory);
    const description = describe(lab, resolved, catalogue.versions);
    writeFileSync(descriptionPath(lab), JSON.stringify(description, undefined, 2));
    const cluster = new XRoadLab(lab, description);
    const { provider } = addressesOf(names);
    const url = `http://${provider}:${ports.service}/`;
    await cluster.sql(names.primary, firstSql(resolved, { code: serviceCode, url }));
    progress('Waiting for replication');
    await waitFor(
      'every secondary to stream',
      async () => (await cluster.streaming()).length === names.secondaries.length,
    );
    if (!resolved.autologin) for (const node of nodes) await cluster.login(node);
    progress('Waiting for the Security Servers to be healthy and up in HAProxy');
    if (resolved.healthPort) await cluster.waitServing();
    else for (const node of nodes) await waitFor(`the proxy of ${node}`, () => listens(cluster.host(node)));
    return cluster;
  } catch (error) {
    await lab.down();
    throw error;
  }
}

/** The X-Road labs that are up on this machine, also those that another process made. */
export function openXRoadLabs(): XRoadLab[] {
  return openLabs()
    .filter((lab) => lab.record.kind === kind)
    .flatMap((lab) => {
      try {
        return [new XRoadLab(lab, JSON.parse(readFileSync(descriptionPath(lab), 'utf8')) as XRoadDescription)];
      } catch {
        return []; // still coming up, or just going down
      }
    });
}
