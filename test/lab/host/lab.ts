import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, waitFor, type Progress } from './command';
import { inCgroup } from './cgroup';
import { aptSource, furnishHost, makeHostKey, type HostFile, type HostSpec } from './host-files';
import { ensureImage, type ImageRecipe } from './image';
import { askKeeper } from './keeper-protocol';
import { LabHost } from './lab-host';
import { ensureMachine } from './machine';
import { raiseLimit } from './machine-limits';
import { buildNetwork, type Link, type Segment } from './network';
import { mountDisk, prepareDisks } from './overlay';
import {
  allocateLab,
  isOrphan,
  listLabs,
  thisProcess,
  writeRecord,
  type LabRecord,
  type ServiceRecord,
} from './record';
import { programFolder } from './scripts';
import { takeDown } from './takedown';

/** What services may need to know of the lab. */
export interface LabContext {
  /** Management address of a host. */
  address: (host: string) => string;
  /** Directory of compiled programs of the lab, for services. */
  programs: string;
}

/** What hosts may need to know of the lab when their files are written. */
export interface HostContext extends LabContext {
  /** Public key of a host's sshd, `ssh-ed25519 AAAA…`. */
  hostKey: (host: string) => string;
}

export interface LabSpec {
  /** As `firewall-pair`. */
  kind: string;
  image: ImageRecipe;
  hostNames: readonly string[];
  links: readonly Link[];
  segments?: readonly Segment[];
  hosts: (context: HostContext) => readonly HostSpec[];
  /** Programs from outside that run in a host's network namespace while the host is on. */
  services?: (context: LabContext) => readonly Omit<ServiceRecord, 'log'>[];
  /** How hosts are told of the repository; apt's list of sources by default. */
  source?: (url: string) => HostFile;
  /** Makes the package repository in `directory`, from what the image's recipe left in `image`. */
  repository?: (image: string, directory: string) => Promise<void>;
}

export interface LabOptions {
  /** `process` (default): down as soon as this process is gone, however it ended. `nobody`: stays until `lab down`. */
  owner?: 'process' | 'nobody';
  /** Text of /etc/sudoers.d/hitless on every host. Default: everything, without a password. */
  sudoers?: string;
}

const repositoryPort = 8080;
const anything = 'hitless ALL=(ALL:ALL) NOPASSWD: ALL\n';

/** A lab that is up. */
export class Lab {
  private constructor(
    readonly record: LabRecord,
    readonly hosts: Readonly<Record<string, LabHost>>,
  ) {}

  static of(record: LabRecord): Lab {
    const keys = JSON.parse(readFileSync(join(record.directory, 'host-keys.json'), 'utf8')) as Record<string, string>;
    const hosts = record.hosts.map(
      (host) => [host.name, new LabHost(record.directory, host, keys[host.name]!)] as const,
    );
    return new Lab(record, Object.fromEntries(hosts));
  }

  get id(): string {
    return this.record.id;
  }

  /** Private key of the user `hitless`, whom every host lets in. */
  get sshKeyPath(): string {
    return join(this.record.directory, 'ssh/id_ed25519');
  }

  get knownHostsPath(): string {
    return join(this.record.directory, 'ssh/known_hosts');
  }

  readonly sshUser = 'hitless';

  host(name: string): LabHost {
    const host = this.hosts[name];
    if (host === undefined)
      throw new Error(`there is no host ${name}; there are ${Object.keys(this.hosts).join(', ')}`);
    return host;
  }

  /** Arguments of ssh(1) that log in to a host; a command may follow. */
  sshCommand(name: string): string[] {
    const options = [
      '-i',
      this.sshKeyPath,
      '-o',
      `UserKnownHostsFile=${this.knownHostsPath}`,
      '-o',
      'IdentitiesOnly=yes',
    ];
    return ['ssh', ...options, '-o', 'StrictHostKeyChecking=yes', `${this.sshUser}@${this.host(name).address}`];
  }

  /** Opens or closes the port of the package repository. */
  async setRepositoryReachable(reachable: boolean): Promise<void> {
    await askKeeper(this.record.directory, { op: 'repository', listen: reachable });
  }

  /** Ends all processes of the lab and removes all that it made. May be repeated. */
  down(): Promise<void> {
    return takeDown(this.record);
  }
}

/** Labs that are up on this machine. */
export function openLabs(): Lab[] {
  return listLabs()
    .filter((record) => existsSync(join(record.directory, 'host-keys.json')))
    .map((record) => Lab.of(record));
}

/** Takes down what labs left that have no process behind them any more. */
export async function reapOrphans(progress: Progress): Promise<void> {
  for (const record of listLabs().filter(isOrphan)) {
    progress(`Taking down the lab ${record.id}, which its owner has left behind`);
    await takeDown(record);
  }
}

/**
 * Installs what is missing, builds the image if it isn't in the cache, and boots the hosts; returns when all are up.
 * @throws Error if the lab can't run here or a host doesn't come up; nothing is left behind then.
 */
export async function startLab(spec: LabSpec, options: LabOptions, progress: Progress): Promise<Lab> {
  await ensureMachine(progress);
  await reapOrphans(progress);
  const image = await ensureImage(spec.image, progress);
  const record = allocateLab(spec.kind, thisProcess());
  try {
    const raised = raiseLimit(
      listLabs().map(({ raisedLimit }) => raisedLimit),
      progress,
    );
    if (raised !== undefined) record.raisedLimit = raised;
    writeRecord(record);
    const lab = await raise(record, spec, image, options.sudoers ?? anything, progress);
    if (options.owner === 'nobody') {
      // Only now: a half-made lab whose maker is killed is reaped.
      delete record.owner;
      writeRecord(record);
    }
    return lab;
  } catch (error) {
    await takeDown(record).catch((second: Error) => {
      throw new Error(`${(error as Error).message}; then taking it down failed: ${second.message}`);
    });
    throw error;
  }
}

async function raise(
  record: LabRecord,
  spec: LabSpec,
  image: string,
  sudoers: string,
  progress: Progress,
): Promise<Lab> {
  const { directory, id } = record;
  progress(`Making ${spec.hostNames.length} hosts and ${spec.links.length} links (${id})`);
  const { subnet, gateway } = record.management;
  const network = subnet.split('.').slice(0, 3).join('.');
  record.hosts = spec.hostNames.map((name, index) => ({
    name,
    namespace: `${id}-${name}`,
    lower: join(image, 'root'),
    disk: join(directory, 'disks', name),
    root: join(directory, 'disks', name, 'root'),
    address: `${network}.${11 + index}`,
    console: join(directory, `console-${name}.log`),
  }));
  const programs = await programFolder(join(directory, 'programs'));
  const context: LabContext = {
    programs,
    address: (name) => record.hosts.find((host) => host.name === name)!.address,
  };
  record.services = (spec.services?.(context) ?? []).map((service) => ({
    ...service,
    log: join(directory, `service-${service.name}.log`),
  }));
  if (spec.repository !== undefined) {
    const url = `http://${gateway}:${repositoryPort}/`;
    record.repository = { directory: join(directory, 'repository'), url, port: repositoryPort };
    await spec.repository(image, record.repository.directory);
  }
  writeRecord(record);

  await buildNetwork({
    bridge: record.management.bridge,
    gateway,
    namespaces: new Map(record.hosts.map((host) => [host.name, host.namespace])),
    links: spec.links,
    ...(spec.segments === undefined ? {} : { segments: spec.segments }),
  });
  await furnish(record, spec, context, sudoers);

  progress('Booting the hosts');
  await startKeeper(record, programs);
  const lab = Lab.of(record);
  await Promise.all(Object.values(lab.hosts).map((host) => host.start()));
  // All of them, also after one has failed: none must be waited for behind the caller's back.
  const boots = await Promise.allSettled(Object.values(lab.hosts).map((host) => host.waitBooted()));
  const failed = boots.find((boot) => boot.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return lab;
}

async function furnish(record: LabRecord, lab: LabSpec, context: LabContext, sudoers: string): Promise<void> {
  const ssh = join(record.directory, 'ssh');
  mkdirSync(ssh, { mode: 0o700 });
  await check(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', record.id, '-f', join(ssh, 'id_ed25519')]);
  const login = {
    publicKey: readFileSync(join(ssh, 'id_ed25519.pub'), 'utf8').trim(),
    sudoers,
    ...(record.repository === undefined ? {} : { source: (lab.source ?? aptSource)(record.repository.url) }),
  };
  await prepareDisks(join(record.directory, 'disks'));
  const keys = new Map<string, string>();
  await Promise.all(
    record.hosts.map(async (host) => {
      await mountDisk({ lower: host.lower, directory: host.disk });
      keys.set(host.name, await makeHostKey(host));
    }),
  );
  const specs = lab.hosts({ ...context, hostKey: (name) => keys.get(name)! });
  for (const host of record.hosts) {
    const spec = specs.find(({ name }) => name === host.name);
    if (spec === undefined) throw new Error(`the lab's host ${host.name} isn't described`);
    furnishHost(host, spec, login);
    if (spec.mayFail !== undefined) host.mayFail = spec.mayFail;
  }
  writeRecord(record);
  const known = record.hosts.map(({ name, address }) => `${address} ${keys.get(name)}\n`);
  writeFileSync(join(ssh, 'known_hosts'), known.join(''));
  writeFileSync(join(record.directory, 'host-keys.json'), JSON.stringify(Object.fromEntries(keys)));
}

async function startKeeper(record: LabRecord, programs: string): Promise<void> {
  const logPath = join(record.directory, 'keeper.log');
  const log = openSync(logPath, 'a');
  const argv = [process.execPath, join(programs, 'host/keeper.js'), record.directory];
  const keeper = spawn('sh', inCgroup(`${record.id}/keeper`, argv).slice(1), {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  closeSync(log);
  keeper.unref();
  await waitFor(
    'the keeper of the lab',
    async () => {
      if (keeper.exitCode !== null) throw new Error(readFileSync(logPath, 'utf8').slice(-2000));
      await askKeeper(record.directory, { op: 'status' });
      return true;
    },
    { timeoutMs: 15_000, intervalMs: 25 },
  );
}
