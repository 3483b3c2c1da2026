/** Transitions U1–U10 of an active/active member (facts §2). Pure. */
import { unfit } from './mismatch';
import { isServing, type Member, type Move, type Situation } from './situation';

/** Device ID 0 has priority for active-primary. */
const wins = (me: Member, peer: Member, { lowerMac }: Situation): boolean =>
  me.settings.deviceId < peer.settings.deviceId || (me.settings.deviceId === peer.settings.deviceId && lowerMac);

const primary = (rule: string, holdMs = 0): Move => ({ to: 'active-primary', rule, holdMs });

export function decideActiveActive(situation: Situation): Move | undefined {
  const { me } = situation;
  if (me.state === 'suspended') return undefined;
  const misfit = unfit(situation);
  if (misfit !== undefined) {
    if (me.state === misfit.to) return undefined;
    return { ...misfit, rule: misfit.to === 'suspended' ? 'T12' : 'U8', holdMs: 0, flap: 'nonfunc' };
  }
  if (me.failure?.kind === 'dataplane') {
    if (me.state === 'non-functional') return undefined;
    return { to: 'non-functional', rule: 'U8', holdMs: 0, reason: me.failure.reason, flap: 'nonfunc' };
  }
  if (me.failure !== undefined && isServing(me.state)) return stepBack(me, me.failure.reason);
  switch (me.state) {
    case 'initial':
      return join(situation);
    case 'tentative':
      return leaveTentative(situation);
    case 'active-secondary':
      return takeOver(situation);
    case 'active-primary':
      return yieldTo(situation);
    case 'non-functional':
      return { to: 'tentative', rule: 'U9', holdMs: 0 };
    default:
      return undefined;
  }
}

function stepBack({ settings, state }: Member, reason: string): Move {
  const master = state === 'active-primary' ? settings.additionalMasterHoldUpMs : 0;
  return { to: 'tentative', rule: 'U4', holdMs: settings.monitorFailHoldUpMs + master, reason, flap: 'tentative' };
}

function join(situation: Situation): Move | undefined {
  const { me, peer, rules, negotiationMs } = situation;
  if (peer === undefined)
    return me.failure === undefined
      ? primary('U1 without a peer', rules.initialWaitMs)
      : { to: 'tentative', rule: 'U4', holdMs: rules.initialWaitMs, reason: me.failure.reason };
  switch (peer.state) {
    case 'active-primary':
      return { to: 'tentative', rule: 'U2', holdMs: negotiationMs };
    case 'active-secondary':
      // It becomes active-primary as soon as it has met this member.
      return undefined;
    case 'initial':
      return wins(me, peer, situation) ? primary('U1 elected', negotiationMs) : undefined;
    case 'tentative':
      return peer.failure !== undefined || peer.stuck
        ? primary('U1 beside a peer that stays out', negotiationMs)
        : undefined;
    default:
      return primary('U1 beside a peer that stays out', negotiationMs);
  }
}

function leaveTentative(situation: Situation): Move | undefined {
  const { me, peer, absence, synced } = situation;
  if (me.stuck || me.failure !== undefined) return undefined;
  if (peer === undefined)
    return primary('U3 without a peer', absence === 'announced' ? 0 : me.settings.promotionHoldMs);
  switch (peer.state) {
    case 'active-primary':
      return synced ? { to: 'active-secondary', rule: 'U5', holdMs: me.settings.tentativeHoldMs } : undefined;
    case 'active-secondary':
      return undefined;
    case 'tentative':
      return peer.failure !== undefined || peer.stuck || wins(me, peer, situation) ? primary('U3') : undefined;
    default:
      return primary('U3');
  }
}

function takeOver(situation: Situation): Move | undefined {
  const { me, peer, absence } = situation;
  if (peer === undefined) return primary('U3', absence === 'announced' ? 0 : me.settings.promotionHoldMs);
  if (peer.state === 'active-primary') return undefined;
  if (peer.state === 'active-secondary' && !wins(me, peer, situation)) return undefined;
  return primary('U3');
}

function yieldTo(situation: Situation): Move | undefined {
  const { me, peer } = situation;
  if (peer === undefined) return undefined;
  if (peer.state === 'active-primary')
    return wins(me, peer, situation) ? undefined : { to: 'tentative', rule: 'split brain healed', holdMs: 0 };
  const preempts =
    peer.state === 'active-secondary' &&
    me.settings.preemptive &&
    peer.settings.preemptive &&
    peer.settings.deviceId < me.settings.deviceId;
  return preempts
    ? { to: 'active-secondary', rule: 'U10', holdMs: me.settings.preemptionHoldMs, flap: 'preempt' }
    : undefined;
}
