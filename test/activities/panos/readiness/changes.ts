/** What can be done to a simulated pair, and what a check then has to say. */
import type { Fault, PairOptions, SimulatedPair } from '../../../../simulators/panos';
import { fromXml, parseXpath } from '../../../../simulators/panos/config/tree';
import type { DeviceFacts } from '../../../../simulators/panos/reads';
import { parseRoot } from '../../../../simulators/panos/xml';
import { readinessChecksSpec, type CheckContext, type CheckName } from '../../../../activities/panos/readiness';

export const HEALTHY: PairOptions = { panorama: true, model: 'PA-3410' };
export const DEVICE = "/config/devices/entry[@name='localhost.localdomain']";
export const GROUP = `${DEVICE}/deviceconfig/high-availability/group`;
export const RULEBASE = `${DEVICE}/vsys/entry[@name='vsys1']/rulebase`;
export const VIRTUAL_ADDRESS = `${GROUP}/mode/active-active/virtual-address`;
/** A NAT rule for RULEBASE, with a translation of its own. */
export const nat = (name: string, binding: string, source = 'any'): string =>
  `<nat><rules><entry name="${name}"><from><member>trust</member></from><to><member>untrust</member></to><source><member>${source}</member></source><destination><member>any</member></destination><service>any</service><source-translation><static-ip><translated-address>${name}</translated-address></static-ip></source-translation><active-active-device-binding>${binding}</active-active-device-binding></entry></rules></nat>`;
/** 10.0.0.254 on ethernet1/3, for VIRTUAL_ADDRESS. */
export const virtualIp = (kind: string): string =>
  `<entry name="ethernet1/3"><ip><entry name="10.0.0.254">${kind}</entry></ip></entry>`;
export const ACTIVE_ACTIVE: PairOptions = { mode: 'active-active' };

export const context = (spec: object = {}, more: Partial<CheckContext> = {}): CheckContext => ({
  spec: readinessChecksSpec.parse(spec),
  images: ['10.2.9'],
  imported: false,
  content: 'latest',
  ...more,
});

/** What can be done to a pair. Facts are changed on the second member unless it says otherwise. */
export type Change = (pair: SimulatedPair) => void;

export const facts =
  (change: (facts: DeviceFacts, pair: SimulatedPair) => void, side: 0 | 1 = 1): Change =>
  (pair) =>
    change(pair.devices[side].facts, pair);

export const fault =
  (injected: Fault, thenMs = 0): Change =>
  (pair) => {
    pair.faults.inject(injected);
    pair.elapse(pair.now + thenMs);
  };

/** Merges an element into the running configuration of members, as if it had always been there. */
export const configured =
  (xpath: string, element: string, sides: readonly (0 | 1)[] = [0, 1]): Change =>
  (pair) => {
    for (const side of sides) {
      const { config } = pair.devices[side];
      config.set(xpath, parseXpath(xpath)!, [fromXml(parseRoot(element)!)], 'admin');
      config.adopt(config.candidate, undefined, pair.now);
    }
  };

export interface Case {
  readonly check: CheckName;
  readonly of: string;
  readonly change?: Change;
  readonly options?: PairOptions;
  readonly asked?: CheckContext;
  /** Other checks that find the same. */
  readonly also?: readonly CheckName[];
  /** Part of what is said. */
  readonly says: string;
}
