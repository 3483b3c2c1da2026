/** docs/panos-simulator.md tells what there is: every fault, no other, and examples that work. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultSchema, SimulatedPair, type Configured } from '../../../simulators/panos';

const text = readFileSync(join(__dirname, '../../../docs/panos-simulator.md'), 'utf8');

/** Arguments of a shell function of the page, as the shell passes them on. */
const examples = (name: string): unknown[] =>
  [...text.matchAll(new RegExp(`^${name} '(.*)'$`, 'gm'))].map(
    ([, argument = '']) => JSON.parse(argument.replaceAll(`'"'`, "'").replaceAll(`'"'`, "'")) as unknown,
  );

it('lists every kind of fault', () => {
  const table = text.slice(
    text.indexOf('| kind | what it does |'),
    text.indexOf('`request`, `error` and `job` strike'),
  );
  const listed = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, kinds = '']) => kinds.match(/[\w-]+/g) ?? []);
  expect(listed.sort()).toEqual(faultSchema.options.map(({ shape }) => shape.kind.value).sort());
});

it('its faults can be given', () => {
  const faults = examples('fault');
  expect(faults.length).toBeGreaterThan(5);
  for (const fault of faults) new SimulatedPair().faults.inject(faultSchema.parse(fault));
});

it('its facts are facts', () => {
  const given = examples('facts') as { facts: object }[];
  expect(given).not.toEqual([]);
  const { facts } = new SimulatedPair().devices[0];
  for (const name of given.flatMap((each) => Object.keys(each.facts))) expect(facts).toHaveProperty(name);
});

it('its configurations can be made, and leave a pair that has noticed', () => {
  const configured = examples('config') as Configured[];
  expect(configured.length).toBeGreaterThan(5);
  for (const each of configured) {
    const pair = new SimulatedPair({ mode: 'active-active', configured: [each] });
    const alone = each.device === undefined;
    expect(pair.devices[1].haState).toBe(alone ? 'active-secondary' : 'non-functional');
  }
});
