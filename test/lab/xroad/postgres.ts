import type { HostFile } from '../host/host-files';
import { ports, type ResolvedOptions } from './options';
import type { Secrets } from './secrets';

/** As Debian's pg_lsclusters names it. */
export const serverconfCluster = { version: '15', name: 'serverconf', port: ports.serverconf } as const;
export const postgresUnit = 'postgresql@15-serverconf.service';

const owner = 'postgres:postgres';
const tls = '/etc/xroad/postgresql';

/** Nothing here has to outlive a power cut of the machine itself, and there are two instances a node. */
const small = 'shared_buffers = 16MB\nfsync = off\njit = off\nautovacuum_naptime = 5min\n';

/** Streaming replication as the guide sets it up: hot standbys, asynchronous, no slots (IG-XLB 4; facts section 2). */
export function postgresFiles({ names }: ResolvedOptions, secrets: Secrets, node: string): HostFile[] {
  const { certificate, key } = secrets.certificates[node]!;
  const primary = node === names.primary;
  const conninfo = [
    ...[`host=${names.primary}`, `port=${ports.serverconf}`, `user=${node}`, 'sslmode=verify-ca'],
    ...[`sslcert=${tls}/server.crt`, `sslkey=${tls}/server.key`, `sslrootcert=${tls}/ca.crt`],
  ].join(' ');
  const settings = [
    `ssl = on\nssl_ca_file = '${tls}/ca.crt'\nssl_cert_file = '${tls}/server.crt'\nssl_key_file = '${tls}/server.key'`,
    // Not less than when the image was made, or a standby refuses to start; the guide's ansible has the same.
    'wal_level = replica\nmax_wal_senders = 10\nwal_keep_size = 128',
    primary
      ? "listen_addresses = '*'"
      : [
          "listen_addresses = 'localhost'\nhot_standby = on\nhot_standby_feedback = on",
          `primary_conninfo = '${conninfo}'`,
          // The default of 5 s only makes the lab slower to start.
          'wal_retrieve_retry_interval = 500ms\nwal_receiver_status_interval = 1s',
        ].join('\n'),
  ];
  const access = [
    'local all all peer',
    'host all all 127.0.0.1/32 scram-sha-256',
    'host all all ::1/128 scram-sha-256',
    ...(primary ? ['hostssl replication +slavenode samenet cert'] : []),
  ];
  const etc = '/etc/postgresql/15';
  return [
    { path: `${tls}/ca.crt`, content: secrets.authority, owner },
    { path: `${tls}/server.crt`, content: certificate, owner },
    { path: `${tls}/server.key`, content: key, mode: 0o600, owner },
    { path: `${etc}/serverconf/conf.d/xroad.conf`, content: small + settings.join('\n') + '\n', owner },
    { path: `${etc}/serverconf/pg_hba.conf`, content: access.join('\n') + '\n', mode: 0o640, owner },
    { path: `${etc}/main/conf.d/lab.conf`, content: small, owner },
    // All nodes start from the image's data directory, shut down in order: a cold copy is as good as pg_basebackup.
    ...(primary ? [] : [{ path: '/var/lib/postgresql/15/serverconf/standby.signal', content: '', mode: 0o600, owner }]),
  ];
}

/** Run on the primary once: the role of each secondary, and the service that messages go to. */
export function firstSql({ names }: ResolvedOptions, service: { code: string; url: string }): string {
  return [
    'CREATE ROLE slavenode NOLOGIN;',
    ...names.secondaries.map((name) => `CREATE ROLE "${name}" LOGIN REPLICATION IN ROLE slavenode;`),
    '\\c serverconf',
    `INSERT INTO serverconf.service (code, url) VALUES ('${service.code}', '${service.url}');`,
  ].join('\n');
}
