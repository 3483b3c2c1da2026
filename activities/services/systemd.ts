/** What systemd on a host says of itself and of its units (systemctl(1)), and a reboot that answers before it happens. */
import { permanent } from '../kit/errors';
import type { Host } from '../kit/host';
import { shownUnits } from './shown';

export const SYSTEMCTL = '/usr/bin/systemctl';
const SYSTEMD_RUN = '/usr/bin/systemd-run';

/** State of the whole system: `initializing`, `starting`, `running`, `degraded`, `maintenance`, `stopping`, `offline`. */
export async function systemState(host: Host): Promise<string> {
  const { stdout } = await host.exec([SYSTEMCTL, 'is-system-running'], { okCodes: 'any' });
  return stdout.trim();
}

export interface UnitState {
  readonly unit: string;
  /** `loaded`, `not-found`, `masked`, … */
  readonly load: string;
  /** `active`, `inactive`, `failed`, `activating`, … */
  readonly active: string;
  readonly sub: string;
}

/** States of units, in the order asked for; a unit that doesn't exist is `not-found`. */
export async function unitStates(host: Host, units: readonly string[]): Promise<UnitState[]> {
  if (units.length === 0) return [];
  const properties = '--property=Id,LoadState,ActiveState,SubState';
  const { stdout } = await host.exec([SYSTEMCTL, 'show', properties, '--', ...units]);
  return parseShown(stdout, units);
}

/** Blocks of `systemctl show`, one for each unit asked for, in the same order. Aliases come under their unit's own name. */
export function parseShown(text: string, units: readonly string[]): UnitState[] {
  const shown = shownUnits(text);
  return units.map((unit, index) => {
    const value = (key: string): string => shown[index]?.get(key) ?? 'unknown';
    return { unit, load: value('LoadState'), active: value('ActiveState'), sub: value('SubState') };
  });
}

export const describeUnit = ({ unit, load, active, sub }: UnitState): string =>
  load === 'loaded' ? `${unit} is ${active} (${sub})` : `${unit} is ${load}`;

/** Names of the units that failed, sorted. */
export async function failedUnits(host: Host): Promise<string[]> {
  const { stdout } = await host.exec([SYSTEMCTL, 'list-units', '--state=failed', '--plain', '--no-legend', '--full']);
  return parseUnitNames(stdout);
}

/** First word of each line, without the bullet that some versions print. */
export const parseUnitNames = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.replace(/^[●*×\s]+/, '').split(/\s/, 1)[0] ?? '')
    .filter((word) => /\S\.\S/.test(word))
    .sort();

/** Exists at most once a boot, so asking twice can't reboot twice; gone with the boot. */
export const REBOOT_UNIT = 'hitless-reboot';

/** As root. Timed, so that the answer gets out before the network goes down; asked for again meanwhile, systemd refuses. */
export const rebootCommand = [
  ...[SYSTEMD_RUN, `--unit=${REBOOT_UNIT}`, '--on-active=1', '--timer-property=AccuracySec=100ms'],
  ...['--collect', '--quiet', SYSTEMCTL, 'reboot'],
];

/**
 * Asks for a reboot. Returns at once; harmless if one is under way already.
 * @throws CommandFailed if systemd won't reboot.
 */
export async function requestReboot(host: Host): Promise<void> {
  const answer = await host.exec(rebootCommand, { sudo: true, okCodes: 'any' });
  // "already loaded": asked for in this boot. "destructive": the machine is going down as it is.
  if (answer.code === 0 || /already (loaded|exists)|is destructive/.test(answer.stderr)) return;
  throw permanent(
    'CommandFailed',
    `${host.name} refuses to reboot: ${answer.stderr.trim()}. It still runs in its old boot. Next: see \`systemctl list-jobs\` there.`,
    { host: host.name, command: rebootCommand.join(' '), code: answer.code },
  );
}

/** Whether a reboot asked for by `requestReboot` is still to come. */
export async function isRebootPending(host: Host): Promise<boolean> {
  const states = await unitStates(host, [`${REBOOT_UNIT}.timer`, `${REBOOT_UNIT}.service`]);
  return states.some(({ active }) => active === 'active' || active === 'activating');
}
