/** What is kept before anything is changed. Source: facts/pan-os.md, section 4.1 (step 4). */
import { join } from 'node:path';
import { runTag } from '../jobs/names';
import { defineStep, permanent, type Outcome } from '../kit';
import { childrenOf, parseDocument, type PanosDevice } from './api';
import { nodeNames, type PanosContext, type PanosPlan, type PanosServices } from './plan';

export interface Kept {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a .tgz begins with. */
const GZIP = Buffer.from([0x1f, 0x8b]);
/**
 * Name of a configuration saved on the devices; no longer than PAN-OS allows. With a release: the one that is kept for the
 * way back to that release.
 */
export const savedName = ({ run }: Pick<PanosContext, 'run'>, release?: string): string =>
  `hitless-${runTag(run.runId)}${release === undefined ? '' : `-${release}`}.xml`;

/** Keeps the configuration on the device itself. Done again, it is overwritten. */
export async function saveOn(device: PanosDevice, name: string): Promise<void> {
  await device.request(`<save><config><to>${name}</to></config></save>`);
}

async function backUp(context: PanosContext, services: PanosServices, node: string): Promise<Kept[]> {
  const device = services.device(context, node);
  context.progress(`saving the configuration of ${node}`);
  await saveOn(device, savedName(context));
  const kept: Kept[] = [];
  for (const [category, name] of [
    ['configuration', 'configuration.xml'],
    ['device-state', 'device-state.tgz'],
  ] as const) {
    const content = await device.export(category);
    if (content.length === 0) throw permanent('CommandFailed', `${node}: the exported ${category} is empty`);
    if (category === 'configuration') assertConfiguration(node, content);
    else if (!content.subarray(0, GZIP.length).equals(GZIP))
      throw permanent(
        'CommandFailed',
        `${node}: the exported device state is no archive (${content.length} bytes that don’t begin as gzip does)`,
      );
    const { backups } = context.plan.panos;
    // A call of its own for each time that the step is run: after a reset of the run it is run again, on devices that may be
    // upgraded by then, and what was kept before that must stay.
    const folder = join(backups, context.plan.cluster, runTag(context.run.runId), `call-${context.call.number}`);
    const file = join(folder, `${node}-${name}`);
    kept.push({ file, bytes: content.length, sha256: await services.files.keep(file, content) });
  }
  return kept;
}

function assertConfiguration(node: string, content: Buffer): void {
  let root;
  try {
    root = parseDocument(content.toString('utf8'));
  } catch (error) {
    throw permanent('CommandFailed', `${node}: the exported configuration is no XML: ${String(error)}`);
  }
  if (root.name !== 'config' || childrenOf(root).length === 0)
    throw permanent(
      'CommandFailed',
      `${node}: the exported configuration is a <${root.name}>, not a <config> with content`,
    );
}

export const backupSteps = (services: PanosServices) => ({
  /** Configuration and device state of both members, on the worker; a saved configuration on the devices. */
  backup: defineStep<
    Record<never, never>,
    Record<never, never>,
    Outcome & { readonly backups: Readonly<Record<string, readonly Kept[]>> },
    PanosPlan
  >({
    observe: async () => ({}),
    async act(context) {
      const backups: Record<string, readonly Kept[]> = {};
      for (const node of nodeNames(context.plan)) backups[node] = await backUp(context, services, node);
      const files = Object.values(backups).flat();
      return {
        summary: `${files.length} files are kept in ${context.plan.panos.backups} on the worker, and ${savedName(context)} on both devices`,
        changed: true,
        backups,
      };
    },
    undo: async () => ({ summary: 'backups stay', changed: false }),
    preview: async (context) => ({
      commands: nodeNames(context.plan).flatMap((host) =>
        [`save config to ${savedName(context)}`, 'export configuration', 'export device-state'].map((command) => ({
          host,
          command,
        })),
      ),
      differences: [],
    }),
  }),
});
