/** What the update server offers, as values. Pure. Source: facts/pan-os.md, section 5. */
import { at, childrenOf, numberAt, textAt, type XmlElement } from '../../api';

export interface OfferedImage {
  readonly version: string;
  readonly sizeMb: number;
  readonly downloaded: boolean;
}

/** Of `request system software check` and `info`. */
export const parseImages = (result: XmlElement): OfferedImage[] =>
  childrenOf(at(result, 'sw-updates/versions'), 'entry').map((entry) => ({
    version: textAt(entry, 'version') ?? '',
    sizeMb: numberAt(entry, 'size') ?? 0,
    downloaded: textAt(entry, 'downloaded') === 'yes',
  }));

/** Of `request content upgrade check`, in any order. */
export const parseContents = (result: XmlElement): string[] =>
  childrenOf(at(result, 'content-updates'), 'entry').flatMap((entry) => textAt(entry, 'version') ?? []);
