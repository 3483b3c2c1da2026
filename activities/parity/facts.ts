import { glob } from '../kit';
import type { Section } from './spec';

/**
 * What a node is, as text that is compared: by section, then by path (a chain, a sysctl, a destination, an interface), a
 * list of lines whose order matters. What has no order is sorted before it gets here.
 */
export type Facts = Readonly<Partial<Record<Section, Readonly<Record<string, readonly string[]>>>>>;

/** An address of an interface, of use to tell which texts are a node's own. */
export interface OwnAddress {
  readonly interface: string;
  readonly address: string;
  readonly length: number;
}

export interface NodeReading {
  readonly facts: Facts;
  readonly addresses: readonly OwnAddress[];
  readonly about: About;
  /** What is stacked on what: VLANs and the like by the interface below them, ports by the bridge or bond above. */
  readonly stacked: readonly (readonly [upper: string, lower: string])[];
}

/** What decides which differences count. Snapshots of builds before lack it. */
export interface About {
  /** Release of the kernel, as `uname -r` prints it. */
  readonly kernel?: string;
  /** Names of compared sysctls that files of sysctl.d set, of those that a kernel may bring; left out if they couldn't be read. */
  readonly set?: readonly string[];
  /** keepalived runs here. */
  readonly vrrp?: true;
}

/** Matches a text in which `*` stands for anything. */
export const globbed = (pattern: string): ((text: string) => boolean) => glob(pattern, { one: false });

export const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

/** Leaves out what the plan says isn't compared. */
export function withoutIgnored(facts: Facts, ignore: readonly string[]): Facts {
  if (ignore.length === 0) return facts;
  const ignored = ignore.map(globbed);
  return Object.fromEntries(
    Object.entries(facts).map(([section, paths]) => [
      section,
      Object.fromEntries(
        Object.entries(paths).filter(([path]) => !ignored.some((matches) => matches(`${section}/${path}`))),
      ),
    ]),
  );
}
