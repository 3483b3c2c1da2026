/** The table of all upgrades: 80 columns, whatever is in it. */
import fc from 'fast-check';
import { renderListing } from '../../client/render/list';
import { whoMay } from '../../client/render/who';
import type { ListedRun } from '../../client/list';
import { hitless } from './fixtures/command';
import { gate, hold } from './fixtures/views';

const nowMs = Date.parse('2026-11-22T12:05:00.000Z');
const run = (cluster: string, rest: Partial<ListedRun> = {}): ListedRun => ({
  cluster,
  workflowId: `upgrade-${cluster}`,
  runId: 'r',
  execution: 'running',
  startedAt: '2026-11-22T08:00:00.000Z',
  waitingFor: [],
  ...rest,
});
const step = { number: 17, of: 27, name: 'Monitoring period', since: '2026-11-22T11:05:00.000Z' };

it('shows who waits for whom, since when', () => {
  const text = renderListing(
    {
      isCut: true,
      runs: [
        run('pa-edge', {
          target: '11.0.4',
          phase: 'held',
          waitingFor: ['return#2'],
          status: { step, sentence: '', waitingFor: [{ ...gate, notFrom: 'alice' }], requestedBy: 'alice' },
        }),
        run('fw-dc1', { target: '2.0', phase: 'forward', status: { step, sentence: '', waitingFor: [] } }),
        run('fw-dc2', { target: '2.0', phase: 'held', waitingFor: ['hold#1'], trouble: 'no worker' }),
        run('a-cluster-with-a-name-that-is-longer-than-it-should-be', {}),
        run('old', { execution: 'completed', closedAt: '2026-11-22T10:05:00.000Z', target: '2.0', phase: 'ended' }),
        run('older', { execution: 'failed', ending: 'RolledBack', closedAt: '2026-11-20T10:05:00.000Z' }),
      ],
    },
    { width: 80, nowMs },
  );
  expect(text.split('\n')).toEqual([
    'CLUSTER  TARGET  PHASE        STEP             WAITING FOR               SINCE',
    'pa-edge  11.0.4  held         17/27 Monitori…  return#2: alice, bob, c…  2 h',
    'fw-dc1   2.0     forward      17/27 Monitori…  nobody                    1 h',
    'fw-dc2   2.0     held         –                (no worker) hold#1        –',
    'a-cluster-with-a-name-that-is-longer-than-it-should-be',
    '         –       –            –                –                         –',
    'old      2.0     UPGRADED     –                                          2 h ago',
    'older    –       ROLLED BACK  –                                          2 d ago',
    '… and more: only the first ones are shown',
  ]);
});

it('no line is longer than the terminal, nothing in it is obeyed by it', () => {
  const text = fc.string({ maxLength: 200, unit: 'binary' });
  fc.assert(
    fc.property(
      fc.array(fc.record({ cluster: text, target: text, phase: text, trouble: text, name: text, id: text })),
      (rows) => {
        const runs = rows.map(({ cluster, name, id, ...rest }, index) =>
          run(cluster, {
            ...rest,
            ...(index % 2 === 0 && {
              status: { step: { ...step, name }, sentence: '', waitingFor: [{ ...hold, id, from: [name] }] },
            }),
          }),
        );
        for (const line of renderListing({ runs, isCut: false }, { width: 80, nowMs }).split('\n')) {
          expect(line.length).toBeLessThanOrEqual(80);
          expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        }
      },
    ),
  );
});

it('says whose word doesn’t count', () => {
  expect(whoMay(gate)).toBe('alice, bob, carol');
  expect(whoMay({ ...gate, notFrom: 'alice' })).toBe('alice, bob, carol, not the requester (alice)');
  expect(whoMay({ ...hold, notFrom: 'alice' })).toBe('anyone, not the requester (alice)');
});

it('says so where there is nothing', () => {
  expect(renderListing({ runs: [], isCut: false }, { width: 80, nowMs })).toContain('no upgrade is listed');
});

it('help has examples; a wrong number is told', async () => {
  expect((await hitless({}, ['list', '--help'])).out).toContain('Examples:\n  hitless list');
  expect((await hitless({}, ['list', '--days', 'x'])).err).toContain('It is no number of days');
});
