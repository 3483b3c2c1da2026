/** Every check against a simulated pair: passes on a healthy one, and finds what was changed. */
import { SimulatedPair } from '../../../../simulators/panos';
import { CHECK_NAMES, CHECKS, readinessFailure, runChecks } from '../../../../activities/panos/readiness';
import { ACTIVE_ACTIVE, configured, context, HEALTHY, nat, RULEBASE, VIRTUAL_ADDRESS, virtualIp } from './changes';
import { DEVICE_CASES } from './device-cases';
import { membersOf } from './members';
import { PAIR_CASES } from './pair-cases';

const CASES = [...DEVICE_CASES, ...PAIR_CASES];

const look = async (pair: SimulatedPair, asked = context()) => (await runChecks(CHECKS, membersOf(pair), asked)).faults;

describe.each([
  ['active-passive', false],
  ['active-passive', true],
  ['active-active', false],
  ['active-active', true],
] as const)('a healthy pair, %s, advanced routing %s', (mode, advancedRouting) => {
  test('passes every check', async () => {
    const asked = context({
      sessionExist: [{ source: '10.0.0.20', destination: '203.0.113.80', port: 443 }],
      arpEntries: [{ ip: '10.0.0.20', interface: 'ethernet1/3' }],
      ipsecTunnels: [{ name: 'to-branch' }],
      jumboFrame: false,
    });
    expect(await look(new SimulatedPair({ ...HEALTHY, mode, advancedRouting }), asked)).toEqual([]);
  });
});

test('what moves to the other device by itself passes', async () => {
  const pair = new SimulatedPair({ ...HEALTHY, ...ACTIVE_ACTIVE });
  for (const change of [
    configured(RULEBASE, nat('out-a', '0')),
    configured(RULEBASE, nat('out-b', '1')),
    configured(RULEBASE, nat('in', 'both', '203.0.113.80')),
    configured(
      VIRTUAL_ADDRESS,
      virtualIp(
        '<floating><device-priority><device-0>10</device-0><device-1>20</device-1></device-priority></floating>',
      ),
    ),
    configured(
      VIRTUAL_ADDRESS,
      virtualIp('<arp-load-sharing><ip-modulo/></arp-load-sharing>').replace('10.0.0.254', '10.0.0.253'),
    ),
  ])
    change(pair);
  expect(await look(pair)).toEqual([]);
});

test('in active/passive nothing is bound to a device', async () => {
  const pair = new SimulatedPair(HEALTHY);
  configured(RULEBASE, nat('web-out', '0'))(pair);
  expect(await look(pair)).toEqual([]);
});

test('a push of Panorama passes by itself: it is asked about again', async () => {
  const pair = new SimulatedPair(HEALTHY);
  pair.faults.inject({ kind: 'panorama-push', device: 1 });
  const faults = await look(pair);
  expect(faults.map(({ check }) => check)).toEqual(['jobs', 'panorama_push']);
  expect(readinessFailure(faults)).toMatchObject({ type: 'Busy', nonRetryable: false });
});

test('a virtual pair without sensors, and without Panorama, passes too', async () => {
  expect(await look(new SimulatedPair({ model: 'PA-VM' }))).toEqual([]);
});

test.each(CASES.map((one) => [one.check, one.of, one] as const))('%s finds %s', async (check, _of, one) => {
  const pair = new SimulatedPair({ ...HEALTHY, ...one.options });
  one.change?.(pair);
  const faults = await look(pair, one.asked);
  const said = faults.filter((found) => found.check === check).map(({ what }) => what);
  expect(said.join('\n')).toContain(one.says);
  expect([...new Set(faults.map((found) => found.check))].filter((other) => other !== check).sort()).toEqual(
    one.also ?? [],
  );
});

test('every check has a case', () => {
  expect(CHECK_NAMES.filter((name) => !CASES.some(({ check }) => check === name))).toEqual([]);
});

test('without internet, with what can’t be asked left out, a pair passes', async () => {
  const pair = new SimulatedPair({ internet: false });
  const asked = context({ skip: ['active_support'], contentVersion: '8700-8000' }, { imported: true });
  expect(await look(pair, asked)).toEqual([]);
});

test('a member that is down is one fault, that passes', async () => {
  const pair = new SimulatedPair(HEALTHY);
  pair.faults.inject({ kind: 'power-off', device: 1 });
  const faults = (await look(pair)).filter(({ where }) => where === 'fw-b');
  expect(faults.map(({ type, waivable }) => [type, waivable])).toEqual([['Unreachable', false]]);
});
