import { z } from 'zod';
import { loadBalancerSpec } from '../../activities/load-balancer/spec';
import { softwareSpec } from '../../activities/packages/spec';
import { panosNode, panosSpec } from '../../activities/panos/spec';
import { paritySpec } from '../../activities/parity/spec';
import { monitoringSpec } from '../../activities/probes/spec';
import { readinessSpec } from '../../activities/readiness/spec';
import { routingSpec } from '../../activities/routing/spec';
import { hostsSpec } from '../../activities/ssh/spec';
import { stateSyncSpec } from '../../activities/state-sync/spec';
import { xroadSpec } from '../../activities/xroad/spec';
import { defaultTaskQueue, startInput, workflowTypes } from '../../workflows/contract';
import { personName, policySpec } from './policy';

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
    .refine((nodes) => Object.keys(nodes).length === 2, { error: 'exactly two nodes make a firewall pair' })
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

const xRoadCluster = z.strictObject({
  kind: z.literal('x-road-cluster').describe('Security Servers of one identity behind an external load balancer'),
  description: z.string().optional().describe('for people; nothing reads it'),
  site: identifier.optional().describe('site whose workers reach the devices: those that poll TASKQUEUE-SITE'),
  nodes: z
    .record(identifier, node)
    .refine((nodes) => Object.keys(nodes).length >= 2, {
      error: 'two nodes at least make a cluster: a primary and a secondary',
    })
    .describe('the Security Servers; which of them is the primary is read from them'),
  xroad: xroadSpec.prefault({}).describe('how the nodes are observed, drained, stopped and started'),
  loadBalancer: loadBalancerSpec
    .optional()
    .describe('what spreads messages over the nodes; left out, nodes are taken out by their health port alone'),
  software: softwareSpec.describe('releases, and how nodes are upgraded'),
  readiness: readinessSpec.prefault({}).describe('what must hold on the nodes before anything is changed'),
  monitoring: monitoringSpec.describe('what is probed while the new release serves, and what is tolerated'),
  policy: policySpec(workflowTypes['x-road-cluster'].gates).describe('who decides what'),
});
export type XRoadClusterEntry = z.output<typeof xRoadCluster>;

const panosPair = z.strictObject({
  kind: z.literal('panos-pair').describe('two PAN-OS firewalls in HA, active/passive or active/active'),
  description: z.string().optional().describe('for people; nothing reads it'),
  site: identifier.optional().describe('site whose workers reach the devices: those that poll TASKQUEUE-SITE'),
  nodes: z
    .record(identifier, panosNode)
    .refine((nodes) => Object.keys(nodes).length === 2, { error: 'exactly two devices make an HA pair' })
    .describe('the two devices; which of them is active is read from them'),
  panos: panosSpec.prefault({}).describe('how the pair is upgraded'),
  steering: routingSpec
    .optional()
    .describe(
      'routers on which traffic is moved away before each failover of an active/active pair, where the site is built that way',
    ),
  monitoring: monitoringSpec.describe('what is probed while the new release serves, and what is tolerated'),
  policy: policySpec(workflowTypes['panos-pair'].gates).describe('who decides what'),
});
export type PanosPairEntry = z.output<typeof panosPair>;

const person = z.strictObject({
  name: z.string().optional().describe('full name, for people'),
});

/** The whole file. What no single field shows is checked in references.ts. */
export const inventorySchema = z.strictObject({
  schema: z.literal(1).describe('version of this format'),
  taskQueue: identifier.default(defaultTaskQueue).describe('task queue of the workers'),
  hosts: hostsSpec
    .default({})
    .describe('every host that is logged in to by SSH: nodes, routers, hosts that probe, jump hosts'),
  people: z
    .record(personName, person)
    .optional()
    .describe('names that policies may use; if given, a policy that names anybody else is a fault'),
  clusters: z
    .record(identifier, z.discriminatedUnion('kind', [firewallPair, xRoadCluster, panosPair]))
    .describe('the clusters by name; the name is what is typed to start an upgrade'),
});
export type Inventory = z.output<typeof inventorySchema>;
export type ClusterEntry = Inventory['clusters'][string];
