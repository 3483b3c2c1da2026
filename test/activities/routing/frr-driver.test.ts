/** What the FRR driver does when FRR doesn't do as told; the lab shows the rest. */
import { driverFor } from '../../../activities/routing/drivers';
import { sudoRefused } from '../../../activities/ssh/sudo';
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

test('FRR 10, whose configuration somebody else has locked (findings, case 14): nothing was taken, and who it is can be seen', async () => {
  const host = fakeRouter(/^(route-map|no set|set|exit)/);
  host.said = '% could not lock candidate DS\n';
  const driver = driverFor('border', spec, host);
  const change = driver.plan({ kind: 'prefer', node: 'fw2' }, await driver.config());
  host.ran.length = 0;
  await expect(driver.shift(change, { revertAfterMs: 1 })).rejects.toMatchObject({
    type: 'VerifyFailed',
    message: expect.stringMatching(
      /could not lock candidate DS.* is there still, and nothing took effect\. Next: .*show mgmt datastore all/s,
    ),
  });
  // Nothing had to be put back: what FRR didn't take isn't sent twice.
  expect(host.ran.flat().filter((c) => c === 'configure terminal')).toHaveLength(1);
});

test('what was there before can’t be put back, either: that is said', async () => {
  const host = fakeRouter(/as-path prepend 65200|no set local-preference/);
  const driver = driverFor('border', spec, host);
  const change = driver.plan({ kind: 'prefer', node: 'fw2' }, await driver.config());
  await expect(driver.shift(change, { revertAfterMs: 1 })).rejects.toThrow(
    /Putting back what was there before failed, too; it lacks  route-map FROM-FW1 permit 10\n- set local-preference 100\. Nothing took effect/,
  );
  expect(host.ran.flat().filter((c) => c.startsWith('clear'))).toEqual([]);
});

describe('what is saved', () => {
  const sudo = { ...spec, access: 'sudo' } as RouterSpec;
  const PER_DAEMON = 'no service integrated-vtysh-config\n';
  const unsavedWith = async (saved: Record<string, string | Error>, more = ''): Promise<boolean | undefined> => {
    const host = fakeRouter(/^$/);
    host.config = more + host.config;
    host.saved = saved;
    return (await driverFor('border', sudo, host).config()).unsaved;
  };
  const same = fakeRouter(/^$/).config;
  const other = same.replace(
    'route-map FROM-FW1 permit 10\n',
    'route-map FROM-FW1 permit 10\n set local-preference 90\n',
  );

  test('one file for all, or one for each daemon with an old frr.conf beside them (findings, case 11)', async () => {
    expect(await unsavedWith({ '/etc/frr/frr.conf': same })).toBe(false);
    expect(await unsavedWith({ '/etc/frr/frr.conf': other })).toBe(true);
    expect(await unsavedWith({ '/etc/frr/frr.conf': other, '/etc/frr/bgpd.conf': same }, PER_DAEMON)).toBe(false);
    expect(await unsavedWith({ '/etc/frr/frr.conf': same, '/etc/frr/bgpd.conf': other }, PER_DAEMON)).toBe(true);
    expect(await unsavedWith({ '/etc/frr/frr.conf': other }, PER_DAEMON)).toBeUndefined();
  });

  test('owned values alone decide', async () => {
    expect(
      await unsavedWith({ '/etc/frr/frr.conf': same.replaceAll(' set metric 1\n', ' description by hand\n') }),
    ).toBe(false);
    expect(await unsavedWith({ '/etc/frr/frr.conf': same.replace('FROM-FW1 permit', 'FROM-FW1 deny') })).toBe(true);
  });

  test('a sudoers file of an older build has no rule for bgpd.conf: it can’t be told, and nothing fails', async () => {
    const refused = sudoRefused('border', 'ops', 'cat /etc/frr/bgpd.conf', 'the command isn’t allowed', '');
    expect(await unsavedWith({ '/etc/frr/bgpd.conf': refused }, PER_DAEMON)).toBeUndefined();
    await expect(unsavedWith({ '/etc/frr/frr.conf': refused })).rejects.toMatchObject({ type: 'SudoRefused' });
    const driver = driverFor('border', sudo, fakeRouter(/^$/));
    expect(driver.sudoIfAllowed).toEqual([['/usr/bin/cat', '/etc/frr/bgpd.conf']]);
    expect(driver.sudo()).not.toContainEqual(['/usr/bin/cat', '/etc/frr/bgpd.conf']);
    expect(driverFor('border', spec, fakeRouter(/^$/)).sudoIfAllowed).toEqual([]);
  });

  test('saving is held against the file that was written', async () => {
    const host = fakeRouter(/^$/);
    host.config = PER_DAEMON + host.config;
    host.wrote = 'Configuration saved to /etc/frr/zebra.conf\nConfiguration saved to /etc/frr/bgpd.conf\n';
    host.saved = { '/etc/frr/frr.conf': other, '/etc/frr/bgpd.conf': same };
    await driverFor('border', sudo, host).persist();
    host.saved = { '/etc/frr/frr.conf': same, '/etc/frr/bgpd.conf': other };
    await expect(driverFor('border', sudo, host).persist()).rejects.toThrow(
      /says that it saved \(.*bgpd\.conf\), but what it reads at its next start holds another policy/s,
    );
  });
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
    const dotted = config.replace('router bgp 65100', 'router bgp 0.65100 vrf RED as-notation dot+');
    expect(shutIn(dotted, { ...node, vrf: 'RED' })).toEqual({ '10.0.1.1': 'hitless upgrade-a' });
    expect(shutIn(dotted, node)).toEqual({});
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
