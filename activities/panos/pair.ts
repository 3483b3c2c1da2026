/** Both members of a pair, each read from itself: what every guard decides on. */
import { failureType, messageOf, permanent, transient, type StepContext } from '../kit';
import { describeState, isServing, readHa, type HaReading } from './ha';
import { isBlocking, readJobs, type Job } from './jobs';
import { nodeNames, type PanosServices, type PanosStatic } from './plan';

/** A member that answered, or why it didn't. */
export type Member =
  | (HaReading & {
      readonly node: string;
      readonly answers: true;
      /** Those that an upgrade collides with. */
      readonly activeJobs: readonly Job[];
    })
  | { readonly node: string; readonly answers: false; readonly why: string };
export type Answering = Extract<Member, { answers: true }>;

export interface PairReading {
  readonly members: Readonly<Record<string, Member>>;
}

type Context = StepContext<Pick<PanosStatic, 'nodes' | 'panos'>>;

/** Reads both members now, side by side. A member that doesn't answer is part of the reading. */
export async function readPair(context: Context, services: PanosServices): Promise<PairReading> {
  const names = nodeNames(context.plan);
  const read = await Promise.allSettled(names.map((node) => readMember(context, services, node)));
  context.signal.throwIfAborted();
  const members = read.map((one) => {
    if (one.status === 'fulfilled') return one.value;
    throw withPeersWord(one.reason, read);
  });
  return { members: Object.fromEntries(members.map((member) => [member.node, member])) };
}

/** A device that isn't talked to, for its certificate: how it is, its peer knows. Pure. */
function withPeersWord(error: unknown, read: readonly PromiseSettledResult<Member>[]): unknown {
  const peer = read.flatMap((one) => (one.status === 'fulfilled' && one.value.answers ? [one.value] : []))[0];
  if (peer === undefined || failureType(error) !== 'HostKeyMismatch') return error;
  return permanent('HostKeyMismatch', `${messageOf(error)}. Now: ${peersWord(peer)}`);
}

/** What one member says of itself and of the other. Pure. */
export const peersWord = (member: Answering): string =>
  `${member.node} is ${describeState(member)}, runs ${member.version}, and sees its peer ${describeState(member.peer)}${member.peer.version === undefined ? '' : ` with ${member.peer.version}`}${member.peer.connected ? '' : ' (HA links down)'}`;

export async function readMember(context: Context, services: PanosServices, node: string): Promise<Member> {
  try {
    const device = services.device(context, node);
    const [ha, jobs] = [await readHa(device), await readJobs(device)];
    if (ha === undefined) return { node, answers: false, why: `high availability isn’t enabled on ${node}` };
    return { ...ha, node, answers: true, activeJobs: jobs.filter((job) => isBlocking(job)) };
  } catch (error) {
    context.signal.throwIfAborted();
    // A wrong certificate or password is no state of a device: people must act.
    if (failureType(error) === 'HostKeyMismatch' || failureType(error) === 'AuthenticationFailed') throw error;
    return { node, answers: false, why: messageOf(error) };
  }
}

/** A member that answers. @throws Unreachable (transient) */
export function answering({ members }: PairReading, node: string): Answering {
  const member = members[node];
  if (member?.answers === true) return member;
  throw transient('Unreachable', `${node} can’t be read: ${member?.why ?? 'the plan has no such node'}`);
}

/** The member that passes traffic; of two that do, the primary one. */
export const servingMembers = ({ members }: PairReading): Answering[] =>
  Object.values(members)
    .filter((member): member is Answering => member.answers && isServing(member.state))
    .sort((a, b) => Number(b.state === 'active-primary') - Number(a.state === 'active-primary'));

export const describe = (member: Member | undefined): string =>
  member === undefined
    ? 'not part of the pair'
    : member.answers
      ? `${member.node} is ${describeState(member)}, runs ${member.version}, state-sync ${member.stateSync || 'unknown'}`
      : `${member.node} doesn’t answer (${member.why})`;

export const describePair = ({ members }: PairReading): string => Object.values(members).map(describe).join('; ');

/** For the live table. */
export const nodesOf = ({ members }: PairReading): Record<string, Record<string, string | boolean>> =>
  Object.fromEntries(
    Object.values(members).map((member) => [
      member.node,
      member.answers
        ? { release: member.version, serving: isServing(member.state), state: describeState(member) }
        : { state: 'unknown' },
    ]),
  );
