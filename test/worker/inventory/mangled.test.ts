import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { InventoryError, parseInventory } from '../../../worker/inventory';

const lines = readFileSync(join(__dirname, '../../../docs/inventory.example.yaml'), 'utf8').split('\n');

const mangle = fc.oneof(
  fc.record({
    kind: fc.constant('drop' as const),
    at: fc.nat(lines.length - 1),
    count: fc.integer({ min: 1, max: 10 }),
  }),
  fc.record({ kind: fc.constant('double' as const), at: fc.nat(lines.length - 1) }),
  fc.record({
    kind: fc.constant('indent' as const),
    at: fc.nat(lines.length - 1),
    by: fc.integer({ min: -4, max: 4 }),
  }),
  fc.record({
    kind: fc.constant('value' as const),
    at: fc.nat(lines.length - 1),
    value: fc.constantFrom(
      '[]',
      '{}',
      '~',
      '12',
      '1.10',
      'true',
      '"',
      '*x',
      '&a b',
      '!t 1',
      '- 1',
      '<<: 3',
      '__proto__: {x: 1}',
    ),
  }),
);

type Mangle = typeof mangle extends fc.Arbitrary<infer T> ? T : never;

function apply(text: readonly string[], { kind, at, ...rest }: Mangle): string[] {
  const line = text[at] ?? '';
  switch (kind) {
    case 'drop':
      return text.filter((_, i) => i < at || i >= at + (rest as { count: number }).count);
    case 'double':
      return [...text.slice(0, at), line, ...text.slice(at)];
    case 'indent': {
      const { by } = rest as { by: number };
      return text.map((l, i) => (i !== at ? l : by < 0 ? l.slice(-by) : ' '.repeat(by) + l));
    }
    case 'value':
      return text.map((l, i) =>
        i === at ? `${/^[^:#]*:? ?/.exec(l)?.[0] ?? ''}${(rest as { value: string }).value}` : l,
      );
  }
}

it('an inventory mangled in any way is valid or gets an InventoryError with a line for every fault', () => {
  fc.assert(
    fc.property(fc.array(mangle, { minLength: 1, maxLength: 3 }), (steps) => {
      const text = steps.reduce((t, step) => apply(t, step), lines).join('\n');
      try {
        parseInventory(text);
      } catch (error) {
        if (!(error instanceof InventoryError)) throw error;
        expect(error.faults.length).toBeGreaterThan(0);
        for (const fault of error.faults) {
          expect(fault.what).not.toBe('');
          expect(fault.line).toBeGreaterThanOrEqual(1);
        }
      }
    }),
    { numRuns: 100 },
  );
});
