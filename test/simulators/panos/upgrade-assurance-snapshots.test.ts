/**
 * Palo Alto Networks' own snapshots and their comparison (panos-upgrade-assurance 2.1.1 from PyPI) against the simulated pair, over
 * TLS. Its quirks are in facts/pan-os.md, section 6.
 */
import { all, assurance, SNAPSHOTS, statuses, type Snapshots } from './python/assurance';

const { ask, pair, take } = assurance();

describe('snapshots', () => {
  const compare = (left: Snapshots, right: Snapshots, reports: readonly unknown[]) =>
    ask<Record<string, { passed: boolean }>>({ do: 'compare', left, right, reports });

  test('of the legacy engine, and only of it', async () => {
    const served = await pair();
    const taken = [...SNAPSHOTS.common, ...SNAPSHOTS.legacy];
    const results = await take(served, [...taken, ...SNAPSHOTS.advanced]);
    expect(statuses(results)).toEqual({
      ...all(taken, 'SUCCESS'),
      are_fib_routes: expect.stringContaining('show -> advanced-routing  is unexpected'),
      are_routes: expect.stringContaining('show -> advanced-routing  is unexpected'),
    });
    expect(Object.keys(results['bgp_peers']!.snapshot!)).toEqual(['default_uplinks_isp-a', 'default_uplinks_isp-b']);
    expect(Object.keys(results['fib_routes']!.snapshot!)).toHaveLength(6);
    const mtu = await take(served, [{ mtu: { include_subinterfaces: true } }]);
    expect(mtu['mtu']!.snapshot).toMatchObject({
      'ethernet1/1': { mtu: 1_500 },
      'ethernet1/3.20': { mtu: 1_400 },
      'ha1-a': { mtu: null },
    });
  });

  test('of the advanced engine, and only of it', async () => {
    const taken = [...SNAPSHOTS.common, ...SNAPSHOTS.advanced];
    const results = await take(await pair({ advancedRouting: true }), [...taken, ...SNAPSHOTS.legacy]);
    const deprecated = expect.stringContaining('Command deprecated in Advanced Routing Mode.') as string;
    expect(statuses(results)).toEqual({ ...all(taken, 'SUCCESS'), ...all(SNAPSHOTS.legacy, deprecated) });
    expect(Object.keys(results['are_routes']!.snapshot!)).toEqual(['lr-default']);
  });

  test.each([false, true])('are the same after a failover, advanced routing %s', async (advancedRouting) => {
    const served = await pair({ advancedRouting });
    const names = [...SNAPSHOTS.common, ...(advancedRouting ? SNAPSHOTS.advanced : SNAPSHOTS.legacy)];
    const before = await take(served, names);
    served.pair.ha.suspend(0);
    served.clock.advance(60_000);
    const after = await take(served, names, 1);
    // What differs between devices, and with time.
    const but: Record<string, object> = {
      license: { properties: ['!serial'] },
      bgp_peers: { properties: ['status'] },
      are_routes: { properties: ['!uptime'] },
      session_stats: { thresholds: [{ 'num-active': 10 }, { 'num-max': 0 }] },
    };
    const reports = names.map((name) => (but[name] === undefined ? name : { [name]: but[name] }));
    const report = await compare(before, after, reports);
    expect(Object.fromEntries(Object.entries(report).map(([name, { passed }]) => [name, passed]))).toEqual(
      Object.fromEntries(names.map((name) => [name, true])),
    );
  });

  test('differ where something was lost', async () => {
    const served = await pair();
    const names = ['bgp_peers', 'nics', 'routes', 'session_stats'];
    const before = await take(served, names);
    const { facts } = served.pair.devices[0];
    facts.interfaces[1]!.state = 'down';
    facts.sessions.active = 600;
    const after = await take(served, names);
    const report = await compare(before, after, [
      { bgp_peers: { properties: ['status'] } },
      'nics',
      'routes',
      { session_stats: { thresholds: [{ 'num-active': 40 }] } },
    ]);
    expect(Object.values(report).map(({ passed }) => passed)).toEqual([false, false, false, false]);
    expect(report['nics']).toMatchObject({
      changed: { changed_raw: { 'ethernet1/2': { left_snap: 'up', right_snap: 'down' } } },
    });
  });
});
