/** What the FRR driver does when FRR doesn't do as told; the lab shows the rest. */
import { driverFor } from '../../../activities/routing/drivers';
import { frrSessions, shutIn, shutLines } from '../../../activities/routing/frr/sessions';
import type { RouterSpec } from '../../../activities/routing/spec';
import { fakeRouter } from './fake-router';

const spec = {
  host: 'border',
  platform: 'frr',
  side: 'inside',
  access: 'group',
  vrf: 'RED',
  families: {
    'ipv4 unicast': { destinations: ['0.0.0.0/0'], paths: { fw1: { neighbor: '10.0.3.1', nextHops: [] } } },
    'ipv6 unicast': { destinations: ['::/0'], paths: { fw1: { neighbor: 'FD00::1', nextHops: [] } } },
  },
  policy: {
    localAs: 65200,
    routeMaps: { fw1: { in: [{ name: 'FROM-FW1', sequence: 10 }], out: [{ name: 'TO-FW1', sequence: 10 }] } },
    preferred: { localPreference: 110, prepend: 0 },
    other: { localPreference: 100, prepend: 2 },
    inboundAfterMs: 0,
  },
} as RouterSpec;

test('one soft clear per family and neighbor, in the VRF, outbound first; nobody else’s neighbors', async () => {
  const host = fakeRouter(/^$/);
  const driver = driverFor('border', spec, host);
  await driver.shift(driver.plan({ kind: 'prefer', node: 'fw2' }, await driver.config()), { revertAfterMs: 1 });
  expect(host.ran.at(-1)).toEqual([
    'clear bgp vrf RED ipv4 unicast 10.0.3.1 soft out',
    'clear bgp vrf RED ipv6 unicast fd00::1 soft out',
    'clear bgp vrf RED ipv4 unicast 10.0.3.1 soft in',
    'clear bgp vrf RED ipv6 unicast fd00::1 soft in',
  ]);
  expect(host.config).toContain('set metric 1\n set local-preference 100');
});

test('a value that FRR refuses with exit code 0: noticed by reading back, put back, never made effective', async () => {
  const host = fakeRouter(/as-path prepend 65200/);
  const before = host.config;
  const driver = driverFor('border', spec, host);
  const change = driver.plan({ kind: 'prefer', node: 'fw2' }, await driver.config());
  await expect(driver.shift(change, { revertAfterMs: 1 })).rejects.toMatchObject({
    type: 'VerifyFailed',
    message: expect.stringMatching(
      /malformed[\s\S]*\+ set as-path prepend 65200 65200[\s\S]*was put back, and nothing took effect/,
    ),
  });
  expect(host.config).toBe(before);
  expect(host.ran.flat().filter((c) => c.startsWith('clear'))).toEqual([]);
});

test('saving that saves nothing is noticed', async () => {
  await expect(driverFor('border', spec, fakeRouter(/^$/)).persist()).rejects.toMatchObject({ type: 'VerifyFailed' });
});

test('an error in place of an answer is quoted', async () => {
  const driver = driverFor('border', spec, fakeRouter(/summary/));
  await expect(driver.read()).rejects.toThrow(/border: vtysh answered with something else.*malformed/);
});

describe('sessions of a node', () => {
  const node = { localAs: 65100, access: 'sudo' as const, neighbors: ['10.0.1.1', 'FD00::2'] };
  const config =
    'router bgp 65100\n neighbor 10.0.1.1 shutdown message hitless upgrade-a\n neighbor fd00::2 remote-as 1\n neighbor 10.9.9.9 shutdown\nexit\n';
  test('read, and written as one change', () => {
    expect(shutIn(config, node)).toEqual({ '10.0.1.1': 'hitless upgrade-a' });
    expect(shutIn(config, { ...node, localAs: 65101 })).toEqual({});
    expect(shutLines(node, { 'fd00::2': 'x y' })).toEqual([
      'router bgp 65100',
      'no neighbor 10.0.1.1 shutdown',
      'neighbor fd00::2 shutdown message x y',
      'exit',
    ]);
  });
  test('what FRR doesn’t take is noticed', async () => {
    await expect(frrSessions('fw1', node, fakeRouter(/neighbor/)).set({ '10.0.1.1': 'x' })).rejects.toMatchObject({
      type: 'VerifyFailed',
    });
  });
});
