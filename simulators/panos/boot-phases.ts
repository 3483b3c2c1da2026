/**
 * `down`: nothing listens. `starting`: TLS is up, every request is answered 403. `loading`: the API answers, AutoCom runs,
 * chassis-ready says no (facts §5, boot phases).
 */
export const BOOT_PHASES = ['down', 'starting', 'loading'] as const;

/** `up`: HA takes part. */
export type Phase = (typeof BOOT_PHASES)[number] | 'up';
