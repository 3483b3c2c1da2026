/**
 * What an active/active pair binds to a device ID or to the active-primary role: floating and shared addresses, NAT and PBF
 * rules. Source: facts/pan-os.md, sections 1 and 4.2 (c); the vendor's “NAT in Active/Active HA Mode” (the member that is
 * left ignores rules bound to the other device ID) and “Floating IP Address and Virtual MAC Address”. The places of virtual
 * addresses in the configuration are inferences; the binding of rules is where public clients write it.
 */
import { at, childrenOf, textAt, type XmlElement } from '../../api';
import type { Checks, Found } from '../check';
import { configOf, XPATHS } from '../read';
import { deviceId, inActiveActive } from './configured';

const IDS = ['0', '1'] as const;
const nameOf = (entry: XmlElement): string => entry.attributes['name'] ?? '?';

/** An address that the members share, as one of them has it configured. */
export interface VirtualAddress {
  readonly address: string;
  readonly interface: string;
  /** `shared`: ARP load sharing, both answer for it. */
  readonly kind: 'floating' | 'active-primary' | 'shared';
  /** Of a floating one, by device ID; the lower one owns it. */
  readonly priorities: readonly (string | undefined)[];
}

function virtualAddress(entry: XmlElement, on: string): VirtualAddress {
  const floating = at(entry, 'floating');
  const primary = childrenOf(floating).some(({ name, text }) => /active-primary/.test(name) && text.trim() !== 'no');
  return {
    address: nameOf(entry),
    interface: on,
    kind: floating === undefined ? 'shared' : primary ? 'active-primary' : 'floating',
    priorities: IDS.map((id) => textAt(floating, `device-priority/device-${id}`)),
  };
}

/** Of a member's HA configuration; before 8.1 the group was an entry by its ID. Pure, as all that follow. */
export function virtualAddresses(ha: XmlElement | undefined): VirtualAddress[] {
  const mode = at(ha, 'group/mode/active-active') ?? at(ha, 'group/entry/mode/active-active');
  return childrenOf(at(mode, 'virtual-address'), 'entry').flatMap((on) =>
    ['ip', 'ipv6'].flatMap((family) =>
      childrenOf(at(on, family), 'entry').map((entry) => virtualAddress(entry, nameOf(on))),
    ),
  );
}

const settingOf = ({ kind, priorities }: VirtualAddress): string =>
  kind === 'floating'
    ? IDS.map((id, i) => `priority ${priorities[i] ?? 'not set'} for device ID ${id}`).join(', ')
    : kind;

/** One that both members have, with a priority for each, moves to the other by itself: no fault. */
export function addressFaults(
  members: readonly { readonly name: string; readonly addresses: readonly VirtualAddress[] }[],
): Found[] {
  const keyOf = (one: VirtualAddress): string => `${one.address} on ${one.interface}`;
  const keys = [...new Set(members.flatMap(({ addresses }) => addresses.map(keyOf)))];
  const faults = keys.flatMap((key): Found[] => {
    const owners = members.flatMap(({ name, addresses }) =>
      addresses.filter((one) => keyOf(one) === key).map((one) => ({ name, one })),
    );
    const [first] = owners;
    if (first === undefined) return [];
    if (owners.length < members.length)
      return [
        {
          what: `virtual address ${key} is configured on ${owners.map(({ name }) => name).join(', ')} only: the other member can’t take it over`,
          next: 'configure it on both members, or waive its loss while that member is suspended',
        },
      ];
    if (new Set(owners.map(({ one }) => settingOf(one))).size > 1)
      return [
        {
          what: `virtual address ${key} isn’t set alike: ${owners.map(({ name, one }) => `${name}: ${settingOf(one)}`).join('; ')}`,
          next: 'set it alike on both members: they must agree on which of them has it',
        },
      ];
    const without = IDS.filter((_, i) => first.one.priorities[i] === undefined);
    return first.one.kind !== 'floating' || without.length === 0
      ? []
      : [
          {
            what: `floating address ${key} has no priority for device ID ${without.join(' and ')}: nothing says that it moves there`,
            next: 'set a priority for both device IDs, or waive its loss while the other is suspended',
          },
        ];
  });
  const following = new Set(
    members
      .flatMap(({ addresses }) => addresses)
      .filter(isOfPrimary)
      .map(keyOf),
  );
  return following.size === 0 ? faults : [...faults, movesWithRole(`floating addresses ${[...following].join(', ')}`)];
}

const isOfPrimary = ({ kind }: VirtualAddress): boolean => kind === 'active-primary';

const movesWithRole = (what: string): Found => ({
  what: `bound to active-primary: ${what}; they move to the other member with that role`,
  next: 'see that the other member can do this too, and move the role back afterwards if it can’t for good, or waive this by name',
});

/** A rule that only sessions of one device, or of one role, match. */
export interface BoundRule {
  readonly kind: 'NAT' | 'PBF';
  readonly vsys: string;
  readonly name: string;
  /** `0`, `1`, `primary` or `both`. */
  readonly binding: string;
  /** What it matches, to compare with others. */
  readonly match: string;
}

const MATCHED = [
  ...['from', 'to', 'to-interface', 'source', 'source-user', 'destination', 'service', 'application', 'schedule'],
  ...['nat-type', 'negate-source', 'negate-destination'],
];
/** Values that say no more than a missing element does. */
const UNSET = ['', 'any', 'ipv4', 'no'];

/** Texts below an element, in any order. */
const leavesOf = (element: XmlElement | undefined): string[] =>
  element === undefined
    ? []
    : childrenOf(element).length === 0
      ? [element.text.trim()]
      : childrenOf(element)
          .flatMap((child) => leavesOf(child).map((text) => `${child.name} ${text}`))
          .sort();

const matchOf = (rule: XmlElement): string =>
  JSON.stringify(
    MATCHED.map((name) => leavesOf(at(rule, name)).filter((text) => !UNSET.includes(text.replace(/^member /, '')))),
  );

/** Enabled rules with a binding, of all virtual systems. */
export const boundRules = (vsys: XmlElement | undefined): BoundRule[] =>
  childrenOf(vsys, 'entry').flatMap((system) =>
    (['NAT', 'PBF'] as const).flatMap((kind) =>
      childrenOf(at(system, `rulebase/${kind.toLowerCase()}/rules`), 'entry')
        .filter((rule) => textAt(rule, 'disabled') !== 'yes')
        .flatMap((rule) => {
          const binding = textAt(rule, 'active-active-device-binding') ?? '';
          return binding === ''
            ? []
            : [{ kind, vsys: nameOf(system), name: nameOf(rule), binding, match: matchOf(rule) }];
        }),
    ),
  );

const listed = (rules: readonly BoundRule[]): string => rules.map(({ name, vsys }) => `${name} (${vsys})`).join(', ');

/** A rule of one device is no fault where one of the other device matches the same. `names`: members by device ID. */
export function ruleFaults(rules: readonly BoundRule[], names: readonly (string | undefined)[]): Found[] {
  return (['NAT', 'PBF'] as const).flatMap((kind): Found[] => {
    const of = rules.filter((rule) => rule.kind === kind);
    const alone = IDS.flatMap((id, i): Found[] => {
      const other = IDS[1 - i] ?? id;
      const left = of.filter(
        (rule) =>
          rule.binding === id &&
          !of.some(
            ({ binding, vsys, match }) =>
              [other, 'both', 'primary'].includes(binding) && vsys === rule.vsys && match === rule.match,
          ),
      );
      const device = names[i] === undefined ? '' : ` (${names[i]})`;
      return left.length === 0
        ? []
        : [
            {
              what: `${kind} rules of device ID ${id}${device} alone: ${listed(left)}; while it is suspended, new sessions match none of them`,
              next: `add rules for device ID ${other} that match the same, or waive this by name`,
            },
          ];
    });
    const following = of.filter(({ binding }) => binding === 'primary');
    return following.length === 0 ? alone : [...alone, movesWithRole(`${kind} rules ${listed(following)}`)];
  });
}

export const bindingChecks = {
  device_id_bindings: {
    async both(members) {
      if (!(await Promise.all(members.map(inActiveActive))).some(Boolean)) return [];
      const read = await Promise.all(
        members.map(async (reader) => ({
          name: reader.name,
          id: await deviceId(reader),
          addresses: virtualAddresses(await configOf(reader, XPATHS.ha)),
          rules: boundRules(await configOf(reader, XPATHS.vsys)),
        })),
      );
      // The members share their rules: each is told of once.
      const rules = new Map(read.flatMap((member) => member.rules.map((rule) => [JSON.stringify(rule), rule])));
      const names = IDS.map((id) => read.find((member) => member.id === Number(id))?.name);
      return [...addressFaults(read), ...ruleFaults([...rules.values()], names)];
    },
  },
} satisfies Partial<Checks>;
