/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return -- documents under test */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprint } from '../../activities/ssh/known-hosts';
import { loadInventory } from '../../worker/inventory';
import { sharedNodes, type NodesOfPlan } from '../../worker/shared-nodes';
import { example, faultsIn, faultsOf, written, type Tree } from './inventory/support';

const KEY_A = 'AAAAC3NzaC1lZDI1NTE5AAAAIH8TSpE2i0XBm2GZzv5mqI0b3u2v0e9y5n1m8rRk3XyQ';
const KEY_B = 'AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

interface HostEntry {
  address: string;
  port?: number;
  hostKeys?: string[];
  jump?: string;
  knownHosts?: string;
}
const plan = (nodes: Record<string, HostEntry>, others: Record<string, HostEntry> = {}): NodesOfPlan => ({
  nodes: Object.fromEntries(Object.keys(nodes).map((name) => [name, { host: `host-of-${name}` }])),
  hosts: Object.fromEntries([
    ...Object.entries(nodes).map(([name, host]) => [`host-of-${name}`, { port: 22, ...host }] as const),
    ...Object.entries(others).map(([name, host]) => [name, { port: 22, ...host }] as const),
  ]),
});
const found = (a: NodesOfPlan, b: NodesOfPlan) => sharedNodes(a, b).map(({ nodes, by }) => [...nodes, by]);

describe('two frozen plans', () => {
  test('share a node by its host key, whatever its name, address and comment', () => {
    const a = plan({ fw1: { address: '192.0.2.1', hostKeys: [`ssh-ed25519 ${KEY_A} root@fw1`] } });
    const b = plan({ other: { address: '10.0.0.1', hostKeys: [`ssh-ed25519 ${KEY_A}`] } });
    expect(found(a, b)).toEqual([['fw1', 'other', `the SSH host key ${fingerprint(KEY_A)}`]]);
  });

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['FW1.example.net', 'fw1.example.net.'],
    ['2001:db8::1', '2001:DB8:0:0::0001'],
  ])('share a node by its address: %s is %s', (one, other) => {
    expect(found(plan({ x: { address: one } }), plan({ y: { address: other } }))).toHaveLength(1);
  });

  test('share nothing by a port that is another, or an address behind another jump host', () => {
    const a = plan({ x: { address: '10.0.0.1', jump: 'j1' } }, { j1: { address: '192.0.2.1' } });
    const b = plan({ x: { address: '10.0.0.1', jump: 'j2' } }, { j2: { address: '192.0.2.2' } });
    expect(found(a, b)).toEqual([]);
    expect(found(a, a)).toHaveLength(1);
    expect(found(plan({ x: { address: '10.0.0.1' } }), plan({ x: { address: '10.0.0.1', port: 2222 } }))).toEqual([]);
  });

  test('may share routers, jump hosts and hosts that probe', () => {
    const shared = { router: { address: '192.0.2.9', hostKeys: [`ssh-ed25519 ${KEY_B}`] } };
    expect(found(plan({ x: { address: '10.0.0.1' } }, shared), plan({ y: { address: '10.0.0.2' } }, shared))).toEqual(
      [],
    );
  });

  const device = (address: string, serial?: string): NodesOfPlan => ({
    nodes: { pa: { address, port: 443 } },
    ...(serial === undefined ? {} : { found: { pa: { serial } } }),
  });
  test('share a device by its serial, or its address', () => {
    expect(found(device('192.0.2.1', '0011'), device('192.0.2.2', '0011'))).toEqual([['pa', 'pa', 'the serial 0011']]);
    expect(found(device('192.0.2.1'), device('192.0.2.1', '0012'))).toHaveLength(1);
    expect(found(device('192.0.2.1', '0011'), device('192.0.2.2', '0012'))).toEqual([]);
  });

  test('share a node by its machine ID', () => {
    const a = { ...plan({ x: { address: '10.0.0.1' } }), found: { x: { machineId: 'abc' } } };
    const b = { ...plan({ y: { address: '10.0.0.2' } }), found: { y: { machineId: 'abc' } } };
    expect(found(a, b)).toEqual([['x', 'y', 'the machine ID abc']]);
  });
});

describe('an inventory with two clusters', () => {
  const twice = (change: (second: Tree, tree: Tree) => void): Tree => {
    const tree = example();
    tree['clusters']['fw-dc2'] = structuredClone(tree['clusters']['fw-dc1']);
    tree['hosts'].fw3 = { ...tree['hosts'].fw1, address: '192.0.2.13' };
    delete tree['hosts'].fw3.hostKeys;
    tree['hosts'].fw4 = { ...tree['hosts'].fw2, address: '192.0.2.14' };
    tree['clusters']['fw-dc2'].nodes = { fw1: { host: 'fw3' }, fw2: { host: 'fw4' } };
    change(tree['clusters']['fw-dc2'], tree);
    return tree;
  };
  const faults = (tree: Tree) => faultsIn(written(tree)).map((f) => [f.path, f.what]);

  test('may have all but nodes in common', () => expect(faults(twice(() => undefined))).toEqual([]));

  test.each<[string, (second: Tree, tree: Tree) => void]>([
    ['the same entry under hosts', (second) => (second['nodes'].fw1.host = 'fw1')],
    ['another entry with its address', (_, tree) => (tree['hosts'].fw3.address = '192.0.2.11')],
    ['another entry with its key', (_, tree) => (tree['hosts'].fw3.hostKeys = tree['hosts'].fw1.hostKeys)],
  ])('but no node: %s', (_, change) => {
    expect(faults(twice(change))).toEqual([
      [
        'clusters.fw-dc2.nodes.fw1.host',
        expect.stringMatching(/^fw1 is the node fw1 of the cluster fw-dc1, by the (SSH host key SHA256:|address 192)/),
      ],
    ]);
  });

  test('by keys of a known_hosts file, as it lies on the worker', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hitless-known-'));
    try {
      const known = join(folder, 'known_hosts');
      writeFileSync(known, `192.0.2.12 ssh-ed25519 ${KEY_B}\n192.0.2.14 ssh-ed25519 ${KEY_B}\n`);
      // As ssh keeps them: hashed names say no less.
      execFileSync('ssh-keygen', ['-H', '-f', known], { stdio: 'ignore' });
      const tree = twice((_, { hosts }) => ['fw2', 'fw4'].forEach((name) => (hosts[name].knownHosts = known)));
      const file = join(folder, 'inventory.yaml');
      writeFileSync(file, written(tree), { mode: 0o644 });
      expect(faultsOf(() => loadInventory(file)).map((f) => [f.path, f.what])).toEqual([
        ['clusters.fw-dc2.nodes.fw2.host', expect.stringContaining(`by the SSH host key ${fingerprint(KEY_B)}`)],
      ]);
      writeFileSync(known, `192.0.2.12 ssh-ed25519 ${KEY_B}\n@cert-authority * ssh-ed25519 ${KEY_B}\n`);
      expect(faultsOf(() => loadInventory(file))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
