/**
 * Whole upgrades on the lab, as a user runs them: an engine, `hitless worker` as a process of its own, the client's API,
 * and traffic through the firewalls.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { packageVersion } from '../../client/version';
import { answer, readUpgrade, startUpgrade, type Engine, type RunState } from '../../client';
import type { ClusterKind } from '../../workflows/contract';
import { inventoryOf, type InventoryOptions } from '../../demo/inventory';
import { startEngine, type Engine as EngineProcess } from '../../worker/engine';
import type { OpeningView } from '../../workflows/contract';
import { keepHistory, replays } from '../support/histories';
import { startFirewallPairLab, type FirewallPairLab, type FirewallPairOptions, type LabHost } from '../lab';

export const CLUSTER = 'fw-dc1';
const CLI = join(__dirname, '../../build/client/cli.js');
const POLL_MS = 250;

/** With HITLESS_E2E_VERBOSE=1: what goes on, as it goes on. */
const tell = (text: string): void => {
  if (process.env['HITLESS_E2E_VERBOSE'] !== undefined) process.stderr.write(`${new Date().toISOString()} ${text}\n`);
};

/** What a site is made of, whatever its lab. */
export interface Ground<L> {
  readonly lab: L;
  readonly engineProcess: EngineProcess;
  readonly engine: Engine;
  readonly connection: Connection;
  readonly directory: string;
}

/** An engine and a lab; nothing is left of them if the lab doesn't come up. */
export async function breakGround<L>(startLab: (tell: (text: string) => void) => Promise<L>): Promise<Ground<L>> {
  const directory = await mkdtemp(join(tmpdir(), 'hitless-e2e-'));
  const engineProcess = await startEngine({ dbFile: join(directory, 'engine.db') });
  const connection = await Connection.connect({ address: engineProcess.address });
  const engine = { client: new Client({ connection }), address: engineProcess.address };
  try {
    return { lab: await startLab(tell), engineProcess, engine, connection, directory };
  } catch (error) {
    await connection.close();
    await engineProcess.stop();
    throw error;
  }
}

/** What a site asks of its lab. */
export interface AnyLab {
  down(): Promise<void>;
  host(name: string): Pick<LabHost, 'exec'>;
}

/** A lab with an engine; workers and runs come and go. */
export abstract class AnySite<L extends AnyLab> {
  private worker: ChildProcess | undefined;
  readonly log: string[] = [];
  abstract readonly cluster: string;
  abstract readonly kind: ClusterKind;

  constructor(private readonly ground: Ground<L>) {}

  get lab(): L {
    return this.ground.lab;
  }
  get engine(): Engine {
    return this.ground.engine;
  }
  get engineProcess(): EngineProcess {
    return this.ground.engineProcess;
  }
  get directory(): string {
    return this.ground.directory;
  }
  get inventoryPath(): string {
    return join(this.directory, 'inventory.yaml');
  }

  private get env(): NodeJS.ProcessEnv {
    return { ...process.env, TEMPORAL_ADDRESS: this.engineProcess.address, HITLESS_INVENTORY: this.inventoryPath };
  }

  /** Starts `hitless worker` and waits until it polls. */
  async startWorker(env: NodeJS.ProcessEnv = {}, options: readonly string[] = []): Promise<void> {
    const child = spawn(process.execPath, [CLI, 'worker', '--inventory', this.inventoryPath, ...options], {
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.worker = child;
    const polling = new Promise<void>((resolve, reject) => {
      const heard = (line: string): void => {
        this.log.push(line);
        tell(`worker: ${line}`);
        if (line.includes('polling')) resolve();
      };
      createInterface({ input: child.stdout }).on('line', heard);
      createInterface({ input: child.stderr }).on('line', heard);
      child.once('exit', (code) =>
        reject(new Error(`the worker ended with ${code}:\n${this.log.slice(-20).join('\n')}`)),
      );
    });
    await polling;
  }

  /** As a crash: SIGKILL. */
  async killWorker(): Promise<void> {
    await this.endWorker('SIGKILL');
  }

  async endWorker(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.worker;
    this.worker = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** Settles when the worker has ended, for whatever reason. */
  async workerEnded(): Promise<void> {
    const child = this.worker;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await once(child, 'exit');
  }

  /** Runs the command line as a person does. */
  async cli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [CLI, ...args], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number];
    tell(`hitless ${args.join(' ')} → ${code}\n${stderr}`);
    return { code, stdout, stderr };
  }

  /** Allows on every host exactly what the printed sudoers files allow. Returns the hosts. */
  async allowOnlyPrinted(version: string): Promise<string[]> {
    const { stdout, code, stderr } = await this.cli('plan', this.cluster, version, '--sudoers', '--json');
    if (code !== 0) throw new Error(`plan --sudoers ended with ${code}: ${stderr}`);
    const { files } = JSON.parse(stdout) as { files: { host: string; text: string }[] };
    for (const { host, text } of files)
      await this.lab
        .host(host)
        .exec('cat > /etc/sudoers.d/hitless && visudo -cf /etc/sudoers.d/hitless', { input: text });
    return files.map((f) => f.host).sort();
  }

  /** Replays the last run with this build, and keeps its history if asked to (test/histories). Returns its length. */
  async replayed(name: string): Promise<number> {
    const id = `upgrade-${this.cluster}`;
    const history = await this.engine.client.workflow.getHandle(id).fetchHistory();
    await replays(id, history);
    const keep = process.env['HITLESS_KEEP_HISTORY'];
    if (keep !== undefined) await keepHistory(join(keep, `${this.kind}-${name}.${packageVersion()}`), history);
    return history.events?.length ?? 0;
  }

  /** Starts an upgrade. */
  async begin(version: string, more: { readonly mode?: 'rolling' | 'offline' } = {}): Promise<void> {
    const { cluster, kind } = this;
    await startUpgrade(this.engine, { cluster, version, requestedBy: 'test', ...more }, { kind });
  }

  state(): Promise<RunState> {
    return readUpgrade(this.engine, this.cluster);
  }

  /** Waits for a state of the run; fails if the run ends before. */
  async until(what: string, met: (state: RunState) => boolean): Promise<RunState> {
    let told = '';
    for (;;) {
      const state = await this.state();
      const now = `${state.execution} ${state.status?.step.number} ${state.status?.step.name} ${state.status?.phase} ${state.server?.why ?? ''}`;
      if (now !== told) tell(`waiting until ${what}: ${now}`);
      told = now;
      if (met(state)) return state;
      if (state.execution !== 'running') {
        throw new Error(
          `the run ended (${state.execution}) before ${what}: ${state.failure?.message ?? ''}\n${this.log.slice(-20).join('\n')}`,
        );
      }
      await sleep(POLL_MS);
    }
  }

  async asked(id: string): Promise<OpeningView> {
    const state = await this.until(`${id} was asked`, ({ status }) => {
      const open = status?.waitingFor ?? [];
      const unexpected = open.find((o) => o.kind === 'hold' && !o.id.startsWith(id));
      if (unexpected !== undefined)
        throw new Error(`waiting for ${id}, but ${unexpected.id} is asked: ${unexpected.question}`);
      return open.some((o) => o.id.startsWith(id));
    });
    return state.status!.waitingFor.find((o) => o.id.startsWith(id))!;
  }

  async say(opening: string, choice: string, extra: { to?: 'start'; comment?: string } = {}): Promise<void> {
    const { id } = await this.asked(opening);
    const verb = choice === 'approve' || choice === 'reject' ? choice : 'decide';
    const outcome = await answer(this.engine, this.cluster, {
      verb,
      opening: id,
      by: 'tester',
      ...(verb === 'decide' ? { choice } : {}),
      ...extra,
    });
    if (outcome.kind === 'refused') throw new Error(`${choice} for ${id} was refused: ${outcome.why}`);
  }

  approve(gate: string): Promise<void> {
    return this.say(gate, 'approve');
  }

  async ended(): Promise<RunState> {
    for (;;) {
      const state = await this.state();
      if (state.execution !== 'running') return state;
      const hold = state.status?.waitingFor.find((o) => o.kind === 'hold');
      if (hold !== undefined) throw new Error(`the run holds instead of ending: ${hold.question}`);
      await sleep(POLL_MS);
    }
  }

  /** Step of the running run by the beginning of its name. */
  stepState(state: RunState, name: string): string | undefined {
    return state.status?.steps.find((s) => s.name.startsWith(name))?.state;
  }

  async close(): Promise<void> {
    await this.endWorker('SIGKILL');
    await this.lab.down();
    await this.ground.connection.close();
    await this.engineProcess.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A site with a firewall pair. */
export class Site extends AnySite<FirewallPairLab> {
  readonly cluster = CLUSTER;
  readonly kind = 'firewall-pair';

  static async start(options: FirewallPairOptions = {}): Promise<Site> {
    return new Site(await breakGround((told) => startFirewallPairLab(options, told)));
  }

  async writeInventory(options: InventoryOptions = {}): Promise<void> {
    await writeFile(this.inventoryPath, inventoryOf(this.lab.description, { cluster: CLUSTER, ...options }), {
      mode: 0o644,
    });
  }

  start(version = '2.0'): Promise<void> {
    return this.begin(version);
  }

  async serving(): Promise<string | undefined> {
    const { roles, prefixes } = this.lab.description;
    const seen = await Promise.all([
      ...roles.borders.map((b) => this.lab.carrierSeenBy(b, prefixes.wan[0]!)),
      ...roles.edges.map((e) => this.lab.carrierSeenBy(e, prefixes.dc[0]!)),
    ]);
    const firewalls = new Set(seen.map((s) => s.firewall));
    return firewalls.size === 1 ? [...firewalls][0] : undefined;
  }

  async release(node: string): Promise<string> {
    return (await this.lab.host(node).exec('cat /etc/fw-release')).trim();
  }

  /** The router's running configuration. */
  border(): Promise<string> {
    return this.lab.host('border').exec('vtysh -c "show running-config"');
  }

  /** What a way back must lead to: both releases, who serves, and the router's configuration. */
  async stand(): Promise<{ releases: string[]; serving: string | undefined; border: string }> {
    const releases = await Promise.all(['fw1', 'fw2'].map((node) => this.release(node)));
    return { releases, serving: await this.serving(), border: await this.border() };
  }
}
