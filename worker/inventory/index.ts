/** The inventory: one YAML file on the worker, and the part of a plan that it decides. */
export { InventoryError, formatFault, type InventoryFault } from './faults';
export { DEFAULT_INVENTORY, inventoryPath, loadInventory, parseInventory } from './load';
export {
  clusterOf,
  inventoryDigestOf,
  queuesOf,
  resolvePlan,
  siteNotes,
  siteQueueOf,
  watchQueueOf,
  type Queues,
  type ResolvedFirewallPair,
  type ResolvedPlan,
  type ResolvedXRoadCluster,
} from './resolve';
export { inventorySchema, type ClusterEntry, type FirewallPairEntry, type Inventory } from './schema';
