/** How things stand when something has failed for good: people decide on that. */
import { ApplicationFailure } from '@temporalio/common';
import { messageOf, permanent, type PermanentType } from '../kit';
import { notAbleToServe } from './guards';
import { describeState, isServing } from './ha';
import { describe, peersWord, readMember, readPair, type PairReading } from './pair';
import { otherThan, type PanosContext, type PanosServices } from './plan';

/** What people must know of both before they decide. Pure. */
export function standing(reading: PairReading, node: string, other: string): string {
  const member = reading.members[node];
  const peer = reading.members[other];
  const own =
    member?.answers === true ? `${node} is ${describeState(member)}, runs ${member.version}` : `${node} doesn’t answer`;
  if (peer?.answers !== true || !isServing(peer.state)) return `${own}; ${describe(peer)}`;
  const isAlone = notAbleToServe(member) !== undefined;
  return `${own}; ${other} serves${isAlone ? ', without a standby until this is decided' : ''}`;
}

/** As a sentence; what isn't talked to, for its certificate, is told by its peer. */
async function standingNow(context: PanosContext, services: PanosServices, node: string): Promise<string[]> {
  const other = otherThan(context.plan, node);
  try {
    return [`Now: ${standing(await readPair(context, services), node, other)}`];
  } catch {
    const peer = await readMember(context, services, other).catch(() => undefined);
    return peer?.answers === true ? [`Now: ${peersWord(peer)}`] : [];
  }
}

/**
 * Does something that people are asked about where it fails for good: they are told how things are then.
 * `rollBack` says what rolling back does, if that is a choice.
 */
export async function told<T>(
  context: PanosContext,
  services: PanosServices,
  node: string,
  rollBack: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof ApplicationFailure) || error.nonRetryable !== true) throw error;
    const now = await standingNow(context, services, node);
    context.signal.throwIfAborted();
    const sentences = [messageOf(error), ...now, ...(rollBack === undefined ? [] : [rollBack])];
    throw permanent(error.type as PermanentType, sentences.join('. '), error.details?.[0]);
  }
}
