import { failureType } from '../../../activities/kit/errors';
import { runTag, unitName } from '../../../activities/jobs';
import { startArgv, sudoToRunJob } from '../../../activities/jobs/commands';
import { nextMove, parseState, type JobMove, type JobState } from '../../../activities/jobs/state';
import { ANYTHING } from '../../../activities/ssh';

const shown = (fields: Record<string, string>): string =>
  Object.entries({
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'exited',
    Result: 'success',
    ExecMainCode: '1',
    ExecMainStatus: '0',
    Boot: 'boot-1',
    Record: '7 boot-1 120 started',
    Size: '500',
    Last: 'Setting up frr (8.4.4) ... a=b',
    ...fields,
  })
    .map(([k, v]) => `${k}=${v}`)
    .join('\n');

describe('where a job stands', () => {
  test.each<[string, Record<string, string>, Partial<JobState>]>([
    ['ended well', {}, { unit: 'ended', code: 0, lastLine: 'Setting up frr (8.4.4) ... a=b' }],
    ['starting', { ActiveState: 'activating', SubState: 'start' }, { unit: 'running' }],
    ['running', { SubState: 'running' }, { unit: 'running' }],
    ['being stopped', { ActiveState: 'deactivating', SubState: 'stop-sigterm' }, { unit: 'running' }],
    [
      'failed',
      { ActiveState: 'failed', SubState: 'failed', Result: 'exit-code', ExecMainStatus: '100' },
      { unit: 'ended', code: 100 },
    ],
    [
      'ended by the time limit',
      { ActiveState: 'failed', SubState: 'failed', Result: 'timeout', ExecMainCode: '2', ExecMainStatus: '15' },
      { unit: 'ended', code: 143, signal: 'SIGTERM', result: 'timeout' },
    ],
    ['unknown to systemd', { LoadState: 'not-found', ActiveState: 'inactive', SubState: 'dead' }, { unit: 'absent' }],
    ['stopped by somebody', { ActiveState: 'inactive', SubState: 'dead' }, { unit: 'absent' }],
  ])('%s', (_name, fields, expected) => {
    expect(parseState(shown(fields))).toMatchObject({ ...expected, note: { call: '7', offset: 120 } });
  });

  test('without a note, or with half of one', () => {
    expect(parseState(shown({ Record: '' }))).not.toHaveProperty('note');
    expect(parseState(shown({ Record: '7 boot-1' }))).not.toHaveProperty('note');
  });

  test('what isn’t a state at all', () => {
    expect(() => parseState('Failed to connect to bus')).toThrow('no ActiveState');
  });
});

describe('what follows', () => {
  const note = (call: string, phase: 'starting' | 'started', bootId = 'boot-1'): object => ({
    note: { call, bootId, offset: 0, phase },
  });
  test.each<[JobState['unit'], object, JobMove]>([
    ['absent', {}, 'start'],
    ['absent', note('6', 'started'), 'start'],
    ['absent', note('7', 'starting'), 'start'],
    ['absent', note('7', 'starting', 'boot-0'), 'lost'],
    ['absent', note('7', 'started'), 'lost'],
    ['absent', note('7', 'started', 'boot-0'), 'lost'],
    ['running', note('7', 'started'), 'await'],
    ['running', note('7', 'starting'), 'await'],
    ['running', note('6', 'started'), 'foreign'],
    ['running', {}, 'foreign'],
    ['ended', note('7', 'started'), 'result'],
    ['ended', note('7', 'starting'), 'result'],
    ['ended', note('6', 'started'), 'clear'],
    ['ended', {}, 'clear'],
  ])('%s, %j: %s', (unit, more, move) => {
    const state: JobState = { unit, result: 'success', bootId: 'boot-1', logBytes: 0, lastLine: '', ...more };
    expect(nextMove(state, '7')).toBe(move);
  });
});

describe('names and commands', () => {
  test('a run is named by the end of its ID, which newer IDs don’t share', () => {
    expect(runTag('01990000-aaaa-7000-8000-0123456789ab')).toBe('456789ab');
    expect(runTag('something else')).toMatch(/^[0-9a-f]{8}$/);
    expect(unitName('01990000-aaaa-7000-8000-0123456789ab', 'install')).toBe('hitless-456789ab-install');
  });

  test.each(['', 'Install', 'a b', 'a/b', '-a', 'x'.repeat(49)])('%j is no name', (name) => {
    try {
      startArgv({ name, argv: ['/bin/true'] }, 'u');
      throw new Error('it should have been refused');
    } catch (error) {
      expect(failureType(error)).toBe('InvalidInput');
    }
  });

  test('sudoers lines are the same for all runs and end where the patterns begin', () => {
    const lines = sudoToRunJob({ name: 'install', argv: ['/usr/bin/apt-get', 'install', ['frr=', ANYTHING]] });
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(
      /^\/usr\/bin\/systemd-run --quiet --no-ask-password --unit\\=hitless-(\[0-9a-f\]){8}-install .* -- \/usr\/bin\/apt-get install frr\\=\*$/,
    );
  });
});
