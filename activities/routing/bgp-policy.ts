/**
 * Moves traffic by local preference and AS-path prepending on one router (facts/firewall-pair §1, §4). The total policy is
 * written as one change, and always made effective together: half of it ends in a tie that hangs every session (§0.1).
 */
import { permanent, type ChangedSincePlan, type Fault } from '../kit';
import type { Change, ConfigReading, RouterDriver, RouterReading } from './driver';
import { nodesOf } from './drivers';
import { driverOf, type RoutingContext } from './look';
import type { OriginalRouting, RoutingPlan } from './spec';
import { foreignChange, type Goal, type Move, type Steering } from './steering';

export interface PolicyState {
  readonly [key: string]: unknown;
  readonly method: 'bgp-policy';
  readonly router: string;
  readonly config: OriginalRouting;
}

/** The one router that carries the role policy; the inventory refuses more (facts §12: one leaf alone). */
export function steeringRouter(plan: RoutingPlan): string {
  const [name] = Object.keys(plan.routing.routers).filter((r) => plan.routing.routers[r]?.policy !== undefined);
  if (name === undefined) throw permanent('InvalidInput', 'no router of the plan has a policy');
  return name;
}

export function bgpPolicy(context: RoutingContext): Steering<PolicyState> {
  const { plan } = context;
  const router = steeringRouter(plan);
  const host = plan.routing.routers[router]?.host ?? router;
  const { timeoutMs, stableReads, intervalMs } = plan.routing.verify;
  const equal = plan.routing.routers[router]?.policy?.equal;
  const persist = plan.routing.steering.method === 'bgp-policy' && plan.routing.steering.persist;

  const observe = async (): Promise<PolicyState> => {
    const config = await (await driverOf(context, router)).config();
    return { method: 'bgp-policy', router, config: kept(config) };
  };

  const planMove = async (
    goal: Goal,
    before: PolicyState,
    readings: readonly RouterReading[],
    urgent: boolean,
  ): Promise<Move> => {
    const driver = await driverOf(context, router);
    const now = await driver.config();
    const original = plan.routing.original?.[router];
    const lenient = urgent || goal.kind === 'undo';
    const remarks = [
      ...foreignFaults(driver, now, before, original, nodesOf(plan), urgent),
      ...reliedFaults(router, now, original ?? before.config, lenient),
      ...attachedSince(router, now, original, lenient),
    ];
    const blocking = lenient ? urgentFaults(now) : now.faults;
    if (blocking.length > 0)
      throw permanent(
        'NotReady',
        `${router} can’t steer traffic: ${blocking.map((f) => `${f.what} → ${f.next ?? ''}`).join('; ')}. Nothing was changed.`,
        { faults: blocking },
      );
    const change = driver.plan(targetOf(goal, before, original), now);
    const reading = readings.find((r) => r.router === router);
    const done = change.diff === '' && reading !== undefined && driver.inEffect(reading, change.owned);
    // A device that takes an unconfirmed change back by itself must not do so before verification has had its time.
    const options = { revertAfterMs: timeoutMs + 2 * stableReads * intervalMs + 30_000 };
    return {
      done,
      remarks,
      preview: previewOf(driver, change, host, persist),
      async make() {
        if (equal !== undefined && change.diff !== '') {
          // Where routers of a side would point at each other for a moment, each first uses its own exit (facts §12).
          await driver.shift(driver.plan({ kind: 'equal' }, now), options);
          await context.pause(equal.holdMs);
        }
        if (goal.kind === 'undo') await driver.restore({ owned: change.owned });
        else await driver.shift(change, options);
      },
      async keep() {
        await driver.confirm();
        if (persist) await driver.persist();
      },
    };
  };

  return {
    keepsEscape: true,
    opensTarget: false,
    observe,
    async changedSincePlan({ config }, isFirst) {
      const original = plan.routing.original?.[router];
      if (original === undefined) return [];
      return ownedChanged(await driverOf(context, router), config, original, { router, nodes: nodesOf(plan), isFirst });
    },
    plan: planMove,
    async faults() {
      const { faults, unnamed = [] } = await (await driverOf(context, router)).config();
      return [...faults, ...unnamed];
    },
    async changed(serving, originally) {
      const driver = await driverOf(context, router);
      const original = plan.routing.original?.[router];
      if (original === undefined) return [];
      const now = await driver.config();
      return [
        ...roleFaults(driver, now, original, { router, nodes: nodesOf(plan), serving, originally }),
        ...reliedFaults(router, now, original, true),
        ...attachedSince(router, now, original, true),
      ];
    },
    async escapeFaults() {
      const now = await (await driverOf(context, router)).config();
      const original = plan.routing.original?.[router];
      // An urgent move goes over what stands in the entries, but it can’t attach them to sessions again.
      const relied = original === undefined ? [] : reliedFaults(router, now, original, true);
      return [...urgentFaults(now), ...relied.map((what) => ({ where: router, what }))];
    },
  };
}

/** With another timer the edit would take effect by itself after a while: no reason to leave traffic where it is. */
const urgentFaults = (now: ConfigReading): Fault[] => now.faults.filter((f) => !/delay-timer/.test(f.what));

interface Roles {
  readonly router: string;
  readonly nodes: readonly string[];
  readonly serving: string | undefined;
  readonly originally: string;
}

/** How the owned entries differ from what a run writes there: the roles, total, for one node or on the way between them. */
function roleFaults(driver: RouterDriver, now: ConfigReading, original: OriginalRouting, roles: Roles): string[] {
  const { router, nodes, serving, originally } = roles;
  const base = { ...now, owned: original.owned };
  const states = [
    { node: originally, owned: original.owned },
    ...nodes.map((node) => ({ node, owned: driver.plan({ kind: 'prefer', node }, base).owned })),
    { node: undefined, owned: driver.plan({ kind: 'equal' }, base).owned },
  ];
  const differs = (owned: string): string => driver.plan({ kind: 'text', owned }, now).diff;
  const found = states.filter(({ owned }) => differs(owned) === '');
  const [first] = found;
  if (first === undefined) {
    const foreign = driver.foreign(
      now.owned,
      states.map(({ owned }) => owned),
    );
    if (foreign.length > 0) return foreign.map((line) => `${router}: ${line}`);
    const wanted = states.find(({ node }) => node === serving) ?? states[0];
    return [`${router}: the role policy is a mixture of both roles; it lacks\n${differs(wanted?.owned ?? '')}`];
  }
  if (serving === undefined || first.node === undefined || found.some(({ node }) => node === serving)) return [];
  return [`${router}: the role policy prefers ${first.node}, and traffic goes through ${serving}`];
}

/** The owned entries that a step found, against what the plan says of them. */
function ownedChanged(
  driver: RouterDriver,
  found: OriginalRouting,
  original: OriginalRouting,
  { router, nodes, isFirst }: { readonly router: string; readonly nodes: readonly string[]; readonly isFirst: boolean },
): ChangedSincePlan[] {
  const base = { ...original, faults: [] };
  const what = 'the route-map entries that carry the roles';
  if (isFirst) {
    const { diff } = driver.plan({ kind: 'text', owned: found.owned }, base);
    return diff === '' ? [] : [{ where: router, what, change: { diff } }];
  }
  const foreign = driver.foreign(found.owned, [
    original.owned,
    ...nodes.map((node) => driver.plan({ kind: 'prefer', node }, base).owned),
    driver.plan({ kind: 'equal' }, base).owned,
  ]);
  return foreign.length === 0 ? [] : [{ where: router, what, change: { diff: foreign.join('\n') } }];
}

const kept = ({ owned, restSha256, reliedSha256 }: ConfigReading): OriginalRouting => ({
  owned,
  restSha256,
  reliedSha256,
});

/** Sessions that got the owned route-maps since the plan was made: a move would split traffic between them and the others. */
function attachedSince(
  router: string,
  now: ConfigReading,
  original: OriginalRouting | undefined,
  lenient: boolean,
): string[] {
  if (original?.attached === undefined || now.attached === undefined) return [];
  const come = now.attached.filter((use) => !original.attached?.includes(use));
  const gone = original.attached.filter((use) => !now.attached?.includes(use));
  const differences = [...gone.map((use) => `- ${use}`), ...come.map((use) => `+ ${use}`)];
  if (differences.length === 0) return [];
  if (lenient)
    return [`${router}: the route-maps that carry the roles are attached elsewhere: ${differences.join('; ')}`];
  throw foreignChange(
    router,
    differences,
    'The route-maps that carry the roles are attached to other sessions than planned.',
  );
}

function targetOf(goal: Goal, before: PolicyState, original: OriginalRouting | undefined) {
  switch (goal.kind) {
    case 'role':
      return { kind: 'prefer', node: goal.node } as const;
    case 'undo':
      return { kind: 'text', owned: before.config.owned } as const;
    case 'restore':
      if (original === undefined)
        throw permanent(
          'InvalidInput',
          'the plan doesn’t say how the routing was at the start (routing.original), so it can’t be restored; traffic was not moved',
        );
      return { kind: 'text', owned: original.owned } as const;
  }
}

/** What stands in the owned entries that no step of this run wrote or found. */
function foreignFaults(
  driver: RouterDriver,
  now: ConfigReading,
  before: PolicyState,
  original: OriginalRouting | undefined,
  nodes: readonly string[],
  urgent: boolean,
): string[] {
  const reference = original?.owned ?? before.config.owned;
  const base = { ...now, owned: reference };
  const known = [
    reference,
    before.config.owned,
    ...nodes.map((node) => driver.plan({ kind: 'prefer', node }, base).owned),
    driver.plan({ kind: 'equal' }, base).owned,
  ];
  // An escape without a before has just read what it found, foreign lines included: those it is to notice.
  const differences = driver.foreign(
    now.owned,
    urgent && original !== undefined ? known.filter((_, i) => i !== 1) : known,
  );
  if (differences.length === 0) return [];
  if (urgent) return differences.map((d) => `${before.router}: went over what somebody else wrote: ${d}`);
  throw foreignChange(
    before.router,
    differences,
    'The entries that carry the roles are neither as before nor as this run writes them.',
  );
}

function reliedFaults(router: string, now: ConfigReading, reference: OriginalRouting, lenient: boolean): string[] {
  if (now.reliedSha256 === reference.reliedSha256) return [];
  const differences = lineDifferences(reference.relied, now.relied);
  if (lenient)
    return [`${router}: the BGP configuration is not as it was when the plan was made: ${differences.join('; ')}`];
  throw foreignChange(
    router,
    differences,
    'The BGP instance, the nodes’ neighbors or other parts of the route-maps differ from the plan.',
  );
}

/** Lines that came and went; the configuration itself isn't always kept. */
export function lineDifferences(before: readonly string[] | undefined, now: readonly string[] | undefined): string[] {
  if (before === undefined || now === undefined)
    return ['the digest (the configuration is too long to be kept in the plan)'];
  const gone = before.filter((l) => !now.includes(l)).map((l) => `- ${l.trim()}`);
  const come = now.filter((l) => !before.includes(l)).map((l) => `+ ${l.trim()}`);
  return gone.length + come.length > 0 ? [...gone, ...come].slice(0, 20) : ['the order of lines, or a secret'];
}

const previewOf = (driver: RouterDriver, change: Change, host: string, persist: boolean) => ({
  commands: [...change.commands, ...(persist ? driver.persistCommands : [])].map((command) => ({ host, command })),
  differences: change.diff === '' ? [] : [{ host, of: 'route-maps that carry the roles', diff: change.diff }],
});
