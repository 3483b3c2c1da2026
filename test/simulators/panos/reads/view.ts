/** A view of a healthy serving device to vary, and a way to ask it. */
import { parseXml, type XmlElement } from '@rgrove/parse-xml';
import { freshFacts, readReply } from '../../../../simulators/panos/reads';
import type { DeviceView } from '../../../../simulators/panos/view';

const NOW = Date.UTC(2026, 10, 23, 9, 0, 0);

export function viewOf(changes: Partial<DeviceView> = {}): DeviceView {
  const haMode = changes.haMode ?? 'active-passive';
  const advancedRouting = changes.advancedRouting ?? false;
  return {
    name: 'fw-a',
    serial: '007951000000001',
    model: 'PA-3410',
    hostname: 'fw-a',
    managementAddress: '192.0.2.10',
    version: '10.2.3',
    contentVersion: '8700-8000',
    advancedRouting,
    haMode,
    haState: haMode === 'active-passive' ? 'active' : 'active-primary',
    serving: true,
    servingSince: NOW - 3_600_000,
    now: NOW,
    bootedAt: NOW - 86_400_000,
    jobs: [],
    hasPendingChanges: false,
    facts: freshFacts({ serial: '007951000000001', advancedRouting, haMode }),
    ...changes,
  };
}

/** The whole <result> element; undefined if the command isn't one of the reads. */
export function ask(view: DeviceView, command: string): XmlElement | undefined {
  const op = parseXml(command).root;
  const inner = op === null ? undefined : readReply(op, view);
  return inner === undefined ? undefined : (parseXml(`<result>${inner}</result>`).root ?? undefined);
}

/** Texts of all elements of a name, in document order. */
export function texts(element: XmlElement | undefined, name: string): string[] {
  const found: string[] = [];
  const visit = (at: XmlElement): void => {
    for (const child of at.children) {
      if (!('name' in child)) continue;
      const inner = child as XmlElement;
      if (inner.name === name) found.push(inner.text);
      visit(inner);
    }
  };
  if (element !== undefined) visit(element);
  return found;
}
