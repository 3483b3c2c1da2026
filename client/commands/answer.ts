/** `approve`, `reject`, `decide`, `pause`, `resume`, `switch-back`, `cancel`: what people say to a run. */
import type { Command } from 'commander';
import { answer, cancel, command as sendCommand, type AnswerRequest, type Outcome, type Verb } from '../answer';
import { withExamples, withJson, type Context, type Result, type Session } from '../context';
import { exitCodes } from '../exit';
import { clientIdentity } from '../identity';
import { renderOutcome } from '../render/run';
import { clusterName, personOf, withPerson } from './options';

interface AnswerOptions {
  readonly json?: boolean;
  readonly by?: string;
  readonly comment?: string;
  readonly digest?: string;
  readonly to?: 'savepoint' | 'start';
  readonly waive?: string;
}
interface SayOptions {
  readonly json?: boolean;
  readonly by?: string;
  readonly reason?: string;
}

const CLUSTER = 'name of the cluster in the inventory';
const OPENING = 'ID of the open question, as return#2; the only one that fits if left out';

const withAnswer = (command: Command): Command =>
  withPerson(command)
    .option('--comment <text>', 'why; goes into the report')
    .option('--digest <digest>', 'answer only if the question still shows this digest (its first 12 characters)');

export function addAnswerCommands(program: Command, context: Context): void {
  const gate = (verb: 'approve' | 'reject', description: string): Command =>
    program
      .command(verb)
      .argument('<cluster>', CLUSTER)
      .argument('[opening]', OPENING)
      .description(description)
      .action((cluster: string, opening: string | undefined, options: AnswerOptions) =>
        context.run(options, (session) =>
          say(session, cluster, { verb, ...(opening !== undefined && { opening }) }, options),
        ),
      );
  withExamples(
    withJson(withAnswer(gate('approve', 'Approve what is asked: let the upgrade go on.'))),
    ['hitless approve fw-dc1', 'the only open gate'],
    ['hitless approve fw-dc1 return#1 --digest 3f2a90c1d4e5', 'exactly what was looked at'],
  );
  withExamples(withJson(withAnswer(gate('reject', 'Reject what is asked: one rejection is enough.'))), [
    'hitless reject fw-dc1 --comment "latency doubled"',
    'the only open gate',
  ]);
  addDecide(program, context);
  addSayings(program, context);
}

function addDecide(program: Command, context: Context): void {
  const decide = program
    .command('decide')
    .usage('[options] <cluster> [opening] <choice>')
    .argument('<cluster>', CLUSTER)
    .argument('<opening-or-choice>', `${OPENING} (then its choice follows); or the choice`)
    .argument('[choice]', 'one of the choices that hitless status shows: retry, roll-back, stop, skip, waive …')
    .description(
      'Answer a hold: say what a failed step, a rejection or a regression leads to; or say that what the run asked for is done.',
    )
    .option('--to <point>', 'with roll-back: "start" undoes everything; the last gate passed if left out')
    .option(
      '--waive <names>',
      'with waive: the faults that are waived, by name, separated by commas; --comment says why',
    )
    .action((cluster: string, first: string, second: string | undefined, options: AnswerOptions) => {
      const request =
        second === undefined
          ? { verb: 'decide' as const, choice: first }
          : { verb: 'decide' as const, opening: first, choice: second };
      return context.run(options, (session) => say(session, cluster, request, options));
    });
  withExamples(
    withJson(withAnswer(decide)),
    ['hitless decide fw-dc1 retry', 'the only open hold: try the step again'],
    ['hitless decide fw-dc1 hold#2 roll-back --to start', 'undo everything'],
    ['hitless decide ss-prod done', 'the PIN that pin#1 asks for has been entered on the node'],
    [
      'hitless decide pa-edge waive --waive ntp_sync,dhcp_relay --comment "NTP is down by plan"',
      'go on in spite of these faults of the readiness check',
    ],
    ['hitless decide fw-dc1 skip --comment "fixed by hand"', 'leave a failed undo as it is; needs a reason'],
  );
}

function addSayings(program: Command, context: Context): void {
  const saying = (name: string, signal: 'pause' | 'resume' | 'switchBack', description: string): Command =>
    withJson(
      withPerson(
        program
          .command(name)
          .argument('<cluster>', CLUSTER)
          .description(description)
          .requiredOption('--reason <text>', 'why; goes into the report')
          .action((cluster: string, options: SayOptions & { readonly reason: string }) =>
            context.run(options, async (session) => {
              const by = personOf(options, session.io.env);
              const input = { by, reason: options.reason };
              const outcome = await sendCommand(await session.engine(), clusterName(cluster), signal, input);
              sentAs(session, by);
              return told(clusterName(cluster), name, outcome);
            }),
          ),
      ),
    );
  withExamples(saying('pause', 'pause', 'Stop before the next step. Undoing, watching and the way back go on.'), [
    'hitless pause fw-dc1 --reason "storm in dc2"',
    'until hitless resume',
  ]);
  withExamples(saying('resume', 'resume', 'Go on after a pause.'), [
    'hitless resume fw-dc1 --reason "storm is over"',
    '',
  ]);
  withExamples(
    saying(
      'switch-back',
      'switchBack',
      'Move traffic to the other node at once, and keep the upgraded node as it is, for diagnosis.',
    ),
    ['hitless switch-back fw-dc1 --reason "users report errors"', 'then a hold asks what next'],
  );
  const cancelCommand = withPerson(program.command('cancel'))
    .argument('<cluster>', CLUSTER)
    .option('--reason <text>', 'why; goes into the history, and is shown with the report')
    .description(
      'Undo everything that the run has changed, and end it. After the point of no return: a hold asks what next.',
    )
    .action((cluster: string, options: SayOptions) =>
      context.run(options, async (session) => {
        const by = personOf(options, session.io.env);
        const run = await cancel(await session.engine(), clusterName(cluster), {
          by,
          ...(options.reason !== undefined && { reason: options.reason }),
        });
        sentAs(session, by);
        const recorded = run.server === undefined ? '' : `; recorded, not yet read: ${run.server.why}`;
        return {
          text: `cancel: asked for${recorded}. What was changed is undone first; see: hitless status ${cluster} --watch`,
          json: {
            outcome: run.server === undefined ? 'accepted' : 'recorded',
            workflowId: run.workflowId,
            runId: run.runId,
          },
        };
      }),
    );
  withExamples(withJson(cancelCommand), ['hitless cancel fw-dc1 --reason "the window is over"', '']);
}

async function say(
  session: Session,
  typed: string,
  request: { readonly verb: Verb; readonly opening?: string; readonly choice?: string },
  options: AnswerOptions,
): Promise<Result> {
  const cluster = clusterName(typed);
  const full: AnswerRequest = {
    ...request,
    by: personOf(options, session.io.env),
    ...(options.comment !== undefined && { comment: options.comment }),
    ...(options.digest !== undefined && { digest: options.digest }),
    ...(options.to !== undefined && { to: options.to }),
    ...(options.waive !== undefined && { waive: options.waive.split(',').map((name) => name.trim()) }),
  };
  const outcome = await answer(await session.engine(), cluster, full);
  sentAs(session, full.by);
  return told(cluster, request.verb, outcome);
}

/** Who it counts for, and who the history says has sent it. */
function sentAs({ note, wantsJson }: Session, by: string): void {
  if (!wantsJson) note(`sent as ${by}, by ${clientIdentity()}`);
}

function told(cluster: string, verb: string, outcome: Outcome): Result {
  const { kind, ...rest } = outcome;
  return {
    text: renderOutcome(cluster, verb, outcome),
    json: { outcome: kind, ...rest },
    code: kind === 'refused' ? exitCodes.failed : exitCodes.ok,
  };
}
