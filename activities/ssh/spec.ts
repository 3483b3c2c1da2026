/**
 * How a host of the plan is reached. References only: keys, passphrases and passwords stay on the worker and are read at
 * each attempt, so the parsed value may be frozen into a plan. Parsing a parsed value again changes nothing.
 */
import { isIPv6 } from 'node:net';
import { z } from 'zod';

const HOST_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i;

/** Where a secret is to be had on the worker, never the secret. */
export const secretReference = z.string().regex(/^(file:(\/|~\/).+|env:[A-Za-z_][A-Za-z0-9_]*)$/, {
  error:
    'a reference: "file:/absolute/path" (or "file:~/path") or "env:NAME", both on the worker, never the secret itself',
});

const FORMS =
  'one of, or a list of: "agent"; "file:/path/to/key"; "env:NAME" (text of a key); {key: …, passphrase: …}; {password: …}; {agent: …}; each … a reference "file:/path" or "env:NAME", never the secret itself';

/** Where a private key or a password comes from. Bare references are private keys: a password is always named as such. */
const credential = z.union(
  [
    z.literal('agent').transform(() => ({ agent: 'env:SSH_AUTH_SOCK' })),
    secretReference.transform((key): { key: string; passphrase?: string | undefined } => ({ key })),
    z.strictObject({
      key: secretReference.describe('private key: OpenSSH or PEM text'),
      passphrase: secretReference.optional().describe('passphrase of the key'),
    }),
    z.strictObject({ password: secretReference.describe('password of the login user') }),
    z.strictObject({
      agent: secretReference.describe('socket of an ssh-agent: file:/path, or env:NAME that holds the path'),
    }),
  ],
  { error: FORMS },
);
export type Credential = z.output<typeof credential>;

/** One line of a pinned host key, as in known_hosts or /etc/ssh/ssh_host_*_key.pub: type, base64, optional comment. */
const hostKey = z
  .string()
  .trim()
  .regex(/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}( .*)?$/, {
    error: 'a public host key such as "ssh-ed25519 AAAA…" (the content of /etc/ssh/ssh_host_ed25519_key.pub)',
  });

/** Where something is reached. IPv6 stands without brackets. */
export const hostAddress = z.string().refine((text) => /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(text) || isIPv6(text), {
  error: 'an IP address or DNS name, without scheme or brackets; a port goes into `port`',
});

export const hostSpec = z.strictObject({
  address: hostAddress.describe('IP address or DNS name, as reached from the worker or from the jump host'),
  port: z.int().min(1).max(65_535).default(22).describe('TCP port of sshd'),
  user: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.@\\-]*\$?$/, { error: 'a login name' })
    .describe('login user; with root: sudo it needs the sudoers file that `hitless plan --sudoers` prints'),
  credentials: z
    .union([z.array(credential).min(1), credential.transform((c) => [c])], { error: FORMS })
    .describe('how to log in: one credential or a list, tried in this order'),
  jump: z
    .string()
    .regex(HOST_NAME, { error: 'the name of another host under hosts' })
    .optional()
    .describe('name of the host under `hosts` through which this one is reached; jump hosts may be chained'),
  knownHosts: z
    .string()
    .regex(/^(\/|~\/)/, { error: 'an absolute path on the worker, or one that starts with ~/' })
    .optional()
    .describe(
      'known_hosts file on the worker; without it and without hostKeys, ~/.ssh/known_hosts. Unknown keys are refused',
    ),
  hostKeys: z
    .array(hostKey)
    .min(1)
    .optional()
    .describe('pinned public host keys; with them no known_hosts file is read unless knownHosts names one too'),
  root: z
    .enum(['sudo', 'none'])
    .default('sudo')
    .describe('how commands become root: sudo (passwordless, listed commands), or none where the login user is root'),
});
export type HostSpec = z.output<typeof hostSpec>;

/** Section `hosts` of a plan: names are what jump hosts, nodes and probes refer to. */
export const hostsSpec = z
  .record(
    z.string().regex(HOST_NAME, { error: 'letters, digits, dots, hyphens and underscores, 63 at most' }),
    hostSpec,
  )
  .superRefine((hosts, context) => {
    for (const [name, host] of Object.entries(hosts)) {
      const fault = jumpFault(hosts, name);
      if (fault !== undefined && host.jump !== undefined)
        context.addIssue({ code: 'custom', path: [name, 'jump'], message: fault });
    }
  });
export type HostsSpec = z.output<typeof hostsSpec>;

/** Longest chain of jump hosts; more is a slip. */
const MAX_JUMPS = 8;

function jumpFault(hosts: Readonly<Record<string, HostSpec>>, name: string): string | undefined {
  const seen = [name];
  for (let at = hosts[name]?.jump; at !== undefined; at = hosts[at]?.jump) {
    if (!Object.hasOwn(hosts, at)) return `jump host ${JSON.stringify(at)} is not under hosts`;
    if (seen.includes(at)) return `jump hosts form a circle: ${[...seen, at].join(' → ')}`;
    seen.push(at);
    if (seen.length > MAX_JUMPS + 1) return `more than ${MAX_JUMPS} jump hosts in a row`;
  }
  return undefined;
}
