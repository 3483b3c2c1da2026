/**
 * What both sides offered where they found nothing in common to talk by (RFC 4253, 7.1). The library's error names the kind
 * alone; the lists are in what it tells of the handshake. Pure.
 */
import type { ApplicationFailure } from '@temporalio/common';
import { messageOf, permanent } from '../kit/errors';
import { clipLine, label, type Target } from './errors';

/** `Handshake: (remote) KEX method: curve25519-sha256,…`, as ssh2 1.x says it. */
const OFFER =
  /^Handshake: \((local|remote)\) (KEX method|Host key format|[CS]->[CS] (?:cipher|MAC|compression)): (.*)$/;
/** These stand in the list and are no methods (RFC 8308, OpenSSH's PROTOCOL). */
const NO_METHOD = /^(ext-info-[cs]|kex-strict-[cs]-.*)$/;

interface Kind {
  readonly what: string;
  /** Keyword of sshd_config(5). */
  readonly keyword: string;
}
const KINDS: Readonly<Record<string, Kind>> = {
  'KEX method': { what: 'key exchange', keyword: 'KexAlgorithms' },
  'Host key format': { what: 'type of host key', keyword: 'HostKeyAlgorithms and HostKey' },
  cipher: { what: 'cipher', keyword: 'Ciphers' },
  MAC: { what: 'MAC', keyword: 'MACs' },
  compression: { what: 'compression', keyword: 'Compression' },
};

/** Takes what the library says during a handshake; keeps the two lists that it compared last. */
export class Offers {
  #kind: string | undefined;
  readonly #lists = new Map<string, readonly string[]>();

  hear(said: string): void {
    const [, side = '', kind = '', list = ''] = OFFER.exec(said) ?? [];
    if (side === '') return;
    this.#kind = kind;
    this.#lists.set(
      side,
      list.split(',').filter((one) => one !== '' && !NO_METHOD.test(one)),
    );
  }

  /** The failure that says what can't be agreed, if that is why the connection ended. */
  failure(target: Target, error: unknown): ApplicationFailure | undefined {
    const kind = KINDS[(this.#kind ?? '').replace(/^[CS]->[CS] /, '')];
    const [ours, theirs] = [this.#lists.get('local'), this.#lists.get('remote')];
    if (!/^Handshake failed: no matching /.test(messageOf(error)) || kind === undefined || !ours || !theirs)
      return undefined;
    const { what, keyword } = kind;
    return permanent(
      'InvalidInput',
      `${label(target)} and the worker have no ${what} in common. The host offers ${listed(theirs)}; the worker takes ${listed(ours)}. Nothing was run there, no secret was sent. Next: allow one that the worker takes in its sshd_config (${keyword}; \`sshd -T\` shows what holds now), or update its OpenSSH.`,
      { host: target.name, offered: theirs, taken: ours },
    );
  }
}

const listed = (names: readonly string[]): string => (names.length === 0 ? 'nothing' : clipLine(names.join(', '), 600));
