/** Connections to devices whose certificate has been verified: by its fingerprint, or by a CA. */
import { readFile } from 'node:fs/promises';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { ApplicationFailure } from '@temporalio/common';
import { messageOf, permanent, transient } from '../../kit/errors';
import { expandHome } from '../../ssh/secrets';
import type { PanosNode } from '../spec';

/** A device that is busy answers late; one that is dead shouldn't be waited for. */
const CONNECT_TIMEOUT_MS = 15_000;

type Place = Pick<PanosNode, 'address' | 'port'>;

/** Fingerprints are compared without regard to colons and case. */
export const normalFingerprint = (text: string): string =>
  text
    .replace(/^sha-?256[:/]/i, '')
    .replace(/:/g, '')
    .toUpperCase();

export const unreachable = (device: string, { address, port }: Place, error: Error): ApplicationFailure =>
  transient('Unreachable', `${device} (${address}:${port}) doesn’t answer: ${reasonOf(error)}`);

/** Of several addresses of one name, each has its own reason, and the error as a whole has no message. */
const reasonOf = (error: Error): string =>
  error instanceof AggregateError || 'errors' in error
    ? (error as AggregateError).errors.map(messageOf).join('; ')
    : messageOf(error);

/**
 * A connection over which nothing was sent but the TLS handshake.
 * @throws Unreachable (transient), HostKeyMismatch, InvalidInput (no CA file); the signal's reason at once when it is cut
 */
export async function connectVerified(
  device: string,
  node: Place & Pick<PanosNode, 'tls'>,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { tls } = node;
  const options = await optionsOf(device, node);
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = connect(options);
    // All of it together: one that sends a byte now and then is no connection either.
    const slow = (): void => void socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`));
    const timer = setTimeout(slow, CONNECT_TIMEOUT_MS);
    const settled = (): void => {
      clearTimeout(timer);
      socket.removeListener('error', failed);
      signal.removeEventListener('abort', cut);
    };
    const fail = (error: Error): void => {
      settled();
      socket.destroy();
      reject(error);
    };
    const cut = (): void => fail(signal.reason as Error);
    const failed = (error: Error): void =>
      // Set where the certificate is the reason, and nowhere else.
      fail(socket.authorizationError ? mismatch(device, tls, error.message) : unreachable(device, node, error));
    signal.addEventListener('abort', cut, { once: true });
    // An error that comes when nobody listens, before or after, would end the worker.
    socket.on('error', () => undefined);
    socket.once('error', failed);
    socket.once('secureConnect', () => {
      const shown = normalFingerprint(socket.getPeerCertificate().fingerprint256 ?? '');
      if ('fingerprint' in tls && shown !== normalFingerprint(tls.fingerprint))
        return fail(mismatch(device, tls, `it shows ${shown}`));
      settled();
      resolve(socket);
    });
  });
}

async function optionsOf(device: string, { address, port, tls }: Pick<PanosNode, 'address' | 'port' | 'tls'>) {
  const place: ConnectionOptions = { host: address, port };
  if ('fingerprint' in tls) return { ...place, rejectUnauthorized: false };
  const { serverName } = tls;
  try {
    const ca = await readFile(expandHome(tls.ca));
    return { ...place, ca, rejectUnauthorized: true, ...(serverName === undefined ? {} : { servername: serverName }) };
  } catch (error) {
    throw permanent(
      'InvalidInput',
      `the worker can’t read the CA that certificates of ${device} are verified with (tls.ca): ${messageOf(error)}`,
    );
  }
}

/** What can be done about it is for the caller to say: it depends on whether a run goes on already. */
function mismatch(device: string, tls: PanosNode['tls'], why: string): ApplicationFailure {
  const wrong =
    'fingerprint' in tls
      ? `isn’t the one that is pinned: SHA-256 ${normalFingerprint(tls.fingerprint)} is pinned, and`
      : `can’t be verified with ${tls.ca}:`;
  return permanent('HostKeyMismatch', `the certificate of ${device} ${wrong} ${why}. Nothing was sent to it`);
}
