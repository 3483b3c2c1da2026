import { knownTypes, unknownTypeMessage } from '../../workflows/unknown-type';

it.each([
  ['upgradePanOSPair', 'upgradePanosPair'],
  ['UpgradeFirewallPair', 'upgradeFirewallPair'],
  ['upgrade-x-road-cluster', 'upgradeXRoadCluster'],
  ['planPanosPairs', 'planPanosPair'],
])('%s was meant to be %s', (typed, meant) => {
  expect(unknownTypeMessage(typed)).toContain(`there is no workflow type "${typed}" here; did you mean ${meant}?`);
});

it('what resembles none gets the list, and no more of it than fits', () => {
  const message = unknownTypeMessage('x'.repeat(10_000));
  expect(message).not.toContain('did you mean');
  for (const type of knownTypes) expect(message).toContain(type);
  expect(message).toContain('upgrade-<cluster>');
  expect(message.length).toBeLessThan(700);
});
