/** What holds for the pair whatever is done to it, by anybody, at any time (facts §2). */
import * as fc from 'fast-check';
import type { Fault, HaMode } from '../../../simulators/panos';
import { Bench } from './bench';

const side = fc.constantFrom(0 as const, 1 as const);

/** Faults that end, so that the pair can be whole again. */
const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('ha1-down' as const, 'ha2-down' as const, 'ha3-down' as const, 'state-sync-stuck' as const),
  }),
  fc.record({
    kind: fc.constantFrom(
      'monitor-failure' as const,
      'dataplane-down' as const,
      'power-off' as const,
      'crash' as const,
      'tentative-stuck' as const,
    ),
    device: side,
  }),
  fc.record({
    kind: fc.constant('boot-stuck' as const),
    phase: fc.constantFrom('down' as const, 'starting' as const, 'loading' as const),
  }),
  fc.record({ kind: fc.constant('suspend-survives-reboot' as const), survives: fc.boolean() }),
  fc.record({ kind: fc.constant('boot-loop' as const), device: side }),
);

type Step =
  | { readonly do: 'suspend' | 'functional' | 'restart'; readonly side: 0 | 1 }
  | { readonly do: 'fault'; readonly fault: Fault; readonly forSeconds: number }
  | { readonly do: 'pass'; readonly seconds: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('suspend' as const, 'functional' as const, 'restart' as const), side }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('fault' as const), fault, forSeconds: fc.integer({ min: 0, max: 900 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.integer({ min: 0, max: 400 }) }) },
);

function run(mode: HaMode, preemptive: boolean, tentativeSeconds: number, steps: readonly Step[]): Bench {
  const bench = new Bench({
    mode,
    devices: [{ preemptive }, { preemptive }],
    timers: { tentativeHoldMs: 1_000 * tentativeSeconds },
  });
  const { pair, changes } = bench;
  /** Since when each is tentative, and who was told to leave suspended. */
  const tentativeSince: (number | undefined)[] = [undefined, undefined];
  const released = [false, false];
  const watch = pair.onChange;
  pair.onChange = (at, what) => {
    watch?.(at, what);
    const [a, b] = pair.devices;
    if (pair.ha.links.ha1 && a.serving && b.serving) {
      if (mode === 'active-passive') throw new Error(`both active with HA1 up: ${what}`);
      if (a.haState === b.haState) throw new Error(`both ${a.haState} with HA1 up: ${what}`);
    }
    const [, name, from, to] = /^(\S+): (\S+) → (\S+)/.exec(what) ?? [];
    if (name === undefined) return;
    const index = name === a.name ? 0 : 1;
    if (to === 'tentative') tentativeSince[index] = at;
    if (
      from === 'tentative' &&
      to === 'active-secondary' &&
      at - (tentativeSince[index] ?? at) < 1_000 * tentativeSeconds
    )
      throw new Error(`out of tentative before its hold: ${what}`);
    if (from === 'suspended' && !released[index]) throw new Error(`out of suspended by itself: ${what}`);
    if (to === 'suspended') released[index] = false;
  };
  const apply = (each: Step): void => {
    switch (each.do) {
      case 'pass':
        bench.pass(each.seconds);
        return;
      case 'fault':
        pair.faults.inject({ ...each.fault, forMs: 1_000 * each.forSeconds });
        return;
      default:
        if (each.do === 'functional') released[each.side] = true;
    }
    const device = pair.devices[each.side];
    if (device.phase !== 'up') return;
    if (each.do === 'restart') device.power.restart();
    else pair.ha[each.do](each.side);
    pair.flush();
  };
  for (const each of steps) apply(each);
  pair.faults.clear();
  // Whatever boots, is up after this.
  bench.pass(3_600);
  for (const index of [0, 1] as const) apply({ do: 'functional', side: index });
  bench.pass(3_600);
  changes.push(bench.states.join(' '));
  return bench;
}

it.each(['active-passive', 'active-active'] as const)(
  '%s: never two of one role with HA1 up; whole again when the faults are over; the same every time',
  (mode) => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.constantFrom(0, 10, 60, 600),
        fc.array(step, { maxLength: 25 }),
        (preemptive, hold, steps) => {
          const bench = run(mode, preemptive, hold, steps);
          const roles = mode === 'active-passive' ? ['active', 'passive'] : ['active-primary', 'active-secondary'];
          expect([...bench.states].sort()).toEqual(roles);
          expect(bench.pair.ha.stateSync(0)).toBe('Complete');
          expect(run(mode, preemptive, hold, steps).changes).toEqual(bench.changes);
        },
      ),
      { numRuns: 300 },
    );
  },
);
