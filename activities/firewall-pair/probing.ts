/** What the probes of a firewall pair ask of routing and state sync, and the work of a watch beside its probes. */
import { formatFaults, messageOf, type StepContext } from '../kit';
import type { ProbeServices } from '../probes';
import { look, ownedRouting, whoServes } from '../routing';
import { health, reseedOnce } from '../state-sync';
import { escapeReady } from './escape';
import type { FirewallPairPlan } from './plan';

type Asked = Pick<Required<ProbeServices>, 'bgp' | 'stateSync' | 'reseed' | 'escapeReady' | 'owned'>;

/** The registry of activities knows no plan types; what is registered for a kind of cluster gets that kind's plans. */
const ofPair = (context: unknown): StepContext<FirewallPairPlan> => context as StepContext<FirewallPairPlan>;

export const pairProbes: Asked = {
  async bgp(context, probe) {
    let readings;
    try {
      readings = await look(ofPair(context));
    } catch (error) {
      context.signal.throwIfAborted();
      return { verdict: 'inconclusive', why: messageOf(error) };
    }
    const router = readings.find((r) => r.router === probe.router);
    if (router === undefined) return { verdict: 'inconclusive', why: `the plan has no router ${probe.router}` };
    const watched = router.sessions.filter((s) => probe.peers === undefined || probe.peers.includes(s.neighbor));
    const down = watched.filter((s) => s.state !== 'Established');
    if (watched.length === 0) return { verdict: 'inconclusive', why: `${probe.router} has none of these neighbors` };
    if (down.length === 0) return { verdict: 'pass', value: watched.length };
    const faults = down.map((s) => ({ where: `${probe.router} ${s.neighbor}`, what: `the BGP session is ${s.state}` }));
    return { verdict: 'fail', why: formatFaults(faults) };
  },

  async stateSync(context, _probe, watched) {
    const { roles } = ofPair(context).plan;
    const from = watched?.serving ?? roles.primary;
    const to = watched?.escapeTo ?? roles.secondary;
    const { verdict, why } = await health(ofPair(context), { from, to });
    return { verdict, ...(why === undefined ? {} : { why }) };
  },

  async reseed(context, { serving, escapeTo }) {
    // The watch begins before traffic has moved: until then the idle node has nothing to give.
    if (whoServes(await look(ofPair(context))).node !== serving) return;
    const { verdict, summary } = await reseedOnce(ofPair(context), { from: serving, to: escapeTo });
    if (verdict !== 'pass') throw new Error(summary);
  },

  escapeReady: (context, watched) => escapeReady(ofPair(context), watched),

  owned: (context) => ownedRouting(ofPair(context), ofPair(context).plan.roles.primary),
};
