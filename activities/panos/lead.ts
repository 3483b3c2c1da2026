/**
 * Who leads, looked at beside the steps: leadership that moves without our asking is told at once for what it is. Nothing is
 * moved back by itself: which of two members is the better one then, people know. Source: facts/pan-os.md, section 2 (T5, T6,
 * T8, T11) and section 10.
 */
import { defineGuard, defineStep, messageOf, type Outcome } from '../kit';
import { formatDuration } from '../kit/duration';
import { describeState, leads } from './ha';
import { describe, nodesOf, readPair, servingMembers, type Answering, type PairReading } from './pair';
import { otherThan, type PanosContext, type PanosPlan, type PanosServices } from './plan';
import { activeSessions } from './readiness';
import { carriedBy, type Recorded } from './traffic';

/** By this name people waive that another member leads. */
export const HA_LEAD = 'ha_lead';

export interface LeadInput {
  /** The member that is to lead meanwhile. */
  readonly leads: string;
  readonly snapshot: Recorded;
}

export interface LeadTold extends Outcome {
  readonly attention: string;
  readonly onlyTells: true;
}

const LOOK_MS = 10_000;
const NOBODY = 'nobody';
/** So long a takeover may last before it is told that nobody serves. */
const TAKEOVER_MS = 30_000;

/** undefined: a member that doesn't answer may be the one. Of two that say they lead (split brain) both are named. Pure. */
export function leaderOf({ members }: PairReading): string | undefined {
  const all = Object.values(members);
  const leaders = all.filter((member) => member.answers && leads(member)).map(({ node }) => node);
  if (leaders.length > 0) return leaders.sort().join(' and ');
  return all.every(({ answers }) => answers) ? NOBODY : undefined;
}

/** What became of sessions, as far as their number tells. Pure. */
export function sessionsTold(
  thresholds: Pick<PanosPlan['panos']['thresholds'], 'sessionLossPercent' | 'sessionFloor'>,
  before: number | undefined,
  now: number | undefined,
): string {
  if (now === undefined) return 'how many sessions it has can’t be read';
  const counted = `${now} now${before === undefined ? '' : `, ${before} when they were recorded`}`;
  if (before === undefined || before < thresholds.sessionFloor)
    return `too few sessions to tell whether they were lost or kept (${counted})`;
  return now < before * (1 - thresholds.sessionLossPercent / 100)
    ? `sessions were LOST (${counted})`
    : `its sessions were kept, as far as their number tells (${counted})`;
}

const since = ({ stateDuration }: Answering): string =>
  stateDuration === undefined ? '' : ` for ${formatDuration(stateDuration * 1_000)}`;

/** Who serves, since when, and what became of sessions; one sentence. */
export async function tellLead(
  context: PanosContext,
  services: PanosServices,
  reading: PairReading,
  { leads: expected, snapshot }: LeadInput,
): Promise<string> {
  const { plan } = context;
  const leader = servingMembers(reading).find(leads);
  const other = reading.members[otherThan(plan, leader?.node ?? expected)];
  if (leader === undefined)
    return `NOBODY serves: ${describe(reading.members[expected])}; ${describe(reading.members[otherThan(plan, expected)])}`;
  const sessions = await sessionsOn(context, services, leader.node);
  const before = carriedBy(plan, snapshot, leader.node)?.sessions.active;
  const both = other?.answers === true && leads(other) ? `; ${other.node} says that it leads too (split brain)` : '';
  return `${leader.node} leads${since(leader)} with ${leader.version}, and ${expected} was to. ${describe(other)}${both}; ${sessionsTold(plan.panos.thresholds, before, sessions)}`;
}

async function sessionsOn(context: PanosContext, services: PanosServices, node: string): Promise<number | undefined> {
  try {
    return await activeSessions(services.device(context, node));
  } catch (error) {
    context.signal.throwIfAborted();
    context.progress(`sessions of ${node} can’t be read: ${messageOf(error)}`);
    return undefined;
  }
}

/** What people can do, where the lead isn't where the procedure has it. Pure. */
export const leadChoices = (expected: string, leader: string): string =>
  `Find out why (show high-availability transitions). To have ${expected} lead again: see that it is back and synchronized, suspend ${leader}, make ${leader} functional; then retry`;

export const leadParts = (services: PanosServices) => ({
  /** A change counts, not a state: that somebody else leads has been told once the guard begins anew, and people decided. */
  leads: defineGuard<LeadInput, PanosPlan>({
    // Hours at a gate: the management plane has other things to do.
    everyMs: ({ panos }) => Math.max(panos.timing.pollMs, LOOK_MS),
    async look(context, _input, seen) {
      const reading = await readPair(context, services);
      const leader = leaderOf(reading);
      if (leader === undefined)
        return { verdict: 'inconclusive', why: Object.values(reading.members).map(describe).join('; ') };
      const states = Object.values(reading.members).map((member) =>
        member.answers ? `${member.node} ${describeState(member)}` : `${member.node} doesn’t answer`,
      );
      if (seen === undefined || seen === leader) return { verdict: 'pass', why: states.join(', '), seen: leader };
      return {
        verdict: 'fail',
        why: `the lead has moved from ${seen} to ${leader}, which this run didn’t ask for`,
      };
    },
  }),

  /** Moves nothing: waits until the takeover is over, and tells people who serves. */
  leadMoved: defineStep<LeadInput, Record<never, never>, LeadTold, PanosPlan>({
    observe: () => Promise.resolve({}),
    async act(context, input) {
      const { pollMs } = context.plan.panos.timing;
      let reading = await readPair(context, services);
      for (
        const until = services.now() + TAKEOVER_MS;
        servingMembers(reading).length === 0 && services.now() < until;
        reading = await readPair(context, services)
      )
        await context.pause(Math.min(pollMs, TAKEOVER_MS));
      const { leads: expected } = input;
      const leader = leaderOf(reading);
      if (leader === expected) {
        const member = servingMembers(reading).find(leads);
        const summary = `${expected} leads${member === undefined ? '' : since(member)}, as it was to: the lead was elsewhere for a while`;
        return {
          summary,
          changed: false,
          nodes: nodesOf(reading),
          onlyTells: true,
          attention: `${summary}. Find out why before going on`,
        };
      }
      const told = await tellLead(context, services, reading, input);
      const next =
        leader === undefined || leader === NOBODY
          ? `look at both: bring one of them back to serve first (show high-availability state; request high-availability state functional), then retry`
          : leadChoices(expected, leader);
      return {
        summary: told,
        changed: false,
        nodes: nodesOf(reading),
        onlyTells: true,
        attention: `${told}. ${next}`,
      };
    },
    undo: () => Promise.resolve({ summary: 'nothing was moved', changed: false }),
    preview: () => Promise.resolve({ commands: [], differences: [] }),
  }),
});
