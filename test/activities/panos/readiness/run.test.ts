import type { ApplicationFailure } from '@temporalio/common';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reader } from '../../../../activities/panos/api';
import { transient } from '../../../../activities/kit/errors';
import {
  CATALOGUE,
  CHECK_NAMES,
  isWaivable,
  WAIVABLE,
  type CheckName,
} from '../../../../activities/panos/readiness/catalogue';
import {
  chosen,
  readinessFailure,
  runChecks,
  type Check,
  type Checks,
} from '../../../../activities/panos/readiness/check';
import { readinessChecksSpec } from '../../../../activities/panos/readiness/spec';
import { result } from './xml';

const context = { spec: readinessChecksSpec.parse({}), images: [], imported: false, content: 'latest' as const };

/** All checks pass, but for those given. */
const checks = (some: Partial<Record<CheckName, Check>>): Checks => ({
  ...(Object.fromEntries(CHECK_NAMES.map((name) => [name, { each: async () => [] }])) as unknown as Checks),
  ...some,
});

function member(name: string, asked: string[] = []): Reader {
  return {
    name,
    op: async (command) => {
      asked.push(command);
      return result('');
    },
    table: async (command, shape) => {
      asked.push(command);
      return shape.begin().result();
    },
    config: async (action, xpath) => {
      asked.push(`${action} ${xpath}`);
      return undefined;
    },
  };
}
const both = [member('fw-a'), member('fw-b')];

test('a check that can’t be made is a fault, and hides neither other checks nor the other member', async () => {
  const run = await runChecks(
    checks({
      ntp_sync: {
        async each({ name }) {
          if (name === 'fw-a') throw new Error('can’t read it');
          return [{ what: 'no server' }];
        },
      },
      panorama: { each: async () => [{ what: 'not connected', next: 'look' }] },
    }),
    both,
    context,
  );
  expect(run.faults.map(({ check, where, what }) => [check, where, what])).toEqual([
    ['panorama', 'fw-a', 'not connected'],
    ['panorama', 'fw-b', 'not connected'],
    ['ntp_sync', 'fw-a', 'check ntp_sync couldn’t be made: can’t read it'],
    ['ntp_sync', 'fw-b', 'no server'],
  ]);
  expect(run.ran).toEqual(CHECK_NAMES);
});

test('a question is asked once, however many checks need the answer', async () => {
  const asked: string[] = [];
  const ask: Check = {
    async each(reader) {
      await reader.op('<x/>');
      await reader.config('show', '/y');
      return [];
    },
  };
  await runChecks(checks({ ntp_sync: ask, panorama: ask }), [member('fw-a', asked)], context);
  expect(asked.sort()).toEqual(['<x/>', 'show /y']);
});

test('a question that a device alone never answers is a check that couldn’t be made, by name; a lost reply is asked for again', async () => {
  const asked: string[] = [];
  let lost = 1;
  const odd: Reader = {
    ...member('fw-a', asked),
    op: async (command) => {
      asked.push(command);
      if (command === 'support' || (command === 'once' && lost-- > 0))
        throw transient('Unreachable', 'no answer within 2 min');
      return result('');
    },
  };
  const ask = (command: string): Check => ({ each: async (device) => (await device.op(command), []) });
  const some = { panorama: ask('once'), active_support: ask('support'), ntp_sync: ask('ntp') };
  const { faults } = await runChecks(checks(some), [odd], context);
  expect(faults).toMatchObject([{ where: 'fw-a', check: 'active_support', waivable: true, type: 'CommandFailed' }]);
  expect(faults[0]?.what).toMatch(/couldn’t be made: it answers other questions, and not this one: no answer within/);
  expect(readinessFailure(faults)).toMatchObject({ type: 'Waivable', details: [{ waivable: ['active_support'] }] });
  // The one repeat is spent on the reply that was lost.
  expect(asked.filter((command) => command === 'support')).toHaveLength(1);
});

test('a device that is silent once isn’t asked again', async () => {
  let asked = 0;
  const silent: Reader = {
    ...member('fw-a'),
    op: async () => {
      asked++;
      throw transient('Unreachable', 'no answer');
    },
  };
  const ask: Check = { each: async (reader) => (await reader.op(`<x${asked}/>`), []) };
  const { faults } = await runChecks(checks({ ntp_sync: ask, panorama: ask, jobs: ask }), [silent], context);
  // The question, and whether it answers any.
  expect(asked).toBe(2);
  expect(faults.map(({ check, waivable }) => [check, waivable])).toEqual([['jobs', false]]);
});

test('an answer of now isn’t one from before', async () => {
  const asked: string[] = [];
  const ask: Check = { each: async (reader) => (await reader.op('<x/>'), await reader.fresh('<x/>'), []) };
  await runChecks(checks({ ntp_sync: ask }), [member('fw-a', asked)], context);
  expect(asked).toEqual(['<x/>', '<x/>']);
});

describe('which checks run', () => {
  const always = CHECK_NAMES.filter((name) => !isWaivable(name));

  test('those that can’t be waived always do', () => {
    expect(chosen({ skip: [] })).toEqual(CHECK_NAMES);
    expect(chosen({ only: [], skip: [] })).toEqual(always);
    expect(chosen({ only: ['ntp_sync'], skip: [] }).filter(isWaivable)).toEqual(['ntp_sync']);
    expect(chosen({ skip: WAIVABLE })).toEqual(always);
  });

  test('the inventory can’t leave them out', () => {
    const issues = readinessChecksSpec.safeParse({ skip: ['ha'] }).error?.issues ?? [];
    expect(issues[0]?.message).toContain('one of the checks that can be left out');
  });
});

describe('the failure', () => {
  const failure = async (some: Partial<Record<CheckName, Check>>) =>
    readinessFailure((await runChecks(checks(some), both, context)).faults) as ApplicationFailure | undefined;
  const one: Check = { each: async () => [{ what: 'bad' }] };

  test('is none if all pass', async () => {
    expect(await failure({})).toBeUndefined();
  });

  test('may be waived if every fault may; the names are told once', async () => {
    const error = await failure({ ntp_sync: one, panorama: one });
    expect([error?.type, error?.nonRetryable]).toEqual(['Waivable', true]);
    expect((error?.details?.[0] as { waivable: string[] }).waivable).toEqual(['panorama', 'ntp_sync']);
    expect(error?.message).toContain('- fw-a: bad [ntp_sync]');
  });

  test('can’t be waived if one can’t', async () => {
    const error = await failure({ ntp_sync: one, candidate_config: one });
    expect(error?.type).toBe('NotReady');
    expect((error?.details?.[0] as { faults: unknown[] }).faults).toHaveLength(4);
    expect((await failure({ ntp_sync: { each: async () => [{ what: 'bad', waivable: false }] } }))?.type).toBe(
      'NotReady',
    );
  });

  test('is asked again while all that can’t be waived may pass by itself; then what is left may be waived', async () => {
    const busy: Check = { each: async () => [{ what: 'a job runs', passes: 'Busy' }] };
    const error = await failure({ jobs: busy, ntp_sync: one });
    expect([error?.type, error?.nonRetryable]).toEqual(['Busy', false]);
    expect(error?.message).toContain('- fw-a: bad [ntp_sync]');
    expect((await failure({ ntp_sync: one }))?.type).toBe('Waivable');
    expect((await failure({ jobs: busy, candidate_config: one }))?.type).toBe('NotReady');
    expect((await failure({ panorama: busy, ntp_sync: one }))?.type).toBe('Waivable');
  });

  test('is one for each device that doesn’t answer; it passes by itself if nothing else is wrong, and can’t be waived', async () => {
    const silent: Check = {
      async each() {
        throw transient('Unreachable', 'no answer');
      },
    };
    const error = await failure({ ntp_sync: silent, ha: silent });
    expect([error?.type, error?.nonRetryable]).toEqual(['Unreachable', false]);
    expect((error?.details?.[0] as { faults: unknown[] }).faults).toHaveLength(2);
    expect((await failure({ ntp_sync: silent, candidate_config: one }))?.type).toBe('NotReady');
  });
});

test('the documentation lists every check with what it asks, and those that can’t be waived with the reason', () => {
  const text = readFileSync(join(__dirname, '../../../../docs/panos-readiness.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z0-9_]+)` \| (.*?) +\| (.*?) +\|$/gm)].map(([, name, what, waive]) => [
    name,
    what,
    waive,
  ]);
  expect(rows).toEqual(
    CHECK_NAMES.map((name) => [
      name,
      CATALOGUE[name].what,
      CATALOGUE[name].always === undefined ? 'yes' : `no: ${CATALOGUE[name].always}`,
    ]),
  );
});
