/**
 * What speaks against an upgrade, in one list: the named checks of both devices, the probes, the routers where traffic is
 * steered. Faults that people may waive are asked about by name. Source: facts/pan-os.md, sections 4.1 (step 2), 4.2 and 6.
 */
import { defineCheck, type AnyPlan, type Finding, type StepContext } from '../kit';
import { faultsOf } from '../readiness/registry';
import type { ReadyInput as RoutingReadyInput } from '../routing';
import { nodesOf, readPair } from './pair';
import { nodeNames, type PanosPlan, type PanosServices } from './plan';
import { CHECKS, readinessFailure, runChecks, type CheckContext, type ReadinessFault } from './readiness';

/** Checks of other folders, which need what the worker has. */
export interface ReadinessParts {
  readonly probes: (context: StepContext<AnyPlan>) => Promise<Finding>;
  readonly routing: (context: StepContext<AnyPlan>, input: RoutingReadyInput) => Promise<Finding>;
}

interface Waivers {
  readonly waived?: readonly string[];
}

export interface ReadyInput {
  /** Release that both must run; the one that the plan found if left out. */
  readonly release?: string;
  /** What people waived before, in the result of the check that they answered. */
  readonly waivers?: Waivers;
  /** …and later, of the check before this one. */
  readonly since?: Waivers;
}

/** @throws NotReady with every fault; Waivable where all that is left may be waived; a transient failure if it may pass */
export const panosReadiness = (services: PanosServices, parts: ReadinessParts) =>
  defineCheck<ReadyInput, Finding & { readonly waived?: readonly string[] }, PanosPlan>({
    async check(context, { release, waivers, since }) {
      const { plan } = context;
      const waived = [...new Set([...(waivers?.waived ?? []), ...(since?.waived ?? [])])];
      const [devices, probes, routing] = await Promise.all([
        runChecks(
          CHECKS,
          nodeNames(plan).map((node) => services.device(context, node)),
          checkContext(plan),
        ),
        toldBy('probes', () => parts.probes(context)),
        plan.routing === undefined
          ? []
          : toldBy('routing', () => parts.routing(context, routed(plan, release === undefined))),
      ]);
      const reading = await readPair(context, services);
      const found = [
        ...devices.faults,
        ...releaseFaults(reading, release ?? plan.releases.from),
        ...probes,
        ...routing,
      ].filter(({ check, waivable }) => !(waivable && check !== undefined && waived.includes(check)));
      const failure = readinessFailure(found);
      if (failure !== undefined) throw failure;
      const but = waived.length === 0 ? '' : `; waived: ${waived.join(', ')}`;
      return {
        summary: `${devices.ran.length} checks of both devices found nothing${but}`,
        nodes: nodesOf(reading),
        ...(waived.length === 0 ? {} : { waived }),
      };
    },
  });

/** Later on the routers prefer whom the procedure made them prefer. */
const routed = ({ routed: serving }: PanosPlan, isFirst: boolean): RoutingReadyInput =>
  isFirst && serving !== undefined ? { serving } : { asPlanned: false };

const checkContext = ({ panos, hops }: PanosPlan): CheckContext => ({
  spec: panos.readiness,
  images: [...new Set(hops.flatMap(({ images, wayBack }) => [...wayBack, ...images]))],
  // One that doesn’t download for itself needn’t know of an image before it is there.
  imported: panos.images !== undefined || panos.download === 'sync-to-peer',
  content: panos.content,
});

async function toldBy(where: string, look: () => Promise<Finding>): Promise<ReadinessFault[]> {
  try {
    await look();
    return [];
  } catch (error) {
    return faultsOf(error, where).map(({ where: at, what, next, type }) => ({
      where: at,
      what,
      ...(next === undefined ? {} : { next }),
      waivable: false,
      ...(type === undefined ? {} : { type }),
    }));
  }
}

function releaseFaults({ members }: Awaited<ReturnType<typeof readPair>>, release: string): ReadinessFault[] {
  return Object.values(members).flatMap((member): ReadinessFault[] => {
    if (!member.answers) return [{ where: member.node, what: member.why, waivable: false, type: 'Unreachable' }];
    if (member.version === release) return [];
    return [{ where: member.node, what: `it runs ${member.version}, not ${release}`, waivable: false }];
  });
}
