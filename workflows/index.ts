/** The workflow types that people start: one upgrade and one dry run per procedure. */
export { upgradeFirewallPair, planFirewallPair } from './upgrade-firewall-pair';
export { upgradeXRoadCluster, planXRoadCluster } from './upgrade-xroad-cluster';
export { upgradePanosPair, planPanosPair } from './upgrade-panos-pair';
