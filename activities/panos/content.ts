/**
 * Content (applications and threats): both members get the newest before the upgrade, as a release asks for a least content
 * version. Source: facts/pan-os.md, section 4.1 (step 5).
 */
import { defineStep, transient, type Outcome } from '../kit';
import { at, childrenOf, textAt, type PanosDevice, type Reader } from './api';
import { markBeforeActive, runJob, untilEnded } from './jobs';
import { nodeNames, type PanosContext, type PanosPlan, type PanosServices } from './plan';
import { readSystem } from './system';

const CONTENT_JOBS = ['Content'];
const DOWNLOAD_JOBS = ['Downld'];

export interface ContentEntry {
  readonly version: string;
  readonly downloaded: boolean;
  readonly current: boolean;
}

export const readContent = async (device: Reader, verb: 'check' | 'info'): Promise<ContentEntry[]> =>
  childrenOf(
    at(await device.op(`<request><content><upgrade><${verb}/></upgrade></content></request>`), 'content-updates'),
    'entry',
  ).map((entry) => ({
    version: textAt(entry, 'version') ?? '',
    downloaded: textAt(entry, 'downloaded') === 'yes',
    current: textAt(entry, 'current') === 'yes',
  }));

const entryOf = (version: string): ContentEntry => ({ version, downloaded: true, current: true });

/** "8700-8000" as numbers: the first counts, then the second. */
const numbersOf = (version: string): number[] => version.split('-').map(Number);
export function newestContent(entries: readonly ContentEntry[]): string | undefined {
  const order = (a: string, b: string): number => {
    const [x, y] = [numbersOf(a), numbersOf(b)];
    return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0);
  };
  return entries
    .map(({ version }) => version)
    .sort(order)
    .at(-1);
}

type Versions = Readonly<Record<string, string>>;

const versionsOf = async (context: PanosContext, services: PanosServices): Promise<Versions> =>
  Object.fromEntries(
    await Promise.all(
      nodeNames(context.plan).map(
        async (node) => [node, (await readSystem(services.device(context, node))).contentVersion] as const,
      ),
    ),
  );

async function job(
  context: PanosContext,
  services: PanosServices,
  device: PanosDevice,
  what: string,
  types: readonly string[],
  command: string,
) {
  const { downloadTimeoutMs, pollMs } = context.plan.panos.timing;
  await runJob(context, device, services, {
    what,
    types,
    mark: await markBeforeActive(device, types),
    timeoutMs: downloadTimeoutMs,
    pollMs,
    start: () => device.enqueue(command),
  });
}

async function bringNewest(context: PanosContext, services: PanosServices, node: string): Promise<string | undefined> {
  const device = services.device(context, node);
  const offered = await readContent(device, 'check');
  const newest = newestContent(offered);
  const { contentVersion } = await readSystem(device);
  // The update server may offer nothing newer than what was brought by hand.
  if (newest === undefined || newestContent([...offered, entryOf(contentVersion)]) === contentVersion) return undefined;
  if (offered.find(({ version }) => version === newest)?.downloaded !== true)
    await job(
      context,
      services,
      device,
      `the download of content ${newest}`,
      DOWNLOAD_JOBS,
      '<request><content><upgrade><download><latest/></download></upgrade></content></request>',
    );
  await job(
    context,
    services,
    device,
    `the installation of content ${newest}`,
    CONTENT_JOBS,
    '<request><content><upgrade><install><version>latest</version></install></upgrade></content></request>',
  );
  const now = (await readSystem(device)).contentVersion;
  if (now !== newest) throw transient('VerifyFailed', `${node} has content ${now || 'of no version'}, not ${newest}`);
  return newest;
}

export const contentSteps = (services: PanosServices) => ({
  content: defineStep<Record<never, never>, Versions, Outcome, PanosPlan>({
    observe: (context) => versionsOf(context, services),
    async act(context, _input, before) {
      if (context.plan.panos.content === 'keep') return { summary: `content stays: ${tell(before)}`, changed: false };
      const brought: string[] = [];
      for (const node of nodeNames(context.plan)) {
        const version = await bringNewest(context, services, node);
        if (version !== undefined) brought.push(node);
      }
      const now = await versionsOf(context, services);
      if (new Set(Object.values(now)).size > 1)
        throw transient('VerifyFailed', `both must have one content version: ${tell(now)}`);
      return { summary: `content: ${tell(now)}`, changed: brought.length > 0 };
    },
    async undo(context, _input, before) {
      const { downloadTimeoutMs: timeoutMs, pollMs } = context.plan.panos.timing;
      // What an act that was cut left running would come true after this.
      for (const node of nodeNames(context.plan))
        await untilEnded(context, services.device(context, node), services, {
          what: 'the installation of content',
          types: CONTENT_JOBS,
          timeoutMs,
          pollMs,
        });
      const now = await versionsOf(context, services);
      const changed = nodeNames(context.plan).filter((node) => now[node] !== before[node]);
      for (const node of changed) {
        const device = services.device(context, node);
        const command = '<request><content><downgrade><install>previous</install></downgrade></content></request>';
        await job(context, services, device, 'the downgrade of the content', CONTENT_JOBS, command);
      }
      const after = await versionsOf(context, services);
      const wrong = changed.filter((node) => after[node] !== before[node]);
      if (wrong.length > 0)
        throw transient(
          'VerifyFailed',
          `content isn’t what it was on ${wrong.join(', ')}: ${tell(after)}, before: ${tell(before)}`,
        );
      return { summary: `content: ${tell(after)}`, changed: changed.length > 0 };
    },
    async preview(context, _input, before) {
      if (context.plan.panos.content === 'keep') return { commands: [], differences: [] };
      return {
        commands: Object.keys(before).map((host) => ({
          host,
          command: 'request content upgrade check, download latest, install version latest',
        })),
        differences: [],
      };
    },
  }),
});

const tell = (versions: Versions): string =>
  Object.entries(versions)
    .map(([node, version]) => `${node} ${version || 'none'}`)
    .join(', ');
