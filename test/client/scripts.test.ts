/** docs/scripts.md says what is so: its example is compiled, its JSON is what the contract takes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes } from '../../client/exit';
import { signals, updates, workflowTypes, type SignalName } from '../../workflows/contract';

const text = readFileSync(join(__dirname, '../../docs/scripts.md'), 'utf8');

it('the example of the API is one that compiles', () => {
  const example = readFileSync(join(__dirname, 'fixtures/scripts-example.ts'), 'utf8')
    .replace("'../../../client'", "'hitless/client'")
    .replace("'../../../workflows/contract'", "'hitless/contract'");
  expect(/```ts\n([^]*?)```/.exec(text)?.[1]).toBe(example);
});

const row = (name: string): unknown => {
  const found = text
    .split('\n')
    .find((line) => line.startsWith('|') && line.includes(`\`${name}\``) && line.includes('{'));
  return JSON.parse(/`(\{.*\})`/.exec(found ?? '')?.[1] ?? 'null');
};

it.each(Object.keys(signals) as SignalName[])('the JSON of the signal %s', (name) => {
  expect(signals[name].schema.safeParse(row(name))).toMatchObject({ success: true });
});

it('the JSON of the Updates is that of the signals, with the name of what it says', () => {
  expect(signals.decide.schema.safeParse(row('answer'))).toMatchObject({ success: true });
  const { command, ...rest } = row('command') as { readonly command: SignalName };
  expect(signals[command].schema.safeParse(rest)).toMatchObject({ success: true });
  for (const name of Object.keys(updates)) expect(text).toContain(`\`${name}\``);
});

it('the lines for Temporal’s command line send what the contract takes', () => {
  const sent = [...text.matchAll(/signal --workflow-id upgrade-fw-dc1 --name (\w+)[^']*'(\{[^']*\})'/g)];
  expect(sent).toHaveLength(2);
  for (const [, name, json] of sent)
    expect(signals[name as SignalName].schema.safeParse(JSON.parse(json ?? ''))).toMatchObject({ success: true });
});

it('names every exit code, workflow type and signal', () => {
  for (const code of Object.values(exitCodes)) expect(text).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  for (const { upgrade, plan } of Object.values(workflowTypes)) {
    expect(text).toContain(`\`${upgrade}\``);
    expect(text).toContain(`\`${plan}\``);
  }
  for (const name of Object.keys(signals)) expect(text).toContain(`\`${name}\``);
});
