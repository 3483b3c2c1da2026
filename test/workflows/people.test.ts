import fc from 'fast-check';
import { nameFault, personKey } from '../../workflows/procedure/people';

test.each([
  ['alice', ' Alice '],
  ['alice', 'ALICE'],
  ['alice', 'ａｌｉｃｅ'],
  ['José', 'Jose\u0301'],
  ['straße', 'STRASSE'],
  ['ΟΔΟΣ', 'οδος'],
  ['ılker', 'ilker'],
  ['anna maria', 'Anna\u00a0 Maria'],
])('%j and %j are one person', (a, b) => expect(personKey(a)).toBe(personKey(b)));

test.each([
  ['alice', 'alicia'],
  ['anna maria', 'annamaria'],
  ['jose', 'josé'],
])('%j and %j are two', (a, b) => expect(personKey(a)).not.toBe(personKey(b)));

test('the key of a key is the key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => personKey(personKey(name)) === personKey(name)),
    { seed: 9, numRuns: 500 },
  );
});

test.each([
  ['', 'is blank'],
  [' \u3000 ', 'is blank'],
  ['alice\n', 'holds U+000A'],
  ['ali\u200bce', 'holds U+200B'],
  ['alice\u202e', 'holds U+202E'],
  ['al\u2066ice', 'holds U+2066'],
  ['\ufeffalice', 'holds U+FEFF'],
  ['alice\u3164', 'holds U+3164'],
  ['ali\u034fce', 'holds U+034F'],
  ['alice\u2800', 'holds U+2800'],
  ['alice\ud800', 'holds U+D800'],
  ['a'.repeat(129), 'has 129 characters; 128 are the most'],
])('%j won’t do', (name, why) => expect(nameFault(name)).toContain(why));

test.each(['alice', ' Alice Smith ', 'Jürgen O’Neill', '山田太郎', 'محمد', 'alice@example.com', 'a'.repeat(128)])(
  '%j will do',
  (name) => expect(nameFault(name)).toBeUndefined(),
);
