/** Messages of all sorts, at all times. */
import type { KeptRun } from './run';
import { A_DAY_MS, EVERY, fails, monitoring, type Scenario } from './scenario';

/** Whatever people and programs send: none of it is of use. */
async function nonsense(run: KeptRun): Promise<void> {
  await run.asked('start');
  await run.raw('approve', 'json/plain', '{"opening": "start#1", ');
  await run.raw('approve', 'json/protobuf', '{"opening":"start#1"}');
  await run.raw('approve', 'binary/plain', 'start#1');
  await run.raw('approve', 'json/plain', '{"opening":"start#1","by":"ann","digest":"aaaaaaaaaaaa","colour":"red"}');
  await run.raw('approve', 'json/plain', '{"opening":"finish#7","by":"ann","digest":"aaaaaaaaaaaa"}');
  await run.raw('approve', 'json/plain', '{"opening":"start#1","by":"ann","digest":"aaaaaaaaaaaa"}');
  await run.raw('nonsense', 'json/plain', '[]');
  await run.raw('__proto__', 'json/plain', '{"__proto__":{"by":"ann"}}');
  await run.raw('pause', 'json/plain', '{"by":"","reason":""}');
  await run.raw('decide', 'json/plain', 'null');
  await run.handle.signal('approve');
  await run.handle.signal('resume', { by: 'ann', reason: 'nothing is paused' });
  await run.handle.signal('switchBack', { by: 'ann', reason: 'nothing was moved' });
  await run.handle.signal('approve', 'start#1', { by: 'ann' });
  await run.handle.signal('decide', { opening: 'start#1', digest: 'A'.repeat(12), by: 'x'.repeat(200), choice: 7 });
  const { id: opening, digest } = await run.asked('start');
  const decide = (more: object): Promise<void> =>
    run.handle.signal('decide', { opening, digest: digest.slice(0, 12), by: 'ann', ...more });
  await decide({ choice: 'retry' });
  await decide({ choice: 'approve', waive: ['ntp_sync'], to: 'nowhere' });
  await decide({ choice: 'approve', comment: 'x'.repeat(5_000) });
}

export const messages: readonly Scenario[] = [
  {
    what: 'refused',
    kinds: EVERY,
    play: async (run) => {
      await nonsense(run);
      await run.until(({ refused }) => refused.at(-1)?.why.includes('comment') === true);
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'refused-oddities',
    kinds: EVERY,
    play: async (run) => {
      await run.asked('start');
      const odd = (data: string): Promise<void> => run.raw('approve', 'json/plain', data);
      await odd('{"__undecodable":true}');
      await odd('{"__undecodable":true,"encoding":"json/plain","why":"because"}');
      await odd(
        '{"opening":"start#1","by":"<b>ann</b>\\n# A heading","digest":"aaaaaaaaaaaa","__proto__":{"by":"bob"}}',
      );
      await odd(`${'['.repeat(500)}${']'.repeat(500)}`);
      await odd(JSON.stringify(Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`key ${n}`, n]))));
      await odd(JSON.stringify({ opening: 'start#1', by: 'ann', digest: 'a'.repeat(12), comment: 'x'.repeat(20_000) }));
      await odd('"\\ud800\\u0000\\u202e"');
      await run.raw('constructor', 'json/plain', '{}');
      await run.raw('x'.repeat(500), 'binary/null', '');
      await run.say('switchBack', 'nothing was moved');
      await run.until(({ refused }) => refused.at(-1)?.signal === 'switchBack');
    },
    ends: 'open',
  },
  {
    what: 'flooded',
    kinds: EVERY,
    play: async (run) => {
      const { digest } = await run.asked('start');
      for (let i = 0; i < 100; i++)
        await Promise.all([
          run.handle.signal('approve', { opening: `start#${i + 2}`, digest: digest.slice(0, 12), by: `user ${i}` }),
          run.handle.signal(`signal ${i}`, { by: `user ${i}` }),
          run.raw('decide', 'json/plain', `{"opening":"start#1", ${i}`),
        ]);
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'flooded-at-hold',
    kinds: ['firewall-pair'],
    setting: ({ step }) => ({ turns: { [`${step}.act`]: [fails()] } }),
    play: async (run) => {
      await run.approve('start');
      const { digest } = await run.asked('hold');
      for (let i = 0; i < 300; i++)
        await run.handle.signal('decide', {
          opening: 'hold#1',
          digest: digest.slice(0, 11),
          by: 'ann',
          choice: 'retry',
        });
    },
    ends: 'open',
  },
  {
    // Of old, a signal of this name was taken for Temporal's cancellation.
    what: 'cancelled-by-signal',
    kinds: EVERY,
    play: async (run) => {
      await run.asked('start');
      await run.handle.signal('cancel', {});
      await run.until(({ refused }) => refused.some(({ signal }) => signal === 'cancel'));
    },
    ends: { '0.1.0': 'Cancelled', '0.2.0': 'open' },
  },
  {
    what: 'answered-early',
    kinds: EVERY,
    setting: () => ({ early: { name: 'approve', body: { opening: 'start#1', by: 'ann', digest: 'a'.repeat(12) } } }),
    play: async (run) => {
      await run.asked('start');
      await run.until(({ refused }) => refused.length === 1);
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'paused-early',
    kinds: EVERY,
    setting: () => ({ early: { name: 'pause', body: { by: 'ann', reason: 'not yet' } } }),
    play: async (run) => {
      await run.asked('pause');
      await run.say('resume');
      await run.through();
    },
    ends: 'Completed',
  },
  {
    what: 'asked-while-closing',
    kinds: EVERY,
    setting: ({ release }) => ({ turns: { [release]: ['hang'] } }),
    play: async (run, { release, gates }) => {
      await run.approve('start');
      await run.answer(gates[1], 'reject');
      await run.answer('hold', 'stop');
      await run.script.hangs(release);
      await run.say('pause', 'too late');
      await run.say('switchBack', 'too late');
      await run.handle.cancel();
      await run.until(({ waitingFor }) => waitingFor.some(({ kind }) => kind === 'pause'));
      run.script.letGo(release);
    },
    ends: 'Stopped',
  },
  {
    what: 'workers-restarted',
    kinds: EVERY,
    setting: ({ step }) => ({ turns: { [`${step}.act`]: ['hang'] }, change: monitoring(A_DAY_MS / 24) }),
    play: async (run, { step, beforeWatch }) => {
      await run.asked('start');
      await run.restartWorkers();
      await run.approve('start');
      await run.script.hangs(`${step}.act`);
      await run.restartWorkers();
      await run.approve(...beforeWatch.slice(1));
      await run.until(({ watch }) => watch?.state === 'watching');
      await run.restartWorkers();
      await run.through();
    },
    ends: 'Completed',
  },
];
