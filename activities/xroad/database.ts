/**
 * The replicated PostgreSQL instance: what it is, how far it is, and the schema in it. Facts §2. Every statement is fixed,
 * so that a sudoers file can list them; positions in the WAL are compared here.
 */
import { UnexpectedOutput, permanent, readAnswer, transient, type ExecResult, type Host } from '../kit';
import { clip } from '../kit/clip';
import { sudoersCommand } from '../ssh';
import { POSTGRES_USER, type XroadStatic } from './plan';

type Plan = Pick<XroadStatic, 'xroad'>;

const IDENTITY =
  "select pg_is_in_recovery(), current_setting('server_version_num'), (select system_identifier from pg_control_system())";
const POSITION = 'select pg_current_wal_lsn()';
const SENDERS =
  'select usename, state, sync_state, sent_lsn, replay_lsn from pg_stat_replication order by usename, application_name';
const PROGRESS = 'pg_last_wal_replay_lsn(), pg_last_wal_receive_lsn(), (select status from pg_stat_wal_receiver)';
/** From PostgreSQL 14 on: `not paused`, `pause requested`, `paused`. */
const STANDBY = `select pg_get_wal_replay_pause_state(), ${PROGRESS}`;
/** Before it, true as soon as a pause was asked for. */
const STANDBY_10 = `select case when pg_is_wal_replay_paused() then 'pause requested' else 'not paused' end, ${PROGRESS}`;
const PAUSE = 'select pg_wal_replay_pause()';
const RESUME = 'select pg_wal_replay_resume()';
/** Ordered by digests, for the order of texts depends on the host's language. */
const changelogSql = (schema: string): string =>
  `select count(*), md5(coalesce(string_agg(md5(id), '' order by md5(id)), '')), max(dateexecuted), (select count(*) from ${schema}.databasechangeloglock where locked) from ${schema}.databasechangelog`;

const OLDEST = 100_000;
const HAS_PAUSE_STATE = 140_000;

const psqlArgv = ({ xroad }: Plan, sql: string): string[] => [
  ...['/usr/bin/psql', '-XtA', '-p', String(xroad.database.port), '-d', xroad.database.name, '-c', sql],
];

/** Position in the write-ahead log, as PostgreSQL writes it: "16/B374D848". */
export type Lsn = string;

/** Below zero if `a` is before `b`. */
export function compareLsn(a: Lsn, b: Lsn): number {
  const difference = lsnBytes(a) - lsnBytes(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Bytes from `a` to `b`; below zero if `b` is before `a`. */
export const lsnDistance = (a: Lsn, b: Lsn): number => Number(lsnBytes(b) - lsnBytes(a));

function lsnBytes(lsn: Lsn): bigint {
  const [high, low] = parseLsn(lsn).split('/');
  return (BigInt(`0x${high ?? ''}`) << 32n) + BigInt(`0x${low ?? ''}`);
}

/** A position as PostgreSQL prints it. @throws UnexpectedOutput */
export function parseLsn(text: string | undefined): Lsn {
  if (text !== undefined && /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i.test(text)) return text;
  throw new UnexpectedOutput(`"${clip(text ?? '', 50)}" is no position in a WAL`);
}

/** Rows of cells that `psql -tA` prints. */
export const parseRows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('|'));

export interface Identity {
  readonly isStandby: boolean;
  /** As 150004. */
  readonly version: number;
  /** Same for an instance and its copies. */
  readonly system: string;
}

const PAUSE_STATES = ['not paused', 'pause requested', 'paused'] as const;

export interface Standby {
  readonly pause: (typeof PAUSE_STATES)[number];
  /** Undefined if nothing was replayed, or received, since it was started. */
  readonly replayed: Lsn | undefined;
  readonly received: Lsn | undefined;
  /** `streaming`, …; undefined if no receiver runs: it is cut off. */
  readonly receiver: string | undefined;
}

export interface Sender {
  readonly user: string;
  readonly state: string;
  readonly sync: string;
  readonly sent: Lsn | undefined;
  readonly replayed: Lsn | undefined;
}

export interface Changelog {
  readonly changes: number;
  /** Of the names of all changes: one schema, one digest. */
  readonly digest: string;
  /** When a change was last made, by the primary's clock. Some are made again with every upgrade. */
  readonly last: string;
  /** A migration runs, or was killed. */
  readonly locked: boolean;
}

export async function identityOf(plan: Plan, host: Host): Promise<Identity> {
  const expected = 'whether it is a standby, its version and its identifier';
  const found = await row(plan, host, IDENTITY, expected, ([recovery, version, system = '']) => {
    if (!/^\d{5,7}$/.test(version ?? '')) throw new UnexpectedOutput(`"${clip(version ?? '', 50)}" is no version`);
    return { isStandby: recovery === 't', version: Number(version), system };
  });
  if (found.version >= OLDEST) return found;
  throw permanent(
    'CommandFailed',
    `${host.name}: PostgreSQL ${found.version} on port ${plan.xroad.database.port} is older than 10, the oldest that can be handled here. Nothing was changed. Next: upgrade PostgreSQL first, by its own procedure.`,
    { host: host.name, version: String(found.version) },
  );
}

/** End of the WAL of a primary. @throws InvalidInput if it is a standby. */
export async function positionOf(plan: Plan, host: Host): Promise<Lsn> {
  return row(plan, host, POSITION, A_POSITION, ([lsn]) => parseLsn(lsn));
}

const A_POSITION = 'a position in the write-ahead log, as 16/B374D848';

export async function sendersOf(plan: Plan, host: Host): Promise<Sender[]> {
  return query(plan, host, SENDERS, 'who replicates, and how far', (rows) =>
    rows.map(([user = '', state = '', sync = '', sent, replayed]) => ({
      ...{ user, state, sync, sent: lsnOrNothing(sent), replayed: lsnOrNothing(replayed) },
    })),
  );
}

/**
 * Replay of a standby. Before PostgreSQL 14 it can't be told whether a pause that was asked for has come true: that is for
 * the caller to see, by a position that stays.
 */
export async function standbyOf(plan: Plan, host: Host, version: number): Promise<Standby> {
  const sql = version >= HAS_PAUSE_STATE ? STANDBY : STANDBY_10;
  return row(plan, host, sql, 'the state of replay, and how far it is', ([said, replayed, received, receiver]) => {
    const pause = PAUSE_STATES.find((state) => state === said);
    if (pause === undefined) throw new UnexpectedOutput(`"${clip(said ?? '', 50)}" is no state of replay`);
    return {
      pause,
      ...{ replayed: lsnOrNothing(replayed), received: lsnOrNothing(received), receiver: orNothing(receiver) },
    };
  });
}

export const pauseReplayOn = async (plan: Plan, host: Host): Promise<void> => void (await ask(plan, host, PAUSE));
export const resumeReplayOn = async (plan: Plan, host: Host): Promise<void> => void (await ask(plan, host, RESUME));

export async function changelogOf(plan: Plan, host: Host): Promise<Changelog> {
  const sql = changelogSql(plan.xroad.database.schema);
  return row(plan, host, sql, 'the changes made to the schema', ([changes, digest = '', last = '', locked]) => ({
    changes: Number(changes),
    ...{ digest, last, locked: locked !== '0' },
  }));
}

/** Whether a pause that is asked for is a pause that holds, by the release of PostgreSQL. */
export const tellsPause = (version: number): boolean => version >= HAS_PAUSE_STATE;

const orNothing = (cell: string | undefined): string | undefined => (cell === '' ? undefined : cell);

const lsnOrNothing = (cell: string | undefined): Lsn | undefined =>
  orNothing(cell) === undefined ? undefined : parseLsn(cell);

/** The first row of an answer that has one. */
const row = <T>(plan: Plan, host: Host, sql: string, expected: string, read: (cells: readonly string[]) => T) =>
  query(plan, host, sql, expected, ([first]) => {
    if (first === undefined) throw new UnexpectedOutput('PostgreSQL answered nothing');
    return read(first);
  });

/** @throws as `failed` and `readAnswer` say */
async function query<T>(
  plan: Plan,
  host: Host,
  sql: string,
  expected: string,
  read: (rows: readonly (readonly string[])[]) => T,
): Promise<T> {
  const stdout = await ask(plan, host, sql);
  return readAnswer({ host: host.name, command: psqlArgv(plan, sql), expected }, () => read(parseRows(stdout)));
}

async function ask(plan: Plan, host: Host, sql: string): Promise<string> {
  const result = await host.exec(psqlArgv(plan, sql), { sudo: POSTGRES_USER, okCodes: 'any' });
  if (result.code === 0) return result.stdout;
  throw failed(plan, host, sql, result);
}

/** psql(1): 1 is an error in the statement, 2 a connection that couldn't be had. */
function failed({ xroad }: Plan, host: Host, sql: string, { code, stderr }: ExecResult): Error {
  const said = stderr.trim().split('\n').slice(-3).join(' ');
  const details = { host: host.name, sql, code };
  if (/recovery is not in progress/.test(said))
    return permanent(
      'ForeignChange',
      `${host.name}: its database on port ${xroad.database.port} is no standby any more: it replicates from nobody. Nothing was changed. Next: find out who promoted it; it has to be set up as a copy of the primary again.`,
      details,
    );
  if (/recovery is in progress/.test(said))
    return permanent(
      'ForeignChange',
      `${host.name}: its database on port ${xroad.database.port} is a standby, and should be the primary. Nothing was changed. Next: find out which node is the primary now; correct node.ini or the replication.`,
      details,
    );
  if (code === 2)
    return transient(
      'CommandFailedRetryable',
      `${host.name}: PostgreSQL doesn’t answer on port ${xroad.database.port}: ${said}. Next: \`pg_lsclusters\` and its log there. A restart of it ends a pause of replay.`,
      details,
    );
  return permanent('CommandFailed', `${host.name}: PostgreSQL refused "${sql}": ${said}`, details);
}

/** Everything that is asked of the database, in sudoers syntax. */
export const sudoForDatabase = (plan: Plan): { as: string; command: string }[] =>
  [...[IDENTITY, POSITION, SENDERS, STANDBY, STANDBY_10, PAUSE, RESUME], changelogSql(plan.xroad.database.schema)].map(
    (sql) => ({ as: POSTGRES_USER, command: sudoersCommand(psqlArgv(plan, sql)) }),
  );
