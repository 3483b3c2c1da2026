/** What the tests of packages need to know of a kind of host: two releases, and its package manager's words. */
import type { Lab, LabHost } from '../../../lab';
import type { ImageRecipe } from '../../../lab/host/image';
import type { HostFile } from '../../../lab/host/host-files';
import type { SoftwareSpec } from '../../../../activities/packages';

export interface Platform {
  readonly driver: SoftwareSpec['driver'];
  readonly image: ImageRecipe;
  readonly mask: readonly string[];
  readonly units: readonly string[];
  readonly source?: (url: string) => HostFile;
  readonly fillRepository: (image: string, directory: string) => Promise<void>;
  /** Exact versions of the packages of a release. */
  versions(lab: Lab, release: string): Record<string, string>;
  /** `[version]` of a package of the lab that plans name by its release, as pacer. */
  readonly versionOf: (release: string) => string;
  /** Name of the file of a package whose architecture is the lab's own. */
  fileOf(name: string, version: string): string;

  /** Packages of both releases: one whose versions are asked for, one that nobody asked for. */
  readonly main: string;
  readonly other: string;
  /** The package that tells the release, and the file. */
  readonly telling: string;
  readonly releaseFile: string;
  /** Configuration files of the release that are edited on the host; and what 2.0 ships for each. */
  readonly edited: Readonly<Record<string, string>>;
  /** A configuration file that isn't edited. */
  readonly defaults: string;

  /** A file that the index promises is taken away, so that fetching it fails with 404. */
  takeAway(lab: Lab, name: string, version: string): Promise<void>;
  putBack(lab: Lab, name: string, version: string): Promise<void>;
  /** Takes a package out of the index as well. */
  readonly withdraw?: (lab: Lab, name: string, version: string) => Promise<void>;
  /** Shell lines: the host demands signed packages, or not. Where package files aren’t vouched for by signed lists. */
  readonly signatures?: { readonly demand: string; readonly waive: string };
  /** Releases of the telling package whose script fails. */
  readonly faulty: readonly string[];
  /** Publishes them. */
  publishFaulty(lab: Lab): Promise<void>;
  /** Publishes pacer with what it needs, and installs its 1.0 on all hosts, the library as a dependency. */
  addPacer(lab: Lab): Promise<void>;
  /** Installs a package that ties `main` to its present version. */
  addMonitor(host: LabHost): Promise<void>;
  removeMonitor(host: LabHost): Promise<void>;

  /** Shell lines, run as root. */
  readonly commands: {
    /** Prints everything that is installed. */
    readonly all: string;
    /** Prints the names of packages that are there for others only, one a line, sorted. */
    readonly marks: string;
    readonly markOther: string;
    /** Prints what is the package manager's own, our lists left out. */
    readonly own: string;
    /** Removes everything that the package manager knows of repositories. */
    readonly forget: string;
    /** Prints nothing if every package is whole. */
    readonly broken: string;
    readonly kill: string;
    readonly hold: (name: string) => string;
    readonly unhold: (name: string) => string;
  };
  /** Prints NAME VERSION a line. */
  versionsOf(names: readonly string[]): string;
  /** File that package managers lock, by fcntl(2). */
  readonly lock: string;
  setUps(host: LabHost, name: string, version: string): Promise<number>;

  /** What is to be found in messages. */
  readonly says: {
    readonly installing: RegExp;
    readonly held: RegExp;
    readonly unhold: string;
    readonly missing: RegExp;
  };
}
