/** Everything that is looked at on a node before and after an upgrade, in one go. Reads only. */
import type { Host } from '../kit';
import { readMachineId } from '../readiness';
import * as database from './database';
import { healthOf, type Health } from './health';
import { ownDatabases, type OwnDatabase } from './locks';
import { hasAutologin, readClusters, readNodeType, readPackages, readProxyPorts, readServices } from './node';
import { hostOf, type StaticContext, type XroadStatic } from './plan';
import * as state from './sync-state';
import {
  honoursFlag,
  type NodeType,
  type PackageState,
  type PostgresCluster,
  type ProxyPorts,
  type Unit,
} from './text';
import { tokensOf, type TokenState } from './token';

export interface CopyReading {
  readonly flag: boolean;
  readonly service: Unit;
  readonly timer: Unit;
  /** The unit tests for the flag. */
  readonly honoursFlag: boolean;
}

export interface NodeReading {
  readonly node: string;
  readonly machineId: string | undefined;
  readonly type: NodeType;
  /** Of local.ini. */
  readonly ports: ProxyPorts;
  readonly health: Health;
  readonly packages: readonly PackageState[];
  readonly units: readonly Unit[];
  readonly autologin: boolean;
  readonly tokens: TokenState;
  /** Instances of PostgreSQL, where Debian manages them. */
  readonly clusters: readonly PostgresCluster[] | undefined;
  readonly identity: database.Identity;
  readonly changelog: database.Changelog;
  /** That the node has for itself, beside the replicated one. */
  readonly ownDatabases: readonly OwnDatabase[];
  /** Of a primary. */
  readonly position: database.Lsn | undefined;
  readonly senders: readonly database.Sender[];
  /** Of a standby. */
  readonly standby: database.Standby | undefined;
  /** Of a secondary. */
  readonly copy: CopyReading | undefined;
  /** Digests of the files that all nodes have alike. */
  readonly sums: ReadonlyMap<string, string>;
}

/** @throws whatever keeps the node from being read, as Unreachable */
export async function readNode(context: StaticContext, node: string): Promise<NodeReading> {
  const { plan } = context;
  const host = await hostOf(context, node);
  const type = await readNodeType(host);
  const identity = await database.identityOf(plan, host);
  const packages = await readPackages(plan, host);
  return {
    ...{ node, type, identity },
    machineId: await readMachineId(host),
    ports: await readProxyPorts(host),
    health: await healthOf(plan, host),
    packages,
    units: await readServices(host),
    autologin: await hasAutologin(host),
    tokens: await tokensOf(plan, host),
    clusters: await readClusters(host),
    changelog: await database.changelogOf(plan, host),
    ownDatabases: await ownDatabases(host, packages),
    position: identity.isStandby ? undefined : await database.positionOf(plan, host),
    senders: identity.isStandby ? [] : await database.sendersOf(plan, host),
    standby: identity.isStandby ? await database.standbyOf(plan, host, identity.version) : undefined,
    copy: type === 'slave' ? await readCopy(plan, host) : undefined,
    sums: await state.sumsOf(plan, host),
  };
}

const readCopy = async (plan: XroadStatic, host: Host): Promise<CopyReading> => ({
  flag: await state.hasFlag(plan, host),
  service: await state.copyState(plan, host),
  timer: await state.timerState(plan, host),
  honoursFlag: honoursFlag(await state.unitText(plan, host), plan.xroad.sync.flag),
});
