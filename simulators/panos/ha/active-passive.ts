/** Transitions T1–T14 of an active/passive member (facts §2). Pure. */
import { unfit } from './mismatch';
import type { Member, Move, Situation } from './situation';

/** A member whose session synchronization doesn't complete is initial no longer (facts §2, timers). */
const LONGEST_INITIAL_MS = 3_600_000;

/** Lower device priority wins, then the lower HA1 MAC. */
const wins = ({ lowerMac }: Situation, me: Member, peer: Member): boolean =>
  me.settings.priority < peer.settings.priority || (me.settings.priority === peer.settings.priority && lowerMac);

export function decideActivePassive(situation: Situation): Move | undefined {
  const { me } = situation;
  // Only its operator gets a suspended member out.
  if (me.state === 'suspended') return undefined;
  const misfit = unfit(situation);
  if (misfit !== undefined) {
    if (me.state === misfit.to) return undefined;
    return { ...misfit, rule: `T${misfit.to === 'suspended' ? 12 : 8}`, holdMs: 0, flap: 'nonfunc' };
  }
  if (me.failure !== undefined) return me.state === 'non-functional' ? undefined : fail(me);
  switch (me.state) {
    case 'initial':
      return join(situation);
    case 'passive':
      return takeOver(situation);
    case 'active':
      return yieldTo(situation);
    case 'non-functional':
      return { to: 'passive', rule: 'T9', holdMs: me.settings.monitorFailHoldDownMs };
    default:
      return undefined;
  }
}

function fail(me: Member): Move {
  const { failure, settings, state } = me;
  const monitored = failure?.kind !== 'dataplane';
  const master = state === 'active' ? settings.additionalMasterHoldUpMs : 0;
  return {
    to: 'non-functional',
    rule: 'T8',
    holdMs: monitored ? settings.monitorFailHoldUpMs + master : 0,
    flap: 'nonfunc',
    ...(failure && { reason: failure.reason }),
  };
}

function join(situation: Situation): Move | undefined {
  const { me, peer, rules, synced, negotiationMs } = situation;
  if (peer === undefined) return { to: 'active', rule: 'T3 without a peer', holdMs: rules.initialWaitMs };
  switch (peer.state) {
    case 'active':
      return rules.passiveWaitsForSync && !synced
        ? { to: 'passive', rule: 'T2 unsynchronized', holdMs: LONGEST_INITIAL_MS }
        : { to: 'passive', rule: 'T2', holdMs: negotiationMs };
    case 'initial':
      return wins(situation, me, peer) ? { to: 'active', rule: 'T3 elected', holdMs: negotiationMs } : undefined;
    case 'passive':
      // It takes over as soon as it has met this member.
      return undefined;
    default:
      return { to: 'active', rule: 'T3 beside a peer that stays out', holdMs: negotiationMs };
  }
}

function takeOver(situation: Situation): Move | undefined {
  const { me, peer, absence } = situation;
  if (peer === undefined)
    return absence === 'announced'
      ? { to: 'active', rule: 'T5', holdMs: 0 }
      : { to: 'active', rule: 'T6', holdMs: me.settings.promotionHoldMs };
  if (peer.state === 'active' || (peer.state === 'passive' && !wins(situation, me, peer))) return undefined;
  return { to: 'active', rule: 'T5', holdMs: 0 };
}

function yieldTo(situation: Situation): Move | undefined {
  const { me, peer } = situation;
  if (peer === undefined) return undefined;
  // Both were active while HA1 was down.
  if (peer.state === 'active')
    return wins(situation, me, peer) ? undefined : { to: 'passive', rule: 'split brain healed', holdMs: 0 };
  const preempts =
    peer.state === 'passive' &&
    me.settings.preemptive &&
    peer.settings.preemptive &&
    peer.settings.priority < me.settings.priority &&
    peer.failure === undefined;
  return preempts ? { to: 'passive', rule: 'T11', holdMs: me.settings.preemptionHoldMs, flap: 'preempt' } : undefined;
}
