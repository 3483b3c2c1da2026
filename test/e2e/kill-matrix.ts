/**
 * The worker dies at every boundary of every step of one whole run, whatever the procedure: the boundaries are those of its
 * recorded list. A worker that died is followed by another one, as a service manager would.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlanView } from '../../workflows/contract';
import { stepKey } from '../../workflows/procedure/wire';
import type { AnyLab, AnySite } from './support';

const PRELOAD = join(__dirname, '../../build/test/e2e/die-at-boundaries.js');

export class KillMatrix {
  private over = false;
  private keeping: Promise<void> | undefined;

  private constructor(
    private readonly site: AnySite<AnyLab>,
    private readonly file: string,
  ) {}

  /** Starts the first worker, and another one whenever one has died. */
  static async begin(site: AnySite<AnyLab>): Promise<KillMatrix> {
    const file = join(site.directory, 'kills');
    await writeFile(file, '');
    const matrix = new KillMatrix(site, file);
    const env = { HITLESS_KILLS: file, NODE_OPTIONS: `--require ${PRELOAD}` };
    await site.startWorker(env);
    matrix.keeping = (async () => {
      while (!matrix.over) {
        await site.workerEnded();
        if (matrix.over) return;
        const died = (await matrix.kills()).length;
        // One that dies before it says that it polls has died of a boundary, too, or is broken.
        await site.startWorker(env).catch(async (error: unknown) => {
          if ((await matrix.kills()).length === died) throw error;
        });
      }
    })();
    // Looked at by `end`; until then the run shows that no worker lives.
    matrix.keeping.catch(() => undefined);
    return matrix;
  }

  /** Boundaries that a worker died at, in that order. */
  async kills(): Promise<string[]> {
    return (await readFile(this.file, 'utf8')).split('\n').filter((line) => line !== '');
  }

  /** Follows up no more, whatever became of the run. */
  async stop(): Promise<void> {
    this.over = true;
    await this.site.endWorker();
    await this.keeping;
  }

  /** Stops. Boundaries of the recorded list that no worker died at. */
  async end(): Promise<string[]> {
    const { items } = await this.site.engine.client.workflow
      .getHandle(`upgrade-${this.site.cluster}`)
      .query<PlanView>('plan');
    await this.stop();
    const kills = new Set(await this.kills());
    return items
      .flatMap(({ action, name, kind }, index) => {
        if (action === undefined) return [];
        const key = stepKey(index, name);
        // A watch or guard ends when it is cut, also while it waits for its next worker.
        return kind === 'watch' || kind === 'guard' ? [`before ${key}`] : [`before ${key}`, `after ${key}`];
      })
      .filter((boundary) => !kills.has(boundary));
  }
}
