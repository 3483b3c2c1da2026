/** Answers in JSON that are read as they come in: what isn't of the form is refused, by host and command. */
import { failureType, JsonItems, readInto, readItems, type Host } from '../../../activities/kit';
import type { JsonForm } from '../../../activities/kit/json-items';

const items = (text: string, level: number, form?: JsonForm, size = 3): unknown[] => {
  const found: unknown[] = [];
  const reader = new JsonItems(level, (item) => found.push(item), form);
  for (let at = 0; at < text.length; at += size) reader.write(text.slice(at, at + size));
  reader.end();
  return found;
};
const hostOf = (...pieces: string[]) => {
  let given = 0;
  const exec: Host['exec'] = async (_argv, options) => {
    for (const piece of pieces) {
      given += 1;
      options?.onStdout?.(piece);
    }
    return { code: 0, stdout: '', stderr: '', ms: 1 };
  };
  return { host: { name: 'fw2', exec }, given: () => given };
};

test('a list of objects', () => {
  expect(items(' [ {"a":[1,{"b":"]"}]} ,{}]\n', 1, 'list')).toEqual([{ a: [1, { b: ']' }] }, {}]);
  expect(items('[]', 1, 'list')).toEqual([]);
});

test.each(['{}', '{"a":{}}', '[1]', '["x"]', '[{},null]', '[]x', 'x[]', '[][]', 'null', '"[]"', '', '[{}', '[{]'])(
  '%j is none',
  (text) => expect(() => items(text, 1, 'list')).toThrow(/JSON|whole|closes/),
);

test('of an object one member, however its other members look', () => {
  const text = '{"codes":{"x":{"n":1}},"nft\\"ables":[{"n":2}],"nftables":[{"n":3},{"n":{"n":4}}],"more":[{"n":5}]}';
  expect(items(text, 2, { of: 'nftables' })).toEqual([{ n: 3 }, { n: { n: 4 } }]);
  expect(() => items('[[{"n":1}]]', 2, { of: 'nftables' })).toThrow('isn’t an object');
});

test('what can’t be read is said by host and command, and little more of it is taken', async () => {
  const noise = 'noise\n'.repeat(100_000);
  const { host, given } = hostOf(...Array.from({ length: 20 }, () => noise));
  const ended = readItems(host, ['ip', '-j', 'x'], { expected: 'a list' }, new JsonItems(1, () => undefined, 'list'));
  const failure = await ended.catch((error: unknown) => error);
  expect(failureType(failure)).toBe('CommandFailedRetryable');
  expect(String(failure)).toMatch(/fw2: ip answered with something else.*Expected: a list\. Asked: ip -j x/);
  expect(given()).toBeLessThan(5);
});

test('the exit code comes before what can’t be read', async () => {
  const { end, beginning } = await readInto(
    hostOf('Error: no such table\n').host,
    ['nft'],
    { expected: 'rules' },
    new JsonItems(1, () => undefined, 'list'),
  );
  expect(beginning).toBe('Error: no such table\n');
  expect(end).toThrow('not JSON');
});

test('nothing is an answer where it may be', async () => {
  const read = (mayBeEmpty: boolean) =>
    readItems(hostOf('\n').host, ['ip'], { expected: 'a list', mayBeEmpty }, new JsonItems(1, () => undefined, 'list'));
  await read(true);
  await expect(read(false)).rejects.toThrow('isn’t whole');
});
