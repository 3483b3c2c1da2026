import { join } from 'node:path';
import { loadInventory, resolvePlan } from '../../../worker/inventory';

const example = join(__dirname, '../../../docs/inventory.example.yaml');

describe('docs/inventory.example.yaml', () => {
  it('is valid', () => {
    const inventory = loadInventory(example);
    expect(Object.keys(inventory.clusters)).toEqual(['fw-dc1']);
    expect(inventory.taskQueue).toBe('hitless');
  });
  it('resolves', () => {
    const plan = resolvePlan(loadInventory(example), { cluster: 'fw-dc1', version: '2.0', requestedBy: 'dave' });
    expect(plan.hosts).toHaveProperty('bastion');
  });
});
