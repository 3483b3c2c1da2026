/** Configuration of one device: what runs, what is a candidate, what was saved; and what was changed by whom since. */
import type { SimulatedDevice } from '../device';
import { compareReleases, featureRelease, isRelease } from '../releases';
import { initialConfig } from './initial';
import { merge, parseElements, parseXpath, render, replaceAt, select, setAt, type ConfigNode, type Step } from './tree';

/** One change of the candidate that isn't committed. */
export interface Change {
  readonly xpath: string;
  readonly action: 'set' | 'edit' | 'delete';
  readonly owner: string;
  readonly at: number;
  readonly apply: (root: ConfigNode) => ConfigNode;
}

export class ConfigStore {
  running: ConfigNode;
  candidate: ConfigNode;
  readonly saved = new Map<string, ConfigNode>();
  /** A whole configuration was loaded: what was changed since can't be told apart. */
  fullCommitRequired = false;
  /** Named configuration that the next boot takes: `load-config` of an install. */
  loadAtBoot: string | undefined;
  #changes: Change[] = [];

  constructor(private readonly device: SimulatedDevice) {
    this.running = initialConfig(device.options, device.side, device.facts);
    this.candidate = this.running;
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  hasPendingChanges(): boolean {
    return this.candidate !== this.running && render(this.candidate) !== render(this.running);
  }

  select(which: 'running' | 'candidate', steps: readonly Step[]): ConfigNode[] {
    return select(this[which], steps);
  }

  set(xpath: string, steps: readonly Step[], added: readonly ConfigNode[], owner: string): void {
    this.#change(xpath, 'set', owner, (root) => setAt(root, steps, added));
  }

  edit(xpath: string, steps: readonly Step[], replacement: ConfigNode, owner: string): void {
    this.#change(xpath, 'edit', owner, (root) =>
      select(root, steps).length === 0
        ? setAt(root, steps.slice(0, -1), [replacement])
        : replaceAt(root, steps, replacement),
    );
  }

  delete(xpath: string, steps: readonly Step[], owner: string): void {
    this.#change(xpath, 'delete', owner, (root) => replaceAt(root, steps));
  }

  /**
   * Makes the configuration what it would be if this had always been there: nobody's change, nothing to commit.
   * @throws Error for an XPath or XML that isn't.
   */
  configure(xpath: string, xml: string): void {
    const steps = parseXpath(xpath);
    const added = parseElements(xml);
    if (steps === undefined) throw new Error(`${xpath} is not a valid xpath`);
    if (added === undefined) throw new Error(`${xml} is not well-formed`);
    const untouched = this.candidate === this.running;
    this.running = setAt(this.running, steps, added);
    this.candidate = untouched ? this.running : setAt(this.candidate, steps, added);
  }

  /** The candidate as a commit takes it: whole, or with the changes of some people alone. */
  commitCandidate(admins: readonly string[] | undefined): ConfigNode {
    if (admins === undefined || this.fullCommitRequired) return this.candidate;
    const theirs = this.#changes.filter(({ owner }) => admins.includes(owner));
    return theirs.reduce((root, { apply }) => apply(root), this.running);
  }

  /** A commit has ended well. What was changed while it ran stays pending. */
  adopt(committed: ConfigNode, admins: readonly string[] | undefined, startedAt: number): void {
    this.running = committed;
    this.#changes = this.#changes.filter(
      ({ owner, at }) =>
        at > startedAt || (admins !== undefined && !this.fullCommitRequired && !admins.includes(owner)),
    );
    if (admins === undefined) this.fullCommitRequired = false;
  }

  /** Takes back what one person has changed. */
  discard(owner: string): void {
    this.#changes = this.#changes.filter((change) => change.owner !== owner);
    this.candidate = this.#changes.reduce((root, { apply }) => apply(root), this.running);
  }

  revert(): void {
    this.candidate = this.running;
    this.#changes = [];
    this.fullCommitRequired = false;
  }

  load(config: ConfigNode): void {
    this.candidate = config;
    this.#changes = [];
    this.fullCommitRequired = true;
  }

  /** Configuration that came from the peer: nobody's change. */
  replaceRunning(config: ConfigNode): void {
    const untouched = this.candidate === this.running;
    this.running = config;
    if (untouched) this.candidate = config;
    else this.candidate = merge(config, this.candidate);
  }

  /** Made by a newer feature release than the one that runs, which can't commit it. */
  tooNew = false;

  /**
   * The release that boots migrates the configuration, and writes its version into it; one to load is loaded. What a newer
   * feature release has migrated stays as it is.
   */
  boot(version: string): void {
    const named = this.loadAtBoot === undefined ? undefined : this.saved.get(this.loadAtBoot);
    this.loadAtBoot = undefined;
    const migrated = (config: ConfigNode): ConfigNode => ({
      ...config,
      attributes: { ...config.attributes, version: `${featureRelease(version)}.0` },
    });
    const pending = this.hasPendingChanges();
    const next = named ?? this.running;
    const made = next.attributes['version'] ?? '';
    this.tooNew = isRelease(made) && compareReleases(made, `${featureRelease(version)}.0`) > 0;
    if (this.tooNew) {
      this.running = next;
      if (!pending || named !== undefined) this.candidate = next;
      return;
    }
    this.running = migrated(named ?? this.running);
    this.candidate = pending && named === undefined ? migrated(this.candidate) : this.running;
    if (!pending) this.#changes = [];
  }

  #change(xpath: string, action: Change['action'], owner: string, apply: Change['apply']): void {
    this.candidate = apply(this.candidate);
    this.#changes.push({ xpath, action, owner, at: this.device.events.now, apply });
  }
}
