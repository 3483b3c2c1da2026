/* eslint-disable @typescript-eslint/no-unsafe-call -- documents under test */
/** Files that aren't what an inventory should be: each gets one clear word. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modeFault, type Keeping } from '../../../activities/ssh/file-modes';
import { loadInventory } from '../../../worker/inventory';
import { example, faultsIn, faultsOf, written } from './support';

const text = readFileSync(join(__dirname, '../../../docs/inventory.example.yaml'), 'utf8');
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hitless-inventory-'));
  file = join(folder, 'inventory.yaml');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function faultsOfFile(content: string | Buffer, mode = 0o644) {
  writeFileSync(file, content);
  chmodSync(file, mode);
  return faultsOf(() => loadInventory(file));
}

describe('encodings', () => {
  test('UTF-8, with or without a mark', () => {
    expect(faultsOfFile(text)).toEqual([]);
    expect(faultsOfFile(`\uFEFF${text}`)).toEqual([]);
    expect(faultsIn(`\uFEFF${text}`)).toEqual([]);
  });

  const utf16 = Buffer.from(`\uFEFF${text}`, 'utf16le');
  test.each([
    ['UTF-16', utf16, 'is written in UTF-16'],
    ['UTF-16, the other way round', Buffer.from(utf16).swap16(), 'is written in UTF-16'],
    ['UTF-16 without a mark', Buffer.from(text, 'utf16le'), 'holds zero bytes'],
    ['Latin-1', Buffer.from('schema: 1 # für\n', 'latin1'), 'is no UTF-8 text'],
    ['nine megabytes', Buffer.alloc(9 * 1024 * 1024, '#'), 'are the most'],
  ])('%s', (_, content, what) => {
    expect(faultsOfFile(content)).toEqual([expect.objectContaining({ what: expect.stringContaining(what) as string })]);
  });
});

describe('YAML that has no end, or no bottom', () => {
  test.each([
    ['a list in itself', 'schema: 1\na: &a [*a]\n', '*a stands inside of what &a names'],
    ['a map in itself', 'a: &a { b: { c: *a } }\n', '*a stands inside of what &a names'],
    ['a merge of itself', 'a: &a\n  <<: *a\n', '*a stands inside of what &a names'],
    ['deep lists', `a: ${'['.repeat(5_000)}${']'.repeat(5_000)}\n`, 'nests deeper than 40 levels'],
    ['very deep lists, not closed', `a: ${'['.repeat(100_000)}`, 'nests deeper than 40 levels'],
    ['deep maps', Array.from({ length: 3_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 'nests deeper than 40'],
    ['deep lists in one line', `a:\n  ${'- '.repeat(5_000)}x\n`, 'nests deeper than 40 levels'],
    ['deep keys', `${'? '.repeat(5_000)}x\n`, 'nests deeper than 40 levels'],
    ['a cluster __proto__', 'schema: 1\nclusters:\n  __proto__: {}\n', 'no key can be called __proto__'],
    ['__proto__ from a merge', 'a: &a\n  __proto__: { x: 1 }\nb: { <<: *a }\n', 'no key can be called __proto__'],
  ])('%s', (_, content, what) => {
    const [fault, ...more] = faultsIn(content).filter((f) => f.what.includes(what));
    expect(fault).toMatchObject({ line: expect.any(Number) as number });
    expect(more).toEqual([]);
  });

  test('an alias bomb', () => {
    const rows = Array.from(
      { length: 12 },
      (_, i) =>
        `a${i}: &a${i} [${Array(9)
          .fill(i === 0 ? 'x' : `*a${i - 1}`)
          .join(', ')}]`,
    );
    expect(faultsIn(rows.join('\n'))).toEqual([
      expect.objectContaining({ what: expect.stringContaining('Excessive alias count') as string }),
    ]);
  });

  test('names that objects have by themselves are names', () => {
    const tree = example();
    tree['clusters']['fw-dc1'].nodes.fw1.host = 'constructor';
    expect(faultsIn(written(tree))).toEqual([
      expect.objectContaining({ what: 'there is no host constructor under hosts' }),
    ]);
  });
});

describe('who else may write it, and read the secrets that it names', () => {
  test.each([0o666, 0o664, 0o646])('an inventory with mode %o', (mode) => {
    expect(faultsOfFile(text, mode)).toEqual([
      {
        path: '',
        what: `${file} has the mode 0${mode.toString(8)}: others than its owner may write it`,
        next: `chmod 0644 ${file}, once its content is what it should be`,
      },
    ]);
  });

  test.each([0o644, 0o600, 0o444])('is fine with mode %o', (mode) => expect(faultsOfFile(text, mode)).toEqual([]));

  test('private keys and tokens, where they are; the socket of an agent is none', () => {
    const [key, token] = [join(folder, 'key'), join(folder, 'token')];
    for (const path of [key, token]) writeFileSync(path, 'x', { mode: 0o644 });
    const tree = example();
    tree['hosts'].fw1.credentials = [{ key: `file:${key}` }, { agent: `file:${token}` }, `file:${folder}/missing`];
    tree['clusters']['fw-dc1'].monitoring.probes.find((p: { kind: string }) => p.kind === 'prometheus').token =
      `file:${token}`;
    const found = faultsOfFile(written(tree));
    expect(found.map((f) => [f.path, f.what, f.next])).toEqual([
      [
        'hosts.fw1.credentials[0].key',
        `${key} has the mode 0644: others than its owner may read it`,
        `chmod 0600 ${key}, and replace the secret if others can have read it`,
      ],
      [expect.stringMatching(/probes\[\d+\]\.token$/), expect.stringContaining(token), expect.anything()],
    ]);
    for (const path of [key, token]) chmodSync(path, 0o600);
    expect(faultsOfFile(written(tree))).toEqual([]);
  });

  const state = (mode: number, uid: number, isFile = true) => ({ mode: mode | 0o100000, uid, isFile: () => isFile });
  test.each<[string, number, number, Keeping, boolean]>([
    ['my own secret', 0o600, 1000, 'secret', true],
    ['my own, for the group', 0o640, 1000, 'secret', false],
    ['root’s, for my group: how else could I read it', 0o640, 0, 'secret', true],
    ['root’s, for all', 0o644, 0, 'secret', false],
    ['root’s, which the group may write', 0o660, 0, 'secret', false],
    ['somebody else’s', 0o600, 1001, 'secret', false],
    ['somebody else’s inventory', 0o644, 1001, 'trusted', false],
    ['root’s inventory', 0o644, 0, 'trusted', true],
    ['root’s inventory, for all to write', 0o666, 0, 'trusted', false],
  ])('%s', (_, mode, uid, keeping, isFine) => {
    expect(modeFault('/f', state(mode, uid), keeping, 1000) === undefined).toBe(isFine);
  });

  test('of root’s own service root’s files are its own; pipes are nobody else’s', () => {
    expect(modeFault('/f', state(0o640, 0), 'secret', 0)).toMatchObject({ next: expect.stringMatching(/^chmod 0600/) });
    expect(modeFault('/dev/fd/9', state(0o666, 7, false), 'trusted', 0)).toBeUndefined();
  });
});

describe('a bearer token', () => {
  const withUrl = (url: string) => {
    const tree = example();
    tree['clusters']['fw-dc1'].monitoring.probes.find((p: { kind: string }) => p.kind === 'prometheus').url = url;
    return faultsIn(written(tree)).map((f) => [f.path.split('.').at(-1), f.what.slice(0, 60)]);
  };
  test.each(['http://prometheus.example.net', 'HTTP://192.0.2.9:9090/x', 'http://127.0.0.1.example.net'])(
    'isn’t sent to %s',
    (url) => expect(withUrl(url)).toEqual([['token', expect.stringContaining('is sent with every query')]]),
  );
  test.each(['https://prometheus.example.net', 'http://127.0.0.1:9090', 'http://[::1]:9090', 'http://localhost'])(
    'may be sent to %s',
    (url) => expect(withUrl(url)).toEqual([]),
  );
});

describe('names of people', () => {
  const withPolicy = (start: object, people?: object) => {
    const tree = example();
    if (people !== undefined) tree['people'] = people;
    tree['clusters']['fw-dc1'].policy = { gates: { start } };
    return faultsIn(written(tree)).map((f) => `${f.path.replace(/.*policy\.gates\./, '')}: ${f.what}`);
  };
  test.each([
    [{ from: ['alice', 'Alice'], count: 1 }, 'start.from[1]: Alice is the same name as alice: one person'],
    [{ from: ['alice', 'alice '], count: 1 }, 'start.from[1]: alice  is the same name as alice: one person'],
    [{ from: ['alice', 'ａlice'], count: 1 }, 'start.from[1]: ａlice is the same name as alice: one person'],
    [{ from: ['alice', 'alice'] }, 'start.from[1]: alice is named twice'],
    [{ from: ['bob', 'ali\u200bce'] }, "start.from[1]: this name won't do: it holds U+200B"],
    [{ from: ['\u202ebob'] }, "start.from[0]: this name won't do: it holds U+202E"],
    [{ from: ['  '] }, "start.from[0]: this name won't do: it is blank"],
  ])('%j', (start, what) => expect(withPolicy(start)).toContainEqual(expect.stringContaining(what)));

  test('count asks for different people', () =>
    expect(withPolicy({ from: ['alice', 'ALICE'], count: 2 })).toContainEqual(
      expect.stringContaining('asks for 2 different people, but "from" names only 1'),
    ));

  test('people: two of one name, and names that are known in another case', () => {
    expect(withPolicy({ from: ['alice'] }, { Alice: {}, bob: {} })).toEqual([]);
    expect(withPolicy({ from: ['bob'] }, { bob: {}, Bob: {} })).toEqual([
      'people.Bob: Bob is the same name as bob: one person',
    ]);
    expect(withPolicy({ from: ['bob'] }, { bob: {}, 'a\u200bl': {} })).toEqual([
      expect.stringContaining("this name won't do: it holds U+200B"),
    ]);
  });

  test('are kept without spaces around them', () => {
    writeFileSync(file, text.replace('[alice, bob, carol], count', '[" alice ", bob, carol], count'), { mode: 0o644 });
    const { policy } = loadInventory(file).clusters['fw-dc1']!;
    expect(policy.gates['start']?.from).toEqual(['alice', 'bob', 'carol']);
  });
});

test('patterns that can’t be searched in linear time, with path and what to write instead', () => {
  const withPattern = (pattern: string) => {
    const tree = example();
    tree['clusters']['fw-dc1'].monitoring.probes.find((p: { kind: string }) => p.kind === 'command').pattern = pattern;
    return faultsIn(written(tree)).map((f) => `${f.path.split('.').at(-1)}: ${f.what}`);
  };
  expect(withPattern('(\\d+)+ ms')).toEqual([]);
  expect(withPattern('(a)\\1')).toEqual([expect.stringMatching(/^pattern: .*"\\1" refers back to a group.*write out/)]);
  expect(withPattern('(?<=lost = )(\\d+)')).toEqual([
    expect.stringMatching(/^pattern: .*looks around.*write what stands there into the pattern/),
  ]);
  expect(withPattern('([z-a])')).toEqual([expect.stringMatching(/^pattern: .*character class range: `z-a`/)]);
  expect(withPattern('\\d+')).toEqual([expect.stringContaining('with a group around the number')]);
  expect(withPattern(`(${'x'.repeat(2_000)})`)).toEqual([expect.stringContaining('1000 are the most')]);
});

test('a pair of one device is told in a sentence', () => {
  const tree = example('inventory.panos.example.yaml');
  delete tree['clusters']['pa-edge'].nodes.pa2;
  expect(faultsIn(written(tree)).map((f) => f.what)).toContain('exactly two devices make an HA pair');
});
