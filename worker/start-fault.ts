/**
 * Why a worker can't start, in words for the person who reads its last line: what failed, where, and what to do. Pure; the
 * texts that are recognized here are those of the SDK's native connection (tonic, rustls).
 */
import { isGrpcServiceError, ServiceError } from '@temporalio/client';

export type FaultKind =
  /** No connection, or no answer. */
  | 'unreachable'
  /** It answers, but not to us: permission, namespace. */
  | 'refused'
  /** What was configured can't be used, whatever the server says. */
  | 'settings'
  /** The namespace lacks what upgrades need. */
  | 'unprepared';

export class CannotStart extends Error {
  override readonly name = 'CannotStart';
  constructor(
    readonly kind: FaultKind,
    message: string,
    readonly next?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface Where {
  readonly address: string;
  readonly namespace: string;
  readonly tls: boolean;
}

const ADDRESS = 'TEMPORAL_ADDRESS (or the profile)';
const RUNNING = `is it running, and is ${ADDRESS} right?`;
const CREDENTIALS =
  'check TEMPORAL_API_KEY or the client certificate of the profile, and what it may do in this namespace';

interface Known {
  readonly pattern: RegExp;
  /** Only with TLS, or only without; either if left out. */
  readonly tls?: boolean;
  readonly kind?: FaultKind;
  readonly why: (found: RegExpExecArray) => string;
  readonly next: string;
}

/** The first that fits counts. */
const known: readonly Known[] = [
  {
    pattern: /dns error.*?error: "([^"]*)"|dns error/s,
    why: ([, words]) => `its host name is unknown${words === undefined ? '' : ` (${words})`}`,
    next: `check ${ADDRESS}, and that this machine resolves names`,
  },
  { pattern: /ConnectionRefused/, why: () => 'nothing listens there (connection refused)', next: RUNNING },
  {
    pattern: /(Host|Network)Unreachable|TimedOut|deadline has elapsed/,
    why: () => 'no way leads there (no answer from its network)',
    next: `check ${ADDRESS}, routes and firewalls`,
  },
  {
    pattern: /UnknownIssuer|CaUsedAsEndEntity/,
    why: () => 'its certificate is not trusted: nobody whom this worker knows has issued it',
    next: 'name the CA that issued it: TEMPORAL_TLS_SERVER_CA_CERT_PATH (or the profile)',
  },
  {
    pattern: /NotValidForName(?:Context \{.*?presented: \[(.*?)\] \})?/s,
    why: ([, names]) =>
      `its certificate is for another name${names === undefined ? '' : `: it says ${names.replace(/\\?"/g, '')}`}`,
    next: `use the name that the certificate says in ${ADDRESS}, or in TEMPORAL_TLS_SERVER_NAME`,
  },
  {
    pattern: /InvalidCertificate\(Expired/,
    why: () => 'its certificate has expired',
    next: 'renew it there; and check the clock of this machine',
  },
  {
    pattern: /InvalidCertificate\(NotValidYet/,
    why: () => 'its certificate is not valid yet',
    next: 'check the clock of this machine',
  },
  {
    pattern: /InvalidCertificate\((\w+)/,
    why: ([, what]) => `its certificate can't be used (${what})`,
    next: 'have the server present another certificate',
  },
  {
    pattern: /InconsistentKeys|KeyMismatch/,
    kind: 'settings',
    why: () => 'our client certificate and our key do not belong together',
    next: 'check TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH (or the profile)',
  },
  {
    pattern: /CertificateRequired/,
    why: () => 'it wants a client certificate, and none is configured',
    next: 'set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH (or the profile)',
  },
  {
    pattern:
      /BadCertificate|UnsupportedCertificate|CertificateRevoked|CertificateExpired|CertificateUnknown|UnknownCA|AccessDenied|DecryptError/,
    kind: 'refused',
    why: ([alert]) => `it refuses our client certificate (${alert})`,
    next: 'check TEMPORAL_TLS_CLIENT_CERT_PATH (or the profile)',
  },
  {
    pattern: /InvalidMessage|UnrecognisedName|HandshakeFailure/,
    tls: true,
    why: () => 'we are to speak TLS, and it speaks something else',
    next: `unset TEMPORAL_TLS… (and TEMPORAL_API_KEY, which implies TLS), or check the port in ${ADDRESS}`,
  },
  {
    pattern: /NoApplicationProtocol/,
    why: () => 'it speaks TLS, but not gRPC',
    next: `check the port in ${ADDRESS}: is it that of the Web UI?`,
  },
  {
    pattern: /ConnectionReset|BrokenPipe|UnexpectedEof|connection closed/,
    tls: true,
    why: () => 'it closed the connection after TLS was agreed on: it may refuse our client certificate, or want one',
    next: 'check TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH (or the profile)',
  },
  {
    pattern: /ConnectionReset|BrokenPipe|UnexpectedEof|connection closed|http2 error|h2 protocol error/,
    tls: false,
    why: () => 'it closed the connection: it may want TLS, or be something else than Temporal’s gRPC port',
    next: `set TEMPORAL_TLS=true (or the profile) if it wants TLS; else check the port in ${ADDRESS}`,
  },
  {
    pattern: /HTTP status code (\d+)|http2 error|h2 protocol error/,
    why: ([, code]) => `it is no Temporal server${code === undefined ? '' : ` (it answers HTTP status ${code})`}`,
    next: `check the port in ${ADDRESS}, and proxies between here and there`,
  },
  {
    pattern: /does not have permission|valid authentication credentials/,
    kind: 'refused',
    why: () => 'it refuses us',
    next: CREDENTIALS,
  },
  {
    pattern: /Timeout expired|TimeoutExpired/,
    why: () => 'it takes connections, but does not answer',
    next: RUNNING,
  },
];

/** gRPC's own message within the native connection's text. */
const serverWords = (text: string): string | undefined =>
  /^Failed to call GetSystemInfo: .*?message: "((?:[^"\\]|\\.)*)"/s.exec(text)?.[1];

/** Why no connection came about, from the text of the native connection's error. */
export function connectFault(error: unknown, where: Where): CannotStart {
  const text = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  // Addresses, certificates and keys that can't be read at all are refused before anything is sent.
  if (error instanceof TypeError)
    return new CannotStart('settings', `no connection to ${where.address}: ${text}`, `check ${ADDRESS}`, cause);
  for (const { pattern, tls, kind, why, next } of known) {
    if (tls !== undefined && tls !== where.tls) continue;
    const found = pattern.exec(text);
    if (found === null) continue;
    const words = kind === 'refused' ? serverWords(text) : undefined;
    const said = words === undefined || words === 'transport error' ? '' : `: ${words}`;
    return new CannotStart(
      kind ?? 'unreachable',
      `the Temporal server at ${where.address} can't be used: ${why(found)}${said}`,
      next,
      cause,
    );
  }
  return new CannotStart(
    'unreachable',
    `the Temporal server at ${where.address} can't be used: ${serverWords(text) ?? text}`,
    RUNNING,
    cause,
  );
}

/** gRPC status codes (google.rpc.Code). */
const grpc = {
  cancelled: 1,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** Why the server didn't do what we asked it before polling; undefined for what is no fault of a request. */
export function requestFault(error: unknown, where: Where): CannotStart | undefined {
  const status = error instanceof ServiceError && isGrpcServiceError(error.cause) ? error.cause : error;
  if (!isGrpcServiceError(status)) return undefined;
  const server = `the Temporal server at ${where.address}`;
  const words = status.details || status.message;
  const cause = { cause: error };
  switch (status.code as number) {
    case grpc.notFound:
      return new CannotStart(
        'refused',
        `${server} has no namespace "${where.namespace}"`,
        'check TEMPORAL_NAMESPACE (or the profile)',
        cause,
      );
    case grpc.permissionDenied:
    case grpc.unauthenticated:
      return new CannotStart('refused', `${server} refuses us: ${words}`, CREDENTIALS, cause);
    case grpc.cancelled:
    case grpc.deadlineExceeded:
    case grpc.unavailable:
      return new CannotStart('unreachable', `${server} doesn't answer: ${words}`, RUNNING, cause);
    default:
      return new CannotStart('unprepared', `${server} failed: ${words}`, undefined, cause);
  }
}
