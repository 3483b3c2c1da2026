import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { inCgroup } from '../host/cgroup';
import { programFolder } from '../host/scripts';
import type { LabRecord } from '../host/record';
import type { GeneratorLine } from './loop';
import type { TrafficOptions, TrafficReport } from './protocol';

/** Traffic that runs from the client to the server; `Report` is what its generator tells. */
export class Traffic<Report = TrafficReport> {
  private latest: Report | undefined;
  private summary: Report | undefined;
  private failure: string | undefined;
  /** Resolves when the generator has ended, asked to or not. */
  readonly over: Promise<void>;

  private constructor(
    private readonly child: ChildProcess,
    /** Reports as JSON lines, readable at any time by anybody. */
    readonly logPath: string,
    onReady: () => void,
  ) {
    let stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-2000)));
    createInterface({ input: child.stdout! }).on('line', (text) => {
      const line = JSON.parse(text) as GeneratorLine<Report>;
      if (line.kind === 'ready') onReady();
      else if (line.kind === 'error') this.failure = line.message;
      else if (line.kind === 'report') this.latest = line.report;
      else this.latest = this.summary = line.report;
    });
    this.over = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.failure ??= this.summary === undefined ? `ended with ${signal ?? `status ${code}`}: ${stderr}` : undefined;
        resolve();
      });
      child.once('error', (error) => {
        this.failure = error.message;
        resolve();
      });
    });
  }

  /** Resolves once every session is open and the server has answered on every port. */
  static start(record: LabRecord, namespace: string, options: TrafficOptions): Promise<Traffic> {
    return Traffic.run<TrafficReport>(record, namespace, 'traffic/generator.js', options);
  }

  /**
   * Runs `program`, of the lab's folder, in a namespace until its input ends: `node <program> <JSON of options> <log>`, which
   * writes GeneratorLines. Resolves when it says that it is ready.
   */
  static async run<Report>(
    record: LabRecord,
    namespace: string,
    program: string,
    options: unknown,
  ): Promise<Traffic<Report>> {
    const programs = await programFolder(join(record.directory, 'programs'));
    const log = join(record.directory, `traffic-${Date.now()}.jsonl`);
    const argv = ['nsenter', `--net=/run/netns/${namespace}`, process.execPath, join(programs, program)];
    const child = spawn('sh', inCgroup(`${record.id}/traffic`, [...argv, JSON.stringify(options), log]).slice(1), {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true, // a ^C is for whoever started it, who then ends it in order
    });
    let onReady = (): void => undefined;
    const ready = new Promise<void>((resolve) => (onReady = resolve));
    const traffic = new Traffic<Report>(child, log, () => onReady());
    await Promise.race([ready, traffic.over]);
    if (traffic.failure !== undefined) throw new Error(`the traffic didn't start: ${traffic.failure}`);
    return traffic;
  }

  /** Counters as of a second ago at most. */
  snapshot(): Report | undefined {
    return this.latest;
  }

  /** Ends it in order: what is under way is waited for, quiet sessions are asked for a last word. */
  async stop(): Promise<Report> {
    this.child.stdin!.end();
    await this.over;
    if (this.summary === undefined) throw new Error(`the traffic generator failed: ${this.failure}`);
    return this.summary;
  }
}
