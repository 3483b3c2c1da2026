/** What the plan reads from the devices, and what speaks against planning. */
import type { PanosPlan } from '../../../activities/panos';
import { DEVICE_PATH } from '../../../simulators/panos/config/initial';
import { parseXpath } from '../../../simulators/panos/config/tree';
import type { SimulatedDevice } from '../../../simulators/panos';
import type { PanosRunOptions } from '../../support/panos-run';
import type { PanosWorld } from '../../support/panos-world';
import { Bench, failureOf } from './support/bench';

const planned = async (options: PanosRunOptions = {}): Promise<PanosPlan> => (await Bench.start(options)).plan;

/** Faults as people see them. */
async function faultsOf(options: PanosRunOptions): Promise<string> {
  const error = await failureOf(planned(options));
  expect(error).toMatchObject({ type: 'NotReady', nonRetryable: true });
  expect(error.message).toMatch(/^not ready, nothing was changed; \d faults?:\n- /);
  return error.message;
}
const b = (world: PanosWorld): SimulatedDevice => world.deviceOf('fw-b');

function switchHaOff({ config }: SimulatedDevice): void {
  const path = `${DEVICE_PATH}/deviceconfig/high-availability`;
  const off = { name: 'enabled', attributes: {}, children: [], text: 'no' };
  config.edit(`${path}/enabled`, parseXpath(`${path}/enabled`) ?? [], off, 'somebody');
  config.adopt(config.candidate, undefined, Infinity);
}

it('freezes who serves, the releases, the way, and what is restored at the end', async () => {
  const devices = [{ preemptive: true }, { preemptive: false }] as const;
  expect(await planned({ version: '11.0.4', pair: { devices } })).toMatchObject({
    mode: 'active-passive',
    roles: { active: 'fw-a', passive: 'fw-b' },
    releases: { from: '10.2.3', to: '11.0.4' },
    hops: [{ from: '10.2.3', to: '11.0.4', images: ['11.0.0', '11.0.4'] }],
    found: { 'fw-a': { preemptive: true, priority: 100 }, 'fw-b': { preemptive: false, priority: 110 } },
  });
});

it('active/active: the primary one, and the device IDs', async () => {
  expect(await planned({ pair: { mode: 'active-active' } })).toMatchObject({
    mode: 'active-active',
    roles: { active: 'fw-a', passive: 'fw-b' },
    found: { 'fw-a': { deviceId: 0 }, 'fw-b': { deviceId: 1 } },
  });
});

it('a readiness check has no release to go to', async () => {
  expect(await planned({ version: '' })).toMatchObject({ releases: { from: '10.2.3', to: '10.2.3' }, hops: [] });
});

it.each<[string, PanosRunOptions, RegExp]>([
  [
    'the same device twice',
    { pair: { devices: [{ serial: '1' }, { serial: '1' }] } },
    /pa: both nodes are the same device \(serial 1\) → give each node the management address/,
  ],
  [
    'two releases',
    { prepare: (world) => void (b(world).software.running = '10.2.7') },
    /pa: both must run one release: fw-a: 10\.2\.3, fw-b: 10\.2\.7 → finish the upgrade that was begun/,
  ],
  ['HA off', { prepare: (world) => switchHaOff(b(world)) }, /fw-b: high availability isn’t enabled on it/],
  [
    'one suspended',
    { prepare: (world) => world.pair.ha.suspend(1) },
    /pa: one must be active and the other passive: fw-a: active, fw-b: suspended \(User requested\) → bring the other one back/,
  ],
  [
    'none serves',
    {
      prepare: (world) => {
        world.pair.ha.suspend(0);
        world.pair.ha.suspend(1);
      },
    },
    /fw-a: suspended \(User requested\), fw-b: suspended \(User requested\) → none of the two serves/,
  ],
  ['the release that runs', { version: '10.2.3' }, /both devices run 10\.2\.3 already/],
  ['an older one', { version: '10.1.9' }, /10\.1\.9 is older than 10\.2\.3/],
  [
    'one that nobody offers',
    { version: '10.2.99' },
    /image 10\.2\.99 can’t be had; the update server doesn’t offer it to fw-a and fw-b; the nearest that can: 10\.2\.\d/,
  ],
  [
    'a base image that is in no file',
    {
      version: '11.0.4',
      pair: { internet: false },
      panos: { images: { '11.0.4': { file: '/images/PanOS_vm-11.0.4', sha256: 'ab'.repeat(32) } } },
    },
    /image 11\.0\.0 can’t be had; it isn’t on fw-a and fw-b, and panos\.images names no file for it; the nearest that can: 11\.0\.4/,
  ],
])('%s can’t be planned', async (_, options, message) => expect(await faultsOf(options)).toMatch(message));

it('two peers of two pairs are told', async () => {
  const devices = [{ address: '192.0.2.10' }, { address: '192.0.2.11' }] as const;
  const message = await faultsOf({
    pair: { devices },
    // Its own peer is at another address than the second node.
    prepare: (world) => void Object.assign(b(world), { own: { ...b(world).own, address: '192.0.2.77' } }),
  });
  expect(message).toMatch(/fw-a: its HA peer is 192\.0\.2\.11, and fw-b is 192\.0\.2\.77: the two aren’t one pair/);
});

it.each<[string, string, PanosRunOptions, RegExp]>([
  [
    'no way to the update server',
    'Busy',
    { pair: { internet: false } },
    /fw-a: .*Failed to check upgrade info.* → if it has no way to the update server, name the image files/,
  ],
  [
    'a device that is down',
    'Unreachable',
    { prepare: (world) => void world.pair.faults.inject({ kind: 'power-off', device: 1 }) },
    /fw-b: fw-b doesn’t answer: refuse/,
  ],
])('%s may pass', async (_, type, options, message) => {
  const error = await failureOf(planned(options));
  expect(error).toMatchObject({ type, nonRetryable: false });
  expect(error.message).toMatch(message);
});
