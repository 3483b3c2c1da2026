/** What demos share: engine, lab, worker and traffic on this machine, one upgrade, one summary, and nothing left. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { answer, follow, startUpgrade, type Engine, type RunState } from '../client';
import { formatDuration } from '../activities/kit/duration';
import { startEngine } from '../worker/engine';
import { startWorker } from '../worker/run';
import type { ClusterKind } from '../workflows/contract';
import { renderComparison, renderSummary, summaryOf, type Measured, type Summary } from './summary';
import { Undo } from './undo';

export interface DemoOptions {
  readonly interactive: boolean;
  readonly monitoring: string;
  readonly json?: string;
  /** Afterwards the same without Hitless, on a fresh lab under the same traffic. */
  readonly compare?: boolean;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

/** What runs through the cluster meanwhile, and what became of it. */
export interface Measuring<Report> {
  snapshot(): Report | undefined;
  stop(): Promise<Report>;
}

/** One kind of cluster, as the demo shows it. */
export interface Scene<Lab extends { down(): Promise<void> }, Report, Figures extends object> {
  readonly cluster: string;
  readonly kind: ClusterKind;
  readonly version: string;
  startLab(progress: (text: string) => void): Promise<Lab>;
  /** `directory` is for what the worker keeps; it is removed at the end. */
  inventory(lab: Lab, monitoring: string, directory: string): string;
  startTraffic(lab: Lab): Promise<Measuring<Report>>;
  /** One sentence: what runs through the cluster meanwhile. */
  readonly trafficRuns: string;
  /** A few words for the lines of the monitoring period. */
  readonly soFar: (report: Report) => string;
  measured(report: Report): Measured<Figures>;
  /** What is done where there is no Hitless; left out where nobody would upgrade so. */
  readonly plain?: {
    /** As "plain apt-get, node after node". */
    readonly name: string;
    upgrade(lab: Lab, say: (text: string) => void, signal: AbortSignal): Promise<void>;
  };
}

/** Traffic goes on for a while after the last step, lest something breaks late. */
const AFTER_MS = 5_000;

/** Runs it to its end; whatever was started is ended again, also after a failure. */
export async function runDemo<Lab extends { down(): Promise<void> }, Report, Figures extends object>(
  scene: Scene<Lab, Report, Figures>,
  options: DemoOptions,
): Promise<Summary & Figures & { readonly plain?: Figures }> {
  const { say } = options;
  const write = async (summary: object): Promise<void> => {
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(summary, undefined, 2)}\n`);
  };
  const { summary, measured } = await undone(say, (undo) => upgrade(scene, options, undo));
  await write(summary);
  if (options.compare !== true) return summary;
  const { plain } = scene;
  if (plain === undefined) throw new Error(`there is nothing to compare the upgrade of a ${scene.kind} with`);
  const other = await undone(say, (undo) => upgradePlainly(scene, plain, options, undo));
  say(
    renderComparison([
      ['Hitless', measured],
      [plain.name, other],
    ]),
  );
  const both = { ...summary, plain: other.figures };
  await write(both);
  return both;
}

/** Whatever `work` leaves to be ended is ended after it, also after a failure. */
async function undone<T>(say: DemoOptions['say'], work: (undo: Undo) => Promise<T>): Promise<T> {
  const undo = new Undo();
  try {
    return await work(undo);
  } finally {
    say('Taking everything down …');
    await undo.run(say);
  }
}

/** The same traffic, on a lab of its own, while somebody upgrades the cluster without Hitless. */
async function upgradePlainly<Lab extends { down(): Promise<void> }, Report, Figures extends object>(
  scene: Scene<Lab, Report, Figures>,
  plain: NonNullable<Scene<Lab, Report, Figures>['plain']>,
  { say, signal }: DemoOptions,
  undo: Undo,
): Promise<Measured<Figures>> {
  say(`\nThe same by ${plain.name}, on a fresh lab under the same traffic`);
  signal.throwIfAborted();
  const lab = await scene.startLab((text) => say(`[lab] ${text}`));
  undo.later('lab', () => lab.down());
  signal.throwIfAborted();
  const traffic = await scene.startTraffic(lab);
  undo.later('traffic', () => traffic.stop().then(() => undefined));
  await plain.upgrade(lab, (text) => say(`  … ${text}`), signal);
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  return scene.measured(await traffic.stop());
}

async function upgrade<Lab extends { down(): Promise<void> }, Report, Figures extends object>(
  scene: Scene<Lab, Report, Figures>,
  options: DemoOptions,
  undo: Undo,
): Promise<{ readonly summary: Summary & Figures; readonly measured: Measured<Figures> }> {
  const { say, signal } = options;
  const { cluster, kind, version } = scene;
  const began = performance.now();
  const directory = await mkdtemp(join(tmpdir(), 'hitless-demo-'));
  undo.later('files', () => rm(directory, { recursive: true, force: true }));
  // What doesn't depend on the other is set up side by side.
  const startLab = async (): Promise<Lab> => {
    const started = await scene.startLab((text) => say(`[lab] ${text}`));
    undo.later('lab', () => started.down());
    return started;
  };
  const [engine, lab] = await undo.all([startDemoEngine(directory, say, undo), startLab()]);
  signal.throwIfAborted();
  const inventory = join(directory, 'inventory.yaml');
  await writeFile(inventory, scene.inventory(lab, options.monitoring, directory), { mode: 0o644 });
  const worker = await startWorker({
    ...connectionOf(engine),
    inventory,
    uiUrl: engine.webUi ?? '',
    onProgress: say,
  });
  undo.later('worker', () => worker.stop());
  const traffic = await scene.startTraffic(lab);
  undo.later('traffic', () => traffic.stop().then(() => undefined));
  say(`Traffic runs: ${scene.trafficRuns}`);
  const setUpMs = performance.now() - began;

  const started = performance.now();
  const { workflowId, runId } = await startUpgrade(engine, { cluster, version, requestedBy: 'demo' }, { kind });
  say(`\nUpgrade started. Web UI: ${engine.webUi}/namespaces/default/workflows/${workflowId}/${runId}/history\n`);
  const ended = await followRun(scene, engine, traffic, workflowId, options);
  const upgradeMs = performance.now() - started;
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
  const measured = scene.measured(await traffic.stop());
  const outcome =
    ended.report?.ending === 'Completed' ? 'upgraded' : `${ended.execution}: ${ended.failure?.message ?? ''}`;
  const totalMs = performance.now() - began;
  const summary = summaryOf(outcome, ended.report, measured, { setUpMs, upgradeMs, totalMs });
  say(renderSummary(summary, measured));
  return { summary, measured };
}

interface DemoEngine extends Engine {
  readonly namespace: string;
}

const connectionOf = (engine: DemoEngine) => ({ connection: { address: engine.address }, namespace: engine.namespace });

async function startDemoEngine(directory: string, say: DemoOptions['say'], undo: Undo): Promise<DemoEngine> {
  const engine = await startEngine({
    dbFile: join(directory, 'engine.db'),
    onProgress: (text) => say(`[engine] ${text}`),
  });
  undo.later('engine', () => engine.stop());
  const connection = await Connection.connect({ address: engine.address });
  undo.later('connection', () => connection.close());
  say(`[engine] Temporal serves at ${engine.address}, its Web UI at ${engine.uiUrl}`);
  return {
    client: new Client({ connection, namespace: engine.namespace }),
    address: engine.address,
    namespace: engine.namespace,
    ...(engine.uiUrl === undefined ? {} : { webUi: engine.uiUrl }),
  };
}

/** Prints each step as it ends, and approves what is asked. */
async function followRun<Lab extends { down(): Promise<void> }, Report, Figures extends object>(
  { cluster, soFar }: Scene<Lab, Report, Figures>,
  engine: DemoEngine,
  traffic: Measuring<Report>,
  workflowId: string,
  { say, interactive, signal }: DemoOptions,
): Promise<RunState> {
  const told = new Set<string>();
  const once = (key: string, text: string): void => {
    if (told.has(key)) return;
    told.add(key);
    say(text);
  };
  return follow(engine, {
    cluster,
    workflowId,
    signal,
    onState: ({ status }) => {
      if (status === undefined) return;
      for (const step of status.steps) {
        if (step.state === 'done')
          once(`${step.number} done`, `  ✓ ${step.name}${step.summary === undefined ? '' : `: ${step.summary}`}`);
        if (step.state === 'failed') once(`${step.number} ${step.failure}`, `  ✗ ${step.name}: ${step.failure}`);
        if (step.state === 'running') once(`${step.number} ${step.startedAt}`, `  … ${step.name}`);
      }
      const { wait } = status;
      if (wait !== undefined) {
        const report = traffic.snapshot();
        const tenth = Math.floor((10 * wait.observedMs) / wait.neededMs);
        once(
          `${wait.name} ${tenth}`,
          `    monitoring: ${formatDuration(wait.observedMs)} of ${formatDuration(wait.neededMs)}${report === undefined ? '' : `; ${soFar(report)} so far`}`,
        );
      }
      for (const opening of status.waitingFor) {
        once(opening.id, `  ? ${opening.id}: ${opening.question}`);
        if (interactive || opening.kind !== 'gate') {
          once(`${opening.id} how`, `    Answer in the Web UI (signal), or: ${engine.webUi}`);
          continue;
        }
        if (told.has(`${opening.id} answered`)) continue;
        once(`${opening.id} answered`, `    approving ${opening.id} by itself (--interactive leaves that to you)`);
        answer(engine, cluster, { verb: 'approve', opening: opening.id, by: 'demo-approver' }).catch((error: unknown) =>
          say(String(error)),
        );
      }
    },
  });
}
