import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inventorySchema } from '../../../worker/inventory/schema';
import { InventoryError, loadInventory, parseInventory, type InventoryFault } from '../../../worker/inventory';

const example = readFileSync(join(__dirname, '../../../docs/inventory.example.yaml'), 'utf8');

/** The example with some of its text replaced; a text that isn't there is a fault of the test. */
function changed(...replacements: readonly (readonly [string, string])[]): string {
  return replacements.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the example has no ${JSON.stringify(from)}`);
    return text.replace(from, to);
  }, example);
}

function faultsIn(text: string): readonly InventoryFault[] {
  try {
    parseInventory(text);
    return [];
  } catch (error) {
    if (error instanceof InventoryError) return error.faults;
    throw error;
  }
}

const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;

describe('two devices of a PAN-OS pair', () => {
  const panos = readFileSync(join(__dirname, '../../../docs/inventory.panos.example.yaml'), 'utf8');
  const withAddresses = (a: string, b: string): string =>
    panos.replace('address: pa1.example.net', `address: ${a}`).replace('address: pa2.example.net', `address: ${b}`);
  const found = (a: string, b: string) => faultsIn(withAddresses(a, b)).map(({ path, what }) => [path, what]);
  const PA1 = 'clusters.pa-edge.nodes.pa1.address';
  const PA2 = 'clusters.pa-edge.nodes.pa2.address';

  it.each(['127.0.0.2:8443', 'pa1.example.net:443', 'https://pa1.example.net', '"[2001:db8::1]"', 'fe80:::1'])(
    '%s is no address',
    (address) =>
      expect(found(address, '127.0.0.3')).toEqual([
        [PA1, 'must be an IP address or DNS name, without scheme or brackets; a port goes into `port`'],
      ]),
  );

  it('can’t be one device', () => {
    expect(found('127.0.0.2', '127.0.0.2')).toEqual([[PA2, 'pa2 is the same device as pa1: 127.0.0.2 port 443']]);
    expect(found('PA.example.net', 'pa.example.net')).toHaveLength(1);
    // As simulated devices may be, and devices behind a port forwarding are.
    const ports = withAddresses('127.0.0.2', '127.0.0.2').replace('port: 443', 'port: 8443');
    expect(faultsIn(ports)).toEqual([]);
  });

  it.each(['2001:db8::1', '::1', 'fe80::1%eth0', 'pa_1.example.net', '192.0.2.7'])('%s is an address', (address) =>
    expect(found(`"${address}"`, '127.0.0.3')).toEqual([]),
  );
});

describe('durations', () => {
  it('need a unit in a file: “periodMs: 3” would be 3 ms (findings, networks.md, D5)', () => {
    const text = changed(
      ['periodMs: 3d', 'periodMs: 3'],
      ['idleForMs: 5s', 'idleForMs: 5000'],
      ['expiresAfterMs: 12h', 'expiresAfterMs: 12'],
    );
    const faults = faultsIn(text);
    expect(faults.map((f) => [f.path, f.line])).toEqual([
      ['clusters.fw-dc1.routing.traffic.idleForMs', lineOf(text, 'idleForMs')],
      ['clusters.fw-dc1.monitoring.periodMs', lineOf(text, 'periodMs')],
      ['clusters.fw-dc1.policy.gates.start.expiresAfterMs', lineOf(text, 'expiresAfterMs')],
    ]);
    expect(faults[0]).toMatchObject({
      what: '5000 is a number without a unit; write a duration such as "500ms", "30s", "5m", "2h", "3d", "1w" or "1h30m"',
      next: '`5000ms` if milliseconds are meant',
    });
  });

  it('may be 0, and numbers that are none stay numbers', () => {
    expect(faultsIn(changed(['idleForMs: 5s', 'idleForMs: 0']))).toEqual([]);
  });

  it('a plan that was read once is read again', () => {
    const parsed = parseInventory(changed());
    expect(inventorySchema.parse(JSON.parse(JSON.stringify(parsed)))).toMatchObject(parsed);
  });
});

describe('an inventory with faults', () => {
  it('is answered with all of them at once, each with path, line and column', () => {
    const text = changed(
      ['address: 192.0.2.12', 'adress: 192.0.2.12'],
      ['fw1: { host: fw1 }', 'fw1: { host: fw11 }'],
      ['platform: frr', 'platform: cisco'],
      ['periodMs: 3d', 'periodMs: 3 days'],
      ['expiresAfterMs: 12h', 'expiresAfterMs: 12h, quorum: 2'],
      ['notRequester: true', 'notRequester: maybe'],
    );
    const faults = faultsIn(text);
    expect(faults.map((f) => [f.path, f.line])).toEqual([
      ['hosts.fw2.address', lineOf(text, '  fw2:\n')],
      ['hosts.fw2.adress', lineOf(text, 'adress')],
      ['clusters.fw-dc1.nodes.fw1.host', lineOf(text, 'fw11')],
      ['clusters.fw-dc1.routing.routers.border.platform', lineOf(text, 'cisco')],
      ['clusters.fw-dc1.monitoring.periodMs', lineOf(text, '3 days')],
      ['clusters.fw-dc1.policy.gates.start.notRequester', lineOf(text, 'maybe')],
      ['clusters.fw-dc1.policy.gates.start.quorum', lineOf(text, 'quorum')],
    ]);
    const host = faults.find((f) => f.path.endsWith('nodes.fw1.host'));
    expect(host).toMatchObject({ column: 20, next: 'did you mean fw1?' });
    expect(faults.find((f) => f.path.endsWith('adress'))).toMatchObject({
      what: 'unknown key',
      next: 'did you mean "address"?',
    });
  });

  it('says it in one message', () => {
    const text = changed(['schema: 1', 'schema: 2'], ['kind: firewall-pair', 'kind: firewallpair']);
    expect(() => parseInventory(text, 'x.yaml')).toThrow(
      'the inventory x.yaml has 2 faults; nothing was started:\n' +
        `- line ${lineOf(text, 'schema: 2')}, column 9: schema: must be 1\n` +
        `- line ${lineOf(text, 'firewallpair')}, column 11: clusters.fw-dc1.kind: must be one of firewall-pair, x-road-cluster, panos-pair → did you mean firewall-pair?`,
    );
  });

  it.each([
    ['an empty file', '', 'is empty'],
    ['a comment alone', '# nothing\n', 'is empty'],
    ['a list', '- a\n', 'must be a map, not a list'],
    ['broken YAML', 'hosts: [a\nclusters: {}\n', 'not valid YAML'],
    ['two documents', 'schema: 1\n---\nschema: 1\n', 'a second YAML document'],
    ['tabs', 'hosts:\n\ta: 1\n', 'a tab is used for indentation'],
    ['an unknown alias', 'schema: *one\n', 'not valid YAML'],
    ['an own tag', 'schema: !secret x\n', 'not valid YAML: Unresolved tag'],
  ])('%s', (_, text, what) => {
    expect(faultsIn(text).map((f) => f.what)).toContainEqual(expect.stringContaining(what));
  });

  it('knows a key that stands twice, and goes on looking', () => {
    const text = changed(['    nodes:\n', '    kind: firewall-pair\n    nodes:\n'], ['platform: frr', 'platform: x']);
    expect(faultsIn(text)).toEqual([
      expect.objectContaining({
        what: expect.stringContaining('"kind" stands twice') as string,
        line: lineOf(text, '    nodes:\n') - 1,
      }),
      expect.objectContaining({ path: 'clusters.fw-dc1.routing.routers.border.platform' }),
    ]);
  });

  it('knows numbers that were meant as names', () => {
    const text = changed(['"1.0": #', '1.10: #'], ['      fw1: { host: fw1 }', '      fw1: { host: 0017 }']);
    const faults = faultsIn(text);
    expect(faults).toContainEqual(
      expect.objectContaining({ what: 'the key 1.10 without quotes is 1.1 in YAML', next: 'write "1.10"' }),
    );
    expect(faults).toContainEqual(
      expect.objectContaining({
        path: 'clusters.fw-dc1.nodes.fw1.host',
        what: '0017 without quotes is a number in YAML',
      }),
    );
  });

  it('finds its line also where a value came in through an anchor or a merge key', () => {
    const anchored = changed(['passphrase: env:HITLESS_KEY_PASSPHRASE', 'passphrase: HITLESS_KEY_PASSPHRASE']);
    const line = lineOf(anchored, 'passphrase: HITLESS');
    expect(faultsIn(anchored).length).toBeGreaterThan(1);
    for (const fault of faultsIn(anchored)) expect(fault.line).toBe(line);

    const merged = changed(
      [
        '  fw1:\n    address: 192.0.2.11',
        '  base: &base { address: a b, user: hitless, credentials: agent }\n  fw1:\n    <<: *base\n    port: 22',
      ],
      ['    user: hitless # gets', '    #'],
      ['credentials: &key', 'credentials: &key'],
    );
    const inMerged = faultsIn(merged).filter((f) => f.path === 'hosts.fw1.address');
    expect(inMerged).toEqual([expect.objectContaining({ line: lineOf(merged, 'a b') })]);
  });

  it('is read from a file, and says so when there is none', () => {
    expect(() => loadInventory('/nonexistent/hitless.yaml')).toThrow(
      /hitless\.yaml has a fault.*\n- there is no such file → name the file \(hitless inventory validate FILE/,
    );
  });
});

describe('names that must fit together', () => {
  it.each<[string, [string, string], string, string]>([
    [
      'a router’s host',
      ['          host: edge', '          host: egde'],
      'clusters.fw-dc1.routing.routers.edge.host',
      'no host egde',
    ],
    [
      'a probe’s host',
      ['kind: tcp, from: probe-outside', 'kind: tcp, from: prob'],
      'clusters.fw-dc1.monitoring.probes[0].from',
      'no host prob',
    ],
    [
      'a probe’s router',
      ['router: border', 'router: bordr'],
      'clusters.fw-dc1.monitoring.probes[4].router',
      'no router bordr',
    ],
    ['a jump host', ['jump: bastion # jump', 'jump: bastian # jump'], 'hosts.fw1.jump', 'bastian'],
    [
      'a node in a path',
      ['fw2: { neighbor: 198.51.100.5 }', 'fw3: { neighbor: 198.51.100.5 }'],
      'clusters.fw-dc1.routing.routers.border.families["ipv4 unicast"].paths.fw3',
      'fw3 is no node of this cluster',
    ],
    [
      'a node in a route-map',
      ['fw2: { in: { name: FROM-FW2', 'fw4: { in: { name: FROM-FW2'],
      'clusters.fw-dc1.routing.routers.border.policy.routeMaps.fw4',
      'fw4 is no node of this cluster',
    ],
    [
      'two nodes on one host',
      ['fw2: { host: fw2 }', 'fw2: { host: fw1 }'],
      'clusters.fw-dc1.nodes.fw2.host',
      'host of another node',
    ],
    [
      'three nodes',
      ['fw2: { host: fw2 }', 'fw2: { host: fw2 }\n      fw3: { host: edge }'],
      'clusters.fw-dc1.nodes',
      'exactly two',
    ],
  ])('%s', (_, replacement, path, what) => {
    const found = faultsIn(changed(replacement)).filter((f) => f.path === path);
    expect(found).toEqual([expect.objectContaining({ what: expect.stringContaining(what) as string })]);
    expect(found[0]?.line).toBeGreaterThan(1);
  });

  it('is told also when the section has other faults', () => {
    const faults = faultsIn(changed(['host: edge', 'host: egde'], ['side: outside', 'side: beyond']));
    expect(faults.map((f) => f.path)).toEqual([
      'clusters.fw-dc1.routing.routers.edge.host',
      'clusters.fw-dc1.routing.routers.edge.side',
    ]);
  });

  it('jump hosts may be chained, not go in a circle', () => {
    const chained = changed([
      '    jump: bastion\n    user: hitless\n    credentials: *key\n    knownHosts',
      '    jump: fw1\n    user: hitless\n    credentials: *key\n    knownHosts',
    ]);
    expect(faultsIn(chained)).toEqual([]);
    const circle = changed(['    address: bastion.example.net', '    address: bastion.example.net\n    jump: fw1']);
    expect(faultsIn(circle).map((f) => f.what)).toContain('jump hosts form a circle: fw1 → bastion → fw1');
    const withOtherFault = changed(
      ['    address: bastion.example.net', '    address: bastion.example.net\n    jump: fw1'],
      ['address: 203.0.113.50', 'address: http://203.0.113.50'],
    );
    expect(faultsIn(withOtherFault).map((f) => f.what)).toContain('jump hosts form a circle: fw1 → bastion → fw1');
  });
});

describe('policies', () => {
  const policyPath = (path: string): string => `clusters.fw-dc1.policy.${path}`;

  it.each<[string, [string, string], string, string]>([
    [
      'more approvals than names',
      ['carol], count: 2', 'carol], count: 4'],
      'gates.start.count',
      'nobody could ever answer',
    ],
    [
      'a name twice',
      ['[alice, bob, carol], count: 2', '[alice, bob, alice], count: 2'],
      'gates.start.from[2]',
      'named twice',
    ],
    [
      'an unknown name',
      ['finish: { from: [alice', 'finish: { from: [alicia'],
      'gates.finish.from[0]',
      'nobody called alicia',
    ],
    ['an unknown gate', ['finish: {', 'finnish: {'], 'gates.finnish', 'unknown key'],
    ['nobody', ['holds: { from: [alice, bob, carol] }', 'holds: { from: [] }'], 'holds.from', 'names nobody'],
    ['no approval at all', ['carol], count: 2', 'carol], count: 0'], 'gates.start.count', '>=1'],
    [
      'a wrong outcome',
      ['onExpiry: stop', 'onExpiry: approve'],
      'gates.start.onExpiry',
      'one of hold, roll-back, stop',
    ],
    ['true instead of a policy', ['return: false', 'return: true'], 'gates.return', 'must be'],
    [
      'an expiry of nothing',
      ['expiresAfterMs: 12h', 'expiresAfterMs: 0s'],
      'gates.start.expiresAfterMs',
      'longer than nothing',
    ],
  ])('%s', (_, replacement, path, what) => {
    const found = faultsIn(changed(replacement)).filter((f) => f.path === policyPath(path));
    expect(found).toEqual([expect.objectContaining({ what: expect.stringContaining(what) as string })]);
  });

  it('counts a name that stands twice once', () => {
    const faults = faultsIn(changed(['[alice, bob, carol], count: 2', '[alice, alice], count: 2']));
    expect(faults.map((f) => f.path)).toEqual(
      [policyPath('gates.start.count'), policyPath('gates.start.from[1]')].sort((a, b) =>
        a.includes('from') ? -1 : b.includes('from') ? 1 : 0,
      ),
    );
  });

  it('takes anybody where no people are listed', () => {
    const text = changed([example.slice(example.indexOf('people:'), example.indexOf('clusters:')), '']);
    expect(faultsIn(text)).toEqual([]);
  });

  it('in the core’s form: a gate left out is absent, the others have their count', () => {
    const { policy } = parseInventory(example).clusters['fw-dc1']!;
    expect(policy).toEqual({
      gates: {
        start: {
          from: ['alice', 'bob', 'carol'],
          count: 2,
          notRequester: true,
          expiresAfterMs: 43_200_000,
          onExpiry: 'stop',
        },
        finish: { from: ['alice', 'bob', 'carol'], count: 1 },
      },
      holds: { from: ['alice', 'bob', 'carol'], count: 1 },
      pause: { count: 1 },
      resume: { count: 1 },
      switchBack: { from: ['alice', 'bob', 'carol'], count: 1 },
    });
    const without = parseInventory(changed([example.slice(example.lastIndexOf('    policy:\n')), ''])).clusters[
      'fw-dc1'
    ]!;
    expect(without.policy.gates).toEqual({ start: { count: 1 }, return: { count: 1 }, finish: { count: 1 } });
  });
});

describe('secrets in the inventory', () => {
  const key = '-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXktdjEAAAAA\\n-----END OPENSSH PRIVATE KEY-----';
  it.each<[string, [string, string], string]>([
    ['a password', ['credentials: agent', 'credentials: { password: hunter2secret }'], 'hunter2secret'],
    ['a password that is a number', ['credentials: agent', 'credentials: { password: 48151623 }'], '48151623'],
    ['a passphrase', ['passphrase: env:HITLESS_KEY_PASSPHRASE', 'passphrase: correct-horse'], 'correct-horse'],
    ['a private key', ['credentials: agent', `credentials: { key: "${key}" }`], 'b3BlbnNzaC1rZXktdjEAAAAA'],
    ['a private key anywhere', ['description: Internet', `description: "${key}" #`], 'b3BlbnNzaC1rZXktdjEAAAAA'],
    ['a bearer token', ['token: file:/etc/hitless/prometheus-token', 'token: s3cr3t-t0ken'], 's3cr3t-t0ken'],
    ['a password in a URL', ['url: https://prometheus', 'url: https://admin:t0psecret@prometheus'], 't0psecret'],
    ['a password in a command', ['argv: [/usr/bin/ping, -n', 'argv: [/usr/bin/x, "--password=t0psecret"'], 't0psecret'],
    [
      'a password hash',
      ['description: Internet', 'description: "$6$saltsalt$0123456789abcdef0123456789abcdef" #'],
      '0123456789abcdef',
    ],
  ])('%s is refused and never repeated', (_, replacement, secret) => {
    const text = changed(replacement);
    const faults = faultsIn(text);
    expect(faults.map((f) => f.next)).toContainEqual(expect.stringContaining('a reference: file:/path or env:NAME'));
    expect(() => parseInventory(text)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) as string }) as Error,
    );
  });

  it('lets references and innocent words be', () => {
    expect(
      faultsIn(changed(['argv: [/usr/bin/ping, -n', 'argv: [/usr/bin/x, "--password-file=/etc/x", "token=$TOKEN"'])),
    ).toEqual([]);
    expect(faultsIn(changed(['url: https://prometheus.example.net', 'url: https://prometheus:9090/x@y']))).toEqual([]);
  });
});
