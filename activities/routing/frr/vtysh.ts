/**
 * vtysh(1) on one host, and the exact commands that the driver gives it. Every command of an invocation is an argument of
 * its own, so that a transport that breaks delivers all of them or none, and a sudoers file can name them.
 */
import { UnexpectedOutput, readAnswer, readInto, transient, type Host } from '../../kit';
import type { Family, RouterSpec } from '../spec';
import { Documents, wholeDocument, type DocumentReader } from './documents';

export const VTYSH = '/usr/bin/vtysh';
/** bgpd may be busy for long on a router with full tables. */
const TIMEOUT_MS = 60_000;
/** Configurations are looked through line by line, several times, in one go. */
const CONFIG_LIMIT_BYTES = 4 * 1024 * 1024;

export type Access = RouterSpec['access'];

export const vtyshArgv = (commands: readonly string[]): string[] => [VTYSH, ...commands.flatMap((c) => ['-c', c])];

/** Configuration lines as one invocation. An unknown command ends it, a bad value only prints: read back what came of it. */
export const configure = (lines: readonly string[]): string[] => ['configure terminal', ...lines, 'end'];

export class Vtysh {
  constructor(
    readonly host: Host,
    private readonly access: Access,
  ) {}

  /** @throws CommandFailedRetryable if FRR doesn't answer. */
  async run(commands: readonly string[], options: { quiet?: boolean; via?: readonly string[] } = {}): Promise<string> {
    const argv = vtyshArgv(commands);
    const { code, stdout, stderr } = await this.host.exec(argv, {
      sudo: this.access === 'sudo',
      okCodes: 'any',
      timeoutMs: TIMEOUT_MS,
      outputLimitBytes: CONFIG_LIMIT_BYTES,
      ...options,
    });
    this.#answered(code, stdout, stderr);
    return stdout;
  }

  #answered(code: number, stdout: string, stderr: string): void {
    // Exit codes tell whether vtysh reached the daemons, not whether they did as told (facts §0.6).
    const broken = /failed to connect|is not running|Can't open configuration file|Permission denied/i.exec(
      stderr + stdout,
    );
    if (code !== 0 && broken !== null)
      throw transient(
        'CommandFailedRetryable',
        `${this.host.name}: vtysh can’t talk to FRR: ${firstLine(stderr || stdout)}. Next: see whether FRR runs there (systemctl status frr)${this.access === 'group' ? ' and whether the login user is in the group frrvty' : ''}.`,
        { host: this.host.name },
      );
  }

  /**
   * Runs `show … json` commands and reads what they answer, as it comes in: one document each, by command. Of most the whole
   * document is read, of `readers` what they make of it. @throws as run, readAnswer
   */
  async show<T>(
    commands: readonly string[],
    readers: ReadonlyMap<string, () => DocumentReader>,
    read: (documents: ReadonlyMap<string, unknown>) => T,
  ): Promise<T> {
    const documents = new Documents((index) => (readers.get(commands[index] ?? '') ?? wholeDocument)());
    const command = vtyshArgv(commands);
    const expected = 'one JSON document for each command';
    const { result, beginning, end } = await readInto(
      this.host,
      command,
      { sudo: this.access === 'sudo', okCodes: 'any', timeoutMs: TIMEOUT_MS, expected },
      documents,
    );
    this.#answered(result.code, beginning, result.stderr);
    return readAnswer({ host: this.host.name, command, expected }, () => {
      end();
      const { found } = documents;
      if (found.length !== commands.length)
        throw new UnexpectedOutput(`${found.length} answers to ${commands.length} questions`);
      return read(new Map(commands.map((one, i) => [one, found[i]])));
    });
  }
}

const firstLine = (text: string): string => text.trim().split('\n')[0]?.slice(0, 200) ?? '';

/** "ipv4 unicast" as FRR's JSON names it. */
export const jsonFamily = (family: Family): string => (family === 'ipv4 unicast' ? 'ipv4Unicast' : 'ipv6Unicast');

/** The commands of one router: the VRF, if it is in one, stands in each of them. */
export function commandsFor(vrf: string | undefined) {
  const bgp = vrf === undefined ? 'bgp' : `bgp vrf ${vrf}`;
  const ip = (family: Family): string =>
    `${family === 'ipv4 unicast' ? 'ip' : 'ipv6'} route${vrf === undefined ? '' : ` vrf ${vrf}`}`;
  return {
    summary: (family: Family) => `show ${bgp} ${family} summary json`,
    prefix: (family: Family, prefix: string) => `show ${bgp} ${family} ${prefix} json`,
    route: (family: Family, prefix: string) => `show ${ip(family)} ${prefix} json`,
    allNeighbors: `show ${bgp} neighbors json`,
    neighbor: (neighbor: string) => `show ${bgp} neighbors ${neighbor} json`,
    advertised: (family: Family, neighbor: string) =>
      `show ${bgp} ${family} neighbors ${neighbor} advertised-routes json`,
    soften: (family: Family, neighbor: string, direction: 'in' | 'out') =>
      `clear ${bgp} ${family} ${neighbor} soft ${direction}`,
    instance: (localAs: number) => `router bgp ${localAs}${vrf === undefined ? '' : ` vrf ${vrf}`}`,
  };
}
export const runningConfig = 'show running-config';
export const save = 'write memory';
