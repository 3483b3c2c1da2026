/**
 * What tells one machine from another, whatever it is called: its machine ID, which everybody may read on it and nobody should
 * be told (machine-id(5)), so what is kept of it is a digest for this purpose.
 */
import { createHmac } from 'node:crypto';
import type { Host } from '../kit';

/** Undefined of a host that has none. */
export async function readMachineId(host: Host): Promise<string | undefined> {
  const { stdout } = await host.exec(['/usr/bin/cat', '/etc/machine-id'], { okCodes: 'any', quiet: true });
  const id = /^[0-9a-f]{32}$/.exec(stdout.trim())?.[0];
  return id === undefined ? undefined : createHmac('sha256', 'hitless').update(id).digest('hex').slice(0, 32);
}

/** For a plan, by node. Nothing of those that have the same one: machines that were copied with it aren't told apart by it. */
export function toldApart(
  read: readonly { readonly node: string; readonly machineId: string | undefined }[],
): Readonly<Record<string, { readonly machineId?: string }>> {
  const isAlone = (id: string): boolean => read.filter(({ machineId }) => machineId === id).length === 1;
  return Object.fromEntries(
    read.map(({ node, machineId }) => [node, machineId === undefined || !isAlone(machineId) ? {} : { machineId }]),
  );
}
