/**
 * Locks that a killed migration left behind in the databases that each node has for itself (facts §5.4): their migrations
 * run with the packages on every node, wait minutes for such a lock, and give up. That of the replicated database is looked
 * at with the rest of it.
 */
import { UnexpectedOutput, readAnswer, type Host } from '../kit';
import { sudoersCommand } from '../ssh';
import { POSTGRES_USER, XROAD_USER } from './plan';
import { parseRows } from './database';
import type { PackageState } from './text';

const PROPERTIES = '/etc/xroad/db.properties';

/** Databases that a node has of its own, with the package that brings each; all on the port of Debian's first instance. */
const OWN_DATABASES = [
  { name: 'messagelog', broughtBy: 'xroad-addon-messagelog' },
  { name: 'op-monitor', broughtBy: 'xroad-opmonitor' },
] as const;
const PORT = 5432;

/** In whatever schema the table is: one statement for all, so that a sudoers file can list it. */
const LOCKS =
  "select coalesce(sum((xpath('//n/text()', query_to_xml(format('select count(*) as n from %I.%I where locked', schemaname, tablename), false, true, '')))[1]::text::int), 0) from pg_tables where tablename = 'databasechangeloglock'";

const urlArgv = (name: string): string[] => ['/usr/bin/grep', '-F', `${name}.hibernate.connection.url`, PROPERTIES];
const locksArgv = (name: string): string[] => [
  ...['/usr/bin/psql', '-XtA', '-p', String(PORT), '-d', name, '-c', LOCKS],
];

/** psql(1): the connection couldn't be had. */
const NO_CONNECTION = 2;

export interface OwnDatabase {
  readonly name: string;
  /** Its migrations are locked; undefined with the reason where it couldn't be asked. */
  readonly locked: boolean | undefined;
  readonly why?: string;
}

/** Whether db.properties has the database on this node, at the port that can be asked. */
export const isLocal = (line: string): boolean =>
  new RegExp(String.raw`jdbc\\?:postgresql\\?://(127\.0\.0\.1|localhost|\[::1\])\\?:${PORT}/`).test(line);

/** Of the databases that the node's packages migrate on the node itself. */
export async function ownDatabases(host: Host, packages: readonly PackageState[]): Promise<OwnDatabase[]> {
  const found: OwnDatabase[] = [];
  for (const { name, broughtBy } of OWN_DATABASES) {
    if (!packages.some((p) => p.name === broughtBy)) continue;
    const { stdout: url } = await host.exec(urlArgv(name), { sudo: XROAD_USER, okCodes: [0, 1], quiet: true });
    if (isLocal(url)) found.push(await askedOf(host, name));
  }
  return found;
}

async function askedOf(host: Host, name: string): Promise<OwnDatabase> {
  const { code, stdout, stderr } = await host.exec(locksArgv(name), { sudo: POSTGRES_USER, okCodes: 'any' });
  if (code !== 0) {
    const said = stderr.trim().split('\n').at(-1) ?? '';
    // Not made yet: its package makes it.
    if (code === NO_CONNECTION && /database "[^"]*" does not exist/.test(stderr)) return { name, locked: false };
    return { name, locked: undefined, why: said === '' ? `psql ended with exit code ${code}` : said };
  }
  const expected = 'how many locks of migrations are held';
  return readAnswer({ host: host.name, command: locksArgv(name), expected }, () => {
    const [[count = ''] = []] = parseRows(stdout);
    if (!/^\d{1,4}$/.test(count)) throw new UnexpectedOutput('PostgreSQL answered no number');
    return { name, locked: count !== '0' };
  });
}

export const sudoForLocks = (): { as: string; command: string }[] =>
  OWN_DATABASES.flatMap(({ name }) => [
    { as: XROAD_USER, command: sudoersCommand(urlArgv(name)) },
    { as: POSTGRES_USER, command: sudoersCommand(locksArgv(name)) },
  ]);
