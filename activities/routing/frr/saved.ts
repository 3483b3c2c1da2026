/** What FRR starts with next time, where it is, and whether the policy in it is the one that runs. */
import { LARGE_OUTPUT_LIMIT_BYTES, failureType, type Host } from '../../kit';
import { ownedValues, type Owned } from './config';

/** All daemons' configuration in one file, as packages set FRR up. */
export const SAVED = '/etc/frr/frr.conf';
/** bgpd's own, where there is one file for each daemon. */
export const PER_DAEMON = '/etc/frr/bgpd.conf';

export const savedCommand = (path: string): readonly string[] => ['/usr/bin/cat', path];

/**
 * The file that `write memory` writes the policy to and bgpd reads it from. vtysh shows this setting of its vtysh.conf in the
 * running configuration; an frr.conf that was left beside files of each daemon is then neither written nor read. Pure.
 */
export const savedIn = (running: string): string =>
  /^no service integrated-vtysh-config[ \t\r]*$/m.test(running) ? PER_DAEMON : SAVED;

/**
 * Whether the saved policy is another than the running one. Owned values alone decide. Undefined where it can't be told: the
 * file isn't there, holds no such route-map, or sudo has no rule for it.
 */
export async function differsFromSaved(
  host: Host,
  path: string,
  owned: readonly Owned[],
  running: string,
): Promise<boolean | undefined> {
  try {
    const { code, stdout } = await host.exec(savedCommand(path), {
      sudo: true,
      okCodes: 'any',
      quiet: true,
      outputLimitBytes: LARGE_OUTPUT_LIMIT_BYTES,
    });
    const saved = ownedValues(stdout, owned);
    if (code !== 0 || saved.length === 0) return undefined;
    return saved.join('\n') !== ownedValues(running, owned).join('\n');
  } catch (error) {
    // Sudoers files of older builds know of one file for all daemons only.
    if (path === PER_DAEMON && failureType(error) === 'SudoRefused') return undefined;
    throw error;
  }
}
