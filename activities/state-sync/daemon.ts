/**
 * Reads what conntrackd of conntrack-tools 1.4 says of itself (`-s`, `-s link`, `-s queue`). None of it proves that
 * state is in sync (facts §5): it tells whether copying can work at all, and whether it is still going on.
 */

export interface DaemonStatus {
  /** How the daemon really holds the other node's flows, read from which statistics it keeps. */
  readonly variant: 'direct' | 'external-cache';
  /** Flows that this node's daemon holds itself answerable for. A standby should have none: it would speak for them (facts §12). */
  readonly owned: number;
  /** Flows of the other node waiting to be committed; external-cache only. */
  readonly external?: number;
  /** Operations that failed since the daemon started, over both caches. */
  readonly failed: number;
  readonly malformed: number;
  /** Messages that this daemon found missing. In FTFW mode they are sent again, so only a rising number outside a reseed is a fault. */
  readonly lost: number;
}

/** Of `conntrackd -s`. Undefined if it isn't that. */
export function readStatus(text: string): DaemonStatus | undefined {
  const internal = sectionOf(text, 'cache internal:');
  const external = sectionOf(text, 'cache external:');
  const inject = sectionOf(text, 'external inject:');
  const messages = /(?<!\d)(\d{1,20}) Malformed msgs\s+(\d+) Lost msgs/.exec(text);
  if (internal === undefined || messages === null || (external === undefined && inject === undefined)) return undefined;
  const peer = external ?? inject ?? '';
  return {
    variant: external === undefined ? 'direct' : 'external-cache',
    owned: active(internal),
    ...(external === undefined ? {} : { external: active(external) }),
    failed: failures(internal) + failures(peer),
    malformed: Number(messages[1]),
    lost: Number(messages[2]),
  };
}

/** Lines of a section, up to the next empty line. */
function sectionOf(text: string, heading: string): string | undefined {
  const start = text.indexOf(heading);
  if (start < 0) return undefined;
  const end = text.indexOf('\n\n', start);
  return text.slice(start, end < 0 ? undefined : end);
}

const active = (section: string): number => Number(/current active connections:\s*(\d+)/.exec(section)?.[1] ?? 0);
const failures = (section: string): number =>
  [...section.matchAll(/failed:\s*(\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0);

export interface Link {
  readonly device: string;
  readonly running: boolean;
  readonly active: boolean;
}

/** Of `conntrackd -s link`: "UDP traffic device=sync0 status=RUNNING role=ACTIVE:". */
export const readLinks = (text: string): readonly Link[] =>
  [...text.matchAll(/traffic device=(\S+) status=(\S+) role=(\w+)/g)].map((match) => ({
    device: match[1] ?? '',
    running: match[2] === 'RUNNING',
    active: match[3] === 'ACTIVE',
  }));

/**
 * Of `conntrackd -s queue`: messages not yet sent, and messages sent but not yet acknowledged. One unacknowledged
 * message is normal at any time (measured: a keep-alive), a number that stays up isn't.
 */
export function readQueued(text: string): number | undefined {
  const queue = (name: string): number | undefined => {
    const value = new RegExp(`queue ${name}:\\s*current elements:\\s*(\\d+)`).exec(text)?.[1];
    return value === undefined ? undefined : Number(value);
  };
  const sending = queue('txqueue');
  const unacknowledged = queue('rsqueue');
  return sending === undefined || unacknowledged === undefined ? undefined : sending + unacknowledged;
}

/**
 * Words of conntrackd.conf(5) as the daemon's own lexer parts them: lines and blanks mean nothing, `#` begins a comment wherever
 * a word could, a path goes on to the next blank. Keywords are read in their case, On and Off in any.
 */
const WORDS = /#[^\n]*|\/[^"\s]*|[A-Za-z][\w.-]*|\d[\w.:]*|\S/g;
const wordsOf = (config: string): string[] => (config.match(WORDS) ?? []).filter((word) => !word.startsWith('#'));

/**
 * Of conntrackd.conf(5): seconds after which the daemon sends all flows of its own kernel to the other node, once events
 * overran its buffer; undefined if it never does. What isn't set is 30, of what is set twice the last counts.
 */
export function readOverrunResync(config: string): number | undefined {
  const words = wordsOf(config);
  const value = words[words.lastIndexOf('NetlinkOverrunResync') + 1]?.toLowerCase();
  if (!words.includes('NetlinkOverrunResync')) return DEFAULT_OVERRUN_RESYNC_S;
  if (value === 'off' || value === 'no') return undefined;
  // The daemon reads 0, and "On", as its default.
  return Number(value) > 0 ? Number(value) : DEFAULT_OVERRUN_RESYNC_S;
}

const DEFAULT_OVERRUN_RESYNC_S = 30;

/** What a node's daemon answered, or why it didn't. */
export type SyncStatus =
  | { readonly answers: false; readonly why: string }
  | ({ readonly answers: true; readonly links: readonly Link[]; readonly queued: number } & DaemonStatus);

/** Queued messages that are no sign of a backlog. */
export const IDLE_QUEUE = 1;

/** What is wrong with one daemon, whatever the other says. `expected` is the variant in the plan. */
export function statusFaults(status: SyncStatus, expected: DaemonStatus['variant']): string[] {
  if (!status.answers) return [status.why];
  const faults: string[] = [];
  const used = status.links.find((link) => link.active);
  if (used === undefined) faults.push('conntrackd uses no link to the other node');
  else if (!used.running) faults.push(`the link ${used.device} to the other node is down`);
  if (status.variant !== expected)
    faults.push(
      `conntrackd holds the other node’s sessions ${status.variant === 'direct' ? 'in the kernel (DisableExternalCache on)' : 'in its external cache'}, the plan says ${expected}`,
    );
  return faults;
}
