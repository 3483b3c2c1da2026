import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { hostsSpec } from '../../../activities/ssh/spec';
import { routingSpec } from '../../../activities/routing/spec';
import { monitoringSpec } from '../../../activities/probes/spec';
import { canonicalJson, planDigest } from '../../../worker/digest';
import {
  inventoryDigestOf,
  parseInventory,
  resolvePlan,
  type Inventory,
  type ResolvedFirewallPair,
} from '../../../worker/inventory';

const example = readFileSync(join(__dirname, '../../../docs/inventory.example.yaml'), 'utf8');
const inventory = parseInventory(example);
const start = { cluster: 'fw-dc1', version: '2.0', requestedBy: 'dave' };

function refusal(work: () => unknown): ApplicationFailure {
  try {
    work();
  } catch (error) {
    if (error instanceof ApplicationFailure) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('resolvePlan', () => {
  const plan = resolvePlan(inventory, start) as ResolvedFirewallPair;

  it('takes the cluster’s hosts and the jump hosts on the way, and no others', () => {
    const more = parseInventory(
      example.replace('hosts:\n', 'hosts:\n  other: { address: o, user: u, credentials: agent }\n'),
    );
    expect(Object.keys(resolvePlan(more, start).hosts).sort()).toEqual(
      ['bastion', 'border', 'edge', 'fw1', 'fw2', 'probe-inside', 'probe-outside'].sort(),
    );
    expect(plan.hosts['fw1']?.jump).toBe('bastion');
  });

  it('is plain data that survives history, and that the activities’ schemas read again unchanged', () => {
    const back = JSON.parse(JSON.stringify(plan)) as typeof plan;
    expect(back).toEqual(plan);
    expect(hostsSpec.parse(back.hosts)).toEqual(plan.hosts);
    expect(routingSpec.parse(back.routing)).toEqual(plan.routing);
    expect(monitoringSpec.parse(back.monitoring)).toEqual(plan.monitoring);
  });

  it('holds references, never a secret', () => {
    expect(canonicalJson(plan)).toContain('env:HITLESS_KEY_PASSPHRASE');
  });

  it('has a digest that doesn’t depend on who asks, nor on the order of the file', () => {
    const other = resolvePlan(inventory, { ...start, requestedBy: 'erin' });
    expect(planDigest(other, [])).toBe(planDigest(plan, []));
    const reordered = parseInventory(
      example.replace(
        / {6}fw1: \{ host: fw1 \}\n {6}fw2: \{ host: fw2 \}\n/,
        '      fw2: { host: fw2 }\n      fw1: { host: fw1 }\n',
      ),
    );
    expect(planDigest(resolvePlan(reordered, start), [])).toBe(planDigest(plan, []));
    expect(planDigest(resolvePlan(inventory, { ...start, version: '1.0' }), [])).not.toBe(planDigest(plan, []));
    expect(planDigest(plan, [{ kind: 'gate', name: 'start' }])).not.toBe(planDigest(plan, []));
  });

  it('tells whether the inventory has changed for this cluster since', () => {
    expect(inventoryDigestOf(inventory, 'fw-dc1')).toBe(plan.inventoryDigest);
    const comment = parseInventory(`${example}# a comment\n`);
    expect(inventoryDigestOf(comment, 'fw-dc1')).toBe(plan.inventoryDigest);
    const changed = parseInventory(example.replace('address: 192.0.2.12', 'address: 192.0.2.13'));
    expect(inventoryDigestOf(changed, 'fw-dc1')).not.toBe(plan.inventoryDigest);
  });

  it('puts a cluster with a site on that site’s task queues', () => {
    expect(plan.queues).toEqual({ default: 'hitless', watch: 'hitless-watch', sites: {} });
    const sited = parseInventory(
      example.replace('    kind: firewall-pair\n', '    kind: firewall-pair\n    site: dc1\n'),
    );
    expect(resolvePlan(sited, start).queues).toEqual({
      default: 'hitless-dc1',
      watch: 'hitless-dc1-watch',
      sites: { dc1: 'hitless-dc1' },
    });
  });

  it('refuses an unknown cluster by a name that scripts can tell', () => {
    const failure = refusal(() => resolvePlan(inventory, { ...start, cluster: 'fw-dc2' }));
    expect(failure).toMatchObject({
      type: 'InvalidInput',
      nonRetryable: true,
      message: 'there is no cluster "fw-dc2" in the inventory; did you mean "fw-dc1"?',
      details: [{ unknownCluster: 'fw-dc2' }],
    });
    expect(refusal(() => resolvePlan(inventory, { ...start, cluster: 'constructor' })).message).toContain('no cluster');
  });

  it('lists every reason at once', () => {
    const { message, type } = refusal(() => resolvePlan(inventory, { cluster: 'fw-dc1', version: '3.0' }));
    expect(type).toBe('InvalidInput');
    expect(message).toContain('there is no release "3.0"');
    expect(message).toContain('clusters.fw-dc1.policy.gates.start: needs somebody other than the one who starts');
    expect(message).toContain('--requested-by');
  });

  describe('whether the requester makes a gate impossible', () => {
    const withGate = (gate: string): Inventory =>
      parseInventory(example.replace(/ {8}start: \{[^\n]*\n/, `        start: ${gate}\n`));
    const gate = '{ from: [alice, bob], count: 2, notRequester: true }';

    it('is seen at the start', () => {
      const { message } = refusal(() => resolvePlan(withGate(gate), { ...start, requestedBy: 'alice' }));
      expect(message).toContain('needs 2 of alice, bob other than alice, who starts; only 1 would be left');
      expect(() => resolvePlan(withGate(gate), start)).not.toThrow();
    });

    it('is not asked of a dry run', () => {
      const input = { cluster: 'fw-dc1', version: '2.0', requestedBy: 'alice' };
      expect(() => resolvePlan(withGate(gate), input, { isDryRun: true })).not.toThrow();
    });

    it('also counts for commands', () => {
      const only = parseInventory(
        example.replace(/ {6}switchBack: [^\n]*\n/, '      switchBack: { from: [alice], notRequester: true }\n'),
      );
      expect(refusal(() => resolvePlan(only, { ...start, requestedBy: 'alice' })).message).toContain(
        'policy.switchBack: needs 1 of alice other than alice',
      );
    });
  });

  it('of a check needs no version', () => {
    expect(resolvePlan(inventory, { cluster: 'fw-dc1' }, { isDryRun: true }).version).toBe('');
  });
});
