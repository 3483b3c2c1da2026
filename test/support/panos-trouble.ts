/** Random troubles of a simulated PAN-OS pair: what it is, how it is upgraded, and what goes wrong with its devices. */
import fc from 'fast-check';
import type { Fault } from '../../simulators/panos';

const HOUR_MS = 3_600_000;
const device = fc.constantFrom(0 as const, 1 as const);
const afterMs = fc.integer({ min: 0, max: 2 * HOUR_MS });
const forMs = fc.integer({ min: 1_000, max: HOUR_MS });
const operation = fc.constantFrom(
  'show high-availability state',
  'show jobs',
  'show system info',
  'request high-availability state suspend',
  'request high-availability state functional',
  'request system software install',
  'request system software download',
  'request restart system',
  'commit',
  'config set',
);

const oneFault: fc.Arbitrary<Fault> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('request' as const),
      how: fc.constantFrom('refuse' as const, 'drop' as const, 'hang' as const),
      effect: fc.constantFrom('none' as const, 'done' as const),
      operation,
      device,
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), device, afterMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('power-off' as const), device, afterMs, forMs }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('job' as const),
      how: fc.constant('fail' as const),
      type: fc.constantFrom('Downld' as const, 'SWInstall' as const, 'Commit' as const, 'Content' as const),
      device,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'ha1-down' as const,
        'ha2-down' as const,
        'ha3-down' as const,
        'state-sync-stuck' as const,
        'config-sync-stuck' as const,
      ),
      afterMs,
      forMs,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('monitor-failure' as const, 'dataplane-down' as const, 'tentative-stuck' as const),
      device,
      afterMs,
      forMs,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('boot-loop' as const), device, afterMs, forMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('boots-old-version' as const), device, afterMs, forMs }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('boot-stuck' as const),
      phase: fc.constantFrom('starting' as const, 'loading' as const),
      device,
      afterMs,
      forMs,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('software-manager-busy' as const, 'keys-expire' as const, 'no-internet' as const),
      device,
      afterMs,
      forMs,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('pending-change' as const, 'commit-running' as const, 'panorama-push' as const),
      device,
      afterMs,
      forMs,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('lock' as const),
      lock: fc.constantFrom('commit' as const, 'config' as const),
      device,
      afterMs,
      forMs,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('peer-mismatch' as const),
      reason: fc.constantFrom(
        'Platform Model mismatches with peer' as const,
        'Serial Number matches with peer' as const,
        'Multi-vsys mismatches with peer' as const,
        'FIPS-CC mode mismatches' as const,
      ),
      afterMs,
      forMs,
    }),
  },
);

/** It comes up, and doesn't hear of its peer: both lead, until HA1 is back. */
const bootsAlone: fc.Arbitrary<Fault[]> = fc
  .record({ device, afterMs, forMs })
  .map(({ device: which, afterMs, forMs }) => [
    { kind: 'ha1-down', afterMs, forMs },
    { kind: 'crash', device: which, afterMs: afterMs + 1_000 },
  ]);
const fault: fc.Arbitrary<Fault[]> = fc.oneof(
  { weight: 24, arbitrary: oneFault.map((each) => [each]) },
  { weight: 1, arbitrary: bootsAlone },
);

export interface Trouble {
  readonly faults: readonly Fault[];
  readonly mode: 'active-passive' | 'active-active';
  readonly order: 'passive-first' | 'active-first';
  readonly failBack: boolean;
  readonly preemptive: boolean;
  readonly suspendSurvivesReboot: boolean;
  readonly version: '10.2.9' | '11.0.4' | '11.1.4';
  readonly tentativeHoldMs: number;
  /** Of an active/active pair: routers are steered, too. */
  readonly steering: boolean;
  readonly passiveLinkState: 'auto' | 'shutdown';
  /** The older of two releases is non-functional beside the newer one. */
  readonly pluginMismatch: boolean;
}
export const trouble: fc.Arbitrary<Trouble> = fc.record({
  faults: fc.array(fault, { maxLength: 5 }).map((each) => each.flat()),
  mode: fc.constantFrom('active-passive' as const, 'active-active' as const),
  order: fc.constantFrom('passive-first' as const, 'active-first' as const),
  failBack: fc.boolean(),
  preemptive: fc.boolean(),
  suspendSurvivesReboot: fc.boolean(),
  // A hop more is twice the work.
  version: fc.oneof(
    { weight: 6, arbitrary: fc.constant('10.2.9' as const) },
    { weight: 1, arbitrary: fc.constantFrom('11.0.4' as const, '11.1.4' as const) },
  ),
  tentativeHoldMs: fc.constantFrom(0, 10_000, 60_000, 600_000),
  steering: fc.boolean(),
  passiveLinkState: fc.constantFrom('auto' as const, 'shutdown' as const),
  pluginMismatch: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
