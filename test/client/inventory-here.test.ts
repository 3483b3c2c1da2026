import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inventoryDifference, inventoryHere, routingOf } from '../../client/inventory-here';
import { parseInventory, resolvePlan } from '../../worker/inventory';

const example = readFileSync(join(__dirname, '../../docs/inventory.example.yaml'), 'utf8');
const plan = resolvePlan(parseInventory(example), { cluster: 'fw-dc1', version: '2.0', requestedBy: 'dave' });

describe('an inventory at hand', () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  const write = (text: string): void => writeFileSync(env['HITLESS_INVENTORY']!, text, { mode: 0o644 });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitless-inventory-'));
    env = { HITLESS_INVENTORY: join(folder, 'inventory.yaml') };
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('isn’t needed', () => {
    expect(inventoryHere(env)).toBeUndefined();
    expect(routingOf('fw-dc1', env, {})).toEqual({});
    expect(inventoryDifference('fw-dc1', plan, env)).toBeUndefined();
  });

  it('tells kind and task queue, unless they are said', () => {
    write(example.replace('taskQueue: hitless', 'taskQueue: ours'));
    expect(routingOf('fw-dc1', env, {})).toEqual({ kind: 'firewall-pair', taskQueue: 'ours' });
    expect(routingOf('other', env, { taskQueue: 'mine' })).toEqual({ taskQueue: 'mine' });
  });

  it('tells that it differs from what a run was started with', () => {
    write(example);
    expect(inventoryDifference('fw-dc1', plan, env)).toBeUndefined();
    write(example.replace('address: 192.0.2.12', 'address: 192.0.2.13'));
    expect(inventoryDifference('fw-dc1', plan, env)).toContain('differs from what this run was started with');
    write(example.replace('  fw-dc1:\n', '  fw-dc9:\n'));
    expect(inventoryDifference('fw-dc1', plan, env)).toContain('has no cluster fw-dc1 any more');
    expect(inventoryDifference('fw-dc1', {}, env)).toBeUndefined();
  });

  it('that is broken doesn’t keep a client from asking the worker', () => {
    write('{');
    expect(routingOf('fw-dc1', env, {})).toEqual({});
    expect(() => inventoryHere(env, env['HITLESS_INVENTORY'])).toThrow('not valid YAML');
  });
});
