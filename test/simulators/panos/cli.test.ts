/** `hitless simulate panos`: what it prints, what it refuses, and that it leaves nothing. */
import { exitCodes } from '../../../client/exit';
import { hitless } from '../../client/fixtures/command';

interface Printed {
  readonly devices: readonly {
    name: string;
    url: string;
    user: string;
    password: string;
    fingerprint: string;
    serial: string;
  }[];
  readonly control: string;
}

/** Runs it, and stops it when it is ready and `then` has looked. */
async function ran(
  args: readonly string[],
  then: (out: string) => Promise<void>,
  signal: 'SIGINT' | 'SIGTERM' = 'SIGTERM',
) {
  let out = '';
  let looked: Promise<void> | undefined;
  const result = await hitless({}, ['simulate', 'panos', ...args], (text) => {
    out += text;
    if (looked !== undefined || !text.includes('stop with Ctrl-C')) return;
    looked = then(out).finally(() => process.emit(signal, signal));
  });
  await looked;
  return result;
}

it.each(['SIGINT', 'SIGTERM'] as const)('--json prints one line when both are ready; %s ends it', async (signal) => {
  let printed: Printed | undefined;
  const { code, out, err } = await ran(
    [
      ...['--json', '--mode', 'active-active', '--speed', '60', '--addresses', '127.0.0.8,127.0.0.9'],
      ...['--user', 'ops', '--password', 'for-tests', '--suspends', 'older'],
    ],
    async (text) => {
      printed = JSON.parse(text.split('\n')[0] ?? '') as Printed;
      const state = (await (await fetch(`${printed.control}/state`)).json()) as { mode: string; speed: number };
      expect(state).toMatchObject({ mode: 'active-active', speed: 60 });
      await fetch(`${printed.control}/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"kind":"dataplane-down","device":"fw-a"}',
      });
    },
    signal,
  );
  expect(code).toBe(exitCodes.ok);
  expect(out.trim().split('\n')).toHaveLength(1);
  expect(err).toContain('fw-b: active-secondary → active-primary');
  expect(printed?.devices.map(({ user, password }) => `${user} ${password}`)).toEqual([
    'ops for-tests',
    'ops for-tests',
  ]);
  expect(printed?.devices.map(({ url }) => new URL(url).hostname)).toEqual(['127.0.0.8', '127.0.0.9']);
  for (const { fingerprint } of printed?.devices ?? []) expect(fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  await expect(fetch(printed?.control ?? '')).rejects.toThrow('fetch failed');
});

it('tells people what to know, and what happens', async () => {
  const { out, err } = await ran(['--version', '11.0.4', '--preemptive', '--speed', '100'], async (text) => {
    const url = /side port (http:\S+):/.exec(text)?.[1] ?? '';
    await fetch(`${url}/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"kind":"dataplane-down","device":"fw-a"}',
    });
  });
  expect(out).toMatch(
    /^fw-a {2}https:\/\/127\.0\.0\.2:\d+ {2}user admin, password simulated, serial 007051000100001$/m,
  );
  expect(err).toContain('fw-a: active → non-functional (Dataplane down: brdagent exiting) [T8]');
  expect(err).toContain('fw-b: passive → active [T5]');
});

it.each([
  [['--version', '10.2'], 'It is no release'],
  [['--addresses', '127.0.0.2'], 'isn’t two addresses'],
  [['--addresses', '127.0.0.2,192.0.2.1'], '192.0.2.1 is no loopback address'],
  [['--addresses', '127.0.0.4, 127.0.0.4'], 'an address of its own'],
  [['--port', '99999'], "option '--port <number>' argument '99999' is invalid"],
  [['--speed', 'fast'], 'It is not a whole number'],
  [['--mode', 'active'], 'active-passive'],
])('%j is wrong usage', async (args, words) => {
  const { code, err, out } = await hitless({}, ['simulate', 'panos', ...args]);
  expect(code).toBe(exitCodes.usage);
  expect(err).toContain(words);
  expect(out).toBe('');
});

it('has examples', async () => {
  const { out } = await hitless({}, ['simulate', 'panos', '--help']);
  expect(out).toContain('Examples:\n  hitless simulate panos');
});
