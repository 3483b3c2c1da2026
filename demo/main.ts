/** `npm run demo`: an upgrade under traffic, on this machine, with nothing left behind. */
import { Argument, Command } from 'commander';
import { labUnavailable } from '../test/lab';
import { firewallPairScene } from './firewall-pair';
import { runDemo, type DemoOptions } from './run';
import { panosScene } from './panos';
import { xroadScene } from './xroad';

const demos: Readonly<Record<string, (options: DemoOptions) => Promise<{ readonly outcome: string }>>> = {
  'firewall-pair': (options) => runDemo(firewallPairScene, options),
  xroad: (options) => runDemo(xroadScene, options),
  panos: (options) => runDemo(panosScene, options),
};
/** Needs neither root nor Linux; what the others fall back to. */
const SIMULATED = 'panos';

const program = new Command('npm run demo --')
  .description(
    'Upgrades a cluster on this machine, under traffic, and leaves nothing behind: booted Debian hosts, or (panos) simulated devices, which need no root.',
  )
  .addArgument(new Argument('[cluster]', 'what is upgraded').choices(Object.keys(demos)).default('firewall-pair'))
  .option('--interactive', 'leave the approvals to you: in the Web UI, or with the hitless command', false)
  .option('--monitoring <duration>', 'length of the monitoring period', '10s')
  .option(
    '--compare',
    'afterwards the same packages without Hitless, on a fresh lab under the same traffic (xroad)',
    false,
  )
  .option('--json <file>', 'write the summary to a file')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run demo\n  npm run demo -- xroad\n  npm run demo -- panos\n  npm run demo -- --interactive --monitoring 5m\n  npm run demo -- --json summary.json\n  npm run demo -- xroad --compare',
  )
  .parse();
const [asked = 'firewall-pair'] = program.processedArgs as [string?];
const options = program.opts<{ interactive: boolean; monitoring: string; compare: boolean; json?: string }>();

if (options.compare && asked !== 'xroad') program.error('--compare is for xroad: nobody upgrades the others so');

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const unavailable = asked === SIMULATED ? undefined : labUnavailable();
  if (unavailable !== undefined) {
    say(`The lab of this demo can't run here: ${unavailable}`);
    if (program.args.length > 0) return 2;
    say(`Instead: npm run demo -- ${SIMULATED}, on simulated devices\n`);
  }
  const cluster = unavailable === undefined ? asked : SIMULATED;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      say(`\n${signal}: stopping; what was started is taken down, which takes a few seconds`);
      stop.abort(new Error(`stopped by ${signal}`));
    });
  }
  try {
    const summary = await demos[cluster]?.({ ...options, say, signal: stop.signal });
    return summary?.outcome === 'upgraded' ? 0 : 1;
  } catch (error) {
    say(
      stop.signal.aborted ? 'Stopped.' : `The demo failed: ${error instanceof Error ? error.message : String(error)}`,
    );
    return 1;
  }
}

void main().then((code) => process.exit(code));
