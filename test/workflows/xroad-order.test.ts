/** The recorded list of the X-Road procedure, beside the guide: order is what keeps old code from new schemas. */
import { record } from '../../workflows/procedure';
import { xroadCluster, type XRoadClusterPlan } from '../../workflows/upgrade-xroad-cluster';
import { clusterPlan } from '../support/cluster-run';

const plan = clusterPlan;

const listOf = async (p: XRoadClusterPlan): Promise<string[]> =>
  (await record(xroadCluster, p)).map((item) => {
    const { node } = (item.input ?? {}) as { node?: string };
    return [item.kind === 'step' || item.kind === 'check' ? item.action : item.kind, node].filter(Boolean).join(' ');
  });

const secondary = (node: string): string[] => [
  `loadBalancer.takeOut ${node}`,
  `xroad.maintenanceOn ${node}`,
  `xroad.drained ${node}`,
  `xroad.stopServices ${node}`,
  `xroad.forbidStart ${node}`,
  `xroad.resumeReplay ${node}`,
  `xroad.upgradePackages ${node}`,
  `xroad.upgraded ${node}`,
  `xroad.resumeSync ${node}`,
  `xroad.syncNow ${node}`,
  `xroad.allowStart ${node}`,
  `xroad.startServices ${node}`,
  `xroad.tokensActive ${node}`,
  `xroad.healthy ${node}`,
  `xroad.maintenanceOff ${node}`,
  `loadBalancer.putBack ${node}`,
  'watch',
  'wait',
];

it('goes through the rolling upgrade in the order of the guide’s chapter 7', async () => {
  expect(await listOf(plan())).toEqual([
    ...['xroad.ready', 'packages.stage', 'probes.baseline', 'gate'],
    ...['xroad.pauseReplay ss2', 'xroad.pauseSync ss2', 'xroad.pauseReplay ss3', 'xroad.pauseSync ss3'],
    ...['guard', 'xroad.paused'],
    ...['loadBalancer.takeOut ss1', 'xroad.maintenanceOn ss1', 'xroad.drained ss1', 'xroad.stopServices ss1'],
    ...['xroad.forbidStart ss1', 'xroad.paused', 'no-return', 'xroad.upgradePackages ss1', 'xroad.upgraded ss1'],
    ...['xroad.allowStart ss1', 'xroad.startServices ss1', 'xroad.tokensActive ss1', 'xroad.healthy ss1'],
    ...[
      'xroad.maintenanceOff ss1',
      'loadBalancer.putBack ss1',
      'xroad.walPosition',
      'watch',
      'wait',
      'gate',
      'watch-end',
    ],
    ...secondary('ss2'),
    ...['gate', 'watch-end'],
    ...secondary('ss3'),
    ...['watch-end', 'guard-end', 'xroad.finalCheck', 'probes.final'],
  ]);
});

it('leaves out what the plan doesn’t use, and restarts nodes where it says so', async () => {
  const { xroad, software } = plan();
  const alone = await listOf(plan({ xroad: { ...xroad, outOfService: 'maintenance' } }));
  expect(alone.filter((item) => item.startsWith('loadBalancer'))).toEqual([]);
  const rebooting = await listOf(plan({ software: { ...software, reboot: true } }));
  expect(rebooting.filter((item) => item.startsWith('packages.restart'))).toEqual([
    'packages.restart ss1',
    'packages.restart ss2',
    'packages.restart ss3',
  ]);
});

it('stops everything before anything is upgraded in the offline form, the primary first', async () => {
  const list = await listOf(plan({ mode: 'offline' }));
  const firstPackage = list.indexOf('xroad.upgradePackages ss1');
  for (const node of ['ss1', 'ss2', 'ss3']) {
    expect(list.indexOf(`xroad.stopServices ${node}`)).toBeLessThan(list.indexOf('no-return'));
    expect(list.indexOf(`xroad.startServices ${node}`)).toBeGreaterThan(list.lastIndexOf('xroad.upgradePackages ss3'));
  }
  expect(list.indexOf('no-return')).toBe(firstPackage - 1);
  expect(list.filter((item) => item.startsWith('xroad.pause'))).toEqual([]);
});
