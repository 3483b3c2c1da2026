/**
 * The packages of a node, and what must hold after them. A migration that fails doesn't fail the package manager (facts
 * §5.3), so the database and the output are looked at. From the primary's packages on nothing leads back.
 */
import {
  defineCheck,
  defineStep,
  formatFaults,
  permanent,
  type Fault,
  type Finding,
  type Host,
  type Outcome,
} from '../kit';
import { logPath, unitName } from '../jobs';
import { driverOf, packageActivities, type InstallBefore, type InstallInput } from '../packages';
import { sudoersCommand } from '../ssh';
import { changelogOf, type Changelog } from './database';
import { assertOutOfService } from './guards';
import { changeFilesOf, migrationFault, migrationSaid, type ChangeFiles } from './migration';
import { packageFaults, readNodeType, readPackages } from './node';
import { XROAD_USER, hostOf, type NodeInput, type XroadContext, type XroadPlan } from './plan';
import { parseDatabaseUrl } from './text';

const packages = packageActivities({ assertOutOfService });

const DB_PROPERTIES = '/etc/xroad/db.properties';
/** A fixed string, for sudoers has its own mind about patterns; and that line alone, for the others hold passwords. */
const databaseUrlArgv = ['/usr/bin/grep', '-F', 'serverconf.hibernate.connection.url', DB_PROPERTIES];

export interface UpgradeBefore {
  readonly install: InstallBefore;
  /** Of the node's own database, before its packages. */
  readonly changelog: Changelog;
  /** Changes of the schema that the packages before had. Builds before this one didn't look. */
  readonly changes?: ChangeFiles;
}

export interface UpgradeResult extends Outcome {
  readonly changelog: Changelog;
}

/**
 * Exchanges the packages of a node, staged before, by exact version. Its guard is `assertOutOfService`. There is no way back
 * once a package was exchanged: undo says so, unless nothing has happened yet.
 */
export const upgradePackages = defineStep<InstallInput, UpgradeBefore, UpgradeResult, XroadPlan>({
  async observe(context, input) {
    const host = await hostOf(context, input.node);
    const changes = await changeFilesOf(host);
    return {
      install: await packages.install.observe(context, input),
      changelog: await changelogOf(context.plan, host),
      ...(changes === undefined ? {} : { changes }),
    };
  },
  async act(context, input, before) {
    const { node, release } = input;
    const outcome = await packages.install.act(context, input, before.install);
    const host = await hostOf(context, node);
    const changelog = await changelogOf(context.plan, host);
    // Repeated after a crash that hid its result it changes nothing, and has to be looked at all the same.
    const wasOther = before.install.release !== release;
    const faults = await upgradeFaults(context, host, node, release, wasOther ? before : undefined, changelog);
    if (faults.length > 0)
      throw permanent(
        'CommandFailed',
        `${node} has the packages of ${release}, and not all is well:\n${formatFaults(faults)}\nIts services are stopped and it is out of service; nothing leads back. Next: repair it there, then try again.`,
        { faults },
      );
    return { ...outcome, changelog, nodes: { [node]: { release } } };
  },
  async undo(context, { node, release, previous }, before) {
    const host = await hostOf(context, node);
    const wrong = packageFaults(context.plan, previous, await readPackages(context.plan, host));
    if (wrong.length === 0 && before.install.release === previous)
      return { summary: `${node} still has all packages of ${previous}`, changed: false };
    throw permanent(
      'PointOfNoReturn',
      `the packages of ${node} stay as they are (${wrong.slice(0, 3).join(', ')}): their migrations can’t be taken back. The node is out of service. Next: go on to ${release}: retry the step.`,
      { node, wrong },
    );
  },
  preview: (context, input, before) => packages.install.preview(context, input, before.install),
});

async function upgradeFaults(
  context: XroadContext,
  host: Host,
  node: string,
  release: string,
  before: UpgradeBefore | undefined,
  changelog: Changelog,
): Promise<Fault[]> {
  const { plan } = context;
  const log = logPath(unitName(context.run.runId, 'install'));
  const said = await migrationSaid(host, log);
  const missing =
    node === plan.roles.primary && before !== undefined
      ? migrationFault({
          ...{ before: before.changelog, after: changelog, said },
          ...{ filesBefore: before.changes, filesAfter: await changeFilesOf(host) },
        })
      : undefined;
  return [
    ...(await nodeFaults(context, host, node, release)),
    ...said.failed.map((what) => ({
      where: node,
      what: `${log} says: ${what}`,
      next: `see what it says before that; repair the database and run /usr/share/xroad/scripts/setup_serverconf_db.sh (or the script of the package that failed), then move ${log} away and try again`,
    })),
    ...(changelog.locked
      ? [
          {
            where: node,
            what: 'databasechangeloglock is held: a migration runs, or was killed',
            next: 'make sure that none runs, then clear the lock (update databasechangeloglock set locked = false)',
          },
        ]
      : []),
    ...(missing === undefined
      ? []
      : [
          {
            where: node,
            what: missing,
            next: 'run /usr/share/xroad/scripts/setup_serverconf_db.sh there and read its output: it makes the changes; then try again',
          },
        ]),
  ];
}

/** What an installation may break on a node: packages, node type, the address of the database. */
async function nodeFaults(context: XroadContext, host: Host, node: string, release: string): Promise<Fault[]> {
  const { plan } = context;
  const wrong = packageFaults(plan, release, await readPackages(plan, host));
  const type = await readNodeType(host);
  const expected = node === plan.roles.primary ? 'master' : 'slave';
  const url = parseDatabaseUrl((await host.exec(databaseUrlArgv, { sudo: XROAD_USER, okCodes: [0, 1] })).stdout);
  const { port } = plan.xroad.database;
  return [
    ...wrong.map((what) => ({ where: node, what, next: `${driverOf(plan.software).hints.repair}, then try again` })),
    ...(type === expected
      ? []
      : [{ where: node, what: `is ${type} by node.ini and should be ${expected}`, next: 'restore the file' }]),
    ...(url?.includes(`:${port}/`) === true
      ? []
      : [
          {
            where: node,
            what: `${DB_PROPERTIES} names ${url ?? 'no database'} instead of one on port ${port}`,
            next: 'restore the line: the package may have replaced the file',
          },
        ]),
  ];
}

/** A node has the release, every package whole, and the files that a package might have replaced are right. */
export const upgraded = defineCheck<NodeInput & { readonly release: string }, Finding, XroadPlan>({
  async check(context, { node, release }) {
    const faults = await nodeFaults(context, await hostOf(context, node), node, release);
    if (faults.length > 0)
      throw permanent('NotReady', `${node} isn’t on ${release}:\n${formatFaults(faults)}`, { faults });
    return {
      summary: `${node} has ${release}, every package of X-Road whole`,
      nodes: { [node]: { release } },
    };
  },
});

export const sudoForUpgrade = (): { as: string; command: string }[] => [
  { as: XROAD_USER, command: sudoersCommand(databaseUrlArgv) },
];
