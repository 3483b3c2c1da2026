/** A whole upgrade by hand: what an orchestrator does to the pair, and what follows when. */
import type { HaMode } from '../../../simulators/panos';
import { Bench } from './bench';

/** Installs and restarts one that doesn't serve, and waits for what follows. */
function renew(bench: Bench, side: 0 | 1): void {
  const job = bench.install(side, '10.2.9').text('result', 'job');
  bench.settle();
  expect(bench.job(side, job).text('result', 'job', 'result')).toBe('OK');
  bench.restart(side);
  bench.settle();
  expect(bench.version(side)).toBe('10.2.9');
  expect(bench.ha(side).text('result', 'group', 'local-info', 'state-sync')).toBe('Complete');
}

it('active/passive, passive first', () => {
  const bench = new Bench({ downloaded: ['10.2.9'] });
  bench.suspend(1);
  renew(bench, 1);
  bench.suspend(0);
  renew(bench, 0);
  expect(bench.states).toEqual(['passive', 'active']);
  expect(bench.ha(0).text('result', 'group', 'running-sync')).toBe('synchronized');
  expect(bench.changes).toEqual([
    '0 fw-b: passive → suspended (User requested) [T4]',
    '181 fw-b: job 2 SWInstall OK',
    '183 fw-b: down',
    '333 fw-b: starting 10.2.9',
    '393 fw-b: loading its configuration',
    '483 fw-b: job 1 AutoCom OK',
    '483 fw-b: ready',
    '488 fw-b: initial → passive [T2]',
    '508 state synchronization is complete',
    '508 fw-a: active → suspended (User requested) [T4]',
    '508 fw-b: passive → active [T5]',
    '689 fw-a: job 2 SWInstall OK',
    '691 fw-a: down',
    '841 fw-a: starting 10.2.9',
    '901 fw-a: loading its configuration',
    '991 fw-a: job 1 AutoCom OK',
    '991 fw-a: ready',
    '996 fw-a: initial → passive [T2]',
    '1016 state synchronization is complete',
  ]);
});

it.each([
  ['active-passive', ['passive', 'active']],
  ['active-active', ['active-secondary', 'active-primary']],
] as const)('%s: somebody serves at every change', (mode: HaMode, states) => {
  const bench = new Bench({ mode, downloaded: ['10.2.9'] });
  const gaps: string[] = [];
  bench.pair.onChange = (_at, what) => {
    if (!bench.pair.devices.some(({ serving }) => serving)) gaps.push(what);
  };
  for (const side of [1, 0] as const) {
    bench.suspend(side);
    renew(bench, side);
  }
  expect(gaps).toEqual([]);
  expect(bench.states).toEqual(states);
});
