/**
 * Terminated half-way and started again, on the real engine: a plan that couldn't be made anew is taken from the history, and
 * the next run rolls back to where the first one began, or goes on to the end.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { permanent, type StepContext } from '../../activities/kit';
import { completePlan } from '../../activities/panos';
import { coreActivities } from '../../worker/core-activities';
import { historyService } from '../../worker/histories';
import type { ResolvedPlan } from '../../worker/inventory';
import { makePlan } from '../../worker/resume';
import {
  planWorkflowIdOf,
  workflowIdOf,
  workflowTypes,
  type ClusterKind,
  type OpeningView,
  type PlanView,
  type StatusView,
} from '../../workflows/contract';
import { clusterPlan } from '../support/cluster-run';
import { ClusterWorld } from '../support/cluster-world';
import { startWorkers, testEngine, worldActivities, type Activities, type TestEngine } from '../support/engine-run';
import { replays } from '../support/histories';
import { pairPlan } from '../support/pair-run';
import { PairWorld } from '../support/pair-world';
import { staticPlan } from '../support/panos-run';
import { PanosWorld } from '../support/panos-world';

jest.setTimeout(60_000);

/** A modelled system, what is read of it for a plan, and how it stands. */
interface System {
  readonly world: PairWorld | ClusterWorld | PanosWorld;
  readonly given: object;
  readonly read: (given: object) => Promise<object>;
  readonly more?: Activities;
  readonly stands: () => unknown;
}

const notReady = (what: string): Error =>
  permanent('NotReady', `not ready: ${what}`, { faults: [{ where: 'x', what }] });

function pair(): System {
  const world = new PairWorld();
  const { roles: _roles, releases: _releases, ...given } = pairPlan({}, 10_000);
  const releases = (): string =>
    Object.values(world.nodes)
      .map(({ release }) => release)
      .join();
  return {
    world,
    given,
    read: async (plan) => {
      if (releases() !== '1.0,1.0') throw notReady(`both nodes must run one release: ${releases()}`);
      const secondary = world.serving === 'fw1' ? 'fw2' : 'fw1';
      return { ...plan, roles: { primary: world.serving, secondary }, releases: { from: '1.0', to: '2.0' } };
    },
    more: {
      'pair.ready.check': async ({ input }: { input: { serving?: string } }) => {
        if (input.serving === undefined && (releases() !== '1.0,1.0' || world.serving !== 'fw1'))
          throw notReady(`${releases()}, and ${world.serving} serves`);
        return { summary: 'ready' };
      },
    },
    stands: () => [world.nodes, world.serving],
  };
}

function cluster(): System {
  const world = new ClusterWorld();
  const { roles: _roles, releases: _releases, ...given } = clusterPlan() as unknown as Record<string, unknown>;
  let isFirst = true;
  const old = (): boolean => Object.values(world.nodes).every(({ release, replays: r }) => release === 'old' && r);
  const { 'xroad.forbidStart.act': forbid } = worldActivities(world, 500);
  return {
    world,
    given: { ...given, monitoring: { periodMs: 10_000 } },
    read: async (plan) => {
      if (!old()) throw notReady('all nodes must have one release');
      return {
        ...plan,
        roles: { primary: 'ss1', secondaries: ['ss2', 'ss3'] },
        releases: { from: '7.7.0', to: '7.8.0' },
      };
    },
    more: {
      'xroad.ready.check': async () => {
        if (!old()) throw notReady('replay is paused');
        return { summary: 'ready' };
      },
      // Before the point of no return.
      'xroad.forbidStart.act': async (input: never) => {
        if (!isFirst) return forbid?.(input);
        isFirst = false;
        throw ApplicationFailure.nonRetryable('no space left on device', 'CommandFailed');
      },
    },
    stands: () => world.nodes,
  };
}

function panos(): System {
  const world = new PanosWorld();
  return {
    world,
    given: staticPlan(world, { monitoringMs: 10_000 }),
    read: async (given) => await completePlan(world.services)(world.contextOf(given)),
    stands: () => world.pair.devices.map(({ software, serving }) => [software.running, serving]),
  };
}

const systems: Readonly<Record<ClusterKind, () => System>> = {
  'firewall-pair': pair,
  'x-road-cluster': cluster,
  'panos-pair': panos,
};

let engine: TestEngine;
const stops: (() => Promise<void>)[] = [];
/** All go on side by side: they mostly wait. */
const scenarios: Record<string, () => Promise<void>> = {};
const played: Record<string, Promise<void>> = {};
beforeAll(async () => {
  engine = await testEngine();
  for (const [name, play] of Object.entries(scenarios)) {
    played[name] = play();
    played[name].catch(() => undefined);
  }
}, 600_000);
afterAll(async () => {
  await Promise.allSettled(Object.values(played));
  for (const stop of stops) await stop();
  await engine.close();
});
const scenario = (name: string, play: () => Promise<void>): void => {
  scenarios[name] = play;
  it(name, async () => played[name]);
};

class Upgrade {
  private constructor(
    readonly kind: ClusterKind,
    readonly system: System,
    private readonly name: string,
  ) {}

  static async of(kind: ClusterKind): Promise<Upgrade> {
    const upgrade = new Upgrade(kind, systems[kind](), `c-${randomUUID().slice(0, 8)}`);
    const { name, system } = upgrade;
    const history = historyService(engine.client);
    const activities: Activities = {
      ...worldActivities(system.world, kind === 'panos-pair' ? 200 : 500),
      ...system.more,
      ...coreActivities({ history }),
      'plan.shared': async () => [],
      'plan.resolve': async ({ input, isDryRun }: { isDryRun: boolean; input: { version: string } }) => {
        const { cancellationSignal: signal, info } = Context.current();
        const queues = { default: name, watch: `${name}-watch`, sites: {} };
        const plan = { ...system.given, cluster: name, version: input.version, requestedBy: 'rita', queues };
        const context = { plan, signal, progress: () => undefined } as unknown as StepContext<ResolvedPlan>;
        const complete = ({ plan: given }: StepContext<ResolvedPlan>): Promise<object> => system.read(given);
        return makePlan(context, { complete, history, starting: isDryRun ? undefined : info.workflowExecution });
      },
    };
    const workers = await startWorkers(engine.native, [name, `${name}-watch`], activities);
    stops.push(() => workers.stop());
    return upgrade;
  }

  get version(): string {
    return (this.system.given as { version: string }).version;
  }

  async start(version = this.version): Promise<string> {
    const { firstExecutionRunId } = await engine.client.workflow.start(workflowTypes[this.kind].upgrade, {
      taskQueue: this.name,
      workflowId: workflowIdOf(this.name),
      args: [{ cluster: this.name, version, requestedBy: 'rita' }],
    });
    return firstExecutionRunId;
  }

  plan(): Promise<PlanView> {
    return engine.client.workflow.execute(workflowTypes[this.kind].plan, {
      taskQueue: this.name,
      workflowId: planWorkflowIdOf(this.name),
      args: [{ cluster: this.name, version: this.version, only: 'resolve' }],
    });
  }

  get handle(): WorkflowHandle {
    return engine.client.workflow.getHandle(workflowIdOf(this.name));
  }

  /** Waits for whatever is asked next. */
  async asked(): Promise<OpeningView> {
    for (;;) {
      const [opening] = (await this.handle.query<StatusView>('status')).waitingFor ?? [];
      if (opening !== undefined) return opening;
      await sleep(30);
    }
  }

  async say(choice: string, expected: string): Promise<void> {
    const { id, digest, question } = await this.asked();
    if (!id.startsWith(`${expected}#`)) throw new Error(`${id} is asked: ${question}`);
    await this.handle.executeUpdate('answer', { args: [{ opening: id, digest, by: 'ann', choice }] });
  }

  /** Leaves it half-way: the run is terminated at the question after its first gate. */
  async leave(): Promise<string> {
    const first = await this.start();
    await this.say('approve', 'start');
    await this.asked();
    await this.handle.terminate('by hand');
    return first;
  }

  async ending(): Promise<string> {
    const error = await this.handle.result().then(
      () => undefined,
      (e: unknown) => (e as { cause?: { type?: string } }).cause?.type,
    );
    expect(this.system.world.broken).toEqual([]);
    const history = await this.handle.fetchHistory();
    await replays(this.handle.workflowId, history);
    return error ?? 'Completed';
  }
}

for (const kind of ['firewall-pair', 'x-road-cluster', 'panos-pair'] as const)
  scenario(`a ${kind} is rolled back by the next run to where the first one began`, async () => {
    const upgrade = await Upgrade.of(kind);
    const stood = structuredClone(upgrade.system.stands());
    const first = await upgrade.leave();
    expect(upgrade.system.stands()).not.toEqual(stood);

    const [once, again] = [await upgrade.plan(), await upgrade.plan()];
    expect(once.plan).toMatchObject({ resumedFrom: first });
    expect(again.digest).toBe(once.digest);

    await upgrade.start();
    const { id, question, choices } = await upgrade.asked();
    expect(id).toBe('hold#1');
    expect(question).toMatch(
      new RegExp(
        `^A run before this one \\(${first}\\) was ended from outside: what [1-9]\\d* .* and its plan is gone on with\\.`,
      ),
    );
    expect(question).not.toContain('Not known');
    expect(choices).toEqual(['retry', 'go-on', 'roll-back', 'stop']);
    await upgrade.say('roll-back', 'hold');
    expect(await upgrade.ending()).toBe('RolledBack');
    expect(upgrade.system.stands()).toEqual(stood);
  });

for (const [kind, gates] of [
  ['firewall-pair', ['start', 'return', 'finish']],
  ['panos-pair', ['start', 'fail-over', 'second']],
] as const)
  scenario(`a ${kind} is brought to the end by the next run`, async () => {
    const upgrade = await Upgrade.of(kind);
    await upgrade.leave();
    await upgrade.start();
    await upgrade.say('go-on', 'hold');
    for (const gate of gates) await upgrade.say('approve', gate);
    expect(await upgrade.ending()).toBe('Completed');
  });

scenario('past the point of no return the next run can only go on, or stop', async () => {
  const upgrade = await Upgrade.of('x-road-cluster');
  await upgrade.start();
  await upgrade.say('approve', 'start');
  await upgrade.say('retry', 'hold');
  await upgrade.asked();
  await upgrade.handle.terminate('by hand');
  await upgrade.start();
  expect((await upgrade.asked()).choices).toEqual(['retry', 'go-on', 'stop']);
  await upgrade.say('go-on', 'hold');
  for (const gate of ['start', 'secondaries', 'next']) await upgrade.say('approve', gate);
  expect(await upgrade.ending()).toBe('Completed');
});

scenario('a run that is reset to before it had a plan goes on with that of its first part', async () => {
  const upgrade = await Upgrade.of('firewall-pair');
  const stood = structuredClone(upgrade.system.stands());
  const first = await upgrade.start();
  await upgrade.say('approve', 'start');
  await upgrade.asked();
  const { events } = await upgrade.handle.fetchHistory();
  await engine.client.workflowService.resetWorkflowExecution({
    namespace: engine.engine.namespace,
    workflowExecution: { workflowId: upgrade.handle.workflowId, runId: first },
    reason: 'a person pressed the button',
    workflowTaskFinishEventId: events?.find((e) => e.workflowTaskCompletedEventAttributes)?.eventId ?? null,
    requestId: randomUUID(),
  });
  const { question } = await upgrade.asked();
  expect(question).toMatch(/^This run was reset: what [1-9]\d* of its steps had found .* and its plan is gone on with/);
  await upgrade.say('roll-back', 'hold');
  expect(await upgrade.ending()).toBe('RolledBack');
  expect(upgrade.system.stands()).toEqual(stood);
});

scenario('with another version it is refused, and says what that run had; nothing is touched', async () => {
  const upgrade = await Upgrade.of('firewall-pair');
  const first = await upgrade.leave();
  const stood = structuredClone(upgrade.system.stands());
  await upgrade.start('3.0');
  const { cause } = (await upgrade.handle.result().catch((e: unknown) => e)) as {
    cause: { type: string; message: string };
  };
  expect(cause.type).toBe('NotReady');
  expect(cause.message).toMatch(/both nodes must run one release/);
  expect(cause.message).toMatch(new RegExp(`Run ${first} was terminated at .* and left \\d+ steps`));
  expect(cause.message).toMatch(/- version: was "2\.0", is "3\.0"\nNext: start it with the version/);
  expect(upgrade.system.stands()).toEqual(stood);
  // A run that did nothing changes nothing of that.
  await upgrade.start();
  expect((await upgrade.asked()).question).toContain(first);
});
