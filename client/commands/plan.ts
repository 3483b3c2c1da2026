/** `check` and `plan`: dry runs. */
import type { Command } from 'commander';
import { clusterOf, resolvePlan, type ResolvedPlan } from '../../worker/inventory';
import { withExamples, withJson, type Context, type Result, type Session } from '../context';
import { exitCodes } from '../exit';
import { inventoryHere, routingOf } from '../inventory-here';
import { renderPlan, renderReadiness, resumedLine } from '../render/plan';
import { planUpgrade } from '../start';
import { sudoCommandsOf, sudoersFiles } from '../sudoers';
import { clusterName, modeOf, withMode, withRouting, type ModeOptions, type RoutingOptions } from './options';

type CheckOptions = RoutingOptions & { readonly json?: boolean };
type PlanOptions = CheckOptions &
  ModeOptions & { readonly sudoers?: boolean; readonly host?: string; readonly inventory?: string };

export function addPlanCommands(program: Command, context: Context): void {
  const check = program
    .command('check')
    .argument('<cluster>', 'name of the cluster in the inventory')
    .argument('[version]', 'release that an upgrade would go to')
    .description(
      'Check that a cluster is ready to be upgraded. Reads the devices, changes nothing. All faults in one list.',
    )
    .action((cluster: string, version: string | undefined, options: CheckOptions) =>
      context.run(options, (session) => checkCluster(session, cluster, version, options)),
    );
  withExamples(
    withJson(withRouting(check)),
    ['hitless check fw-dc1', 'exit code 0 if it is ready, 1 if not'],
    ['hitless check fw-dc1 2.0', 'the same, with a release in mind'],
  );

  const plan = program
    .command('plan')
    .argument('<cluster>', 'name of the cluster in the inventory')
    .argument('<version>', 'release to upgrade to, as the inventory names it')
    .description(
      'Dry run: the steps, the commands that they would run, the configuration differences that they would make, and the digest of the plan. Reads the devices, changes nothing.',
    )
    .option(
      '--sudoers',
      'print the sudoers files that the plan needs instead; needs no device, and with --inventory no server',
    )
    .option('--host <name>', 'with --sudoers: of this host only')
    .option('--inventory <file>', 'with --sudoers: read this inventory instead of asking a worker for its own')
    .action((cluster: string, version: string, options: PlanOptions) =>
      context.run(options, (session) =>
        options.sudoers
          ? printSudoers(session, cluster, version, options)
          : planCluster(session, cluster, version, options),
      ),
    );
  withExamples(
    withJson(withMode(withRouting(plan))),
    ['hitless plan fw-dc1 2.0', 'what an upgrade would do'],
    ['hitless start fw-dc1 2.0 --expect-plan DIGEST', 'start that plan, and no other'],
    ['hitless plan fw-dc1 2.0 --sudoers --host fw1 > hitless', 'then: visudo -cf hitless, and install it on fw1'],
  );
}

async function checkCluster(
  session: Session,
  typed: string,
  version: string | undefined,
  options: CheckOptions,
): Promise<Result> {
  const cluster = clusterName(typed);
  const input = { cluster, only: 'check' as const, ...(version !== undefined && { version }) };
  const routing = routingOf(cluster, session.io.env, options);
  const view = await planUpgrade(await session.engine(), input, routing);
  const readiness = view.readiness ?? { ready: false, faults: [], summary: 'the worker returned no readiness check' };
  const resumed = resumedLine(view.plan);
  return {
    text: `${resumed === '' ? '' : `${resumed}\n\n`}${renderReadiness(cluster, readiness)}`,
    json: { cluster, ...readiness },
    code: readiness.ready ? exitCodes.ok : exitCodes.failed,
  };
}

async function planCluster(session: Session, typed: string, version: string, options: PlanOptions): Promise<Result> {
  const cluster = clusterName(typed);
  const routing = routingOf(cluster, session.io.env, options);
  const engine = await session.engine();
  session.note(`reading ${cluster}; nothing is changed`);
  const view = await planUpgrade(engine, { cluster, version, ...modeOf(options) }, routing);
  const isReady = view.readiness?.ready !== false;
  const kind = options.procedure === undefined ? '' : ` --procedure ${options.procedure}`;
  // What an earlier run left half-way can't be ready: the start asks whether to go on or to roll back.
  const hint =
    isReady || resumedLine(view.plan) !== ''
      ? `\n\nhitless start ${cluster} ${version} --expect-plan ${view.digest.slice(0, 12)}${kind}`
      : '';
  return {
    text: renderPlan(cluster, view) + hint,
    json: { cluster, version, ...view },
    code: isReady ? exitCodes.ok : exitCodes.failed,
  };
}

async function printSudoers(session: Session, typed: string, version: string, options: PlanOptions): Promise<Result> {
  const cluster = clusterName(typed);
  const plan = await staticPlan(session, cluster, version, options);
  const files = sudoersFiles(plan.hosts, sudoCommandsOf(plan), { cluster, version }).filter(
    ({ host }) => options.host === undefined || host === options.host,
  );
  const none = `# nothing is run by sudo${options.host === undefined ? '' : ` on ${options.host}`}`;
  const text = files.map(({ host, text }) => (files.length === 1 ? text : `# ---- ${host} ----\n${text}`)).join('\n');
  return { text: files.length === 0 ? none : text.trimEnd(), json: { cluster, version, files } };
}

/** The plan as far as the inventory tells: one at hand, else the worker's. Logging in may not work yet at this point. */
async function staticPlan(
  session: Session,
  cluster: string,
  version: string,
  options: PlanOptions,
): Promise<ResolvedPlan> {
  const here = inventoryHere(session.io.env, options.inventory);
  if (here !== undefined && (options.inventory !== undefined || Object.hasOwn(here.inventory.clusters, cluster))) {
    clusterOf(here.inventory, cluster);
    return resolvePlan(here.inventory, { cluster, version, ...modeOf(options) }, { isDryRun: true });
  }
  const routing = routingOf(cluster, session.io.env, options);
  const view = await planUpgrade(
    await session.engine(),
    { cluster, version, only: 'resolve', ...modeOf(options) },
    routing,
  );
  return view.plan as ResolvedPlan;
}
