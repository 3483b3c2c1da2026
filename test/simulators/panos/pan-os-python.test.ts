/**
 * Palo Alto Networks' pan-os-python 1.13.1 as it comes from PyPI, against the simulated pair over TLS: what scripts of
 * administrators do with it.
 */
import { startSimulatedPair, type ServedPair } from '../../../simulators/panos/server';
import { startClients, type Clients } from './python/driver';

const ELECTION =
  "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/high-availability/group/election-option";
/** So fast that jobs of minutes end between two questions of the client, which asks every half second. */
const SPEED = 1_000;

let clients: Clients;
let served: ServedPair;
beforeAll(async () => {
  clients = await startClients();
}, 300_000);
beforeEach(async () => {
  served = await startSimulatedPair({ speed: SPEED });
});
afterEach(async () => served?.stop());
afterAll(async () => clients?.stop());

const call = <T = unknown>(side: 0 | 1, name: string, ...args: string[]): Promise<T> =>
  clients.device<T>(served.devices[side], name, ...args);
const states = async () => [await call(0, 'ha-state'), await call(1, 'ha-state')];

/** It may not answer meanwhile. */
async function until(side: 0 | 1, state: string): Promise<void> {
  for (;;) {
    const [own] = await call<[string, string]>(side, 'ha-state').catch(() => ['unreachable']);
    if (own === state) return;
  }
}

test('logs in, and says who it is', async () => {
  expect(await call(0, 'keygen')).toMatch(/^LUFRPT/);
  expect(await call(0, 'version')).toBe('10.2.3');
  expect(await call(0, 'ready')).toBe(true);
});

test('a wrong password is refused as a device refuses it', async () => {
  const { address, port, user } = served.devices[0];
  const device = { address, port, user, password: 'wrong' };
  await expect(clients.ask({ do: 'device', call: 'keygen', device })).rejects.toThrow(/code: 403 reason: Forbidden/);
});

test('reads HA from both members, and moves it by operational commands', async () => {
  expect(await states()).toEqual([
    ['active', 'passive'],
    ['passive', 'active'],
  ]);
  const reply = await call(0, 'op', 'request high-availability state suspend');
  expect(reply).toContain('Successfully changed HA state to suspended');
  await until(1, 'active');
  expect(await states()).toEqual([
    ['suspended', 'active'],
    ['active', 'suspended'],
  ]);
  await call(0, 'op', 'request high-availability state functional');
  await until(0, 'passive');
  expect(await call(0, 'config-sync-state')).toBe('synchronized');
});

test('changes and commits the configuration', async () => {
  expect(await call(0, 'pending')).toBe(false);
  await call(0, 'set', ELECTION, '<preemptive>yes</preemptive>');
  expect(await call(0, 'pending')).toBe(true);
  expect(await call(0, 'commit')).toMatchObject({ success: true, result: 'OK' });
  expect(await call(0, 'pending')).toBe(false);
  expect(await call(0, 'op', 'show high-availability state')).toContain('<preemptive>yes</preemptive>');
  // Nothing to commit is no job, and no failure.
  expect(await call(0, 'commit')).toBeNull();
});

test('an error is the device’s own text', async () => {
  await call(1, 'software');
  served.pair.faults.inject({ kind: 'software-manager-busy', device: 1 });
  await expect(call(1, 'download', '10.2.9')).rejects.toThrow(/software manager is currently in use/);
  await expect(call(1, 'op', 'show nonsense')).rejects.toThrow(/show -> nonsense {2}is unexpected/);
  await expect(call(1, 'install', '11.0.4')).rejects.toThrow();
});

test('upgrades a member: check, download to both, install, restart', async () => {
  expect(await call(1, 'software')).toMatchObject({ '10.2.3': true, '10.2.9': false, '11.0.0': false });
  expect(await call(1, 'content')).toContain('8799-8509');
  expect(await call(1, 'download', '10.2.9')).toMatchObject({ success: true });
  expect(await call(0, 'software')).toMatchObject({ '10.2.9': true });
  await call(1, 'op', 'request high-availability state suspend');
  expect(await call(1, 'install', '10.2.9')).toMatchObject({ success: true });
  await call(1, 'restart');
  await until(0, 'active');
  served.clock.advance(120_000);
  await until(1, 'passive');
  expect([await call(0, 'version'), await call(1, 'version')]).toEqual(['10.2.3', '10.2.9']);
  expect(await states()).toEqual([
    ['active', 'passive'],
    ['passive', 'active'],
  ]);
}, 120_000);
