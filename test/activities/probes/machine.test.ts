import type { WatchReport } from '../../../workflows/procedure/types';
import { unpackCarry } from '../../../activities/probes/carry';
import {
  createMachine,
  EARLY_REPORTS_AT_ONCE,
  FIRST_LOOK_MS,
  type MachineOptions,
  type ProbesReport,
} from '../../../activities/probes/machine';
import type { Measurement, Rule } from '../../../activities/probes/verdict';

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 1_800_000_000_000;
const rule = (name: string, part: Partial<Rule> = {}): Rule => ({
  name,
  intervalMs: SECOND,
  timeoutMs: 800,
  tolerance: { fail: 3, of: 5, inconclusive: 3 },
  required: true,
  ...part,
});
const pass: Measurement = { verdict: 'pass', latencyMs: 1.5 };
const fail: Measurement = { verdict: 'fail', why: 'Connection refused' };
const blind: Measurement = { verdict: 'inconclusive', why: 'client: connection lost' };

const options = (part: Partial<MachineOptions> = {}): MachineOptions => ({
  rules: [rule('web')],
  checkpointEveryMs: 6 * HOUR,
  serving: 'fw1',
  checksEscape: false,
  escapeEveryMs: HOUR,
  ownedEveryMs: HOUR,
  settleMs: 0,
  now: NOW,
  ...part,
});

/** Round by round (a second, unless the rules say otherwise) until the machine reports or the time is over; `what` gives the result of each probe in each round. */
function run(
  part: Partial<MachineOptions>,
  seconds: number,
  what: (second: number) => Measurement | undefined,
  each?: (machine: ReturnType<typeof createMachine>, second: number, now: number) => void,
): { report: ProbesReport | undefined; at: number } {
  const all = options(part);
  const machine = createMachine(all);
  const step = all.rules[0]!.intervalMs / SECOND;
  for (let second = step; second <= seconds; second += step) {
    const now = all.now + second * SECOND;
    each?.(machine, second, now);
    const measurement = what(second);
    if (measurement !== undefined) for (const { name } of all.rules) machine.measured(name, measurement, now);
    const report = machine.decide(now);
    if (report !== undefined) return { report, at: second };
  }
  return { report: undefined, at: seconds };
}

test('reports as soon as enough was observed in all, earlier calls included', () => {
  const first = run({ returnAfterObservedMs: 60 * SECOND }, 100, () => pass);
  expect(first).toMatchObject({ at: 61, report: { verdict: 'checkpoint', observedMs: 60 * SECOND, pass: 61 } });
  const carry = unpackCarry(first.report?.carry);
  const second = run(
    { returnAfterObservedMs: 90 * SECOND, now: NOW + 61 * SECOND, ...(carry && { carry }) },
    100,
    () => pass,
  );
  expect(second).toMatchObject({ at: 30, report: { observedMs: 90 * SECOND, pass: 91 } });
});

test('a checkpoint comes by the clock even if nothing can be observed', () => {
  const { report, at } = run({ returnAfterObservedMs: HOUR, checkpointEveryMs: 120 * SECOND }, 1_000, () => undefined);
  // The blindness is news first, the checkpoint by the clock comes to the next call.
  expect(at).toBe(4);
  const carry = unpackCarry(report?.carry);
  const next = run(
    { returnAfterObservedMs: HOUR, checkpointEveryMs: 120 * SECOND, now: NOW + 4 * SECOND, ...(carry && { carry }) },
    1_000,
    () => undefined,
  );
  expect(next).toMatchObject({ at: 120, report: { verdict: 'checkpoint', observedMs: 0 } });
  expect(next.report?.why).toMatch(/^probe web is blind for 2 min 4 s: no answer/);
});

test('a regression is reported with the third failure, and is not raised again by what is carried', () => {
  const { report, at } = run({}, 100, (second) => (second < 50 ? pass : fail));
  expect(at).toBe(52);
  expect(report).toMatchObject({ verdict: 'regression', fail: 3 });
  expect(report?.why).toContain('web failed 3 times');
  expect(report?.last).toMatch(/web: failed, Connection refused$/);
  const carry = unpackCarry(report?.carry);
  expect(run({ now: NOW + 53 * SECOND, ...(carry && { carry }) }, 2, () => fail).report).toBeUndefined();
});

test('failures before a checkpoint count towards the regression after it', () => {
  const first = run({ returnAfterObservedMs: 10 * SECOND }, 100, (second) => (second < 10 ? pass : fail));
  expect(first.report).toMatchObject({ verdict: 'checkpoint', fail: 2 });
  const carry = unpackCarry(first.report?.carry);
  const second = run({ now: NOW + 11 * SECOND, ...(carry && { carry }) }, 10, () => fail);
  expect(second).toMatchObject({ at: 1, report: { verdict: 'regression' } });
});

describe('news', () => {
  test('the first word on the escape, and every change of it, is told at once', () => {
    const escape = (ready: boolean) => (machine: ReturnType<typeof createMachine>, second: number, now: number) => {
      if (second === 5) machine.escapeChecked({ ready, ...(ready ? {} : { why: 'sudo refused' }) }, now);
    };
    const first = run({ checksEscape: true }, 100, () => pass, escape(true));
    expect(first).toMatchObject({ at: 5, report: { verdict: 'checkpoint', escape: { ready: true } } });
    const carry = unpackCarry(first.report?.carry);
    const same = run({ checksEscape: true, ...(carry && { carry }) }, 100, () => pass, escape(true));
    expect(same.report).toBeUndefined();
    const lost = run({ checksEscape: true, ...(carry && { carry }) }, 100, () => pass, escape(false));
    expect(lost).toMatchObject({ at: 5, report: { escape: { ready: false, why: 'sudo refused' } } });
  });

  test('one failed reseed is no news, two in a row are; the next that works is again', () => {
    const failing = run(
      {},
      100,
      () => pass,
      (machine, second, now) => {
        if (second % 10 === 0) machine.reseeded('conntrackd is down', now);
      },
    );
    expect(failing).toMatchObject({ at: 20, report: { verdict: 'checkpoint' } });
    expect(failing.report?.why).toBe('reseeding the standby failed 2 times in a row: conntrackd is down');
    const carry = unpackCarry(failing.report?.carry);
    const mended = run(
      { now: NOW + 20 * SECOND, ...(carry && { carry }) },
      100,
      () => pass,
      (machine, second, now) => {
        if (second === 3) machine.reseeded(undefined, now);
      },
    );
    expect(mended.at).toBe(3);
    expect(mended.report?.why).toBeUndefined();
  });

  test('a blind probe is told once, with why', () => {
    const { report, at } = run({}, 100, (second) => (second < 10 ? pass : blind));
    expect(at).toBe(13);
    expect(report).toMatchObject({ verdict: 'checkpoint', why: 'probe web is blind for 4 s: client: connection lost' });
  });
});

describe('a first look', () => {
  const rules = [rule('web'), rule('far')];
  const first = (): ReturnType<typeof createMachine> =>
    createMachine(options({ rules, firstLook: true, checksEscape: true, settleMs: 10 * SECOND }));

  test('is over when every probe has answered, or couldn’t, and the escape was checked', () => {
    const machine = first();
    machine.measured('web', pass, NOW + 100);
    expect(machine.decide(NOW + 100)).toBeUndefined();
    machine.measured('far', blind, NOW + 200);
    expect(machine.decide(NOW + 200)).toBeUndefined();
    machine.escapeChecked({ ready: true }, NOW + 300);
    expect(machine.decide(NOW + 300)).toMatchObject({
      verdict: 'checkpoint',
      pass: 1,
      inconclusive: 1,
      why: 'probe far can’t tell: client: connection lost',
      escape: { ready: true, lookedAgoMs: 0 },
    });
  });

  test('ends in time with what it has, and says what is missing', () => {
    const machine = first();
    machine.measured('web', pass, NOW + 100);
    expect(machine.decide(NOW + FIRST_LOOK_MS - 1)).toBeUndefined();
    expect(machine.decide(NOW + FIRST_LOOK_MS)).toMatchObject({
      verdict: 'checkpoint',
      why: 'probe far hasn’t answered yet',
      escape: { ready: false, unknown: true, why: 'it hasn’t been looked at yet' },
    });
  });

  test('is no news to the next call, and costs nothing of what news may', () => {
    const machine = first();
    for (const { name } of rules) machine.measured(name, pass, NOW + 100);
    machine.escapeChecked({ ready: true }, NOW + 100);
    const report = machine.decide(NOW + 100)!;
    const carry = unpackCarry(report.carry)!;
    expect(carry.budget?.tokens).toBe(EARLY_REPORTS_AT_ONCE);
    const next = createMachine(options({ rules, carry, checksEscape: true, now: NOW + 200 }));
    next.measured('web', pass, NOW + 300);
    expect(next.decide(NOW + 300)).toBeUndefined();
  });
});

describe('the way back', () => {
  const looked = (part: Partial<MachineOptions> = {}): ReturnType<typeof createMachine> => {
    const machine = createMachine(options({ checksEscape: true, escapeEveryMs: 30 * SECOND, ...part }));
    machine.escapeChecked({ ready: true }, NOW);
    return machine;
  };

  test('is ready with the time of the last look', () => {
    expect(looked().cut(NOW + 20 * SECOND).escape).toEqual({ ready: true, lookedAgoMs: 20 * SECOND });
  });

  test('that hasn’t been looked at since isn’t said to be ready, and that is news', () => {
    const machine = looked({ rules: [rule('web', { intervalMs: HOUR })] });
    expect(machine.decide(NOW)).toMatchObject({ escape: { ready: true } });
    expect(machine.decide(NOW + 90 * SECOND)).toBeUndefined();
    expect(machine.decide(NOW + 90 * SECOND + 1)).toMatchObject({
      verdict: 'checkpoint',
      escape: { ready: false, unknown: true, why: 'it hasn’t been looked at for 1 min 30 s' },
    });
  });

  test('isn’t known before a first look; what it then is is told, whatever was told before', () => {
    const budget = { tokens: 0, at: NOW };
    const carry = { ...unpackCarry(looked().cut(NOW).carry)!, budget };
    const { escape: _ofAnother, ...taken } = carry;
    const machine = createMachine(options({ checksEscape: true, carry: taken }));
    expect(machine.decide(NOW + 1)).toBeUndefined();
    const cut = machine.cut(NOW + 2);
    expect(cut.escape).toEqual({ ready: false, unknown: true, why: 'it hasn’t been looked at yet' });
    const next = createMachine(options({ checksEscape: true, carry: unpackCarry(cut.carry)!, now: NOW + 3 }));
    next.escapeChecked({ ready: true }, NOW + 4);
    expect(next.decide(NOW + 4)).toMatchObject({ verdict: 'checkpoint', escape: { ready: true } });
  });

  test('that was looked at long ago is looked at before anything is told', () => {
    const told = looked().decide(NOW)!;
    const later = NOW + HOUR;
    const machine = createMachine(
      options({ checksEscape: true, escapeEveryMs: 30 * SECOND, carry: unpackCarry(told.carry)!, now: later }),
    );
    machine.measured('web', pass, later);
    expect(machine.decide(later)).toBeUndefined();
    expect(machine.cut(later).escape).toMatchObject({ ready: false, unknown: true });
    machine.escapeChecked({ ready: true }, later + 1);
    expect(machine.cut(later + 2).escape).toEqual({ ready: true, lookedAgoMs: 1 });
  });

  test('of a build that didn’t tell when it looked isn’t known', () => {
    const { report } = run(
      { checksEscape: true },
      5,
      () => pass,
      (machine, second, now) => {
        if (second === 5) machine.escapeChecked({ ready: true }, now);
      },
    );
    const old = report!.carry as { escape: object };
    const carry = unpackCarry({ ...old, escape: { ready: true } })!;
    const machine = createMachine(options({ checksEscape: true, carry, now: NOW + 6 * SECOND }));
    expect(machine.cut(NOW + 7 * SECOND).escape).toMatchObject({ ready: false, unknown: true });
  });
});

describe('what the run owns', () => {
  const changed = { asWanted: false, why: 'border: route-map FROM-FW1 10 has "set metric 5"', leadsTo: 'fw1' };

  test('is told when others change it, and when it is as wanted again; it is no regression', () => {
    const machine = createMachine(options());
    machine.ownedChecked({ asWanted: true, leadsTo: 'fw1' }, NOW);
    expect(machine.decide(NOW)).toBeUndefined();
    machine.ownedChecked(changed, NOW + SECOND);
    const report = machine.decide(NOW + SECOND)!;
    expect(report).toMatchObject({
      verdict: 'checkpoint',
      owned: { asWanted: false, why: changed.why, lookedAgoMs: 0 },
      why: `not as this run left it: ${changed.why}`,
    });
    const next = createMachine(options({ carry: unpackCarry(report.carry)!, now: NOW + 2 * SECOND }));
    next.ownedChecked(changed, NOW + 3 * SECOND);
    expect(next.decide(NOW + 3 * SECOND)).toBeUndefined();
    next.ownedChecked({ asWanted: true, leadsTo: 'fw1' }, NOW + 4 * SECOND);
    expect(next.decide(NOW + 4 * SECOND)).toMatchObject({ verdict: 'checkpoint', owned: { asWanted: true } });
  });

  test('may lead elsewhere until traffic has moved, and not afterwards, whoever watches by then', () => {
    const machine = createMachine(options());
    machine.ownedChecked({ asWanted: true, leadsTo: 'fw2' }, NOW);
    expect(machine.decide(NOW)).toBeUndefined();
    machine.ownedChecked({ asWanted: true }, NOW + 1);
    machine.ownedChecked({ asWanted: true, leadsTo: 'fw1' }, NOW + 2);
    expect(machine.decide(NOW + 2)).toBeUndefined();
    const next = createMachine(options({ carry: unpackCarry(machine.cut(NOW + 3).carry)!, now: NOW + 4 }));
    next.ownedChecked({ asWanted: true, leadsTo: 'fw2' }, NOW + 5);
    expect(next.decide(NOW + 5)).toMatchObject({
      verdict: 'checkpoint',
      owned: { asWanted: false, why: 'traffic goes through fw2, not through fw1, which is watched' },
    });
  });

  test('isn’t known when it hasn’t been looked at for long', () => {
    const machine = createMachine(options({ ownedEveryMs: 30 * SECOND }));
    machine.ownedChecked({ asWanted: true }, NOW);
    expect(machine.cut(NOW + 91 * SECOND).owned).toEqual({
      why: 'it hasn’t been looked at for 1 min 31 s',
      lookedAgoMs: 91 * SECOND,
    });
  });
});

describe('while the probes get going', () => {
  const settling = { settleMs: 10 * SECOND };

  test('blindness is no news, afterwards it is', () => {
    const { report, at } = run(settling, 100, () => undefined);
    expect(at).toBe(10);
    expect(report?.why).toContain('probe web is blind');
  });

  test('a report of blindness doesn’t cause the next one', () => {
    const first = run(settling, 100, () => blind);
    const carry = unpackCarry(first.report?.carry);
    const again = { ...settling, now: NOW + 10 * SECOND, ...(carry && { carry }) };
    expect(run(again, 1_000, () => blind).report).toBeUndefined();
    // Seeing again is news too, but not before all have had their time.
    expect(run(again, 1_000, () => pass).at).toBe(10);
  });
});

test('what a cut watch has seen is in its report', () => {
  const machine = createMachine(options());
  for (let second = 1; second <= 5; second++) machine.measured('web', pass, NOW + second * SECOND);
  expect(machine.cut(NOW + 5_500)).toMatchObject({ verdict: 'cut', observedMs: 4_500, pass: 5 });
});

test('probes that the plan doesn’t know, and results of them, are left out', () => {
  const machine = createMachine(options());
  machine.measured('other', pass, NOW + 1);
  machine.measured('web', pass, NOW + 1);
  const carry = unpackCarry(machine.cut(NOW + 2).carry)!;
  expect(Object.keys(carry.aggregates.probes)).toEqual(['web']);
  const renamed = createMachine(options({ rules: [rule('new')], carry }));
  expect(Object.keys(unpackCarry(renamed.cut(NOW + 3).carry)!.aggregates.probes)).toEqual([]);
});

/** The core's way: calls again with the carry, asks for 6 h more of observed time. */
function watchFor(
  days: number,
  rules: readonly Rule[],
  part: { readonly escape?: (second: number) => boolean; readonly what?: (second: number) => Measurement },
): { reports: WatchReport[]; seconds: number } {
  const reports: WatchReport[] = [];
  let carry: unknown;
  let observedMs = 0;
  let second = 0;
  while (second < (days * DAY) / SECOND) {
    const unpacked = unpackCarry(carry);
    const { report, at } = run(
      {
        rules,
        checksEscape: part.escape !== undefined,
        now: NOW + second * SECOND,
        returnAfterObservedMs: observedMs + 6 * HOUR,
        ...(unpacked && { carry: unpacked }),
      },
      (days * DAY) / SECOND - second,
      (n) => part.what?.(second + n) ?? pass,
      (machine, n, now) => {
        if (part.escape !== undefined && (second + n) % 30 === 0)
          machine.escapeChecked({ ready: part.escape(second + n) }, now);
      },
    );
    second += at;
    if (report === undefined) break;
    reports.push(report);
    observedMs = report.observedMs;
    carry = JSON.parse(JSON.stringify(report.carry)) as unknown;
  }
  return { reports, seconds: second };
}

describe('a long watch', () => {
  const EVENTS_A_REPORT = 6;

  test('costs a report in 6 h, and all of the time is observed but for the first second, which had no answer', () => {
    const { reports } = watchFor(5, [rule('web')], {});
    expect(reports.length).toBe(20);
    expect(reports.every((r) => r.verdict === 'checkpoint')).toBe(true);
    expect(reports.at(-1)).toMatchObject({ observedMs: 5 * DAY - SECOND, pass: (5 * DAY) / SECOND });
  }, 120_000);

  test('thirty days with circumstances that flap all the time stays below 10,000 events and 10 MB', () => {
    // Reports depend on time, not on how often is probed.
    const rules = [rule('web', { intervalMs: 10 * SECOND })];
    const { reports } = watchFor(30, rules, { escape: (second) => second % 60 === 0 });
    const plan = 12 * 1024;
    const bytes = reports.reduce((sum, r) => sum + plan + 2 * Buffer.byteLength(JSON.stringify(r)), 0);
    expect(reports.length).toBeGreaterThan(120 + EARLY_REPORTS_AT_ONCE);
    expect(reports.length * EVENTS_A_REPORT).toBeLessThan(10_000);
    expect(bytes).toBeLessThan(10 * 1024 * 1024);
  }, 120_000);

  test('with a probe that flaps within its tolerance ends as without', () => {
    // Two failures in any five.
    const { reports } = watchFor(3, [rule('web')], { what: (second) => (second % 5 < 2 ? fail : pass) });
    expect(reports.every((r) => r.verdict === 'checkpoint')).toBe(true);
    expect(reports.at(-1)?.observedMs).toBe(3 * DAY - SECOND);
  }, 60_000);
});
