/** Whether the way back to the previous release would work right now. Read only; asked all through the monitoring period. */
import { formatFaults, messageOf, type Fault, type StepContext } from '../kit';
import { driverOf as packageDriverOf, readRelease } from '../packages';
import type { EscapeReadiness, Watched } from '../probes';
import { escapeFaults, look, notAble } from '../routing';
import { health } from '../state-sync';
import type { FirewallPairPlan } from './plan';

type Context = StepContext<FirewallPairPlan>;

/** Login, sudo, release, valid path, the policy that moves traffic, state sync. Never throws but for a cut. */
export async function escapeReady(context: Context, { serving, escapeTo }: Watched): Promise<EscapeReadiness> {
  const { plan } = context;
  const looks: readonly (() => Promise<Fault[]>)[] = [
    async () => {
      const readings = await look(context);
      return notAble(readings, escapeTo);
    },
    () => escapeFaults(context),
    async () => {
      const host = await context.host(plan.nodes[escapeTo]?.host ?? escapeTo);
      const release = await readRelease(plan, packageDriverOf(plan.software), host);
      return release === plan.releases.from
        ? []
        : [{ where: escapeTo, what: `runs ${release ?? 'no release that can be read'}, not ${plan.releases.from}` }];
    },
    async () => {
      const { verdict, summary } = await health(context, { from: serving, to: escapeTo });
      return verdict === 'pass' ? [] : [{ where: 'state sync', what: summary }];
    },
  ];
  const results = await Promise.allSettled(looks.map((check) => check()));
  context.signal.throwIfAborted();
  const faults = results.flatMap((r) =>
    r.status === 'fulfilled' ? r.value : [{ where: 'escape', what: messageOf(r.reason) }],
  );
  return faults.length === 0 ? { ready: true } : { ready: false, why: formatFaults(faults).replaceAll('\n', ' ') };
}
