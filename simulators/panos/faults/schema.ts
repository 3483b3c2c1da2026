/** The faults that a simulated pair can be given, in code and over the side port alike. */
import { z } from 'zod';
import { BOOT_PHASES } from '../boot-phases';

export const deviceSchema = z
  .union([z.literal(0), z.literal(1), z.string().min(1)])
  .describe('index, name or serial of the device; left out: both');
const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();

/** On all of them. Times are simulated milliseconds. */
const timing = {
  afterMs: milliseconds.optional().describe('begins that much later'),
  forMs: milliseconds.optional().describe('ends by itself after that time; left out: when it is cleared'),
};

/** On those that strike single requests or jobs. */
const counted = {
  pass: count.optional().describe('how many that match are let through first; left out: none'),
  times: count.optional().describe('how many it strikes; 0: all until it is cleared; left out: 1'),
};

/** One device; without it the fault would be the same on both. */
const one = { device: deviceSchema, ...timing };
const either = { device: deviceSchema.optional(), ...timing };

export const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('request'),
    how: z.enum(['refuse', 'drop', 'hang']),
    effect: z.enum(['none', 'done']).optional().describe('whether the device has done it before; left out: none'),
    operation: z
      .string()
      .optional()
      .describe(
        'beginning of the operation’s name, as "request system software install" or "config set"; left out: any',
      ),
    during: z
      .enum([
        'starting',
        'loading',
        'initial',
        'active',
        'passive',
        'active-primary',
        'active-secondary',
        'tentative',
        'non-functional',
        'suspended',
      ])
      .optional()
      .describe('only in this phase of the boot, or this HA state'),
    ...either,
    ...counted,
  }),
  z.strictObject({
    kind: z.literal('error'),
    message: z.string(),
    code: count.optional().describe('left out: none'),
    operation: z.string().optional(),
    ...either,
    ...counted,
  }),
  z.strictObject({
    kind: z.literal('job'),
    how: z.enum(['fail', 'stall']),
    type: z.enum(['Downld', 'SWInstall', 'Commit', 'CommitAll', 'AutoCom', 'Content', 'HA-Sync']).optional(),
    details: z.array(z.string()).optional(),
    ...either,
    ...counted,
  }),
  z.strictObject({ kind: z.literal('monitor-failure'), reason: z.enum(['Link down', 'Path down']).optional(), ...one }),
  z.strictObject({ kind: z.literal('dataplane-down'), reason: z.string().optional(), ...one }),
  z.strictObject({ kind: z.literal('ha1-down'), ...timing }),
  z.strictObject({ kind: z.literal('ha2-down'), ...timing }),
  z.strictObject({ kind: z.literal('ha3-down'), ...timing }),
  z.strictObject({ kind: z.literal('power-off'), ...one }),
  z.strictObject({ kind: z.literal('crash'), ...one }),
  z.strictObject({ kind: z.literal('boot-stuck'), phase: z.enum(BOOT_PHASES), ...either }),
  z.strictObject({ kind: z.literal('boot-loop'), ...either }),
  z.strictObject({ kind: z.literal('boots-old-version'), ...either }),
  z.strictObject({ kind: z.literal('suspend-survives-reboot'), survives: z.boolean(), ...either }),
  z.strictObject({ kind: z.literal('state-sync-stuck'), ...timing }),
  z.strictObject({ kind: z.literal('config-sync-stuck'), ...timing }),
  z.strictObject({ kind: z.literal('tentative-stuck'), ...one }),
  z.strictObject({
    kind: z.literal('peer-mismatch'),
    reason: z.enum([
      'Platform Model mismatches with peer',
      'Serial Number matches with peer',
      'Multi-vsys mismatches with peer',
      'FIPS-CC mode mismatches',
    ]),
    ...timing,
  }),
  z.strictObject({ kind: z.literal('software-manager-busy'), ...either }),
  z.strictObject({
    kind: z.literal('lock'),
    lock: z.enum(['commit', 'config']),
    admin: z.string().optional(),
    comment: z.string().optional(),
    ...one,
  }),
  z.strictObject({ kind: z.literal('pending-change'), admin: z.string().optional(), ...one }),
  z.strictObject({ kind: z.literal('commit-running'), admin: z.string().optional(), ...one }),
  z.strictObject({ kind: z.literal('panorama-push'), ...one }),
  z.strictObject({ kind: z.literal('no-internet'), ...either }),
  z.strictObject({ kind: z.literal('keys-expire'), ...either }),
]);

export type Fault = z.infer<typeof faultSchema>;
export type FaultKind = Fault['kind'];
export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;
