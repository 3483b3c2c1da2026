import { z } from 'zod';
import { softwareSpec } from '../../activities/packages/spec';
import { paritySpec } from '../../activities/parity/spec';
import { monitoringSpec } from '../../activities/probes/spec';
import { readinessSpec } from '../../activities/readiness/spec';
import { routingSpec } from '../../activities/routing/spec';
import { hostsSpec } from '../../activities/ssh/spec';
import { stateSyncSpec } from '../../activities/state-sync/spec';
import { defaultTaskQueue, startInput, workflowTypes } from '../../workflows/contract';
import { policySpec } from './policy';

/** Names that end up in workflow IDs, task queues and unit names. */
const identifier = startInput.shape.cluster;

const node = z.strictObject({
  host: z.string().min(1).describe('name of the host under `hosts` through which this node is managed'),
});

const firewallPair = z.strictObject({
  kind: z.literal('firewall-pair').describe('an active/standby pair that BGP policy steers'),
  description: z.string().optional().describe('for people; nothing reads it'),
  site: identifier.optional().describe('site whose workers reach the devices: those that poll TASKQUEUE-SITE'),
  nodes: z
    .record(identifier, node)
    .refine((nodes) => Object.keys(nodes).length === 2, { error: 'a firewall pair has exactly two nodes' })
    .describe('the two firewalls; which of them is active is read from the network'),
  routing: routingSpec.describe('how traffic is moved between the nodes'),
  stateSync: stateSyncSpec.describe('how session state is copied between the nodes'),
  software: softwareSpec.describe('releases, and how nodes are upgraded'),
  parity: paritySpec.prefault({}).describe('in what the two nodes must be alike, and stay what they were'),
  readiness: readinessSpec.prefault({}).describe('what must hold on the nodes before anything is changed'),
  monitoring: monitoringSpec.describe('what is probed while the new release serves, and what is tolerated'),
  policy: policySpec(workflowTypes['firewall-pair'].gates).describe('who decides what'),
});
export type FirewallPairEntry = z.output<typeof firewallPair>;

const person = z.strictObject({
  name: z.string().optional().describe('full name, for people'),
});

/** The whole file. What no single field shows is checked in references.ts. */
export const inventorySchema = z.strictObject({
  schema: z.literal(1).describe('version of this format'),
  taskQueue: identifier.default(defaultTaskQueue).describe('task queue of the workers'),
  hosts: hostsSpec.describe('every host that is logged in to: nodes, routers, hosts that probe, jump hosts'),
  people: z
    .record(z.string().min(1).max(128), person)
    .optional()
    .describe('names that policies may use; if given, a policy that names anybody else is a fault'),
  clusters: z
    .record(identifier, z.discriminatedUnion('kind', [firewallPair]))
    .describe('the clusters by name; the name is what is typed to start an upgrade'),
});
export type Inventory = z.output<typeof inventorySchema>;
export type ClusterEntry = Inventory['clusters'][string];
