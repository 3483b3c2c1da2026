/**
 * The workflow types that people start: one upgrade and one dry run per procedure; the default export ends a run of any
 * other type. `export *` takes no default along: who adds these to workflows of their own decides about theirs.
 */
export { upgradeFirewallPair, planFirewallPair } from './upgrade-firewall-pair';
export { upgradeXRoadCluster, planXRoadCluster } from './upgrade-xroad-cluster';
export { upgradePanosPair, planPanosPair } from './upgrade-panos-pair';
export { unknownType as default } from './unknown-type';
