import { canonicalJson, digestOf, shortDigest } from '../../worker/digest';

describe('canonicalJson', () => {
  it('is the same whatever the order of keys, at every depth', () => {
    const one = { b: [{ y: 1, x: null }], a: 'x', é: true, 10: 'ten', 9: 'nine' };
    const two = { 9: 'nine', é: true, a: 'x', 10: 'ten', b: [{ x: null, y: 1 }] };
    expect(canonicalJson(one)).toBe(canonicalJson(two));
    expect(canonicalJson(one)).toBe('{"10":"ten","9":"nine","a":"x","b":[{"x":null,"y":1}],"é":true}');
  });

  it('sorts by UTF-16 code units and writes numbers as ECMAScript does (RFC 8785, 3.2.2.3 and 3.2.3)', () => {
    expect(canonicalJson({ '\u{1F600}': 1, '\uFB33': 2 })).toBe('{"\u{1F600}":1,"\uFB33":2}');
    expect(canonicalJson([333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0])).toBe(
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
    );
  });

  it('has the digest that others compute for the same text', () => {
    // printf '%s' '{"a":1,"b":[true,null]}' | sha256sum
    expect(digestOf({ b: [true, null], a: 1, gone: undefined })).toBe(
      '1cc69c7fa23616ca2ec3ee70d24390a6225c8832db8a4c814c7e0e7f942f8668',
    );
    expect(shortDigest(digestOf({}))).toHaveLength(12);
  });

  it('survives a trip through JSON', () => {
    const value = { list: [1, 'two', { three: 3 }], nothing: undefined };
    expect(digestOf(JSON.parse(JSON.stringify(value)))).toBe(digestOf(value));
  });

  it.each([
    ['NaN', { a: { b: NaN } }, '$.a.b'],
    ['a bigint', { a: [1n] }, '$.a[0]'],
    ['a hole in a list', { a: [undefined] }, '$.a[0]'],
    ['a Date', { a: new Date(0) }, '$.a'],
    ['a Map', { a: new Map() }, '$.a'],
    ['a function', { a: () => 1 }, '$.a'],
  ])('refuses %s, naming the path', (_, value, path) => {
    expect(() => canonicalJson(value)).toThrow(path);
  });
});
