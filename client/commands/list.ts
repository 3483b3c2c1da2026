/** `list`. */
import { InvalidArgumentError, type Command } from 'commander';
import { withExamples, withJson, type Context, type Result, type Session } from '../context';
import { listUpgrades } from '../list';
import { renderListing } from '../render/list';

interface ListCommandOptions {
  readonly json?: boolean;
  readonly waiting?: boolean;
  readonly all?: boolean;
  readonly days: number;
}

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 7;
/** Where the output is no terminal. */
const DEFAULT_WIDTH = 80;

export function addListCommand(program: Command, context: Context): void {
  const list = program
    .command('list')
    .description(
      'All upgrades on the server: phase, step, whom each waits for, since when. What waits for people first, then what is open, then what ended lately.',
    )
    .option('--waiting', 'only those that wait for people')
    .option('--days <number>', 'with those that ended within so many days', days, DEFAULT_DAYS)
    .option('--all', 'with all that ended, as long as the server keeps them')
    .action((options: ListCommandOptions) => context.run(options, (session) => list_(session, options)));
  withExamples(
    withJson(list),
    ['hitless list', 'what is going on, and what went on in the last week'],
    ['hitless list --waiting', 'who is asked'],
    ["hitless list --json | jq '.runs[] | select(.trouble)'", 'for scripts: runs that no worker answers for'],
  );
}

function days(text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0 && number <= 36_500 && text.trim() !== '') return number;
  throw new InvalidArgumentError('It is no number of days.');
}

async function list_({ io, engine }: Session, { waiting, all, days }: ListCommandOptions): Promise<Result> {
  const listing = await listUpgrades(await engine(), {
    waiting: waiting === true,
    ...(all !== true && { endedSinceMs: io.now() - days * DAY_MS }),
  });
  return {
    text: renderListing(listing, { width: io.columns ?? DEFAULT_WIDTH, nowMs: io.now() }),
    json: listing,
  };
}
