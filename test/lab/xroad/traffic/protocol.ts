/** Messages from the client to the cluster, through the load balancer. */
export interface MessageOptions {
  server: string;
  /** Used in turn. */
  ports: readonly number[];
  service: string;
  perSecond: number;
  /** Every so manieth message takes `longMs`; the others are answered at once. */
  longEvery: number;
  longMs: number;
  /** A message without an answer for so long beyond what it takes has failed. */
  patienceMs: number;
}

/** Counters since the start. Every message that was sent ends up in answered or in failed. */
export interface MessageReport {
  seconds: number;
  sent: number;
  answered: number;
  failed: number;
  /** Answered, but `slowMs` later than it takes, and not because the generator itself didn't run. */
  slow: number;
  /** Of those sent, how many take `longMs`. */
  long: number;
  inFlight: number;
  /** The longest that an answer took beyond what the message takes. */
  worstMs: number;
  /** Why, for the first few: `long message 400 to port 5500, 12.3 s after the start: ECONNRESET`. */
  faults: string[];
  /** Answers by the node that gave them, `ss1 7.7.0-1`. */
  answeredBy: Record<string, number>;
  /** The longest that the generator itself didn't run. */
  stalledMs: number;
}

/** A lost SYN alone costs a second (RFC 6298). */
export const slowMs = 1000;
