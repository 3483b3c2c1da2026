/** Room for images, and content. Source: facts/pan-os.md, sections 4.1 (steps 5, 7) and 6. */
import type { Reader } from '../../api';
import { messageOf } from '../../../kit/errors';
import { newestContent, readContent } from '../../content';
import { checkImages, readImages, type Image } from '../../images';
import { readSystem } from '../../system';
import type { CheckContext, Checks, Found } from '../check';
import { parseFreeDisk } from '../parse';

const IMAGES_ON = '/opt/panrepo';
/** Images are unpacked beside themselves. */
const ROOM_FACTOR = 1.1;

export interface DiskQuestion {
  readonly freeMb: number;
  readonly images: readonly Pick<Image, 'version' | 'sizeMb' | 'downloaded'>[];
  /** Images that the upgrade needs. */
  readonly wanted: readonly string[];
  /** They come from files: the device needn't know of them. */
  readonly imported: boolean;
  readonly atLeastMb: number;
}

/** Pure. An image that isn't offered is a fault: panos-upgrade-assurance passes it (facts §6, "Defects found"). */
export function diskFaults({ freeMb, images, wanted, imported, atLeastMb }: DiskQuestion): Found[] {
  const known = wanted.map((version) => ({ version, image: images.find((image) => image.version === version) }));
  const missing = imported ? [] : known.filter(({ image }) => image === undefined);
  const megabytes = known.reduce(
    (sum, { image }) => sum + (image === undefined || image.downloaded === 'yes' ? 0 : image.sizeMb),
    0,
  );
  const needed = Math.max(Math.round(megabytes * ROOM_FACTOR), atLeastMb);
  return [
    ...missing.map(({ version }) => ({
      what: `the update server offers no image of ${version}`,
      next: 'check the release’s number, or have the image imported from a file (panos.images)',
    })),
    ...(freeMb >= needed
      ? []
      : [
          {
            what: `${IMAGES_ON} has ${gigabytes(freeMb, Math.floor)} GiB free, and ${gigabytes(needed, Math.ceil)} GiB are needed`,
            next: 'delete images that aren’t used any more (Device > Software)',
          },
        ]),
  ];
}

/** Rounded away from each other, so that the numbers show what is missing. */
const gigabytes = (megabytes: number, round: (value: number) => number): string =>
  (round((megabytes * 10) / 1_024) / 10).toFixed(1);

async function disk(reader: Reader, { spec, images: wanted, imported }: CheckContext): Promise<Found[]> {
  const { text } = await reader.op('<show><system><disk-space></disk-space></system></show>');
  const freeMb = parseFreeDisk(text, IMAGES_ON);
  if (freeMb === undefined) return [{ what: `it has no ${IMAGES_ON}, where images are kept` }];
  // Devices without internet can't ask.
  const images = wanted.length === 0 ? [] : await (imported ? readImages : checkImages)(reader);
  return diskFaults({ freeMb, images, wanted, imported, atLeastMb: spec.diskFreeGb * 1_024 });
}

/**
 * Pure. `offered`: what the update server has; empty where it wasn't asked. The upgrade installs the newest itself where
 * `content` is latest: then it must only be there to be had.
 */
export function contentFaults(
  installed: string,
  atLeast: string | undefined,
  offered: readonly string[],
  content: CheckContext['content'],
): Found[] {
  const newest = newestContent(offered.map(entry));
  const required = atLeast ?? newest;
  if (required === undefined) return [{ what: 'the update server offers no content' }];
  if (isAtLeast(installed, required)) return [];
  if (content === 'latest' && newest !== undefined && isAtLeast(newest, required)) return [];
  return [
    {
      what: `content ${installed || 'none'} is older than ${required}`,
      next:
        content === 'latest'
          ? 'the update server doesn’t offer it either'
          : 'install it first, or let the upgrade do so (content: latest)',
    },
  ];
}

const entry = (version: string) => ({ version, downloaded: false, current: false });
const isAtLeast = (have: string, required: string): boolean => newestContent([entry(required), entry(have)]) === have;

async function content(
  reader: Reader,
  { spec: { contentVersion }, content: plan, imported }: CheckContext,
): Promise<Found[]> {
  // Without a way to the update server, and without a version to hold it against, there is nothing to compare with.
  if (imported && contentVersion === undefined && plan === 'keep') return [];
  const { contentVersion: installed } = await readSystem(reader);
  // Devices without internet can't ask: not unless it matters.
  const isEnough = contentVersion !== undefined && isAtLeast(installed, contentVersion);
  const asked = !isEnough && (contentVersion === undefined || plan === 'latest');
  let offered: string[] = [];
  try {
    if (asked) offered = (await readContent(reader, 'check')).map(({ version }) => version);
  } catch (error) {
    if (!/Failed to check (content )?upgrade info/i.test(messageOf(error))) throw error;
    return [
      {
        what: `the update server can’t be asked which content there is: ${messageOf(error)}`,
        next: 'let the device reach it, or, where it has no way there, keep the content that is installed (panos.content: keep)',
        // The step that brings both to the latest content would fail on it.
        ...(plan === 'latest' ? { waivable: false } : {}),
      },
    ];
  }
  return contentFaults(installed, contentVersion, offered, plan);
}

export const softwareChecks = {
  free_disk_space: { each: disk },
  content_version: { each: content },
} satisfies Partial<Checks>;
