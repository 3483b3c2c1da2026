/**
 * What a simulated PAN-OS device answers to read-only operational commands, but for those of HA state, system info, jobs,
 * software, content and configuration. Shapes are those that public clients parse (facts §6, §7, §10). Without a
 * complete public sample, so extrapolated: HA's `interface`, `path-monitoring` and `transitions`, the device
 * certificate's status, chassis slots, BGP summaries and peer groups, and BGP states of a member that doesn't serve.
 */
import type { XmlElement } from '@rgrove/parse-xml';
import type { DeviceView } from '../view';
import { commandPath, type Command } from './command';
import { network } from './network';
import { advancedRouting } from './routing-advanced';
import { legacyRouting } from './routing-legacy';
import { services } from './services';
import { system } from './system';
import { traffic } from './traffic';

export { ApiError } from './api-error';
export { freshFacts, type DeviceFacts, type FactsOptions } from './facts';
export { CERTIFICATES } from './certificates';
export { certificateEntries, updateScheduleElement } from './configured';

const commands = new Map<string, Command>(
  Object.entries({ ...system, ...network, ...traffic, ...services, ...legacyRouting, ...advancedRouting }),
);

/**
 * Inner XML of <result> of an operational command, by its root element; undefined if it isn't one of these.
 * @throws ApiError for an answer with status="error"
 */
export function readReply(op: XmlElement, view: DeviceView): string | undefined {
  const { path, argument } = commandPath(op);
  return commands.get(path)?.(view, argument);
}
