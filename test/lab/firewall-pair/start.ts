import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor, type Progress } from '../host/command';
import { openLabs, startLab, type Lab, type LabOptions } from '../host/lab';
import type { LabHost } from '../host/lab-host';
import { fillRepository, PackageRepository, readCatalogue } from '../repo/repository';
import { describe, type FirewallPairDescription } from './description';
import { hostSpecs } from './hosts';
import { firewallPairImage } from './image';
import { renderPolicyChange } from './frr';
import { ports, resolveOptions, type FirewallPairOptions } from './options';
import { planPair, type PairPlan } from './plan';
import { choiceOf, waitSettled } from './routing';
import type { ServiceRecord } from '../host/record';
import type { TrafficOptions } from '../traffic/protocol';
import type { ResponderOptions } from '../traffic/responder';
import { Traffic } from '../traffic/start';

const kind = 'firewall-pair';

/** A firewall pair that is up, with its neighbours, client and server. */
export class FirewallPairLab {
  constructor(
    readonly lab: Lab,
    readonly plan: PairPlan,
    readonly description: FirewallPairDescription,
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

  get sshUser(): string {
    return this.lab.sshUser;
  }

  get sshKeyPath(): string {
    return this.lab.sshKeyPath;
  }

  get knownHostsPath(): string {
    return this.lab.knownHostsPath;
  }

  get repo(): PackageRepository {
    const { directory, url } = this.lab.record.repository!;
    return new PackageRepository(directory, url);
  }

  /** `description`, as a file: written when the lab came up. */
  get descriptionPath(): string {
    return descriptionPath(this.lab);
  }

  /** The border's total policy for "`active` carries the traffic", as a file for `vtysh -f`; for flips by hand. */
  policyFile(border: string, active: string): string {
    return renderPolicyChange(this.plan, border, active);
  }

  /**
   * The firewall that a router sends `prefix` through, followed over iBGP, if it is exactly one; and whether the router
   * holds another valid path.
   */
  async carrierSeenBy(router: string, prefix: string): Promise<{ firewall: string | undefined; escape: boolean }> {
    const { best, others } = await choiceOf(this.host(router), prefix);
    const { neighbors, role } = this.plan.routers[router]!;
    const next = neighbors.find(({ address }) => best.length === 1 && address === best[0])?.host;
    const escape = others.length > 0;
    if (next === undefined || this.plan.routers[next]!.role !== role) return { firewall: next, escape };
    const beyond = await choiceOf(this.host(next), prefix);
    const last = this.plan.routers[next]!.neighbors.find(({ address }) => address === beyond.best[0]);
    // Two that point at each other are a loop, not a path.
    const firewall = beyond.best.length === 1 && last?.host !== router ? last?.host : undefined;
    return { firewall, escape };
  }

  /** Starts traffic from the client to the server; by default the demo's. */
  startTraffic(options: Partial<TrafficOptions> = {}): Promise<Traffic> {
    const client = this.host(this.description.roles.client);
    return Traffic.start(this.lab.record, client.namespace, {
      server: this.description.service.address,
      udpPorts: [...ports.echo.direct, ...ports.echo.nat],
      tcpPorts: [...ports.echo.direct, ...ports.echo.nat],
      httpPorts: [ports.http.direct, ports.http.nat],
      udpPacketsPerSecond: 1000,
      sessions: 200,
      quietSessions: 40,
      quietSeconds: 60,
      newConnectionsPerSecond: 30,
      patienceSeconds: 10,
      ...options,
    });
  }

  /** Waits until all BGP sessions are Established and prefixes have come through each of them. */
  waitRouting(timeoutMs?: number): Promise<void> {
    const routers = Object.keys(this.plan.routers).map((name) => this.host(name));
    return waitSettled(routers, timeoutMs);
  }

  down(): Promise<void> {
    return this.lab.down();
  }
}

const descriptionPath = (lab: Lab): string => join(lab.record.directory, 'description.json');
const planPath = (lab: Lab): string => join(lab.record.directory, 'plan.json');

/**
 * Brings up a firewall pair: hosts booted, routing converged, sessions synchronised, release 1.0 installed.
 * @throws Error in one sentence if the lab can't run here, or saying which host or session didn't come up; nothing is left then.
 */
export async function startFirewallPairLab(
  options: FirewallPairOptions & Pick<LabOptions, 'owner'> = {},
  progress: Progress = () => undefined,
): Promise<FirewallPairLab> {
  const resolved = resolveOptions(options);
  const plan = planPair(resolved);
  const { names } = resolved;
  const lab = await startLab(
    {
      kind,
      image: firewallPairImage,
      hostNames: [names.client, ...Object.keys(plan.routers), names.server],
      links: plan.links,
      hosts: ({ address }) => hostSpecs(plan, address),
      repository: fillRepository,
      services: ({ programs }) => [responder(names.server, programs)],
    },
    {
      ...(options.owner === undefined ? {} : { owner: options.owner }),
      ...(options.sudoers === undefined ? {} : { sudoers: options.sudoers }),
    },
    progress,
  );
  try {
    const catalogue = readCatalogue(lab.record.repository!.directory);
    const description = describe(lab, plan, catalogue.versions);
    writeFileSync(planPath(lab), JSON.stringify(plan));
    writeFileSync(descriptionPath(lab), JSON.stringify(description, undefined, 2));
    const pair = new FirewallPairLab(lab, plan, description);
    progress('Waiting for BGP');
    await pair.waitRouting();
    await waitForBaseline(pair);
    return pair;
  } catch (error) {
    await lab.down();
    throw error;
  }
}

/** What the server serves, from outside: the image needs no software for it. */
function responder(host: string, programs: string): Omit<ServiceRecord, 'log'> {
  const options: ResponderOptions = {
    udpPorts: [...ports.echo.direct, ...ports.echo.nat],
    tcpPorts: [...ports.echo.direct, ...ports.echo.nat, ports.refused],
    httpPorts: [ports.http.direct, ports.http.nat],
  };
  return {
    name: 'responder',
    host,
    argv: [process.execPath, join(programs, 'traffic/responder.js'), JSON.stringify(options)],
  };
}

/** Both sides must have settled on the preferred firewall before anybody measures anything. */
async function waitForBaseline(pair: FirewallPairLab): Promise<void> {
  const { roles, prefixes } = pair.description;
  const look = [
    ...roles.borders.map((router) => ({ router, prefix: prefixes.wan[0]! })),
    ...roles.edges.map((router) => ({ router, prefix: prefixes.dc[0]! })),
  ];
  for (const { router, prefix } of look) {
    await waitFor(`${router} to send ${prefix} through ${roles.preferred}`, async () => {
      const { firewall, escape } = await pair.carrierSeenBy(router, prefix);
      return firewall === roles.preferred && escape;
    });
  }
}

/** The firewall-pair labs that are up on this machine, also those that another process made. */
export function openFirewallPairLabs(): FirewallPairLab[] {
  return openLabs()
    .filter((lab) => lab.record.kind === kind)
    .flatMap((lab) => {
      try {
        const plan = JSON.parse(readFileSync(planPath(lab), 'utf8')) as PairPlan;
        const description = JSON.parse(readFileSync(descriptionPath(lab), 'utf8')) as FirewallPairDescription;
        return [new FirewallPairLab(lab, plan, description)];
      } catch {
        return []; // still coming up, or just going down
      }
    });
}
