/**
 * The lab: real Debian hosts, routers and firewalls in network namespaces of one machine.
 * `host/` boots hosts of any kind, `repo/` makes packages for them, `firewall-pair/` and `xroad/` are arrangements of them.
 */
export { run, check, waitFor, CommandError, type CommandResult, type Progress } from './host/command';
export { labUnavailable, missingPackages } from './host/machine';
export { ensureImage, type ImageRecipe } from './host/image';
export { Lab, openLabs, reapOrphans, startLab, type LabOptions, type LabSpec } from './host/lab';
export { LabHost } from './host/lab-host';
export { remainsOf, takeDown, type Remains } from './host/takedown';
export { PackageRepository } from './repo/repository';
export { faultyReleases, firewallPackages, releases } from './repo/releases';
export { ports, type FirewallPairOptions } from './firewall-pair/options';
export type { DescribedHost, DescribedNeighbor, FirewallPairDescription } from './firewall-pair/description';
export { bgpPrefix, bgpSummary, choiceOf } from './firewall-pair/routing';
export { FirewallPairLab, openFirewallPairLabs, startFirewallPairLab } from './firewall-pair/start';
export type { TrafficOptions, TrafficReport } from './traffic/protocol';
export { Traffic } from './traffic/start';
export { establishedFlows, installRelease, moveTraffic, reseed, settleAfterMove } from './firewall-pair/by-hand';
export type { XRoadOptions } from './xroad/options';
export type { XRoadDescription, XRoadHost } from './xroad/description';
export type { ServerState } from './xroad/haproxy';
export { releases as xroadReleases, type XRoadRelease } from './xroad/packages';
export { openXRoadLabs, startXRoadLab, XRoadLab, type HealthReply } from './xroad/start';
export type { MessageOptions, MessageReport } from './xroad/traffic/protocol';
export { observe, type Observation } from './xroad/observer';
export { aptInstall } from './xroad/by-hand';
