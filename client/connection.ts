/** From the environment to a connected engine. */
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { connectIfRunning } from '../worker/engine';
import { ClientError, exitCodes } from './exit';
import { explain } from './failures';
import { clientIdentity } from './identity';
import type { Engine } from './run';

export interface ConnectedEngine extends Engine {
  close(): Promise<void>;
}

/** How long to wait for a server that may be down. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects to the server that TEMPORAL_ADDRESS or a profile names, else to the engine that runs on this machine; starts
 * nothing. The Web UI's address is known of the latter; HITLESS_WEB_UI tells it for others.
 * @throws ClientError usage (an address or a profile that can't be used), unreachable.
 */
export async function openEngine(env: NodeJS.ProcessEnv = process.env): Promise<ConnectedEngine> {
  const target = await connectIfRunning(env).catch(misconfigured);
  if (target === undefined)
    throw new ClientError(
      exitCodes.unreachable,
      'no Temporal server to talk to: TEMPORAL_ADDRESS is not set, no profile names one, and no engine runs on this machine',
      'set TEMPORAL_ADDRESS (and TEMPORAL_NAMESPACE), or start an engine and a worker here with: hitless worker',
    );
  const { connectionOptions, namespace } = target;
  const where = { address: connectionOptions.address, namespace };
  const connection = lazyConnection(where.address, { ...connectionOptions, connectTimeout: CONNECT_TIMEOUT_MS });
  try {
    await connection.ensureConnected();
  } catch (error) {
    // A channel that isn't closed tries again for ever, and keeps the process alive.
    await connection.close();
    // What fails to connect at all comes without a gRPC status.
    const known = explain(error, where);
    throw known.code === exitCodes.failed
      ? new ClientError(
          exitCodes.unreachable,
          `the Temporal server at ${where.address} can't be reached: ${known.message}`,
          'is it running, and is TEMPORAL_ADDRESS (or the profile) right? A running upgrade goes on by itself once server and worker are back',
        )
      : known;
  }
  const webUi = (env['HITLESS_WEB_UI'] || target.uiUrl)?.replace(/\/+$/, '');
  return {
    client: new Client({ connection, namespace, identity: clientIdentity() }),
    address: where.address,
    ...(webUi !== undefined && { webUi }),
    close: () => connection.close(),
  };
}

/** What people and devices sent to a run may be megabytes on one page of its history; gRPC's own limit is 4 MB. */
const CHANNEL = { 'grpc.max_receive_message_length': 128 * 1024 * 1024 };

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What is wrong before anything was sent: a profile that isn't there, a file that is no TOML, TLS without its files. */
function misconfigured(error: unknown): never {
  throw new ClientError(
    exitCodes.usage,
    `the settings for the Temporal server can't be used: ${wordsOf(error)}`,
    'see TEMPORAL_ADDRESS, TEMPORAL_TLS_…, TEMPORAL_PROFILE and TEMPORAL_CONFIG_FILE',
  );
}

function lazyConnection(address: string, options: ConnectionOptions): Connection {
  try {
    return Connection.lazy({ ...options, channelArgs: { ...options.channelArgs, ...CHANNEL } });
  } catch (error) {
    if (!(error instanceof TypeError)) misconfigured(error);
    throw new ClientError(
      exitCodes.usage,
      `"${address}" is no address of a Temporal server`,
      'TEMPORAL_ADDRESS (or the profile) names it as HOST or HOST:PORT, an IPv6 address in square brackets; without https://',
    );
  }
}
