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

describe('docs/inventory.x-road.example.yaml', () => {
  const xroad = join(__dirname, '../../../docs/inventory.x-road.example.yaml');
  const start = { cluster: 'ss-prod', version: '7.8.0', requestedBy: 'dave' };

  it('resolves, with the hosts of its load balancers and probes', () => {
    const plan = resolvePlan(loadInventory(xroad), start);
    expect(plan).toMatchObject({ procedure: 'x-road-cluster', mode: 'rolling' });
    expect(Object.keys(plan.hosts)).toEqual(['lb', 'office', 'ss1', 'ss2', 'ss3']);
    expect(resolvePlan(loadInventory(xroad), { ...start, mode: 'offline' })).toMatchObject({ mode: 'offline' });
  });

  it('has a mode; a firewall pair has none', () => {
    const pair = { cluster: 'fw-dc1', version: '2.0', requestedBy: 'dave', mode: 'offline' as const };
    expect(() => resolvePlan(loadInventory(example), pair)).toThrow(/mode: is for X-Road clusters only/);
  });
});

describe('docs/inventory.panos.example.yaml', () => {
  const panos = join(__dirname, '../../../docs/inventory.panos.example.yaml');
  const start = { cluster: 'pa-edge', version: '10.2.9-h4', requestedBy: 'dave' };

  it('resolves, with the hosts of its probes alone', () => {
    const plan = resolvePlan(loadInventory(panos), start);
    expect(plan).toMatchObject({ procedure: 'panos-pair', version: '10.2.9-h4' });
    expect(Object.keys(plan.hosts)).toEqual(['office']);
  });

  it('takes any release of PAN-OS, and nothing else', () => {
    expect(() => resolvePlan(loadInventory(panos), { ...start, version: '10.2' })).toThrow(
      /version: "10.2" is no release of PAN-OS/,
    );
  });
});
