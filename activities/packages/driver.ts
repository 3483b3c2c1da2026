/**
 * What the steps need of a package manager. apt (apt/) and dnf (dnf/) are behind it, with the same promises: exact versions,
 * nothing fetched while a node is out of service, nothing removed that the plan doesn't let go.
 */
import type { Fault } from '../kit/errors';
import type { Host } from '../kit/host';
import type { StepContext } from '../kit/step';
import type { Change, Installed, Offered } from './package';

export type { Change, Installed, Offered };

/** What a long command is for: names it on the host. An act and its undo are different purposes. */
export interface Purpose {
  /** Lower-case letters, digits and hyphens. */
  readonly purpose: string;
  readonly timeoutMs: number;
}

/** Everything that one exchange of packages needs, frozen before it begins. */
export interface Exchange extends Purpose {
  /** Absolute paths of package files. */
  readonly files: readonly string[];
  /** Installed packages to take away. */
  readonly remove: readonly string[];
  /** Also packages that have the wanted version already: some of them were damaged by an interrupted installation. */
  readonly reinstall: boolean;
  readonly conffiles: 'keep' | 'replace';
}

export interface PackageDriver {
  /** Where people look on a host, and how they repair it: names of files and commands, for messages. */
  readonly hints: { readonly history: string; readonly output: string; readonly repair: string };
  /**
   * Whether the exchange itself treats edited configuration files as `conffiles` says. Where it can't be told, they are
   * saved before it and settled after it.
   */
  readonly settlesConffiles: boolean;
  /** Packages as they are, by name; what was never installed is missing. */
  installed(host: Host, names: readonly string[]): Promise<ReadonlyMap<string, Installed>>;
  /** As `installed`, of packages whose name a pattern fits: `xroad-*`. */
  installedLike(host: Host, pattern: string): Promise<ReadonlyMap<string, Installed>>;
  /** Packages among `names` that are there only because others need them. */
  automatic(host: Host, names: readonly string[]): Promise<readonly string[]>;
  markAutomatic(host: Host, names: readonly string[]): Promise<void>;
  /** Configuration files of these packages that were edited on the host. */
  editedConffiles(host: Host, names: readonly string[]): Promise<readonly string[]>;
  /** What stands in the way of any installation: interrupted or broken packages, a held lock, holds on `names`. */
  faults(host: Host, names: readonly string[]): Promise<Fault[]>;

  /**
   * Refreshes package lists of our own; the host's own are left alone. Returns the sources that did not answer, whose
   * lists may be old.
   */
  refresh(host: Host, timeoutMs: number): Promise<readonly string[]>;
  /** Versions on offer by package, newest first. */
  offers(host: Host, names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** What installing these versions from the repositories would change. @throws CommandFailed if it can't be done. */
  simulate(host: Host, packages: Readonly<Record<string, string>>): Promise<Change[]>;
  /** The files of these versions, with the digests that the repositories vouch for. */
  files(host: Host, packages: Readonly<Record<string, string>>): Promise<Offered[]>;
  /** Fetches files into a directory; complete ones are left alone. */
  fetch(
    context: StepContext,
    host: Host,
    directory: string,
    packages: Readonly<Record<string, string>>,
    purpose: Purpose,
  ): Promise<void>;

  /** Finishes what an interrupted package manager left, as far as that goes without the staged files. @throws Busy */
  heal(context: StepContext, host: Host, exchange: Exchange): Promise<void>;
  /** What the exchange would change, from the staged files alone. @throws CommandFailed if it can't be done. */
  rehearse(host: Host, exchange: Exchange): Promise<Change[]>;
  /** Commands as they will be run, for people. */
  fetchCommand(directory: string, packages: Readonly<Record<string, string>>): string;
  exchangeCommand(exchange: Exchange): string;
  /**
   * Puts the packages' own version in the place of these edited files, where an exchange since `since` (a file written
   * right before it) brought another one. Only of drivers whose exchange doesn't.
   */
  replaceConffiles?(host: Host, paths: readonly string[], since: string): Promise<void>;

  /** Every command that is run as root on a node, in sudoers syntax. */
  sudo(forms: SudoForms): string[];

  /**
   * Exchanges packages, detached on the host. Called again after a cut it awaits the run that is under way.
   * @throws Busy if somebody else holds the lock; CommandFailed with the last lines if it can't be done.
   */
  exchange(context: StepContext, host: Host, exchange: Exchange): Promise<void>;
}

/** What the sudoers entries are made for. */
export interface SudoForms {
  /** Directory under which all packages of the cluster lie. */
  readonly directory: string;
  readonly fetches: readonly Purpose[];
  readonly exchanges: readonly (Purpose & Pick<Exchange, 'conffiles'>)[];
}
