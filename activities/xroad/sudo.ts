/** Everything that an upgrade of a cluster runs as another user, for the file that `hitless plan --sudoers` prints. */
import { sudoCommands as loadBalancerCommands } from '../load-balancer';
import { sudoCommands as packageCommands } from '../packages';
import { sudoCommands as probeCommands } from '../probes';
import type { SudoCommand } from '../readiness';
import { sudoForDatabase } from './database';
import { sudoForLocks } from './locks';
import { sudoForNode } from './node';
import type { XroadStatic } from './plan';
import { sudoForMasks } from './self-start';
import { sudoForServices } from './services';
import { sudoForSync } from './sync-state';
import { sudoForToken } from './token';
import { sudoForUpgrade } from './upgrade';

/** Of this folder alone, on every node. */
export const sudoCommands = (plan: Pick<XroadStatic, 'nodes' | 'xroad' | 'software'>): SudoCommand[] => {
  const commands = [
    ...sudoForNode(),
    ...sudoForDatabase(plan),
    ...sudoForLocks(),
    ...sudoForSync(plan),
    ...sudoForServices(),
    ...sudoForMasks(plan),
    ...sudoForToken(plan),
    ...sudoForUpgrade(),
  ];
  return Object.values(plan.nodes).flatMap(({ host }) => commands.map((command) => ({ host, ...command })));
};

/** Of all folders that the procedure uses. */
export const sudoCommandsOf = (plan: XroadStatic): SudoCommand[] => [
  ...sudoCommands(plan),
  ...packageCommands(plan),
  ...probeCommands(plan.monitoring),
  ...(plan.loadBalancer === undefined ? [] : loadBalancerCommands({ loadBalancer: plan.loadBalancer })),
];
