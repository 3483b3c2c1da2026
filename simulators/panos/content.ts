/** Applications and threats of one device: list, download, install, back to the previous (facts §5). */
import type { SimulatedDevice } from './device';
import { BUSY, older } from './software';
import { enqueued, failure, success, type ApiReply } from './wire';
import { leaf, node, yesNo } from './xml';

const UNREACHABLE =
  'Failed to check content upgrade info due to Unknown error. Please check network connectivity and try again.';

export class Content {
  current: string;
  previous: string | undefined;
  #checked = false;
  readonly #downloaded = new Set<string>();

  constructor(private readonly device: SimulatedDevice) {
    this.current = device.own.content ?? device.options.content;
    this.#downloaded.add(this.current);
  }

  check(): ApiReply {
    if (!this.device.facts.updateServerReachable) return failure(17, UNREACHABLE);
    this.#checked = true;
    return this.info();
  }

  info(): ApiReply {
    const entries = this.#known().map((version) =>
      node(
        'entry',
        leaf('version', version),
        leaf('app-version', version),
        leaf('filename', `panupv2-all-contents-${version}`),
        leaf('size', 62),
        leaf('size-kb', 63_488),
        leaf('released-on', '2023/06/14 21:12:29 UTC'),
        leaf('release-notes', ''),
        leaf('downloaded', yesNo(this.#downloaded.has(version))),
        leaf('current', yesNo(version === this.current)),
        leaf('previous', yesNo(version === this.previous)),
        leaf(
          'installing',
          yesNo(version !== this.current && this.device.jobs.running('Content') && version === this.#latest()),
        ),
        leaf('feature-desc', 'Apps, Threats'),
        leaf('update-type', 'Full'),
      ),
    );
    return success(node('content-updates', ...entries));
  }

  download(syncToPeer: boolean, user: string): ApiReply {
    const { device } = this;
    const version = this.#latest();
    if (!device.facts.updateServerReachable) return failure(17, UNREACHABLE);
    if (!this.#checked || version === undefined || version === this.current) return failure(17, 'No update available');
    if (this.#busy()) return failure(17, BUSY);
    const job = device.jobs.enqueue({
      type: 'Downld',
      user,
      durationMs: device.options.durations.contentDownloadMs,
      details: ['File successfully downloaded'],
      finish: () => {
        this.#downloaded.add(version);
        if (syncToPeer) device.reachablePeer()?.content.receive(version);
        return undefined;
      },
    });
    return enqueued(`Download job enqueued with jobid ${job}`, job);
  }

  /** @param wanted a version, or `latest`: the newest that was downloaded. */
  install(wanted: string, syncToPeer: boolean, user: string): ApiReply {
    const version = wanted === 'latest' ? newest([...this.#downloaded]) : wanted;
    if (version === undefined || !this.#downloaded.has(version))
      return failure(17, `Version ${wanted} is not downloaded`);
    return this.#enqueueInstall(version, syncToPeer, user);
  }

  downgrade(user: string): ApiReply {
    if (this.previous === undefined) return failure(17, 'No previous version to downgrade to');
    return this.#enqueueInstall(this.previous, false, user);
  }

  #enqueueInstall(version: string, syncToPeer: boolean, user: string): ApiReply {
    const { device } = this;
    if (this.#busy()) return failure(17, BUSY);
    const job = device.jobs.enqueue({
      type: 'Content',
      user,
      durationMs: device.options.durations.contentInstallMs,
      details: ['Configuration committed successfully'],
      finish: () => {
        this.adopt(version);
        if (syncToPeer) device.reachablePeer()?.content.adopt(version);
        return undefined;
      },
    });
    return enqueued(`Content install job enqueued with jobid ${job}`, job);
  }

  /** A copy from the peer. */
  receive(version: string): void {
    this.#downloaded.add(version);
  }

  /** It is installed. */
  adopt(version: string): void {
    this.#downloaded.add(version);
    if (version === this.current) return;
    this.previous = this.current;
    this.current = version;
  }

  #busy(): boolean {
    return this.device.jobs.running('Content') || this.device.software.busy();
  }

  /** Not in order: devices don't sort them either (facts §6). */
  #known(): readonly string[] {
    return this.#checked ? this.device.options.contents : [...this.#downloaded];
  }

  #latest(): string | undefined {
    return newest(this.#known());
  }
}

const newest = (versions: readonly string[]): string | undefined =>
  versions.reduce<string | undefined>(
    (best, each) => (best === undefined || older(best, each) ? each : best),
    undefined,
  );
