import { NamespaceNotFoundError, QueryNotRegisteredError, ServiceError, isGrpcServiceError } from '@temporalio/client';
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

/** Why a query came to nothing, though the server is there: it still keeps what it is sent. */
export interface Unanswered {
  /** Left out where the server doesn't tell whether a worker is there. */
  readonly silence?: 'too-large' | 'no-query';
  readonly why: string;
}

/** Larger than what the server carries ("Blob data size exceeds limit.") or what gRPC does ("received message larger than max"). */
const isTooLarge = (words: string): boolean => /exceeds? .*limit|larger than max/i.test(words);

/**
 * Nobody computes an answer to a query: no worker polls, or it can't make progress, or its answer doesn't reach us. Not a
 * fault of the server.
 */
export function unanswered(error: unknown): Unanswered | undefined {
  const words = detailsOf(error);
  if (error instanceof QueryNotRegisteredError || codeOf(error) === grpc.resourceExhausted) {
    if (isTooLarge(words))
      return { silence: 'too-large', why: `its status is larger than the server carries: ${words}` };
  }
  // The SDK's name for whatever a worker refuses a query with.
  if (error instanceof QueryNotRegisteredError) return { silence: 'no-query', why: `its worker refuses: ${words}` };
  const code = codeOf(error);
  // Whoever of us and the server sees the deadline first.
  if (code === grpc.deadlineExceeded || code === grpc.cancelled) return { why: 'no worker answered in time' };
  // The server queues a query or two for a run whose worker is away, and refuses more.
  if (code === grpc.resourceExhausted) return { why: `no worker answered: ${words}` };
  if (code === grpc.failedPrecondition) return { why: words };
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
