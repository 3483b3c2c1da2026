/** Sudoers files from what the drivers say that they run as root. Pure. */
import type { SudoCommand } from '../activities/readiness';
import type { HostSpec } from '../activities/ssh/spec';
import type { ResolvedPlan } from '../worker/inventory';
import { sudoCommandsBy } from '../worker/procedures';

/** Everything that an upgrade by this plan runs as another user. */
export const sudoCommandsOf = (plan: ResolvedPlan): readonly SudoCommand[] => sudoCommandsBy[plan.procedure](plan);

export interface SudoersFile {
  readonly host: string;
  readonly user: string;
  readonly text: string;
}

/**
 * One file for each host that is logged in to as somebody else than root and where something is run by sudo. The commands
 * are those of the plan and no others; each stands on a line of its own, sorted, so that two files can be compared.
 */
export function sudoersFiles(
  hosts: Readonly<Record<string, Pick<HostSpec, 'user' | 'root'>>>,
  commands: readonly SudoCommand[],
  of: { readonly cluster: string; readonly version: string },
): SudoersFile[] {
  return Object.entries(hosts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([host, { user, root }]) => {
      const own = commands.filter((c) => c.host === host);
      if (root === 'none' || own.length === 0) return [];
      const lines = [...new Set(own.map((c) => `${userName(user)} ALL=(${c.as}) NOPASSWD: ${c.command}`))].sort();
      const text = [
        `# Hitless: what ${user} may run on ${host} to upgrade ${of.cluster}${of.version === '' ? '' : ` to ${of.version}`}.`,
        '# Install it as /etc/sudoers.d/hitless, mode 0440, after: visudo -cf FILE',
        `Defaults:${userName(user)} !requiretty`,
        ...lines,
        '',
      ].join('\n');
      return [{ host, user, text }];
    });
}

/** Characters that sudoers(5) wants escaped in a user name, as in DOMAIN\user. */
const userName = (user: string): string => user.replace(/[\\,:=@!() ]/g, '\\$&');
