/** From settings to a server that is known to serve this worker, with a limit of time for each thing asked of it. */
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import { ensureSearchAttributes, SearchAttributeError } from './engine';
import { CannotStart, connectFault, requestFault, type Where } from './start-fault';
import { TooLong, within } from './within';

const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** Registering takes the server some seconds, up to a minute on a busy one. */
const REGISTER_TIMEOUT_MS = 90_000;

export const whereOf = (options: NativeConnectionOptions, namespace: string): Where => ({
  address: options.address ?? 'localhost:7233',
  namespace,
  tls: Boolean(options.tls) || options.apiKey !== undefined,
});

/** One attempt: whoever runs the worker as a service has it started again. @throws CannotStart */
export async function connectToServer(options: NativeConnectionOptions, where: Where): Promise<NativeConnection> {
  const connecting = NativeConnection.connect(options);
  try {
    return await within(CONNECT_TIMEOUT_MS, connecting, 'it does not answer');
  } catch (error) {
    // One that comes about after all is of no use any more.
    connecting
      .then(
        (connection) => connection.close(),
        () => undefined,
      )
      .catch(() => undefined);
    throw error instanceof TooLong
      ? new CannotStart(
          'unreachable',
          `the Temporal server at ${where.address} can't be used: ${error.message}`,
          'is it running, and is TEMPORAL_ADDRESS (or the profile) right?',
          { cause: error },
        )
      : connectFault(error, where);
  }
}

/** The namespace is there and open to us, and has the search attributes. @throws CannotStart */
export async function checkServer(connection: NativeConnection, where: Where): Promise<void> {
  const { address, namespace } = where;
  await asked(where, () =>
    connection.withDeadline(Date.now() + REQUEST_TIMEOUT_MS, () =>
      connection.workflowService.describeNamespace({ namespace }),
    ),
  );
  await asked(where, () =>
    connection.withDeadline(Date.now() + REGISTER_TIMEOUT_MS, () =>
      ensureSearchAttributes(connection, namespace, undefined, address),
    ),
  );
}

/** Runs a request of the start, and says in words of the start why it failed. */
export async function asked<T>(where: Where, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof SearchAttributeError)
      throw new CannotStart('unprepared', error.message, undefined, { cause: error });
    throw requestFault(error, where) ?? error;
  }
}
