/**
 * Everything that speaks against a cluster as it was read: before an upgrade (facts §6 P) and after it (D). Pure: the same
 * readings give the same list, all of it at once.
 */
import type { Fault } from '../kit';
import { lsnDistance } from './database';
import { describeHealth, nextFor } from './health';
import { packageFaults } from './node';
import type { XroadStatic } from './plan';
import type { NodeReading } from './reading';
import { differing } from './sync-state';
import { describeUnit, isUnused } from './text';

export interface Expected {
  readonly primary: string;
  /** Release that each node must have. */
  readonly releases: Readonly<Record<string, string>>;
  /** Units that must be active; left out: the proxy, at least. */
  readonly active?: Readonly<Record<string, readonly string[]>>;
}

export function clusterFaults(plan: XroadStatic, readings: readonly NodeReading[], expected: Expected): Fault[] {
  const primary = readings.find((r) => r.node === expected.primary);
  const secondaries = readings.filter((r) => r.node !== expected.primary);
  return [
    ...typeFaults(readings),
    ...readings.flatMap((reading) => [
      ...softwareFaults(plan, reading, expected),
      ...serviceFaults(reading, expected.active?.[reading.node] ?? ['xroad-proxy.service']),
      ...healthFaults(plan, reading),
      ...tokenFaults(reading),
      ...ownDatabaseFaults(reading),
    ]),
    ...(primary === undefined ? [] : primaryFaults(primary, secondaries)),
    ...secondaries.flatMap((secondary) => [
      ...databaseFaults(plan, secondary, primary),
      ...copyFaults(plan, secondary, primary),
    ]),
    ...releaseFaults(plan),
  ];
}

/** Exactly one primary; the others its secondaries. */
export function typeFaults(readings: readonly Pick<NodeReading, 'node' | 'type'>[]): Fault[] {
  const masters = readings.filter((r) => r.type === 'master').map((r) => r.node);
  const next = 'correct [node] type in /etc/xroad/conf.d/node.ini, or the cluster’s nodes in the inventory';
  return [
    ...(masters.length === 1
      ? []
      : [
          {
            where: 'cluster',
            what: `has ${masters.length === 0 ? 'no primary' : `${masters.length} primaries: ${masters.join(', ')}`}`,
            next,
          },
        ]),
    ...readings
      .filter((r) => r.type === 'standalone')
      .map((r) => ({
        where: r.node,
        what: 'is a standalone Security Server (node.ini has no type master or slave)',
        next,
      })),
  ];
}

function softwareFaults(plan: XroadStatic, { node, packages }: NodeReading, { releases }: Expected): Fault[] {
  const release = releases[node];
  if (release === undefined) return [];
  return packageFaults(plan, release, packages).map((what) => ({
    where: node,
    what: `${what} (release ${release})`,
    next: 'bring the node to the release, or correct software.releases in the inventory',
  }));
}

function serviceFaults({ node, units }: NodeReading, active: readonly string[]): Fault[] {
  return [
    ...active
      .filter((name) => units.find((unit) => unit.unit === name)?.active !== 'active')
      .map((name) => {
        const unit = units.find((u) => u.unit === name);
        return {
          where: node,
          what: unit === undefined ? `has no ${name}` : describeUnit(unit),
          next: `systemctl status ${name}`,
        };
      }),
    ...units
      .filter((unit) => unit.active === 'failed' && !active.includes(unit.unit))
      .map((unit) => ({ where: node, what: describeUnit(unit), next: `systemctl status ${unit.unit}` })),
    ...units
      .filter((unit) => unit.load === 'masked' || unit.file.startsWith('masked'))
      .map((unit) => ({
        where: node,
        what: `${unit.unit} is masked (left by an earlier run?)`,
        next: `systemctl unmask ${unit.file === 'masked-runtime' ? '--runtime ' : ''}${unit.unit}`,
      })),
  ];
}

function healthFaults({ xroad }: XroadStatic, { node, health, ports: { health: healthPort } }: NodeReading): Fault[] {
  const faults: Fault[] = [];
  if (healthPort !== xroad.health.port)
    faults.push({
      where: node,
      what:
        healthPort === 0
          ? 'has no health check port (local.ini, [proxy] health-check-port)'
          : `has its health check on port ${healthPort}, the inventory says ${xroad.health.port}`,
      next: `set [proxy] health-check-port=${xroad.health.port} and restart xroad-proxy, or correct xroad.health.port`,
    });
  if (health.kind !== 'ok')
    faults.push({ where: node, what: `is ${describeHealth(health, xroad.health)}`, next: nextFor(health) });
  return faults;
}

function tokenFaults({ node, tokens: { tokens, why } }: NodeReading): Fault[] {
  if (tokens === undefined)
    return [{ where: node, what: `its tokens can’t be listed: ${why}`, next: 'is xroad-signer running?' }];
  if (tokens.length === 0) return [{ where: node, what: 'has no token', next: 'initialise the software token' }];
  const used = tokens.filter((token) => !isUnused(token));
  if (used.length === 0)
    return [{ where: node, what: 'has no token that is initialised', next: 'initialise the software token' }];
  return used
    .filter((token) => !token.active)
    .map((token) => ({
      where: node,
      what: `token ${token.id} isn’t logged in (${token.status})`,
      next: 'enter its PIN on the node',
    }));
}

function ownDatabaseFaults({ node, ownDatabases }: NodeReading): Fault[] {
  return ownDatabases
    .filter(({ locked }) => locked !== false)
    .map(({ name, locked, why }) =>
      locked === true
        ? {
            where: node,
            what: `a migration of its own database ${name} runs, or was cut off: databasechangeloglock is held`,
            next: 'make sure that none runs, then clear the lock (update databasechangeloglock set locked = false)',
          }
        : {
            where: node,
            what: `its own database ${name}, which its packages migrate, can’t be asked: ${why}`,
            next: 'see pg_lsclusters and its log',
          },
    );
}

function primaryFaults(primary: NodeReading, secondaries: readonly NodeReading[]): Fault[] {
  const { node: where, identity, senders, changelog } = primary;
  if (identity.isStandby)
    return [
      { where, what: 'is the primary by node.ini, and its database is a standby', next: 'correct the replication' },
    ];
  const streaming = senders.filter((s) => s.state === 'streaming');
  return [
    ...(streaming.length >= secondaries.length
      ? []
      : [
          {
            where,
            what: `sends WAL to ${streaming.length} of ${secondaries.length} secondaries (${senders.map((s) => `${s.user}: ${s.state}`).join(', ') || 'none connected'})`,
            next: 'see PostgreSQL’s log on the secondary that is missing',
          },
        ]),
    ...(changelog.locked
      ? [
          {
            where,
            what: 'a migration of its database runs, or was cut off',
            next: 'see serverconf.databasechangeloglock',
          },
        ]
      : []),
  ];
}

function databaseFaults({ xroad }: XroadStatic, secondary: NodeReading, primary: NodeReading | undefined): Fault[] {
  const { node: where, identity, standby, changelog } = secondary;
  if (standby === undefined)
    return [{ where, what: 'is a secondary, and its database is no standby', next: 'set up its replication again' }];
  const lag =
    standby.replayed === undefined || primary?.position === undefined
      ? undefined
      : lsnDistance(standby.replayed, primary.position);
  const major = (version: number): number => Math.floor(version / 10_000);
  const faults: (Fault | false)[] = [
    standby.receiver !== 'streaming' && {
      where,
      what: `its database receives nothing from the primary (${standby.receiver ?? 'no receiver'})`,
      next: 'see PostgreSQL’s log there; if WAL that it needs is gone, it has to be copied anew',
    },
    standby.pause !== 'not paused' && {
      where,
      what: `replay of its database is ${standby.pause}`,
      next: 'find out who paused it; select pg_wal_replay_resume()',
    },
    lag === undefined
      ? { where, what: 'its database has replayed nothing since it was started', next: 'see its replication' }
      : lag > xroad.database.maxLagBytes && {
          where,
          what: `its database is ${lag} bytes of WAL behind the primary`,
          next: 'let it catch up',
        },
    primary !== undefined &&
      primary.identity.system !== identity.system && {
        where,
        what: `its database is no copy of ${primary.node}’s (other system identifier)`,
        next: 'set up its replication again',
      },
    primary !== undefined &&
      major(primary.identity.version) !== major(identity.version) && {
        where,
        what: `has PostgreSQL ${major(identity.version)}, ${primary.node} has ${major(primary.identity.version)}`,
        next: 'upgrading PostgreSQL is a procedure of its own',
      },
    primary !== undefined &&
      primary.changelog.digest !== changelog.digest && {
        where,
        what: `its database has another schema than ${primary.node}’s (${changelog.changes} changes, there ${primary.changelog.changes})`,
        next: 'let it catch up; an upgrade that was begun has to be finished',
      },
  ];
  return faults.filter((fault) => fault !== false);
}

function copyFaults({ xroad }: XroadStatic, secondary: NodeReading, primary: NodeReading | undefined): Fault[] {
  const { node: where, copy } = secondary;
  if (copy === undefined) return [];
  const { unit, flag } = xroad.sync;
  const wrong = primary === undefined ? [] : differing(primary.sums, secondary.sums);
  const faults: (Fault | false)[] = [
    copy.service.load !== 'loaded' && {
      where,
      what: `${unit}.service is ${copy.service.load || 'unknown'}`,
      next: 'set up the copying of the configuration (IG-XLB 5.2), or correct xroad.sync.unit',
    },
    !copy.honoursFlag && {
      where,
      what: `${unit}.service doesn’t test for ${flag}, so it can’t be paused`,
      next: `add \`ExecStartPre=/usr/bin/test ! -f ${flag}\` to it (IG-XLB 5.2)`,
    },
    copy.flag && {
      where,
      what: `${flag} is there: it doesn’t copy the configuration`,
      next: 'find out who set it; remove it',
    },
    copy.timer.active !== 'active' && {
      where,
      what: describeUnit(copy.timer),
      next: `systemctl enable --now ${unit}.timer`,
    },
    copy.service.result !== 'success' && {
      where,
      what: `its last copy of the configuration failed (${copy.service.result || 'no result'})`,
      next: `systemctl status ${unit}.service; /var/log/xroad/slave-sync.log`,
    },
    wrong.length > 0 && {
      where,
      what: `${wrong.join(', ')} ${wrong.length === 1 ? 'differs' : 'differ'} from ${primary?.node ?? 'the primary'}`,
      next: `systemctl start ${unit}.service`,
    },
  ];
  return faults.filter((fault) => fault !== false);
}

/** What the plan itself gets wrong. */
export function releaseFaults(plan: XroadStatic): Fault[] {
  const faults: Fault[] = [];
  for (const [name, { packages }] of Object.entries(plan.software.releases)) {
    if (!Object.keys(packages).some((p) => p.startsWith('xroad-')))
      faults.push({
        where: `release ${name}`,
        what: 'names no package of X-Road',
        next: 'list them under software.releases',
      });
    const databases = Object.keys(packages).filter((p) => p.startsWith('postgresql'));
    if (databases.length > 0)
      faults.push({
        where: `release ${name}`,
        what: `names ${databases.join(', ')}: a restart of PostgreSQL ends every pause of replay`,
        next: 'upgrade PostgreSQL in a procedure of its own',
      });
  }
  if (plan.xroad.outOfService !== 'maintenance' && plan.loadBalancer === undefined)
    faults.push({
      where: 'inventory',
      what: `xroad.outOfService is ${plan.xroad.outOfService}, and there is no section loadBalancer`,
      next: 'describe the load balancer, or set xroad.outOfService: maintenance',
    });
  if (plan.mode === 'rolling' && Object.keys(plan.nodes).length < 2)
    faults.push({ where: 'inventory', what: 'a rolling upgrade needs two nodes at least', next: 'use mode: offline' });
  return faults;
}
