/** `simulate panos`: devices that aren't there, to try and to rehearse on. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type * as serverModule from '../../simulators/panos/server';
import { isRelease } from '../../simulators/panos/releases';
import type { HaMode } from '../../simulators/panos/view';
import { withExamples, type Context, type Session } from '../context';
import { ClientError, exitCodes } from '../exit';

interface PanosOptions {
  readonly json?: boolean;
  readonly mode: HaMode;
  readonly version: string;
  readonly addresses: readonly [string, string];
  readonly port: number;
  readonly controlPort: number;
  readonly speed: number;
  readonly user: string;
  readonly password: string;
  readonly suspends: 'newer' | 'older';
  readonly preemptive?: boolean;
  readonly advancedRouting?: boolean;
  readonly suspendSurvivesReboot?: boolean;
  readonly internet: boolean;
  readonly panorama?: boolean;
}

export function addSimulateCommand(program: Command, context: Context): void {
  const simulate = program
    .command('simulate')
    .description('Simulated devices, to try an upgrade or to rehearse one. Everything stays on loopback.');
  withExamples(
    simulate,
    ['hitless simulate panos', 'a pair of PAN-OS firewalls'],
    ['hitless simulate panos --help', 'what can be set'],
  );
  const panos = simulate
    .command('panos')
    .description(
      'Run a simulated PAN-OS HA pair until it is told to stop (SIGINT, SIGTERM): two devices with the XML API over TLS, each on its own loopback address, and a side port for faults. docs/panos-simulator.md tells what it is like a device in, and what not.',
    )
    .addOption(
      new Option('--mode <mode>', 'how the pair works')
        .choices(['active-passive', 'active-active'])
        .default('active-passive'),
    )
    .option('--version <release>', 'PAN-OS release that both run', release, '10.2.3')
    .option('--addresses <a,b>', 'loopback addresses of the two devices', addresses, ['127.0.0.2', '127.0.0.3'])
    .option('--port <number>', 'of both devices; 0: any, another for each', wholeUpTo(65_535), 0)
    .option('--control-port <number>', 'of the side port, on 127.0.0.1; 0: any', wholeUpTo(65_535), 0)
    .option('--speed <factor>', 'simulated time for each unit of real time; 0: it stands still', wholeUpTo(100_000), 1)
    .option('--user <name>', 'administrator of both', 'admin')
    .option('--password <text>', 'the password, which everybody on this machine can read', 'simulated')
    .addOption(
      new Option('--suspends <which>', 'of two devices whose releases are too far apart')
        .choices(['newer', 'older'])
        .default('newer'),
    )
    .option('--preemptive', 'preemption is on, on both')
    .option('--advanced-routing', 'logical routers instead of virtual ones')
    .option('--suspend-survives-reboot', 'a device that was suspended is so after its reboot, too')
    .option('--no-internet', 'devices don’t reach the update server: images come by import')
    .option('--panorama', 'managed by Panorama')
    .option('--json', 'one line of JSON when both devices are ready, and for errors')
    .action((options: PanosOptions) => context.run(options, (session) => simulatePanos(session, options)));
  withExamples(
    panos,
    ['hitless simulate panos', 'an active/passive pair in real time'],
    ['hitless simulate panos --mode active-active --speed 60', 'an hour of the pair in a minute'],
    ['hitless simulate panos --port 443 --json', 'for clients that know only port 443 (as root)'],
    ['hitless simulate panos --suspend-survives-reboot --preemptive', 'a pair that needs more care'],
  );
}

function release(text: string): string {
  if (isRelease(text)) return text;
  throw new InvalidArgumentError('It is no release of PAN-OS: X.Y.Z or X.Y.Z-hN.');
}

function addresses(text: string): readonly [string, string] {
  const [a, b, ...more] = text.split(',').map((part) => part.trim());
  if (a && a === b) throw new InvalidArgumentError('Each device needs an address of its own.');
  if (a && b && more.length === 0) return [a, b];
  throw new InvalidArgumentError('It isn’t two addresses, as 127.0.0.2,127.0.0.3.');
}

const wholeUpTo =
  (most: number) =>
  (text: string): number => {
    if (/^\d+$/.test(text) && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`It is not a whole number from 0 to ${most}.`);
  };

async function simulatePanos({ emit, note }: Session, options: PanosOptions): Promise<undefined> {
  // Loaded here: the other commands start without a TLS server and what makes its certificates.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- `import()` here would want a built file
  const { startSimulatedPair } = require('../../simulators/panos/server') as typeof serverModule;
  const preemptive = options.preemptive ?? false;
  const { mode, version, port, controlPort, speed, internet, user, password, suspends } = options;
  // Before it starts: whoever stops it while it does wants it to stop.
  const told = toldToStop();
  const served = await startSimulatedPair({
    mode,
    version,
    addresses: options.addresses,
    port,
    controlPort,
    speed,
    internet,
    user,
    password,
    suspends,
    devices: [{ preemptive }, { preemptive }],
    advancedRouting: options.advancedRouting ?? false,
    suspendSurvivesReboot: options.suspendSurvivesReboot ?? false,
    panorama: options.panorama ?? false,
    onChange: (at, what) => note(`${new Date(at).toISOString()} ${what}`),
  }).catch((error: unknown) => {
    told.forget();
    const message = error instanceof Error ? error.message : String(error);
    throw new ClientError(
      exitCodes.usage,
      message,
      message.includes('EACCES') ? 'a port below 1024 is for root' : undefined,
    );
  });
  const devices = served.devices.map(({ certificate: _, ...device }) => device);
  emit(
    [
      ...devices.map(
        ({ name, url, user, password, serial, fingerprint }) =>
          `${name}  ${url}  user ${user}, password ${password}, serial ${serial}\n      SHA-256 ${fingerprint}`,
      ),
      `side port ${served.control.url}: GET /state, POST /faults, POST /time (docs/panos-simulator.md)`,
    ].join('\n'),
    { devices, control: served.control.url, mode, version, speed },
  );
  note('stop with Ctrl-C');
  await told.signal;
  await served.stop();
  return undefined;
}

function toldToStop(): { readonly signal: Promise<void>; readonly forget: () => void } {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  let stop = (): void => undefined;
  const signal = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const forget = (): void => {
    for (const name of signals) process.removeListener(name, stop);
  };
  for (const name of signals) process.once(name, stop);
  return { signal: signal.finally(forget), forget };
}
