/** From the environment to a connected engine. */
import { Client, Connection } from '@temporalio/client';
import { connectIfRunning } from '../worker/engine';
import { ClientError, exitCodes } from './exit';
import { explain } from './failures';
import type { Engine } from './run';

export interface ConnectedEngine extends Engine {
  close(): Promise<void>;
}

/** How long to wait for a server that may be down. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects to the server that TEMPORAL_ADDRESS or a profile names, else to the engine that runs on this machine; starts
 * nothing. The Web UI's address is known of the latter; HITLESS_WEB_UI tells it for others.
 * @throws ClientError unreachable.
 */
export async function openEngine(env: NodeJS.ProcessEnv = process.env): Promise<ConnectedEngine> {
  const target = await connectIfRunning(env);
  if (target === undefined)
    throw new ClientError(
      exitCodes.unreachable,
      'no Temporal server to talk to: TEMPORAL_ADDRESS is not set, no profile names one, and no engine runs on this machine',
      'set TEMPORAL_ADDRESS (and TEMPORAL_NAMESPACE), or start an engine and a worker here with: hitless worker',
    );
  const { connectionOptions, namespace } = target;
  const where = { address: connectionOptions.address, namespace };
  const connection = Connection.lazy({ ...connectionOptions, connectTimeout: CONNECT_TIMEOUT_MS });
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
    client: new Client({ connection, namespace }),
    address: where.address,
    ...(webUi !== undefined && { webUi }),
    close: () => connection.close(),
  };
}
