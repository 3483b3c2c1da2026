/**
 * What went wrong on the way to a host, in words for the person who is woken by it: which host, what state it is in, what
 * to do next.
 */
import type { ApplicationFailure } from '@temporalio/common';
import { clip } from '../kit/clip';
import { messageOf, permanent, transient } from '../kit/errors';
import { fingerprint, keyType, type KeyVerdict } from './known-hosts';

/** Of details: sshd was there and the login didn't come about. Each such attempt counts against the worker's address. */
export interface LoginRefusal {
  readonly answered?: boolean;
  readonly said?: string;
}

/** Where a connection leads. */
export interface Target {
  /** Name in the plan. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Names of the jump hosts, nearest to the worker first. */
  readonly via: readonly string[];
}

export const label = (t: Target): string =>
  `${t.name} (${t.user}@${t.address.includes(':') ? `[${t.address}]` : t.address}:${t.port}${t.via.length > 0 ? ` via ${t.via.join(', ')}` : ''})`;

const WHY: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: [
    'connection refused: the address answers, but no sshd listens there',
    'if it isn’t just booting, start sshd from its console, or correct address and port in the inventory',
  ],
  ETIMEDOUT: ['no answer', 'check power, network and firewalls between the worker and the host'],
  EHOSTUNREACH: ['no route to the host', 'check routing, and that it is powered on'],
  ENETUNREACH: ['no route to its network', 'check routing on the worker'],
  ENOTFOUND: ['its name can’t be resolved', 'check DNS on the worker, or give an IP address in the inventory'],
  EAI_AGAIN: ['the name server doesn’t answer', 'check DNS on the worker, or give an IP address in the inventory'],
  ECONNRESET: ['the connection was reset', 'it may be rebooting; look at sshd’s log on the host'],
  EPIPE: ['the connection was closed', 'it may be rebooting; look at sshd’s log on the host'],
};

/**
 * Not connected: nothing was run. Tried again, as hosts reboot and networks heal. `answered`: sshd, or what stands there,
 * took the connection; `banner` is what it said then. Both are in the details, too (`said`).
 */
export function unreachable(
  target: Target,
  error: unknown,
  options: { readonly banner?: string; readonly answered?: boolean } = {},
): ApplicationFailure {
  const code = codeOf(error);
  const known = code === undefined ? undefined : WHY[code];
  const why = known?.[0] ?? reasonOf(error);
  const next = known?.[1] ?? 'look at sshd’s log on the host';
  return transient(
    'Unreachable',
    `${label(target)} can’t be reached: ${why}.${saying(options.banner)} Nothing was run there. Next: ${next}.`,
    {
      host: target.name,
      address: target.address,
      port: target.port,
      ...(code === undefined ? {} : { code }),
      ...(options.answered === true ? { answered: true } : {}),
      ...(options.banner === undefined ? {} : { said: clipLine(options.banner) }),
    },
  );
}

const saying = (banner: string | undefined): string =>
  banner === undefined || banner.trim() === '' ? '' : ` It said: ${clipLine(banner)}.`;

/** The connection ended while a command ran: what the command did is unknown. */
export function lostDuring(target: Target, command: string, cause: string): ApplicationFailure {
  return transient(
    'Unreachable',
    `${label(target)}: the connection was lost while "${clipLine(command)}" ran (${cause}). The command may have run, whole or in part, and may still run. Next: the step is tried again and looks at the host first.`,
    { host: target.name, mayHaveRun: true },
  );
}

export function hostKeyRefused(
  target: Target,
  offered: Buffer,
  verdict: KeyVerdict,
  source: string,
): ApplicationFailure {
  const shown = `${keyType(offered)} ${fingerprint(offered)}`;
  const compare =
    'Next: on the host’s console run `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`; only if it shows this fingerprint';
  const why = ((): string => {
    switch (verdict.verdict) {
      case 'revoked':
        return `it offered the key ${shown}, which is revoked in ${source} line ${verdict.line}. Whoever answers there must not be trusted. Next: find out why this key is still in use`;
      case 'changed':
        return `its host key isn’t the expected one. Expected: ${verdict.expected
          .map((e) => `${e.type} ${fingerprint(e.key)}`)
          .join(
            ' or ',
          )} (${source}); offered: ${shown}. It was reinstalled, or somebody else answers. ${compare}, replace the old entry`;
      default:
        return `its host key is not known: nothing in ${source} is about it; offered: ${shown}.${
          verdict.verdict === 'unknown' && verdict.authorities > 0 ? ' (@cert-authority entries aren’t used.)' : ''
        } ${compare}, add it`;
    }
  })();
  return permanent('HostKeyMismatch', `${label(target)}: ${why}. Nothing was run there, no secret was sent.`, {
    host: target.name,
    offered: fingerprint(offered),
    expected: verdict.verdict === 'changed' ? verdict.expected.map((e) => fingerprint(e.key)) : [],
    source,
  });
}

export const knownHostsUnreadable = (target: Target, path: string, error: unknown): ApplicationFailure =>
  permanent(
    'HostKeyMismatch',
    `${label(target)}: its host key can’t be checked, as the worker can’t read ${path} (${codeOf(error) ?? messageOf(error)}). Nothing was sent. Next: create the file, or pin hostKeys in the inventory.`,
    { host: target.name, source: path },
  );

export function authenticationFailed(
  target: Target,
  tried: readonly string[],
  { banner, answered, next }: { readonly banner?: string; readonly answered?: boolean; readonly next?: string } = {},
): ApplicationFailure {
  return permanent(
    'AuthenticationFailed',
    `${label(target)} refused the login. Tried: ${tried.join('; ') || 'nothing'}.${saying(banner)} Nothing was run there. Next: ${next ?? `check ~${target.user}/.ssh/authorized_keys and sshd’s log on the host, and the credentials in the inventory`}.`,
    {
      host: target.name,
      user: target.user,
      tried,
      ...(answered === true ? { answered } : {}),
      ...(banner === undefined ? {} : { said: clipLine(banner) }),
    },
  );
}

export const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

/** An AggregateError (several addresses tried) has an empty message of its own. */
function reasonOf(error: unknown): string {
  const several: unknown = typeof error === 'object' && error !== null && 'errors' in error ? error.errors : undefined;
  return Array.isArray(several) ? several.map(messageOf).join('; ') : messageOf(error);
}

/** One short line of text that came from elsewhere. */
export const clipLine = (text: string, limit = 200): string =>
  clip(text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim(), limit);
