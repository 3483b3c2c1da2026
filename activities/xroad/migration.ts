/**
 * Whether the migration of the primary's database did what its packages meant it to (facts §5.3; x-road-measured.md §2.1).
 * The package manager doesn't say: a migration that fails fails no package. Nor does a date in Liquibase's table: where no
 * separate admin user of the database is set up, a release without a new change leaves it as it is. So it is judged by what
 * the scripts said, and by what would be missing: changes that came with the packages, and aren't in the database.
 */
import type { Host } from '../kit';
import { clip } from '../kit/clip';
import type { Changelog } from './database';

/** Changes of the schema that a release brings: file → the beginning of its digest. Undefined where it isn't known. */
export type ChangeFiles = Readonly<Record<string, string>>;

const DIRECTORY = '/usr/share/xroad/db';
/** `serverconf-changelog.xml` and the folder `serverconf`, which everybody may read. */
const changeFilesArgv = [
  ...['/usr/bin/find', DIRECTORY, '-path', `${DIRECTORY}/serverconf*`, '-type', 'f'],
  ...['-exec', '/usr/bin/sha256sum', '--', '{}', '+'],
];
/** There are ten or so; what is kept of them goes into a step's *before*. */
const MOST_FILES = 200;
const DIGEST_LENGTH = 16;

/** What the scripts print when Liquibase fails, each as the packages have it (the typing error is theirs); no exit code tells. */
const FAILED = [
  'Running database migrations failed',
  'Running migrations failed',
  'please check database availability',
  'plase check that directory',
];
const DONE = 'Liquibase: Update has been successful';
const LINES_SHOWN = 5;

const saidArgv = (log: string): string[] => [
  ...['/usr/bin/grep', '-hF', ...[...FAILED, DONE].flatMap((text) => ['-e', text]), '--', log],
];

/** What the scripts said in what the package manager printed. */
export interface MigrationSaid {
  readonly failed: readonly string[];
  readonly done: boolean;
}

/** Nothing if there is no such file. */
export async function migrationSaid(host: Host, log: string): Promise<MigrationSaid> {
  const { stdout } = await host.exec(saidArgv(log), { okCodes: [0, 1, 2] });
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  const failed = lines.filter((line) => FAILED.some((text) => line.includes(text)));
  return {
    failed: [...new Set(failed)].slice(0, LINES_SHOWN).map((line) => clip(line, 300)),
    done: lines.some((line) => line.includes(DONE)),
  };
}

/** Lines of sha256sum(1); undefined if there are none, or too many to be X-Road's. */
export function parseChangeFiles(text: string): ChangeFiles | undefined {
  const files = text.split('\n').flatMap((line) => {
    const [, digest, path] = /^([0-9a-f]{64})[ *]{2}(\/.+)$/.exec(line) ?? [];
    return digest === undefined || path === undefined
      ? []
      : [[path.slice(DIRECTORY.length + 1), digest.slice(0, DIGEST_LENGTH)] as const];
  });
  return files.length === 0 || files.length > MOST_FILES ? undefined : Object.fromEntries(files.sort());
}

/** Undefined where they aren't where X-Road has them. */
export async function changeFilesOf(host: Host): Promise<ChangeFiles | undefined> {
  const { code, stdout } = await host.exec(changeFilesArgv, { okCodes: 'any' });
  return code === 0 ? parseChangeFiles(stdout) : undefined;
}

export interface Migrated {
  readonly before: Changelog;
  readonly after: Changelog;
  readonly filesBefore: ChangeFiles | undefined;
  readonly filesAfter: ChangeFiles | undefined;
  readonly said: MigrationSaid;
}

/** Why it can't be taken for done; undefined if it can. */
export function migrationFault({ before, after, filesBefore, filesAfter, said }: Migrated): string | undefined {
  if (after.digest !== before.digest || after.last !== before.last) return undefined;
  const brought =
    filesBefore === undefined || filesAfter === undefined
      ? undefined
      : Object.keys(filesAfter).filter((file) => filesAfter[file] !== filesBefore[file]);
  // Nothing new: there is nothing to migrate.
  if (brought?.length === 0 || said.done) return undefined;
  const ran = `no change was made to its database (the last one ${after.last || 'never'}), and no script says that it had none to make`;
  return brought === undefined ? ran : `${ran}; the packages brought ${brought.slice(0, LINES_SHOWN).join(', ')}`;
}
