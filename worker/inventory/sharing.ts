/** Two clusters that share a node: refused, for each could be upgraded while the other is. */
import { readFileSync } from 'node:fs';
import { parseKnownHosts, type KnownHost } from '../../activities/ssh/known-hosts';
import { expandHome } from '../../activities/ssh/secrets';
import { identitiesOf, type ReadKnownHosts } from '../shared-nodes';
import type { ReferenceFault } from './references';
import type { Inventory } from './schema';

/** `read`: the worker's known_hosts files; left out, only pinned keys and addresses are compared. Pure without it. */
export function sharingFaults({ clusters, hosts }: Inventory, read?: ReadKnownHosts): ReferenceFault[] {
  const owners = new Map<string, { readonly cluster: string; readonly node: string }>();
  return Object.entries(clusters).flatMap(([cluster, { nodes }]) =>
    Object.entries(nodes).flatMap(([node, entry]) => {
      const identities = identitiesOf({ nodes, hosts }, node, read);
      const by = identities.find((identity) => (owners.get(identity)?.cluster ?? cluster) !== cluster);
      const owner = by === undefined ? undefined : owners.get(by);
      for (const identity of identities) if (!owners.has(identity)) owners.set(identity, { cluster, node });
      if (owner === undefined) return [];
      return [
        {
          at: ['clusters', cluster, 'nodes', node, 'host' in entry ? 'host' : 'address'],
          what: `${node} is the node ${owner.node} of the cluster ${owner.cluster}, by ${by}: both could be upgraded at once`,
          next: 'leave it in one of the two; routers, load balancers and hosts that probe may be shared',
        },
      ];
    }),
  );
}

/** Reads each file once. One that can't be read says nothing here: who connects will be told. */
export function knownHostsFiles(): ReadKnownHosts {
  const files = new Map<string, readonly KnownHost[]>();
  return (path) => {
    const entries = files.get(path) ?? parseKnownHosts(textOf(expandHome(path)));
    files.set(path, entries);
    return entries;
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
