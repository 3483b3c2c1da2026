/** Images of PAN-OS on devices: what can be had, download, import. Source: facts/pan-os.md, sections 4.1 (step 7) and 5. */
import { basename } from 'node:path';
import { defineStep, permanent, transient, type Outcome } from '../kit';
import { formatDuration } from '../kit/duration';
import { childrenOf, at, numberAt, textAt, type PanosDevice, type Reader } from './api';
import { markBeforeActive, runJob } from './jobs';
import { describePair, readPair, servingMembers } from './pair';
import { type PanosContext, type PanosPlan, type PanosServices } from './plan';

export interface Image {
  readonly version: string;
  readonly fileName: string;
  /** 0 where the device doesn't tell. */
  readonly sizeMb: number;
  readonly downloaded: string;
  readonly current: boolean;
}

async function listImages(device: Reader, verb: 'info' | 'check'): Promise<Image[]> {
  const result = await device.op(`<request><system><software><${verb}></${verb}></software></system></request>`);
  return childrenOf(at(result, 'sw-updates/versions'), 'entry').map((entry) => ({
    version: textAt(entry, 'version') ?? '',
    fileName: textAt(entry, 'filename') ?? '',
    sizeMb: numberAt(entry, 'size') ?? 0,
    downloaded: textAt(entry, 'downloaded') ?? 'no',
    current: textAt(entry, 'current') === 'yes',
  }));
}

/** What the device knows of already. */
export const readImages = (device: Reader): Promise<Image[]> => listImages(device, 'info');
/** What the update server offers; fails without internet. */
export const checkImages = (device: Reader): Promise<Image[]> => listImages(device, 'check');

export const imageOf = (images: readonly Image[], version: string): Image | undefined =>
  images.find((image) => image.version === version);

const has = async (device: PanosDevice, version: string): Promise<string> =>
  imageOf(await readImages(device), version)?.downloaded ?? 'no';

export interface ImagesInput {
  /** In the order in which devices get them. */
  readonly nodes: readonly string[];
  /** Base image first. */
  readonly versions: readonly string[];
}

const DOWNLOAD_JOBS = ['Downld'];

/** Brings one image onto one device, in the way of the plan. */
async function bring(context: PanosContext, services: PanosServices, node: string, version: string): Promise<boolean> {
  const device = services.device(context, node);
  const { pollMs, downloadTimeoutMs } = context.plan.panos.timing;
  if ((await has(device, version)) === 'yes') return false;
  const file = context.plan.panos.images?.[version];
  if (context.plan.panos.images !== undefined && file === undefined)
    throw permanent(
      'PackageMissing',
      `${node} doesn’t have the image of ${version}, and the inventory names no file for it under panos.images`,
    );
  if (file !== undefined) await importImage(context, services, device, file);
  else {
    const forBoth = context.plan.panos.download === 'sync-to-peer';
    const asked = forBoth ? services.device(context, await leader(context, services)) : device;
    const sync = forBoth ? '<sync-to-peer>yes</sync-to-peer>' : '';
    // Asked once: while it copies the image to its peer, another download wouldn't make that faster.
    if (asked.name === node || (await has(asked, version)) !== 'yes')
      await runJob(context, asked, services, {
        what: `the download of ${version}`,
        types: DOWNLOAD_JOBS,
        // The download of another image that has ended must not pass for this one.
        mark: await markBeforeActive(asked, DOWNLOAD_JOBS),
        timeoutMs: downloadTimeoutMs,
        pollMs,
        start: () =>
          asked.enqueue(
            `<request><system><software><download>${sync}<version>${version}</version></download></software></system></request>`,
          ),
      });
    if (asked.name !== node) return untilCopied(context, services, { from: asked.name, device, version });
  }
  if ((await has(device, version)) !== 'yes')
    throw transient('VerifyFailed', `${node} doesn’t list the image of ${version} as downloaded`);
  return true;
}

/** The copy for the peer takes its time after the job of the one that downloaded. */
async function untilCopied(
  context: PanosContext,
  services: PanosServices,
  { from, device, version }: { readonly from: string; readonly device: PanosDevice; readonly version: string },
): Promise<true> {
  const { pollMs, stateTimeoutMs } = context.plan.panos.timing;
  for (const until = services.now() + stateTimeoutMs; (await has(device, version)) !== 'yes';) {
    if (services.now() > until)
      throw transient(
        'VerifyFailed',
        `${from} has the image of ${version}, and ${device.name} didn’t get its copy within ${formatDuration(stateTimeoutMs)}: it isn’t downloaded again. Bring it onto ${device.name} by hand, and retry`,
      );
    context.progress(`waiting for the copy of ${version} on ${device.name}`);
    await context.pause(pollMs);
  }
  return true;
}

/** The one that reaches the update server. */
async function leader(context: PanosContext, services: PanosServices): Promise<string> {
  const reading = await readPair(context, services);
  const [first] = servingMembers(reading);
  if (first !== undefined) return first.node;
  throw transient('VerifyFailed', `nobody serves: ${describePair(reading)}`);
}

async function importImage(
  context: PanosContext,
  services: PanosServices,
  device: PanosDevice,
  { file, sha256 }: { readonly file: string; readonly sha256: string },
): Promise<void> {
  const image = await services.files.open(file);
  if (image.sha256 !== sha256)
    throw permanent(
      'DigestMismatch',
      `${file} on the worker has the SHA-256 ${image.sha256}, not ${sha256}: nothing was imported`,
    );
  context.progress(`importing ${basename(file)} to ${device.name}`);
  await device.importSoftware({ name: basename(file), bytes: image.bytes, open: image.open });
}

export const imageSteps = (services: PanosServices) => ({
  /** Images on the disks of both members. */
  images: defineStep<ImagesInput, Record<never, never>, Outcome, PanosPlan>({
    observe: async () => ({}),
    async act(context, { nodes, versions }) {
      const brought: string[] = [];
      for (const node of nodes)
        for (const version of versions)
          if (await bring(context, services, node, version)) brought.push(`${version} on ${node}`);
      const list = versions.join(' and ');
      return {
        summary:
          brought.length === 0
            ? `both have the images of ${list} already`
            : `both have the images of ${list} (new: ${brought.join(', ')})`,
        changed: brought.length > 0,
      };
    },
    undo: async () => ({ summary: 'images on disk do no harm', changed: false }),
    async preview(context, { nodes, versions }) {
      const commands: { host: string; command: string }[] = [];
      for (const node of nodes) {
        const images = await readImages(services.device(context, node));
        for (const version of versions)
          if (imageOf(images, version)?.downloaded !== 'yes')
            commands.push({
              host: node,
              command: `${context.plan.panos.images === undefined ? 'request system software download version' : 'import software'} ${version}`,
            });
      }
      return { commands, differences: [] };
    },
  }),
});
