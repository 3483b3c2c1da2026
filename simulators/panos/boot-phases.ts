/**
 * `down`: nothing listens. `starting`: TLS is up, every request is answered 403. `loading`: the API answers, AutoCom runs,
 * chassis-ready says no (facts §5, boot phases).
 */
export const BOOT_PHASES = ['down', 'starting', 'loading'] as const;

/** `up`: HA takes part. */
export type Phase = (typeof BOOT_PHASES)[number] | 'up';

/** A pair starts as one that has been up, in its roles, for a month. */
export const UP_AT_START_MS = 30 * 86_400_000;
