import { NamespaceNotFoundError, ServiceError, isGrpcServiceError } from '@temporalio/client';
import { ClientError, exitCodes } from './exit';

/** gRPC status codes that people can do something about (grpc/grpc, statuscodes.md). */
const grpc = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const codeOf = (error: unknown): number | undefined => {
  if (isGrpcServiceError(error)) return error.code;
  return error instanceof ServiceError && isGrpcServiceError(error.cause) ? error.cause.code : undefined;
};

/** gRPC's own words, without its number and name. */
const detailsOf = (error: unknown): string => {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(cause)) return cause.details || cause.message;
  return error instanceof Error ? error.message : String(error);
};

/**
 * Nobody computes an answer to a query: no worker polls, or it can't make progress. Not a fault of the server, which
 * still keeps what it is sent.
 */
export function noWorkerAnswered(error: unknown): string | undefined {
  const code = codeOf(error);
  // Whoever of us and the server sees the deadline first.
  if (code === grpc.deadlineExceeded || code === grpc.cancelled) return 'no worker answered in time';
  // The server queues a query or two for a run whose worker is away, and refuses more.
  if (code === grpc.resourceExhausted) return `no worker answered: ${detailsOf(error)}`;
  if (code === grpc.failedPrecondition) return detailsOf(error);
  return undefined;
}

/** What went wrong between this command and the server, in words that say what to do next. */
export function explain(error: unknown, where: { readonly address: string; readonly namespace: string }): ClientError {
  if (error instanceof ClientError) return error;
  if (error instanceof NamespaceNotFoundError)
    return new ClientError(
      exitCodes.unreachable,
      `the Temporal server at ${where.address} has no namespace "${error.namespace}"`,
      'check TEMPORAL_NAMESPACE (or the profile)',
    );
  const server = `the Temporal server at ${where.address}`;
  const words = detailsOf(error);
  switch (codeOf(error)) {
    case grpc.unavailable:
    case grpc.deadlineExceeded:
      return new ClientError(
        exitCodes.unreachable,
        `${server} doesn't answer: ${words}`,
        'is it running, and is TEMPORAL_ADDRESS (or the profile) right? A running upgrade goes on by itself once server and worker are back',
      );
    case grpc.permissionDenied:
    case grpc.unauthenticated:
      return new ClientError(
        exitCodes.unreachable,
        `${server} refuses us: ${words}`,
        'check TEMPORAL_API_KEY or the TLS certificate of the profile, and what it may do in this namespace',
      );
    case grpc.invalidArgument:
      return new ClientError(exitCodes.usage, `${server} refuses the request: ${words}`);
    default:
  }
  const message = codeOf(error) === undefined ? words : `${server} failed: ${words}`;
  return new ClientError(exitCodes.failed, message);
}
