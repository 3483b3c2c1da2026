import { z } from 'zod';
import { duration } from '../../activities/kit/duration';
import { nameFault, personKey } from '../../workflows/procedure/people';
import type { CommandPolicy, GatePolicy, Policy } from '../../workflows/procedure/types';

/** Somebody's name, without spaces around it. */
export const personName = z
  .string()
  .superRefine((name, context) => {
    const fault = nameFault(name);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `this name won't do: it ${fault}` });
  })
  .transform((name) => name.normalize('NFKC').trim());

const names = z.array(personName).min(1, { error: 'names nobody; leave "from" out to let anyone answer' });

/** Nobody answered in time, or somebody said no. A gate never approves by itself, so `approve` is no outcome. */
const outcome = z.enum(['hold', 'roll-back', 'stop']);

const gatePolicy = z.strictObject({
  from: names.optional().describe('people whose answer counts; anyone if left out'),
  count: z.int().min(1).default(1).describe('how many different people must approve'),
  notRequester: z
    .boolean()
    .optional()
    .describe("the one who started doesn't count; the run then must say who that was (requestedBy)"),
  expiresAfterMs: duration()
    .refine((ms) => ms > 0, { error: 'must be longer than nothing' })
    .optional()
    .describe('how long the question stays open; for ever if left out'),
  onExpiry: outcome.optional().describe('what happens when nobody answered in time'),
  onReject: outcome.optional().describe('what a rejection leads to'),
});

const commandPolicy = z.strictObject({
  from: names.optional().describe('people whose word counts; anyone if left out'),
  count: z.int().min(1).default(1).describe('how many different people must say so'),
  notRequester: z.boolean().optional().describe("the one who started doesn't count"),
});

/** Schema of a cluster's `policy`: one entry for each gate of its procedure, `false` leaves the gate out. */
export const policySpec = (gates: readonly string[]) => {
  const entry = z
    .union([z.literal(false), gatePolicy], { error: 'a map such as {count: 2, from: [alice, bob]}, or false' })
    .prefault({});
  const shape: Record<string, typeof entry> = Object.fromEntries(gates.map((gate) => [gate, entry]));
  return z
    .strictObject({
      gates: z.strictObject(shape).prefault({}),
      holds: commandPolicy.prefault({}).describe('who decides what a failed step leads to'),
      pause: commandPolicy.prefault({}),
      resume: commandPolicy.prefault({}),
      switchBack: commandPolicy.prefault({}).describe('who may move traffic to the other node at once'),
    })
    .prefault({})
    .transform(toPolicy);
};

interface ParsedPolicy {
  readonly gates: Readonly<Record<string, z.output<typeof gatePolicy> | false>>;
  readonly holds: z.output<typeof commandPolicy>;
  readonly pause: z.output<typeof commandPolicy>;
  readonly resume: z.output<typeof commandPolicy>;
  readonly switchBack: z.output<typeof commandPolicy>;
}

/** The core's form: a gate left out is absent, and so is everything that wasn't said. */
function toPolicy(parsed: ParsedPolicy): Policy {
  const gates: Record<string, GatePolicy> = {};
  for (const [id, gate] of Object.entries(parsed.gates)) {
    if (gate === false) continue;
    const { from, count, notRequester, expiresAfterMs, onExpiry, onReject } = gate;
    gates[id] = {
      count,
      ...(from && { from }),
      ...(notRequester !== undefined && { notRequester }),
      ...(expiresAfterMs !== undefined && { expiresAfterMs }),
      ...(onExpiry !== undefined && { onExpiry }),
      ...(onReject !== undefined && { onReject }),
    };
  }
  const command = ({ from, count, notRequester }: z.output<typeof commandPolicy>): CommandPolicy => ({
    count,
    ...(from && { from }),
    ...(notRequester !== undefined && { notRequester }),
  });
  return {
    gates,
    holds: command(parsed.holds),
    pause: command(parsed.pause),
    resume: command(parsed.resume),
    switchBack: command(parsed.switchBack),
  };
}

/** What stands in the way of an entry of a policy, for one who starts; independent of the order of the file. */
export interface PolicyFault {
  /** Path below `policy`. */
  readonly path: readonly string[];
  readonly what: string;
  readonly next: string;
}

/**
 * Whether the run of `requestedBy` could ever be approved. Checked at the start, when the requester is known: a gate that
 * asks two of two people, not the requester, is fine until one of the two starts.
 */
export function requesterFaults(policy: Policy, requestedBy: string | undefined): PolicyFault[] {
  const entries: [string[], CommandPolicy][] = [
    ...Object.entries(policy.gates).flatMap(([id, gate]): [string[], CommandPolicy][] =>
      gate === undefined ? [] : [[['gates', id], gate]],
    ),
    ...(['holds', 'pause', 'resume', 'switchBack'] as const).map((name): [string[], CommandPolicy] => [
      [name],
      policy[name],
    ]),
  ];
  return entries.flatMap(([path, entry]) => {
    if (entry.notRequester !== true) return [];
    if (requestedBy === undefined)
      return [
        {
          path,
          what: 'needs somebody other than the one who starts, but this run doesn’t say who that is',
          next: 'start it with "requestedBy" (hitless start --requested-by NAME)',
        },
      ];
    const left = entry.from?.filter((name) => personKey(name) !== personKey(requestedBy));
    const needed = entry.count ?? 1;
    if (left === undefined || left.length >= needed) return [];
    return [
      {
        path,
        what: `needs ${needed} of ${entry.from?.join(', ') ?? ''} other than ${requestedBy}, who starts; only ${left.length} would be left`,
        next: 'let somebody else start it',
      },
    ];
  });
}
