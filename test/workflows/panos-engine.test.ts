/**
 * A seeded sample of the random troubles of panos.property.test.ts on the real engine: devices over TLS, a worker, signals.
 * All of them run side by side. HITLESS_SEED repeats a sample.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { answer, readUpgrade, startUpgrade, type Engine } from '../../client';
import { panosInventoryOf } from '../../demo/panos';
import { startSimulatedPair, type ServedPair } from '../../simulators/panos/server';
import { startWorker } from '../../worker/run';
import { useEngine } from '../support/engine-run';
import { left, PairInvariants } from '../support/panos-invariants';
import { trouble, type Trouble } from '../support/panos-trouble';

jest.setTimeout(1_200_000);

const ALL = process.env['HITLESS_TEST_ALL'] !== undefined;
const RUNS = ALL ? 24 : 4;
const SEED = Number(process.env['HITLESS_SEED'] ?? Math.floor(Math.random() * 1e9));
/** Simulated time for each unit of real time. */
const SPEED = 120;
/** Simulated; a busy machine's second is two minutes of it. */
const UNSEEN_MS = 90_000;
const PASSWORD = 'HITLESS_TEST_PANOS_PASSWORD';
const ENDINGS = /^(Completed|RolledBack|Stopped|Cancelled)$|Nothing was touched|nothing was changed/i;
/** Who is asked for ever says stop in the end. */
const PATIENCE = 25;

interface Case {
  readonly name: string;
  readonly trouble: Trouble;
  /** Which choice each question gets, in turn. */
  readonly answers: readonly number[];
}

/** A request that hangs takes real time; the in-memory runs have those. */
const quick = (t: Trouble): Trouble => ({
  ...t,
  faults: t.faults.map((fault) =>
    fault.kind === 'request' && fault.how === 'hang' ? { ...fault, how: 'drop' } : fault,
  ),
});

const cases = fc
  .sample(fc.tuple(trouble, fc.array(fc.nat(11), { minLength: 1, maxLength: 8 })), { numRuns: RUNS, seed: SEED })
  .map(([t, answers], n): Case => ({ name: `pa-${n}`, trouble: quick(t), answers }));

const inventoryOf = (served: ServedPair, { name, trouble: { order, failBack } }: Case): string =>
  panosInventoryOf(served, {
    cluster: name,
    monitoring: '2s',
    password: `env:${PASSWORD}`,
    panos: {
      backups: join(directory, 'backups'),
      order,
      failBack,
      readiness: { only: [] },
      timing: {
        pollMs: '300ms',
        stateTimeoutMs: '20s',
        convergeTimeoutMs: '20s',
        rejoinTimeoutMs: '30s',
        bootTimeoutMs: '60s',
        installTimeoutMs: '60s',
        downloadTimeoutMs: '60s',
        commitTimeoutMs: '60s',
      },
    },
  });

/** Answers every question; returns how the run ended. */
async function play(engine: Engine, { name, answers }: Case): Promise<string> {
  for (let asked = 0; ;) {
    const state = await readUpgrade(engine, name);
    if (state.execution !== 'running') return state.report?.ending ?? `${state.execution}: ${state.failure?.message}`;
    const opening = state.status?.waitingFor[0];
    if (opening === undefined) {
      await sleep(200);
      continue;
    }
    const pick = answers[asked++ % answers.length] ?? 0;
    const tired = asked > PATIENCE && opening.choices.includes('stop') ? 'stop' : undefined;
    const choice = opening.kind === 'gate' ? 'approve' : (tired ?? opening.choices[pick] ?? opening.choices[0] ?? '');
    await answer(engine, name, {
      verb: opening.kind === 'gate' ? 'approve' : 'decide',
      opening: opening.id,
      by: 'ann',
      comment: 'because',
      ...(opening.kind === 'gate' ? {} : { choice }),
      ...(choice === 'roll-back' && pick % 2 === 0 ? { to: 'start' as const } : {}),
      ...(choice === 'waive' ? { waive: opening.waivable ?? [] } : {}),
    }).catch(() => undefined);
  }
}

const { engine } = useEngine();
let directory: string;
const served = new Map<string, ServedPair>();
let worker: { stop(): Promise<void> } | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hitless-panos-'));
  const clusters: Record<string, unknown> = {};
  for (const each of cases) {
    const { mode, suspendSurvivesReboot, preemptive, tentativeHoldMs, passiveLinkState, pluginMismatch } = each.trouble;
    const pair = await startSimulatedPair({
      speed: SPEED,
      mode,
      suspendSurvivesReboot,
      devices: [{ preemptive }, { preemptive }],
      timers: { tentativeHoldMs },
      passiveLinkState,
      pluginMismatch,
    });
    served.set(each.name, pair);
    process.env[PASSWORD] = pair.devices[0].password;
    Object.assign(clusters, (parse(inventoryOf(pair, each)) as { clusters: object }).clusters);
  }
  const inventory = join(directory, 'inventory.yaml');
  await writeFile(inventory, stringify({ schema: 1, clusters }), { mode: 0o644 });
  worker = await startWorker({
    connection: { address: engine.engine.address },
    namespace: 'default',
    inventory,
    uiUrl: '',
    onProgress: () => undefined,
  });
}, 300_000);

afterAll(async () => {
  await worker?.stop();
  await Promise.all([...served.values()].map((pair) => pair.stop()));
  await rm(directory, { recursive: true, force: true });
});

it(`keeps one member serving and ends upgraded, rolled back or held (seed ${SEED})`, async () => {
  const client = { client: engine.client, address: engine.engine.address };
  const results = await Promise.all(
    cases.map(async (each) => {
      const { pair } = served.get(each.name)!;
      const { preemptive, version, faults } = each.trouble;
      const invariants = new PairInvariants(pair, UNSEEN_MS);
      await startUpgrade(client, { cluster: each.name, version, requestedBy: 'rita' }, { kind: 'panos-pair' });
      for (const fault of faults) pair.faults.inject(fault);
      const ending = await play(client, each);
      const wanted = [0, 1].map(() => ({ release: version, preemptive, suspended: false }));
      const problems = [
        ...invariants.broken,
        // A device that doesn’t answer while the plan is made ends the run before it begins.
        ...(ENDINGS.test(ending) ? [] : [`it ended so: ${ending}`]),
      ];
      return { each, ending, problems, upgraded: ending === 'Completed' ? left(pair) : wanted, wanted };
    }),
  );
  for (const { each, problems, upgraded, wanted } of results) {
    expect({ each, problems }).toEqual({ each, problems: [] });
    expect({ each, upgraded }).toEqual({ each, upgraded: wanted });
  }
});
