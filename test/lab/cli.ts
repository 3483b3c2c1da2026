import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openFirewallPairLabs, startFirewallPairLab, type FirewallPairLab } from './firewall-pair/start';
import type { FirewallPairOptions } from './firewall-pair/options';
import { isOrphan, listLabs, type LabRecord } from './host/record';
import { takeDown } from './host/takedown';
import { labUnavailable } from './host/machine';
import type { TrafficReport } from './traffic/protocol';
import type { Traffic } from './traffic/start';
import type { faultyReleases } from './repo/releases';
import type { XRoadOptions } from './xroad/options';
import { hostLines, statusLines, trafficLine } from './xroad/show';
import { openXRoadLabs, startXRoadLab, XRoadLab } from './xroad/start';
import type { MessageReport } from './xroad/traffic/protocol';

const usage = `A lab of real Debian hosts on this machine: a BGP-steered firewall pair between a client and a server, or an X-Road
Security Server cluster behind HAProxy (the Security Servers' own packages are stand-ins).

  npm run lab -- up [--options FILE]     boots it (FILE: JSON, see FirewallPairOptions); --two-edges: the six-device form
  npm run lab -- up xroad [--options FILE]   boots the cluster (FILE: JSON, see XRoadOptions)
  npm run lab -- status                  labs that are up, their hosts, and who carries the traffic
  npm run lab -- ssh HOST [COMMAND…]     logs in to a host as the user hitless, who may sudo
  npm run lab -- root HOST COMMAND…      runs a command as root without SSH
  npm run lab -- off HOST | on HOST      pulls a host's cables and plug; boots it again
  npm run lab -- repo                    packages in the repository
  npm run lab -- repo remove NAME VERSION | put-back NAME VERSION | publish 2.1|2.2 | close | open
  npm run lab -- traffic [SECONDS]       a line a second, until ^C. Firewall pair: 1000 UDP packets/s, 200 TCP sessions,
                                         30 new connections/s; X-Road: 200 messages/s, two of them 5 s long
  npm run lab -- down [--all]            ends everything and removes it, also what a killed process left behind

With several labs up, or for one that a test or the demo owns, --lab ID says which one (its ID is in \`status\`).`;

/** A mistake of the person at the keyboard, or a fact about the machine: told without a stack. */
class Refusal extends Error {}

function readArguments() {
  try {
    return parseArgs({
      args: beforeCommand(process.argv.slice(2)),
      allowPositionals: true,
      options: {
        options: { type: 'string' },
        'two-edges': { type: 'boolean', default: false },
        all: { type: 'boolean', default: false },
        lab: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

/** Options of the command that is passed on to a host are the host's. */
function beforeCommand(args: string[]): string[] {
  const verb = args.findIndex((arg) => arg === 'ssh' || arg === 'root');
  return verb === -1 ? args : [...args.slice(0, verb + 2), '--', ...args.slice(verb + 2)];
}

const { values, positionals } = readArguments();

const say = (line: string): void => console.log(line);

/** Labs that a running test or demo owns are meant only when named. */
const meant = ({ id, owner }: LabRecord): boolean =>
  values.lab === undefined ? owner === undefined : id === values.lab;

type AnyLab = FirewallPairLab | XRoadLab;

const openAll = (): AnyLab[] => [...openFirewallPairLabs(), ...openXRoadLabs()];

function theLab(): AnyLab {
  const labs = openAll().filter(({ lab }) => meant(lab.record));
  if (labs.length === 0)
    throw new Refusal(values.lab ? `No lab ${values.lab} is up.` : 'No lab is up: `npm run lab -- up`.');
  if (labs.length > 1)
    throw new Refusal(`Several labs are up: add --lab ${labs.map(({ id }) => id).join(' or --lab ')}.`);
  return labs[0]!;
}

function theHost(lab: AnyLab): string {
  const name = positionals[1];
  if (name === undefined || lab.hosts[name] === undefined) {
    throw new Refusal(`Which host? There are ${Object.keys(lab.hosts).join(', ')}.`);
  }
  return name;
}

async function up(): Promise<void> {
  const [, kind = 'firewall-pair'] = positionals;
  if (kind !== 'firewall-pair' && kind !== 'xroad') throw new Refusal(`There is no lab "${kind}".\n\n${usage}`);
  const options = JSON.parse(values.options === undefined ? '{}' : readFileSync(values.options, 'utf8')) as object;
  const started = Date.now();
  const interrupted = (signal: NodeJS.Signals): void => {
    say(`${signal}: taking down what was made so far`);
    // By another process, and waited for without a turn of the event loop: nothing more is made meanwhile.
    for (const { id } of listLabs().filter(({ owner }) => owner?.pid === process.pid)) {
      spawnSync(process.execPath, [__filename, 'down', '--lab', id], { stdio: 'inherit' });
    }
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const lab = await (kind === 'xroad'
    ? startXRoadLab({ ...(options as XRoadOptions), owner: 'nobody' }, say)
    : upPair(options));
  say(`\nLab ${lab.id} is up after ${((Date.now() - started) / 1000).toFixed(1)} s.\n`);
  for (const line of lab instanceof XRoadLab ? hostLines(lab) : pairLines(lab)) say(`  ${line}`);
  const { ssh, repository } = lab.description;
  const example = lab instanceof XRoadLab ? lab.description.roles.primary : lab.description.roles.firewalls[0]!;
  say(`
Log in:       npm run lab -- ssh ${example}
        or:   ssh -i ${ssh.privateKeyPath} -o UserKnownHostsFile=${ssh.knownHostsPath} ${ssh.user}@${lab.host(example).address}
Packages:     ${repository.url} (releases ${Object.keys(repository.releases).join(', ')})
Description:  ${lab.descriptionPath}
Take it down: npm run lab -- down`);
}

function upPair(options: FirewallPairOptions): Promise<FirewallPairLab> {
  const names = values['two-edges'] ? { edges: ['edge1', 'edge2'], borders: ['border1', 'border2'] } : {};
  return startFirewallPairLab({ ...options, names: { ...names, ...options.names }, owner: 'nobody' }, say);
}

const pairLines = ({ description }: FirewallPairLab): string[] =>
  Object.entries(description.hosts).map(([name, host]) => {
    const interfaces = Object.entries(host.interfaces).map(([at, addresses]) => `${at} ${addresses.join(' ')}`);
    const as = host.bgp === undefined ? '' : `AS ${host.bgp.asNumber}`;
    return `${name.padEnd(10)} ${host.address.padEnd(14)} ${host.role.padEnd(9)} ${as.padEnd(9)} ${interfaces.join(', ')}`;
  });

async function status(): Promise<void> {
  const reason = labUnavailable();
  if (reason !== undefined) say(reason);
  const labs = openAll();
  if (labs.length === 0) say('No lab is up.');
  for (const lab of labs) {
    const { owner } = lab.lab.record;
    say(
      `${lab.id}: ${lab.description.kind}, ${owner === undefined ? 'up until `down`' : `belongs to process ${owner.pid}`}`,
    );
    for (const host of Object.values(lab.hosts)) {
      const { state, boots } = await host.status();
      say(
        `  ${host.name.padEnd(10)} ${host.address.padEnd(14)} ${state}, booted ${boots} time${boots === 1 ? '' : 's'}`,
      );
    }
    for (const line of await (lab instanceof XRoadLab ? statusLines(lab) : carrierLines(lab))) say(`  ${line}`);
  }
}

function carrierLines(lab: FirewallPairLab): Promise<string[]> {
  const { roles, prefixes } = lab.description;
  const look = [
    ...roles.borders.flatMap((router) => prefixes.wan.map((prefix) => [router, prefix] as const)),
    ...roles.edges.flatMap((router) => prefixes.dc.map((prefix) => [router, prefix] as const)),
  ];
  return Promise.all(
    look.map(async ([router, prefix]) => {
      const seen = await lab.carrierSeenBy(router, prefix).catch(() => undefined);
      const through = seen === undefined ? 'unknown, the host is off' : (seen.firewall ?? 'no single neighbour');
      return `${router.padEnd(10)} ${prefix} through ${through}${seen?.escape === true ? ', another path is there' : ''}`;
    }),
  );
}

async function repo(): Promise<void> {
  const lab = theLab();
  const [, verb = 'list', name = '', version = ''] = positionals;
  if (verb === 'remove') await lab.repo.remove(name, version);
  else if (verb === 'put-back') await lab.repo.putBack(name, version);
  else if (verb === 'publish') await lab.repo.publishFaulty(name as keyof typeof faultyReleases);
  else if (verb === 'close' || verb === 'open') await lab.lab.setRepositoryReachable(verb === 'open');
  else if (verb !== 'list') throw new Refusal(usage);
  say(`${lab.repo.url} ${lab.repo.packages().join('\n  ')}`.replace(' ', '\n  '));
}

async function down(): Promise<void> {
  const labs = listLabs().filter(
    (record) => values.all || meant(record) || (values.lab === undefined && isOrphan(record)),
  );
  if (labs.length > 1 && !values.all) {
    throw new Refusal(`Several labs are up (${labs.map(({ id }) => id).join(', ')}): add --lab ID, or --all.`);
  }
  if (labs.length === 0) say('No lab is up.');
  for (const record of labs) {
    await takeDown(record);
    say(`Lab ${record.id} is down.`);
  }
}

function passOn(argv: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    spawn(argv[0]!, argv.slice(1), { stdio: 'inherit' })
      .once('error', reject)
      .once('close', (code) => {
        process.exitCode = code ?? 1;
        resolve();
      });
  });
}

const line = ({ seconds, packets, sessions, newConnections, stalledMs }: TrafficReport): string =>
  `${seconds.toFixed(1).padStart(6)} s  packets ${packets.sent} sent ${packets.lost} lost  sessions ${sessions.opened} opened ` +
  `${sessions.broken} broken (worst ${sessions.worstMs} ms)  new connections ${newConnections.tried} tried ` +
  `${newConnections.failed} failed ${newConnections.slow} slow  (generator stalled ${stalledMs} ms)`;

/** Shows a line a second until ^C or the time is up, then the end and the first faults. */
async function watch<Report extends { seconds: number }>(
  running: Traffic<Report>,
  show: (report: Report) => string,
  faults: (report: Report) => string[],
): Promise<void> {
  const seconds = Number(positionals[1] ?? Infinity);
  let ticker: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve).once('SIGTERM', resolve);
    ticker = setInterval(() => {
      const report = running.snapshot();
      if (report !== undefined) say(show(report));
      if (report !== undefined && report.seconds >= seconds) resolve();
    }, 1000);
    void running.over.then(resolve);
  });
  clearInterval(ticker);
  say('Waiting for what is under way');
  const report = await running.stop();
  say(`${show(report)}\n${faults(report).join('\n')}`);
  process.exit(0);
}

async function traffic(): Promise<void> {
  const lab = theLab();
  if (lab instanceof XRoadLab) await watch<MessageReport>(await lab.startTraffic(), trafficLine, (end) => end.faults);
  else {
    const faults = (end: TrafficReport): string[] => [...end.sessions.faults, ...end.newConnections.faults];
    await watch(await lab.startTraffic(), line, faults);
  }
}

const verbs: Record<string, () => Promise<unknown>> = {
  up,
  down,
  status,
  repo,
  traffic,
  ssh: () => {
    const lab = theLab();
    return passOn([...lab.lab.sshCommand(theHost(lab)), ...positionals.slice(2)]);
  },
  root: async () => {
    const lab = theLab();
    const { code, stdout, stderr } = await lab.host(theHost(lab)).tryExec(positionals.slice(2).join(' '));
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    process.exitCode = code;
  },
  off: () => {
    const lab = theLab();
    return lab.host(theHost(lab)).powerOff();
  },
  on: async () => {
    const lab = theLab();
    const host = lab.host(theHost(lab));
    await host.start();
    await host.waitBooted();
  },
};

async function main(): Promise<void> {
  const verb = verbs[positionals[0] ?? ''];
  if (values.help || verb === undefined) {
    say(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  await verb();
}

process.stdout.on('error', () => process.exit(0)); // `| head` has seen enough
main().catch((error: Error) => {
  console.error(error instanceof Refusal ? error.message : `The lab failed: ${error.message}`);
  process.exitCode = 1;
});
