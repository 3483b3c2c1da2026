/**
 * Names that must fit together across sections. All of it works on the plain value of the file, so that a fault in one
 * section doesn't hide a wrong name in another.
 */
import { API_PORT } from '../../activities/panos/spec';
import { workflowTypes } from '../../workflows/contract';
import { nameFault, personKey } from '../../workflows/procedure/people';
import type { Path } from './faults';
import { valueAt } from './schema-faults';
import { closest } from '../../workflows/suggest';

/** A fault by path; its line is looked up by the caller. */
export interface ReferenceFault {
  readonly at: Path;
  readonly of?: 'key';
  readonly what: string;
  readonly next?: string;
}

type Pattern = readonly string[];

/** Where a cluster names a host; `*` is any key or index. */
const HOST_REFERENCES: readonly Pattern[] = [
  ['nodes', '*', 'host'],
  ['routing', 'routers', '*', 'host'],
  ['steering', 'routers', '*', 'host'],
  ['loadBalancer', 'instances', '*', 'host'],
  ['monitoring', 'probes', '*', 'from'],
];
/** What stands for the worker itself where a host may be named. */
const WORKER = 'worker';

/** Maps whose keys are nodes of the cluster: all of them, or some. */
const NODE_MAPS: readonly { readonly at: Pattern; readonly all: boolean }[] = [
  { at: ['routing', 'routers', '*', 'families', '*', 'paths'], all: true },
  { at: ['routing', 'routers', '*', 'policy', 'routeMaps'], all: false },
  { at: ['routing', 'steering', 'nodes'], all: true },
  { at: ['routing', 'traffic', 'counters'], all: false },
  { at: ['steering', 'routers', '*', 'families', '*', 'paths'], all: true },
  { at: ['steering', 'routers', '*', 'policy', 'routeMaps'], all: false },
  { at: ['steering', 'steering', 'nodes'], all: true },
  { at: ['steering', 'traffic', 'counters'], all: false },
  { at: ['parity', 'substitute'], all: false },
  { at: ['loadBalancer', 'servers'], all: false },
];

export function referenceFaults(inventory: unknown): ReferenceFault[] {
  const hosts = keysOf(valueAt(inventory, ['hosts']));
  const people = valueAt(inventory, ['people']);
  const clusters = valueAt(inventory, ['clusters']);
  return [
    ...jumpFaults(valueAt(inventory, ['hosts'])),
    ...twinPeople(keysOf(people)),
    ...keysOf(clusters).flatMap((name) => {
      const base = ['clusters', name];
      const cluster = valueAt(clusters, [name]);
      return [
        ...hostFaults(cluster, hosts),
        ...nodeFaults(cluster),
        ...probeFaults(cluster),
        ...deviceFaults(cluster),
        ...policyFaults(cluster, people === undefined ? undefined : keysOf(people)),
      ].map((fault) => ({ ...fault, at: [...base, ...fault.at] }));
    }),
  ];
}

/** Names of hosts that a cluster needs, jump hosts included. `cluster` and `hosts` may be parsed or plain. */
export function hostsOf(cluster: unknown, hosts: unknown): string[] {
  const named = HOST_REFERENCES.flatMap((pattern) => matches(cluster, pattern)).map(({ value }) => value);
  const found = new Set<string>();
  const add = (name: unknown): void => {
    if (typeof name !== 'string' || name === WORKER || found.has(name)) return;
    found.add(name);
    add(valueAt(hosts, [name, 'jump']));
  };
  named.forEach(add);
  return [...found].sort();
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const keysOf = (value: unknown): string[] => (isMap(value) ? Object.keys(value) : []);

/** Every value whose path fits the pattern. */
function matches(value: unknown, pattern: Pattern, path: Path = []): { path: Path; value: unknown }[] {
  const [head, ...rest] = pattern;
  if (head === undefined) return value === undefined ? [] : [{ path, value }];
  if (typeof value !== 'object' || value === null) return [];
  const parts: (string | number)[] =
    head !== '*' ? [head] : Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return parts.flatMap((part) => matches(valueAt(value, [part]), rest, [...path, part]));
}

const suggest = (name: string, known: readonly string[], what: string): string => {
  const meant = closest(name, known);
  return meant === undefined ? `${what}: ${known.join(', ') || 'none'}` : `did you mean ${meant}?`;
};

function hostFaults(cluster: unknown, hosts: readonly string[]): ReferenceFault[] {
  const faults = HOST_REFERENCES.flatMap((pattern) => matches(cluster, pattern)).flatMap(({ path, value }) => {
    const isWorker = path[0] === 'monitoring' && value === WORKER;
    if (typeof value !== 'string' || isWorker || hosts.includes(value)) return [];
    return [{ at: path, what: `there is no host ${value} under hosts`, next: suggest(value, hosts, 'hosts') }];
  });
  const nodes = matches(cluster, ['nodes', '*', 'host']);
  const twins = nodes.filter(({ value }, i) => nodes.findIndex((n) => n.value === value) < i);
  return [
    ...faults,
    ...twins.map(({ path, value }) => ({
      at: path,
      what: `${String(value)} is the host of another node already: the two would be upgraded at once`,
    })),
  ];
}

function nodeFaults(cluster: unknown): ReferenceFault[] {
  const nodes = keysOf(valueAt(cluster, ['nodes']));
  if (nodes.length === 0) return [];
  return NODE_MAPS.flatMap(({ at, all }) =>
    matches(cluster, at).flatMap(({ path, value }) => {
      const given = keysOf(value);
      const unknown = given
        .filter((name) => !nodes.includes(name))
        .map((name): ReferenceFault => ({
          at: [...path, name],
          of: 'key',
          what: `${name} is no node of this cluster`,
          next: suggest(name, nodes, 'nodes'),
        }));
      const missing = all && isMap(value) ? nodes.filter((name) => !given.includes(name)) : [];
      return [
        ...unknown,
        ...missing.map((name): ReferenceFault => ({ at: path, of: 'key', what: `${name} is missing` })),
      ];
    }),
  );
}

function probeFaults(cluster: unknown): ReferenceFault[] {
  const isPanos = valueAt(cluster, ['kind']) === 'panos-pair';
  // Of a PAN-OS pair the BGP sessions of its own devices are watched.
  const routers = keysOf(valueAt(cluster, isPanos ? ['nodes'] : ['routing', 'routers']));
  return matches(cluster, ['monitoring', 'probes', '*', 'router']).flatMap(({ path, value }) =>
    typeof value !== 'string' || routers.includes(value)
      ? []
      : [
          {
            at: path,
            what: `there is no ${isPanos ? `device ${value} under nodes` : `router ${value} under routing.routers`}`,
            next: suggest(value, routers, 'routers'),
          },
        ],
  );
}

/** One device under two names is no pair. What a device says of itself (its serial) is compared when it is read. */
function deviceFaults(cluster: unknown): ReferenceFault[] {
  if (valueAt(cluster, ['kind']) !== 'panos-pair') return [];
  const nodes = matches(cluster, ['nodes', '*', 'address']).map(({ path, value }) => {
    const node = String(path[1]);
    const port = valueAt(cluster, ['nodes', node, 'port']) ?? API_PORT;
    // What isn't a number is told by the schema.
    return { path, node, where: `${String(value).toLowerCase()} port ${typeof port === 'number' ? port : '?'}` };
  });
  return nodes.flatMap(({ path, node, where }, i) => {
    const other = nodes.slice(0, i).find((n) => n.where === where);
    return other === undefined
      ? []
      : [
          {
            at: path,
            what: `${node} is the same device as ${other.node}: ${where}`,
            next: 'give each its own address',
          },
        ];
  });
}

/** A question that can never be answered would stop the run for good. */
function policyFaults(cluster: unknown, people: readonly string[] | undefined): ReferenceFault[] {
  const policy = valueAt(cluster, ['policy']);
  const kind = valueAt(cluster, ['kind']);
  const gates = typeof kind === 'string' && kind in workflowTypes ? [['gates', '*']] : [];
  return [...gates, ['holds'], ['pause'], ['resume'], ['switchBack']].flatMap((pattern) =>
    matches(policy, pattern).flatMap(({ path, value }) => {
      const at = ['policy', ...path];
      const given = valueAt(value, ['from']);
      const count = valueAt(value, ['count']) ?? 1;
      if (!Array.isArray(given)) return [];
      const names: readonly unknown[] = given;
      const faults: ReferenceFault[] = names.flatMap((name, i): ReferenceFault[] => {
        // What is no name is told by the schema.
        if (typeof name !== 'string' || nameFault(name) !== undefined) return [];
        const same = names
          .slice(0, i)
          .find((other): other is string => typeof other === 'string' && personKey(other) === personKey(name));
        if (same !== undefined)
          return [{ at: [...at, 'from', i], what: same === name ? `${name} is named twice` : sameName(name, same) }];
        if (people === undefined || people.some((known) => personKey(known) === personKey(name))) return [];
        return [
          {
            at: [...at, 'from', i],
            what: `there is nobody called ${name} under people`,
            next: suggest(name, people, 'people'),
          },
        ];
      });
      const different = new Set(names.map((name) => (typeof name === 'string' ? personKey(name) : name))).size;
      if (typeof count === 'number' && count > different)
        faults.push({
          at: [...at, 'count'],
          what: `asks for ${count} different people, but "from" names only ${different}: nobody could ever answer`,
        });
      return faults;
    }),
  );
}

/** Case, spaces around it and the form of letters don't tell people apart. */
const sameName = (name: string, other: string): string => `${name} is the same name as ${other}: one person`;

const twinPeople = (people: readonly string[]): ReferenceFault[] =>
  people.flatMap((name, i) => {
    const same = people.slice(0, i).find((other) => personKey(other) === personKey(name));
    return same === undefined ? [] : [{ at: ['people', name], of: 'key', what: sameName(name, same) }];
  });

function jumpFaults(hosts: unknown): ReferenceFault[] {
  const names = keysOf(hosts);
  return names.flatMap((name): ReferenceFault[] => {
    const jump = valueAt(hosts, [name, 'jump']);
    if (typeof jump !== 'string') return [];
    const at = ['hosts', name, 'jump'];
    if (!names.includes(jump))
      return [{ at, what: `there is no host ${jump} under hosts`, next: suggest(jump, names, 'hosts') }];
    const seen = [name];
    for (let next: unknown = jump; typeof next === 'string'; next = valueAt(hosts, [next, 'jump'])) {
      if (seen.includes(next)) return [{ at, what: `jump hosts form a circle: ${[...seen, next].join(' → ')}` }];
      seen.push(next);
    }
    return [];
  });
}
