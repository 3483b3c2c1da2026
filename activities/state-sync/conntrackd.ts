/**
 * conntrackd of conntrack-tools (measured with 1.4.7, facts §5 and §12) in FTFW mode, with the other node's flows in the
 * kernel (`DisableExternalCache on`) or in the external cache. Its client says little and exits with 0 or 1, so nothing
 * here takes its word: the two kernels' flows are compared afterwards.
 */
import { permanent, streamed, transient, type ExecOptions, type Host } from '../kit';
import { readLinks, readOverrunResync, readQueued, readStatus } from './daemon';
import type { FlowDump, Notice, StateSync } from './driver';
import { FlowTable } from './flow-table';
import { readFlows, type Identity } from './flows';
import type { StateSyncSpec } from './spec';

const CONNTRACKD = '/usr/sbin/conntrackd';
const CONNTRACK = '/usr/sbin/conntrack';
/** A bulk update of a million flows takes about a minute. */
const BULK_TIMEOUT_MS = 300_000;
const DUMP_TIMEOUT_MS = 120_000;
const STATUS_TIMEOUT_MS = 30_000;

/** Of one node: three tables of so many, 150 MiB, are held while they are compared. */
const FLOWS_LIMIT = 2_000_000;

const UNKNOWN_FORM = 'conntrackd’s statistics aren’t in a form known here (it must run in FTFW mode)';

/** Internal cache := kernel table; without it flows that didn't change since this node took over aren't sent (facts §0.2). */
const RESYNC = ['-R'];
/** Everything to the other node; without it entries known there aren't refreshed and age (facts §0.3). */
const BULK = ['-B'];
const COMMIT = ['-c'];
const FORGET_OTHER = ['-f', 'external'];
const RELEASE = ['-f', 'internal'];
const HELD = ['-e'];
const STATUS = ['-s'];
const LINK = ['-s', 'link'];
const QUEUE = ['-s', 'queue'];

/** The family is named, for without it older versions list IPv4 alone. */
const dumpOf = (protocol: string, family: string): readonly string[] => [
  CONNTRACK,
  '-L',
  '-f',
  family,
  '-p',
  protocol,
  // TIME_WAIT entries are assured too, and often the most.
  ...(protocol === 'tcp' ? ['--state', 'ESTABLISHED'] : []),
  '-u',
  'ASSURED',
  '-o',
  'extended',
];
const OFFLOADED = [CONNTRACK, '-L', '-u', 'OFFLOAD', '-o', 'extended'];

export function conntrackd(spec: StateSyncSpec): StateSync {
  const external = spec.variant === 'external-cache';
  const client = (verb: readonly string[]): readonly string[] => [CONNTRACKD, '-C', spec.config, ...verb];
  const dumps = spec.families.flatMap((family) => spec.protocols.map((protocol) => dumpOf(protocol, family)));

  const run = async (node: Host, verb: readonly string[], timeoutMs: number, quiet = false): Promise<string> => {
    const { code, stdout, stderr } = await node.exec(client(verb), { sudo: true, okCodes: 'any', timeoutMs, quiet });
    const fault = clientFault(code, `${stdout}\n${stderr}`);
    if (fault === undefined) return stdout;
    throw refusal(node, verb, fault);
  };

  const read = async <T>(node: Host, verb: readonly string[], parse: (text: string) => T | undefined): Promise<T> => {
    const parsed = parse(await run(node, verb, STATUS_TIMEOUT_MS, true));
    if (parsed === undefined) throw permanent('CommandFailed', `${node.name}: ${UNKNOWN_FORM}`);
    return parsed;
  };

  const listing = { sudo: true, quiet: true, timeoutMs: DUMP_TIMEOUT_MS } as const;

  return {
    async status(node) {
      const answer = await node.exec(client(STATUS), { sudo: true, okCodes: 'any', quiet: true });
      const fault = clientFault(answer.code, `${answer.stdout}\n${answer.stderr}`);
      if (fault !== undefined) return { answers: false, why: fault.what };
      const status = readStatus(answer.stdout);
      const links = readLinks(await run(node, LINK, STATUS_TIMEOUT_MS, true));
      const queued = readQueued(await run(node, QUEUE, STATUS_TIMEOUT_MS, true));
      if (status === undefined || queued === undefined) return { answers: false, why: UNKNOWN_FORM };
      return { answers: true, links, queued, ...status };
    },
    figures: (node) => read(node, STATUS, readStatus),
    queued: (node) => read(node, QUEUE, readQueued),
    async send(from) {
      await run(from, RESYNC, BULK_TIMEOUT_MS);
      await run(from, BULK, BULK_TIMEOUT_MS);
    },
    async commit(node) {
      if (external) await run(node, COMMIT, BULK_TIMEOUT_MS);
    },
    async forgetOther(node) {
      if (external) await run(node, FORGET_OTHER, BULK_TIMEOUT_MS);
    },
    async release(node) {
      await run(node, RELEASE, BULK_TIMEOUT_MS);
    },
    async flows(node, identity, ignore, notice) {
      const dump = new Dump(node, { identity, ignore, ...(notice === undefined ? {} : { notice }) });
      // Side by side: most of a dump's time is that of logging in and becoming root.
      await Promise.all(dumps.map((argv) => dump.add(argv, listing)));
      return dump;
    },
    async held(node, ignore) {
      if (!external) return undefined;
      // The cache is listed whole.
      const wanted = (key: string): boolean =>
        spec.protocols.some((protocol) => key.startsWith(`${protocol} `)) &&
        spec.families.includes(key.includes(':') ? 'ipv6' : 'ipv4');
      const dump = new Dump(node, { identity: 'original', ignore, wanted });
      const { code, stderr } = await dump.add(client(HELD), { ...listing, okCodes: 'any' });
      const fault = clientFault(code, stderr);
      if (fault !== undefined) throw refusal(node, HELD, fault);
      return dump;
    },
    async sendsBackAfterS(node) {
      // What arrives for the external cache replaces nothing.
      return external ? undefined : readOverrunResync(await node.readFile(spec.config));
    },
    async offloaded(node) {
      const dump = new Dump(node, { identity: 'both', ignore: () => false });
      await dump.add(OFFLOADED, listing);
      return dump.table.size;
    },
    commands: (verb) =>
      ({ send: [RESYNC, BULK], commit: external ? [COMMIT] : [], release: [RELEASE] })[verb].map((v) =>
        client(v).join(' '),
      ),
    sudo: [
      ...[STATUS, LINK, QUEUE, RESYNC, BULK, RELEASE, ...(external ? [COMMIT, FORGET_OTHER, HELD] : [])].map(client),
      ...dumps,
      OFFLOADED,
    ].map((argv) => argv.join(' ')),
  };
}

function refusal(node: Host, verb: readonly string[], { what, passes }: { what: string; passes: boolean }): Error {
  const message = `conntrackd ${verb.join(' ')} on ${node.name} failed: ${what}`;
  return passes ? transient('CommandFailedRetryable', message) : permanent('CommandFailed', message);
}

interface Taken {
  readonly identity: Identity;
  readonly ignore: (address: string) => boolean;
  readonly wanted?: (key: string) => boolean;
  readonly notice?: Notice;
}

/** Reads flows as they are printed: the text of a million of them is never held. */
class Dump implements FlowDump {
  readonly table = new FlowTable();
  readonly unreadable: string[] = [];

  constructor(
    private readonly node: Host,
    private readonly taken: Taken,
  ) {}

  async add(
    argv: readonly string[],
    options: ExecOptions,
  ): Promise<{ readonly code: number; readonly stderr: string }> {
    const { wanted = () => true, notice, ...read } = this.taken;
    return streamed(this.node, argv, options, (text) => {
      const part = readFlows(text, read);
      for (const [key, timeoutS] of part.table)
        if (wanted(key) && this.table.set(key, timeoutS)) notice?.(key, timeoutS);
      if (this.unreadable.length === 0) this.unreadable.push(...part.unreadable);
      if (this.table.size > FLOWS_LIMIT)
        throw permanent(
          'CommandFailed',
          `${this.node.name} lists more than ${FLOWS_LIMIT} established flows (${argv.join(' ')}): more than can be compared. Next: see what fills its table (conntrack -S, conntrack -C); if it is meant, name what isn’t compared (stateSync.ignoreAddresses, protocols, families)`,
          { host: this.node.name },
        );
    });
  }
}

/** What the client's output means. Its messages go to standard error with the time in front; the exit code is 0 or 1. */
export function clientFault(
  code: number,
  output: string,
): { readonly what: string; readonly passes: boolean } | undefined {
  if (code === 0) return undefined;
  if (/is conntrackd running/.test(output))
    return { what: 'conntrackd doesn’t answer; is it running? (systemctl status conntrackd)', passes: true };
  const said = /\[ERROR\] (.*)/.exec(output)?.[1] ?? output.trim().split('\n').at(-1) ?? '';
  return { what: said === '' ? `exit code ${code}` : `“${said.slice(0, 300)}”`, passes: false };
}
