/**
 * What tells one machine from another, whatever it is called: its machine ID, which everybody may read on it and nobody should
 * be told (machine-id(5)), so what is kept of it is a digest for this purpose.
 */
import { createHmac } from 'node:crypto';
import type { Host, StepContext } from '../kit';

interface Nodes {
  readonly nodes: Readonly<Record<string, { readonly host: string }>>;
}

/**
 * By node; nothing of a node whose host has none, or the same one as another node of the plan: machines that were copied
 * with their ID aren't told apart by it.
 * @throws Unreachable (transient)
 */
export async function machineIdsOf(
  context: Pick<StepContext<Nodes>, 'plan' | 'host'>,
): Promise<Readonly<Record<string, { readonly machineId?: string }>>> {
  const read = await Promise.all(
    Object.entries(context.plan.nodes).map(
      async ([node, { host }]) => [node, await machineIdOn(await context.host(host))] as const,
    ),
  );
  const isAlone = (id: string): boolean => read.filter(([, other]) => other === id).length === 1;
  return Object.fromEntries(
    read.map(([node, id]) => [node, id === undefined || !isAlone(id) ? {} : { machineId: id }]),
  );
}

async function machineIdOn(host: Host): Promise<string | undefined> {
  const { stdout } = await host.exec(['/usr/bin/cat', '/etc/machine-id'], { okCodes: 'any', quiet: true });
  const id = /^[0-9a-f]{32}$/.exec(stdout.trim())?.[0];
  return id === undefined ? undefined : createHmac('sha256', 'hitless').update(id).digest('hex').slice(0, 32);
}
