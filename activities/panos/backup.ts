/** What is kept before anything is changed. Source: facts/pan-os.md, section 4.1 (step 4). */
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { runTag } from '../jobs/names';
import { defineStep, permanent, type Outcome } from '../kit';
import { XmlStream, type PanosDevice } from './api';
import { pairChanged } from './as-planned';
import { readPair } from './pair';
import { nodeNames, type PanosContext, type PanosPlan, type PanosServices } from './plan';
import { readSystem } from './system';

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
  savedNameOf(run.runId, release);

/** The one that another run saved, as a *before* names it that was taken over. */
export const savedNameOf = (runId: string, release?: string): string => nameOf(runTag(runId), release);

/** The same in a preview: the run that will save it isn't the one that previews. */
export const previewedName = (release?: string): string => nameOf('<run>', release);

const nameOf = (tag: string, release: string | undefined): string =>
  `hitless-${tag}${release === undefined ? '' : `-${release}`}.xml`;

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
    const { backups } = context.plan.panos;
    // A call of its own for each time that the step is run: after a reset of the run it is run again, on devices that may be
    // upgraded by then, and what was kept before that must stay.
    const folder = join(backups, context.plan.cluster, runTag(context.run.runId), `call-${context.call.number}`);
    const file = join(folder, `${node}-${name}`);
    let bytes = 0;
    const sha256 = await services.files.keep(file, async (write) => {
      const check = category === 'configuration' ? configuration(node) : archive(node);
      bytes = await device.export(category, async (part) => {
        check.add(part);
        await write(part);
      });
      if (bytes === 0) throw permanent('CommandFailed', `${node}: the exported ${category} is empty`);
      check.end(bytes);
    });
    kept.push({ file, bytes, sha256 });
  }
  return kept;
}

/** What an export must be, seen while it comes in. */
interface Check {
  add(bytes: Buffer): void;
  end(bytes: number): void;
}

function archive(node: string): Check {
  let beginning = Buffer.alloc(0);
  return {
    add: (bytes) => {
      if (beginning.length < GZIP.length) beginning = Buffer.concat([beginning, bytes.subarray(0, GZIP.length)]);
    },
    end: (bytes) => {
      if (!beginning.subarray(0, GZIP.length).equals(GZIP))
        throw permanent(
          'CommandFailed',
          `${node}: the exported device state is no archive (${bytes} bytes that don’t begin as gzip does)`,
        );
    },
  };
}

function configuration(node: string): Check {
  const decoder = new StringDecoder('utf8');
  let root: string | undefined;
  let depth = 0;
  let hasContent = false;
  const stream = new XmlStream({
    open: (name) => {
      root ??= name;
      hasContent ||= depth > 0;
      depth++;
    },
    text: () => undefined,
    close: () => depth--,
  });
  const parse = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      throw permanent('CommandFailed', `${node}: the exported configuration is no XML: ${String(error)}`);
    }
  };
  return {
    add: (bytes) => parse(() => stream.write(decoder.write(bytes))),
    end: () => {
      parse(() => stream.end());
      if (root !== 'config' || !hasContent)
        throw permanent(
          'CommandFailed',
          `${node}: the exported configuration is a <${root ?? ''}>, not a <config> with content`,
        );
    },
  };
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
    // The first that the run does with the devices: nothing that it finds here is its own doing, unless it goes on from before.
    changedSincePlan: async (context) => {
      const systems = await Promise.all(
        nodeNames(context.plan).map(async (node) => [node, await readSystem(services.device(context, node))] as const),
      );
      return pairChanged(
        context.plan,
        await readPair(context, services),
        Object.fromEntries(systems),
        context.run.goesOn || context.plan.resumedFrom !== undefined,
      );
    },
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
        [`save config to ${previewedName()}`, 'export configuration', 'export device-state'].map((command) => ({
          host,
          command,
        })),
      ),
      differences: [],
    }),
  }),
});
