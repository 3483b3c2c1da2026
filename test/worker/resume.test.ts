/** Which plan a start gets, by what the run before it left: from the devices, from that run's history, or none. */
import { permanent, type StepContext } from '../../activities/kit';
import { HistoryGone, type HistoryService } from '../../worker/histories';
import type { ResolvedPlan } from '../../worker/inventory';
import { makePlan } from '../../worker/resume';
import { encrypted, HistoryBuilder } from '../support/history-builder';

const resolved = { cluster: 'fw', procedure: 'firewall-pair', version: '2.0' };
const found = { roles: { primary: 'fw1' }, releases: { from: '1.0', to: '2.0' } };
const frozen = { ...resolved, ...found };
const starting = { workflowId: 'upgrade-fw', runId: 'now' };

/** A run with this plan that did something, and was terminated. */
function terminated(does: (run: HistoryBuilder) => void, plan: unknown = frozen): HistoryBuilder {
  const run = new HistoryBuilder('before');
  run.answer(run.call('plan.resolve', ''), plan).task();
  does(run);
  return run.terminated();
}
const installed = (run: HistoryBuilder): unknown => run.step('packages.install', '03-install', { release: '1.0' });

function historyOf(run: HistoryBuilder | undefined, gone = false): HistoryService {
  return {
    async *pages(_workflowId, runId) {
      await Promise.resolve();
      if (gone) throw new HistoryGone(`Temporal doesn’t have run ${runId} any more`);
      yield runId === run?.runId ? run.events : [];
    },
    runs: async () => (run === undefined ? [] : [{ runId: run.runId, startedAt: 1 }]),
    firstRunOf: async (_workflowId, runId) => runId,
  };
}

const fresh = { ...frozen, fresh: true };
const refuses = permanent('NotReady', 'both nodes must run one release', { faults: [{ where: 'fw', what: 'two' }] });

interface Asked {
  readonly history?: HistoryService;
  readonly version?: string;
  readonly devices?: object;
  readonly isDryRun?: boolean;
}
function asked({ history, version = '2.0', devices = fresh, isDryRun = false }: Asked): Promise<object> {
  const context = { plan: { ...resolved, version }, signal: new AbortController().signal, progress: () => undefined };
  return makePlan(context as unknown as StepContext<ResolvedPlan>, {
    complete: async () => {
      if (devices instanceof Error) throw devices;
      return devices;
    },
    ...(history === undefined ? {} : { history }),
    ...(isDryRun ? {} : { starting }),
  });
}
const failure = (asking: Asked): Promise<{ message: string; type: string; details: unknown[] }> =>
  asked(asking).then(
    () => Promise.reject(new Error('it was planned')),
    (error: unknown) => error as never,
  );

test('a run that left something changed: its plan, whatever the devices say now', async () => {
  const history = historyOf(terminated(installed));
  for (const isDryRun of [false, true])
    for (const devices of [fresh, refuses])
      expect(await asked({ history, devices, isDryRun })).toEqual({ ...frozen, resumedFrom: 'before' });
});

test('no run, or one that left nothing to undo: from the devices', async () => {
  expect(await asked({ history: historyOf(undefined) })).toBe(fresh);
  const undone = terminated((run) => {
    installed(run);
    run.undo('packages.install', '03-install');
  });
  const staged = terminated((run) => run.step('packages.stage', '02-stage', {}));
  for (const run of [undone, staged]) {
    expect(await asked({ history: historyOf(run) })).toBe(fresh);
    const { message } = await failure({ history: historyOf(run), devices: refuses });
    expect(message).toBe('both nodes must run one release');
  }
});

test('what can’t be read: from the devices, and a refusal says why that run wasn’t asked, and what to do', async () => {
  const run = terminated(installed);
  for (const [history, why] of [
    [undefined, 'this worker can’t read histories'],
    [historyOf(run, true), 'any more'],
    [historyOf(terminated(installed, encrypted)), 'the plan of run before can’t be read'],
  ] as const) {
    const asking = history === undefined ? {} : { history };
    // The start itself must be known; a dry run isn't there.
    const isDryRun = why === 'any more';
    expect(await asked({ ...asking, isDryRun })).toBe(fresh);
    const { type, message, details } = await failure({ ...asking, devices: refuses, isDryRun });
    expect({ type, details }).toEqual({ type: 'NotReady', details: refuses.details });
    expect(message).toContain(
      'both nodes must run one release\nWhether a run before this one left it so can’t be told',
    );
    expect(message).toContain(why);
    expect(message).toContain('bring all of them to one release');
  }
});

test('a server that fails: a start is asked again, a dry run shows what the devices say', async () => {
  const history = { ...historyOf(undefined), runs: () => Promise.reject(new Error('unavailable')) };
  expect(await asked({ history, isDryRun: true })).toBe(fresh);
  await expect(asked({ history })).rejects.toThrow('unavailable');
});

test('another version: refused while the devices aren’t as that run had found them, and says what differs', async () => {
  const history = historyOf(terminated(installed));
  const told =
    /Run before was terminated at .* by alice@desk and left one step .*\n- version: was "2\.0", is "3\.0"\nNext:/;
  expect((await failure({ history, version: '3.0', devices: refuses })).message).toMatch(told);
  const turned = { ...fresh, version: '3.0', roles: { primary: 'fw2' } };
  const { type, message } = await failure({ history, version: '3.0', devices: turned });
  expect(type).toBe('NotReady');
  expect(message).toMatch(/nothing was touched:\n- roles\.primary: was "fw1", is "fw2"/);
  expect(message).toMatch(told);
  const right = { ...fresh, version: '3.0' };
  expect(await asked({ history, version: '3.0', devices: right })).toBe(right);
});

test('a run that was reset to before it had a plan: that of its own first part', async () => {
  const first = new HistoryBuilder('before');
  const at = first.lastId;
  first.answer(first.call('plan.resolve', ''), frozen).task();
  installed(first);
  const now = first.reset(at, 'now');
  const history: HistoryService = {
    async *pages(_workflowId, runId) {
      yield await Promise.resolve(runId === 'now' ? now.events : first.events);
    },
    runs: async () => ['now', 'before'].map((runId) => ({ runId, startedAt: 1 })),
    firstRunOf: async () => 'before',
  };
  expect(await asked({ history, devices: refuses })).toEqual({ ...frozen, resumedFrom: 'before' });
});
