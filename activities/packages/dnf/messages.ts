/** What people are told when dnf can't, or didn't. */
import { permanent, transient } from '../../kit/errors';
import type { Host } from '../../kit/host';
import type { JobResult } from '../../jobs';
import type { Exchange } from '../driver';
import { DNF_LOCK } from './commands';
import { dnfFailure, dnfReason, type DnfFailure } from './failure';

export const NEXT: Readonly<Record<DnfFailure, string>> = {
  busy: 'wait until the other package manager has ended',
  fetch: 'bring the repository back',
  missing: 'publish the package, or correct software.releases in the inventory',
  unmet: 'publish what is needed, or correct the release’s packages in the inventory',
  script: 'repair what the package’s script says, then try again, or roll back',
  full: 'make room on the node',
  killed: 'try again, which finishes it',
  other: 'run the command on the node by hand',
};

export const unlock = (names: readonly string[]): string => `dnf versionlock delete ${names.join(' ')}`;

export const busy = (host: Host, who: string): Error =>
  transient(
    'Busy',
    `${host.name}: another package manager is at work (${who}). Nothing was installed. Next: this is tried again; see who it is with \`cat ${DNF_LOCK}\` and \`fuser -v /var/lib/rpm/.rpm.lock\`.`,
    { host: host.name },
  );

/** A failure that trying again won't cure, in dnf's own words. */
export function failed(host: Host, doing: string, code: number, output: string): Error {
  const why = dnfFailure(code, output);
  if (why === 'busy') return busy(host, 'dnf');
  return permanent(
    'CommandFailed',
    `${host.name}: ${doing} failed: ${dnfReason(output)}. Nothing was installed. Next: ${NEXT[why]}.`,
    { host: host.name, why, output: dnfReason(output) },
  );
}

export function exchangeFailed(
  host: Host,
  { conffiles }: Exchange,
  result: JobResult,
  timedOut: boolean,
  failure: DnfFailure,
): Error {
  const why = timedOut ? 'it took longer than software.installTimeoutMs' : dnfReason(result.log);
  return permanent(
    'CommandFailed',
    `${host.name}: the installation failed: ${why}. Packages may be half installed (conffiles: ${conffiles}); the node carries no traffic. All of it: ${result.logPath} on ${host.name}. Next: ${failure === 'other' ? NEXT.script : NEXT[failure]}.`,
    { host: host.name, why: failure, output: dnfReason(result.log, 20), logPath: result.logPath },
  );
}
