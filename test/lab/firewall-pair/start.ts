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
import { resolveOptions, type FirewallPairOptions } from './options';
import { planPair, type PairPlan } from './plan';
import { choiceOf, waitSettled } from './routing';

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

  /** The firewall that a router sends `prefix` through, if it is exactly one, and whether the other path is there. */
  async carrierSeenBy(router: string, prefix: string): Promise<{ firewall: string | undefined; escape: boolean }> {
    const { best, others } = await choiceOf(this.host(router), prefix);
    const neighbor = this.plan.routers[router]!.neighbors.find(
      ({ address }) => best.length === 1 && address === best[0],
    );
    return { firewall: neighbor?.host, escape: others.length > 0 };
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

/** Both sides must have settled on the preferred firewall before anybody measures anything. */
async function waitForBaseline(pair: FirewallPairLab): Promise<void> {
  const { roles, prefixes } = pair.description;
  const look = [
    { router: roles.borders[0]!, prefix: prefixes.wan[0]! },
    { router: roles.edges[0]!, prefix: prefixes.dc[0]! },
  ];
  if (roles.edges.length > 1) return; // there the first edge and border may reach the preferred one by iBGP
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
