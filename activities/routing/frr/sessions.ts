/**
 * Administrative shutdown of a node's own BGP sessions on FRR, with the run's name in the message that the neighbors get and
 * show (RFC 9003).
 */
import { transient, type Host } from '../../kit';
import { blocksOf, canonical } from './config';
import { instanceAs, isInstance } from './instance';
import { commandsFor, configure, runningConfig, save, Vtysh, vtyshArgv, type Access } from './vtysh';

export interface NodeSessions {
  readonly localAs: number;
  readonly vrf?: string | undefined;
  readonly access: Access;
  readonly neighbors: readonly string[];
}

/** For each neighbor, the shutdown message ('' without one); absent while the session may be up. */
export type Shut = Readonly<Record<string, string>>;

/** RFC 9003 allows 255 octets; what a reader needs is which run it was. */
export const shutdownMessage = (workflowId: string): string =>
  `hitless ${workflowId}`.slice(0, 128).replace(/[^\w .:-]/g, '-');

/** Pure: which of the neighbors a running configuration keeps down. */
export function shutIn(config: string, { localAs, vrf, neighbors }: NodeSessions): Shut {
  const instance = blocksOf(config).find(({ head }) => isInstance(head, vrf) && instanceAs(head) === String(localAs));
  const lines = instance?.lines ?? [];
  return Object.fromEntries(
    neighbors.map(canonical).flatMap((neighbor) =>
      lines.flatMap((line) => {
        const match = /^neighbor (\S+) shutdown(?: message (.*))?$/.exec(line);
        return match?.[1] === neighbor ? [[neighbor, match[2] ?? '']] : [];
      }),
    ),
  );
}

/** Pure: configuration lines for exactly these neighbors to be down; one change for all of them. */
export function shutLines(spec: NodeSessions, wanted: Shut): string[] {
  return [
    commandsFor(spec.vrf).instance(spec.localAs),
    ...spec.neighbors.map(canonical).map((neighbor) => {
      const message = wanted[neighbor];
      if (message === undefined) return `no neighbor ${neighbor} shutdown`;
      return `neighbor ${neighbor} shutdown${message === '' ? '' : ` message ${message}`}`;
    }),
    'exit',
  ];
}

const same = (a: Shut, b: Shut): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

export function frrSessions(name: string, spec: NodeSessions, host: Host) {
  const vtysh = new Vtysh(host, spec.access);
  const read = async (): Promise<Shut> => shutIn(await vtysh.run([runningConfig], { quiet: true }), spec);
  const argv = (wanted: Shut): string[] => vtyshArgv(configure(shutLines(spec, wanted)));
  return {
    read,
    /** Makes it so and reads it back. Returns whether anything had to be changed. */
    async set(wanted: Shut): Promise<boolean> {
      if (same(await read(), wanted)) return false;
      const said = await vtysh.run(configure(shutLines(spec, wanted)));
      if (!same(await read(), wanted))
        throw transient(
          'VerifyFailed',
          `${name}: FRR did not take the state of the BGP sessions as it was sent; it said ${JSON.stringify(said.trim().slice(0, 300))}. Look at "show running-config" there.`,
        );
      return true;
    },
    async persist(): Promise<void> {
      const said = await vtysh.run([save]);
      if (!/saved to|\[OK\]/i.test(said))
        throw transient('VerifyFailed', `${name}: the configuration was not saved: ${said.trim().slice(0, 300)}`);
    },
    command: (wanted: Shut): string =>
      [...vtyshArgv([]), ...configure(shutLines(spec, wanted)).map((c) => `-c '${c}'`)].join(' '),
    /** Argument vectors of everything run as root. */
    sudo: (wanted: readonly Shut[]): string[][] =>
      spec.access === 'group' ? [] : [vtyshArgv([runningConfig]), vtyshArgv([save]), ...wanted.map(argv)],
  };
}
