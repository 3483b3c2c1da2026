/** Whether every host of a plan can be reached, logged in to, and lets the plan's commands run; and whether clocks agree. */
import { counted, defineCheck, type Fault, type Finding, type StepContext } from '../kit';
import { checkSudo, type SudoNeed } from '../ssh';
import { clockFault, type ClockReading } from './reading';
import { certain, faultsOf, notReady, type Found } from './registry';
import type { ReadinessPlan } from './spec';

/** One command that the plan needs as another user, in sudoers syntax. `host` is a name under `hosts`. */
export interface SudoCommand {
  readonly host: string;
  readonly as: string;
  readonly command: string;
  /** It isn't asked about: a host whose sudoers file is of an older build does without it. */
  readonly optional?: true;
}

/**
 * A command that a sudoers line allows, to ask sudo about: wildcards match a plain text as well as any other, escaped
 * characters stand for themselves, `""` for no arguments.
 */
export function exampleOf(command: string): string[] {
  const words = command.match(/(?:\\.|[^\s\\])+/gs) ?? [];
  return words
    .filter((word) => word !== '""')
    .map((word) =>
      word.replace(/\\(.)|\[([^\]]+)\]|([*?])/gs, (_all, escaped?: string, set?: string, wild?: string) => {
        if (escaped !== undefined) return escaped;
        if (set !== undefined) return set.charAt(0);
        return wild === undefined ? '' : 'x';
      }),
    );
}

/**
 * Makes the check `readiness.access`. `commandsOf` lists the sudo commands of all folders for a plan, as `hitless plan
 * --sudoers` prints them.
 */
export function accessCheck<Plan extends ReadinessPlan>(commandsOf: (plan: Plan) => readonly SudoCommand[]) {
  return defineCheck<Record<never, never>, Finding, Plan>({
    async check(context) {
      const hosts = Object.keys(context.plan.hosts);
      const commands = commandsOf(context.plan).filter((c) => c.optional !== true);
      const looks = await Promise.all(hosts.map((host) => look(context, host, commands)));
      if (context.signal.aborted) throw context.signal.reason;
      const clocks = looks.flatMap(({ clock }) => (clock === undefined ? [] : [clock]));
      const skew = clockFault(clocks, context.plan.readiness.clockSkewMs);
      const faults: Fault[] = [
        ...looks.flatMap((l) => l.faults),
        ...(skew === undefined ? [] : [{ ...skew, next: 'let NTP set the clocks, then check again' }]),
      ];
      const found: Found[] = [
        ...faults.map(certain),
        ...looks.flatMap((l) => (l.failure === undefined ? [] : faultsOf(l.failure, l.host))),
      ];
      if (found.length > 0) throw notReady(found);
      const asked = commands.length === 0 ? '' : `, sudo allows all ${commands.length} commands`;
      return {
        summary: `${counted(hosts.length, 'host')} answer${hosts.length === 1 ? 's' : ''}${asked}, clocks agree`,
      };
    },
  });
}

interface Look {
  readonly host: string;
  readonly faults: readonly Fault[];
  readonly clock?: ClockReading;
  readonly failure?: unknown;
}

async function look(
  context: StepContext<ReadinessPlan>,
  name: string,
  commands: readonly SudoCommand[],
): Promise<Look> {
  try {
    const host = await context.host(name);
    // The first command opens the connection; what is timed is the second.
    await host.exec(['/usr/bin/true']);
    const asked = Date.now();
    const { stdout } = await host.exec(['/usr/bin/date', '+%s%3N']);
    const answered = Date.now();
    const offsetMs = Number(stdout.trim()) - (asked + answered) / 2;
    const needs = commands
      .filter((c) => c.host === name)
      .map((c): SudoNeed => ({ argv: exampleOf(c.command), as: c.as }));
    return {
      host: name,
      faults: await checkSudo(host, needs),
      clock: { where: name, offsetMs, toleranceMs: (answered - asked) / 2 },
    };
  } catch (failure) {
    return { host: name, faults: [], failure };
  }
}
