/** PAN-OS images of one device: what it knows of, has, runs, and will boot (facts §3, §5). */
import { compareReleases, baseImage, featureRelease, featureSteps, stepsAllowed } from './releases';
import type { SimulatedDevice } from './device';
import type { SoftwareImage } from './options';
import { stampText } from './reads/xml';
import { enqueued, failure, success, successMessage, type ApiReply, type ApiRequest } from './wire';
import { cdata, leaf, node, yesNo } from './xml';

type Downloaded = 'yes' | 'no' | 'downloading';

export const BUSY = 'The software manager is currently in use. Please try again later.';
const UNREACHABLE =
  'Failed to check upgrade info due to Unknown error. Please check network connectivity and try again.';

/** "PanOS_vm-10.2.9", "PanOS_3400-10.2.9". */
function fileName(model: string, version: string): string {
  const series = /^PA-(\d+)\d\d$/.exec(model)?.[1];
  return `PanOS_${series === undefined ? 'vm' : `${series}00`}-${version}`;
}

export class Software {
  /** Release that runs. */
  running: string;
  /** Installed in the other partition: the next boot takes it. */
  nextBoot: string | undefined;
  readonly #downloaded = new Map<string, Downloaded>();
  readonly #uploaded = new Set<string>();
  #checkedAt: number | undefined;

  constructor(private readonly device: SimulatedDevice) {
    const { downloaded } = device.options;
    const version = device.own.version ?? device.options.version;
    this.running = version;
    // It came to its release by way of the base image.
    for (const image of [version, baseImage(version), ...downloaded]) this.#downloaded.set(image, 'yes');
  }

  has(version: string): Downloaded {
    return this.#downloaded.get(version) ?? 'no';
  }

  /** Asks the update server, or says why it couldn't. */
  check(): ApiReply {
    if (!this.device.facts.updateServerReachable) return failure(17, UNREACHABLE);
    this.#checkedAt = this.device.events.now;
    return this.info();
  }

  /** The list as it was after the last check; without one, what is on the device. */
  info(): ApiReply {
    const known = this.#known();
    const latest = known[0]?.version;
    const entries = known.map(({ version, sizeMb, releasedOn }) =>
      node(
        'entry',
        leaf('version', version),
        leaf('filename', fileName(this.device.options.model, version)),
        leaf('size', sizeMb),
        leaf('size-kb', sizeMb * 1_024),
        leaf('released-on', releasedOn),
        node('release-notes', cdata(`https://release-notes.example/pan-os/${featureRelease(version)}`)),
        leaf('downloaded', this.has(version)),
        leaf('current', yesNo(version === this.running)),
        leaf('latest', yesNo(version === latest)),
        leaf('uploaded', yesNo(this.#uploaded.has(version))),
      ),
    );
    const updated = this.#checkedAt === undefined ? '' : ` last-updated-at="${stampText(this.#checkedAt)}"`;
    return success(`<sw-updates${updated}><msg/>${node('versions', ...entries)}</sw-updates>`);
  }

  download(version: string, syncToPeer: boolean, user: string): ApiReply {
    const { device } = this;
    const image = this.#known().find((each) => each.version === version);
    if (!device.facts.updateServerReachable) return failure(17, UNREACHABLE);
    if (image === undefined) return failure(17, `Version ${version} is not in the list of available software`);
    if (this.busy()) return failure(17, BUSY);
    const before = this.has(version);
    this.#downloaded.set(version, 'downloading');
    const job = device.jobs.enqueue({
      type: 'Downld',
      user,
      durationMs: device.options.durations.downloadMs,
      details: [
        'Successfully downloaded',
        'Preloading into software manager',
        'Successfully loaded into software manager',
      ],
      finish: () => {
        const full = this.store(image, false);
        if (full === undefined && syncToPeer) device.reachablePeer()?.software.store(image, false);
        return full;
      },
      ended: () => {
        if (this.has(version) === 'downloading') this.#downloaded.set(version, before);
      },
    });
    return enqueued(`Download job enqueued with jobid ${job}`, job);
  }

  install(version: string, loadConfig: string | undefined, user: string): ApiReply {
    const { device } = this;
    if (this.has(version) !== 'yes') return failure(17, `Version ${version} is not downloaded`);
    if (loadConfig !== undefined && !device.config.saved.has(loadConfig))
      return failure(17, `${loadConfig} does not exist`);
    if (this.busy()) return failure(17, BUSY);
    const job = device.jobs.enqueue({
      type: 'SWInstall',
      user,
      durationMs: device.options.durations.installMs,
      details: [`Software version ${version} successfully installed`, 'Please reboot to use the new software'],
      finish: () => {
        const wrong = this.#unfit(version);
        if (wrong !== undefined)
          return [
            `Failed to install ${version} with the following errors.`,
            `SW version is ${version}`,
            wrong,
            'Failed to install',
          ];
        this.nextBoot = version;
        device.config.loadAtBoot = loadConfig;
        return undefined;
      },
    });
    return enqueued(
      `Software install job enqueued with jobid ${job}. Run 'show jobs id ${job}' to monitor its status. Please reboot the device after the installation is done.`,
      job,
    );
  }

  /** An image that comes as a file; its name tells what it is. */
  import(file: ApiRequest['file']): ApiReply {
    const { model, software } = this.device.options;
    const image = software.find(({ version }) => fileName(model, version) === file?.name);
    if (file === undefined || file.content.length === 0) return failure(17, 'No file was uploaded');
    if (image === undefined) return failure(17, `${file.name} is not a software image of ${model}`);
    if (this.busy()) return failure(17, BUSY);
    const full = this.store(image, true);
    if (full !== undefined) return failure(17, ...full);
    this.device.changed(`${this.device.own.name}: ${file.name} imported`);
    return successMessage(`${file.name} saved`);
  }

  delete(version: string): ApiReply {
    const image = this.device.options.software.find((each) => each.version === version);
    if (image === undefined || this.has(version) !== 'yes') return failure(17, `Version ${version} is not downloaded`);
    if (version === this.running) return failure(17, `Version ${version} is running and cannot be deleted`);
    this.#downloaded.delete(version);
    this.#uploaded.delete(version);
    this.#occupy(-image.sizeMb);
    return success(`Successfully deleted software version ${version}`);
  }

  busy(): boolean {
    return (
      this.device.jobs.running('Downld', 'SWInstall') ||
      this.device.pair.faults.any('software-manager-busy', this.device.side)
    );
  }

  /** What the next boot runs. A download that a reboot interrupted is gone. */
  boot(): void {
    for (const [version, state] of this.#downloaded) if (state === 'downloading') this.#downloaded.delete(version);
    if (this.nextBoot !== undefined && !this.device.pair.faults.any('boots-old-version', this.device.side)) {
      this.running = this.nextBoot;
      this.nextBoot = undefined;
    }
  }

  #known(): readonly SoftwareImage[] {
    const { software } = this.device.options;
    return this.#checkedAt === undefined ? software.filter(({ version }) => this.has(version) !== 'no') : software;
  }

  /** Onto the disk, also as a copy from the peer. Lines where it doesn't fit. */
  store(image: SoftwareImage, uploaded: boolean): readonly string[] | undefined {
    if (this.has(image.version) !== 'yes' && !this.#occupy(image.sizeMb))
      return [`Failed to load ${image.version}: not enough disk space in /opt/panrepo`];
    this.#downloaded.set(image.version, 'yes');
    if (uploaded) this.#uploaded.add(image.version);
    return undefined;
  }

  #occupy(sizeMb: number): boolean {
    const disk = this.device.facts.disks.find(({ mountedOn }) => mountedOn === '/opt/panrepo');
    if (disk === undefined) return true;
    if (disk.usedMb + sizeMb > disk.sizeMb) return false;
    disk.usedMb += sizeMb;
    return true;
  }

  /** Why a release can't be installed over the one that runs. */
  #unfit(version: string): string | undefined {
    const { running } = this;
    const image = this.device.options.software.find((each) => each.version === version);
    const { current } = this.device.content;
    const step = `Error: Upgrading from ${running} to ${version}`;
    if (image?.minimumContent !== undefined && older(current, image.minimumContent))
      return `${step} requires a content version of ${image.minimumContent} or greater and found ${current}.`;
    if (featureRelease(version) === featureRelease(running)) return undefined;
    if (compareReleases(version, running) > 0 && featureSteps(running, version) > stepsAllowed(running))
      return `${step} skips more feature releases than are allowed.`;
    const base = baseImage(version);
    return this.has(base) === 'yes' ? undefined : `${step} requires the base image ${base} to be downloaded.`;
  }
}

/** Content releases are two numbers. */
export function older(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split('-').map(Number));
  return (left?.[0] ?? 0) - (right?.[0] ?? 0) < 0 || (left?.[0] === right?.[0] && (left?.[1] ?? 0) < (right?.[1] ?? 0));
}
