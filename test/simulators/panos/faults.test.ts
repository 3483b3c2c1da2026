/** Faults: what each does, whom it strikes, and that it ends. */
import type { Fault } from '../../../simulators/panos';
import { Bench } from './bench';

const INFO = { type: 'op', cmd: '<show><system><info/></system></show>' };
const kinds = (bench: Bench, side: 0 | 1, count: number, params: Record<string, string> = INFO) =>
  Array.from({ length: count }, () => bench.request(side, params).kind);

describe('single requests', () => {
  it('the third, twice', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'request', how: 'drop', device: 0, pass: 2, times: 2 });
    expect(kinds(bench, 0, 6)).toEqual(['answer', 'answer', 'drop', 'drop', 'answer', 'answer']);
    expect(bench.pair.faults.list()).toEqual([]);
  });

  it('all until it is cleared, on one device', () => {
    const bench = new Bench();
    const id = bench.pair.faults.inject({ kind: 'request', how: 'hang', device: 'fw-b', times: 0 });
    expect([kinds(bench, 0, 2), kinds(bench, 1, 2)]).toEqual([
      ['answer', 'answer'],
      ['hang', 'hang'],
    ]);
    bench.pair.faults.clear(id);
    expect(kinds(bench, 1, 1)).toEqual(['answer']);
  });

  it('only those of an operation, whose name is told whole words', () => {
    const bench = new Bench();
    const inject = (operation: string) =>
      bench.pair.faults.inject({ kind: 'request', how: 'refuse', operation, times: 0 });
    inject('show system');
    inject('request sys');
    inject('config set');
    inject('keygen');
    inject('commit');
    const state = { type: 'op', cmd: '<show><high-availability><state/></high-availability></show>' };
    const install = { type: 'op', cmd: '<request><system><software><check/></software></system></request>' };
    expect([INFO, state, install].map((params) => bench.request(0, params).kind)).toEqual([
      'refuse',
      'answer',
      'answer',
    ]);
    const set = { type: 'config', action: 'set', xpath: '/config' };
    expect(
      [set, { ...set, action: 'get' }, { type: 'commit' }, { type: 'keygen' }].map(
        (params) => bench.request(0, params).kind,
      ),
    ).toEqual(['refuse', 'answer', 'refuse', 'refuse']);
  });

  it('only during a phase', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'request', how: 'hang', device: 1, during: 'loading', times: 0 });
    bench.restart(1);
    bench.pass(2 + 150);
    expect(kinds(bench, 1, 1)).toEqual(['answer']);
    bench.pass(60);
    expect(kinds(bench, 1, 1)).toEqual(['hang']);
    bench.pass(90);
    expect(kinds(bench, 1, 1)).toEqual(['answer']);
  });

  it('an error instead of doing it', () => {
    const bench = new Bench();
    bench.pair.faults.inject({
      kind: 'error',
      message: 'Session timed out',
      code: 22,
      operation: 'request high-availability',
    });
    expect(bench.suspend(1).body).toBe(
      '<response status="error" code="22"><msg><line>Session timed out</line></msg></response>',
    );
    expect(bench.states).toEqual(['active', 'passive']);
    expect(bench.suspend(1).status).toBe('success');
  });
});

describe('jobs', () => {
  it.each([
    ['fail', 'FIN', 'FAIL', 'Image is corrupt'],
    ['stall', 'ACT', 'PEND', ''],
  ] as const)('%s', (how, status, result, details) => {
    const bench = new Bench({ downloaded: ['10.2.9'] });
    bench.pair.faults.inject({ kind: 'job', how, type: 'SWInstall', details: ['Image is corrupt'] });
    bench.install(1, '10.2.9');
    bench.pass(3_600);
    const job = (name: string) => bench.job(1, '2').text('result', 'job', name);
    expect([job('status'), job('result'), job('details')]).toEqual([status, result, details]);
    bench.restart(1);
    bench.settle();
    expect(bench.version(1)).toBe('10.2.3');
  });

  it('a failed AutoCom leaves the device non-functional', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'job', how: 'fail', type: 'AutoCom', device: 1 });
    bench.restart(1);
    bench.settle();
    expect(bench.states).toEqual(['active', 'non-functional']);
    expect(bench.ha(1).text('result', 'group', 'local-info', 'state-reason')).toBe('Policy push to dataplane failed');
    bench.restart(1);
    bench.settle();
    expect(bench.states).toEqual(['active', 'passive']);
  });
});

describe('boots', () => {
  it.each(['down', 'starting', 'loading'] as const)('stuck in %s until it is cleared', (phase) => {
    const bench = new Bench();
    const fault = bench.pair.faults.inject({ kind: 'boot-stuck', phase, device: 1 });
    bench.restart(1);
    bench.pass(7_200);
    expect(bench.pair.devices[1].phase).toBe(phase);
    expect(bench.request(1, INFO)).toMatchObject(
      { down: { kind: 'refuse' }, starting: { status: 403 }, loading: { kind: 'answer' } }[phase],
    );
    bench.pair.faults.clear(fault);
    bench.settle();
    expect(bench.states).toEqual(['active', 'passive']);
  });

  it('403 for long, for as long as it is told', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'boot-stuck', phase: 'starting', device: 1, forMs: 3_000_000 });
    bench.restart(1);
    bench.pass(2_999);
    expect(bench.request(1, INFO)).toMatchObject({ status: 403 });
    bench.pass(2);
    expect(bench.pair.devices[1].phase).toBe('loading');
  });

  it('a loop: it comes up and goes down again', () => {
    const bench = new Bench();
    const fault = bench.pair.faults.inject({ kind: 'boot-loop', device: 1 });
    bench.restart(1);
    bench.pass(3_600);
    expect(bench.changes.filter((change) => change.includes('fw-b: down')).length).toBeGreaterThan(10);
    bench.pair.faults.clear(fault);
    bench.settle();
    expect(bench.states).toEqual(['active', 'passive']);
  });

  it('the old release after a good install', () => {
    const bench = new Bench({ downloaded: ['10.2.9'] });
    bench.pair.faults.inject({ kind: 'boots-old-version', device: 1 });
    bench.install(1, '10.2.9');
    bench.settle();
    expect(bench.job(1, '2').text('result', 'job', 'result')).toBe('OK');
    bench.restart(1);
    bench.settle();
    expect(bench.version(1)).toBe('10.2.3');
  });
});

describe('what others do', () => {
  it('a Panorama push and a commit of somebody else run until they end', () => {
    for (const [kind, type] of [
      ['panorama-push', 'CommitAll'],
      ['commit-running', 'Commit'],
    ] as const) {
      const bench = new Bench();
      const fault = bench.pair.faults.inject({ kind, device: 0 });
      bench.pass(3_600);
      expect([
        bench.job(0, '2').text('result', 'job', 'type'),
        bench.job(0, '2').text('result', 'job', 'status'),
      ]).toEqual([type, 'ACT']);
      bench.set(0, '/config/shared/tag', '<entry name="x"/>');
      expect(bench.commit(0).status).toBe('error');
      bench.pair.faults.clear(fault);
      expect(bench.job(0, '2').text('result', 'job', 'result')).toBe('OK');
      expect(bench.commit(0).status).toBe('success');
    }
  });

  it('the software manager in use', () => {
    const bench = new Bench({ downloaded: ['10.2.9'] });
    bench.pair.faults.inject({ kind: 'software-manager-busy', device: 0, forMs: 60_000 });
    expect(bench.install(0, '10.2.9').text('msg', 'line')).toMatch(/^The software manager is currently in use/);
    expect(bench.install(1, '10.2.9').status).toBe('success');
    bench.pass(60);
    expect(bench.install(0, '10.2.9').status).toBe('success');
  });

  it('configurations that don’t become equal', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'config-sync-stuck' });
    expect(bench.ha(1).text('result', 'group', 'running-sync')).toBe('not synchronized');
  });

  it('no update server', () => {
    const bench = new Bench();
    const fault = bench.pair.faults.inject({ kind: 'no-internet', device: 0 });
    expect([bench.checkSoftware(0).status, bench.checkSoftware(1).status]).toEqual(['error', 'success']);
    bench.pair.faults.clear(fault);
    expect(bench.checkSoftware(0).status).toBe('success');
  });
});

describe('time', () => {
  it('begins later, and ends by itself', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'dataplane-down', device: 0, afterMs: 10_000, forMs: 20_000 });
    expect(bench.pair.faults.list()).toMatchObject([{ begun: false }]);
    bench.settle();
    expect(bench.changes.filter((change) => /fault|non-functional/.test(change))).toEqual([
      '10 fault 1: dataplane-down',
      '10 fw-a: active → non-functional (Dataplane down: brdagent exiting) [T8]',
      '30 fault 1: dataplane-down is over',
      '90 fw-a: non-functional → passive [T9]',
    ]);
  });

  it('cleared before it began, it never does', () => {
    const bench = new Bench();
    bench.pair.faults.clear(bench.pair.faults.inject({ kind: 'crash', device: 0, afterMs: 10_000 }));
    bench.settle();
    expect(bench.changes).toEqual([]);
  });

  it('what it was before comes back where two faults of a kind overlap', () => {
    const bench = new Bench();
    const first = bench.pair.faults.inject({ kind: 'ha1-down' });
    bench.pair.faults.inject({ kind: 'ha1-down' });
    bench.pair.faults.clear(first);
    expect(bench.pair.ha.links.ha1).toBe(false);
    bench.pair.faults.clear();
    expect(bench.pair.ha.links.ha1).toBe(true);
  });
});

it('a device that isn’t there is refused', () => {
  const fault: Fault = { kind: 'crash', device: 'fw-z' };
  expect(() => new Bench().pair.faults.inject(fault)).toThrow('no device fw-z: there are fw-a and fw-b');
});
