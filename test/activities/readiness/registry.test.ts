import { permanent, transient, type Fault, type StepContext } from '../../../activities/kit';
import { faultsOf, readinessCheck, type Checker } from '../../../activities/readiness';

const context = (signal: AbortSignal = new AbortController().signal) =>
  ({ plan: {}, signal, progress: () => undefined }) as unknown as StepContext<unknown>;
const fails =
  (error: Error): Checker<unknown> =>
  () =>
    Promise.reject(error);
const finds =
  (summary: string, nodes?: Record<string, Record<string, string>>): Checker<unknown> =>
  () =>
    Promise.resolve({ summary, ...(nodes === undefined ? {} : { nodes }) });
const fault = (where: string, what: string): Fault => ({ where, what });
const run = (checkers: Record<string, Checker<unknown>>) => readinessCheck(checkers).check(context(), {});
const failureOf = (checkers: Record<string, Checker<unknown>>) =>
  run(checkers).then(
    () => undefined,
    (error: unknown) =>
      error as { type: string; nonRetryable: boolean; message: string; details: [{ faults: Fault[] }] },
  );
const notReady = (...faults: Fault[]) => permanent('NotReady', 'not ready', { faults });

describe('one list of all faults', () => {
  it('says what each checker found, and what is known of nodes', async () => {
    await expect(
      run({
        routing: finds('BGP is up', { fw1: { serving: 'yes' } }),
        parity: finds('alike', { fw1: { release: '1.0' } }),
      }),
    ).resolves.toEqual({
      summary: 'ready: routing, parity',
      findings: { routing: 'BGP is up', parity: 'alike' },
      nodes: { fw1: { serving: 'yes', release: '1.0' } },
    });
  });

  it('has the faults of all checkers, whichever fail', async () => {
    const failure = await failureOf({
      routing: fails(notReady(fault('edge', 'no session'), fault('border', 'a tie'))),
      parity: finds('alike'),
      packages: fails(permanent('PackageMissing', 'frr 9 is nowhere')),
      // Some folders give the list itself.
      state: fails(permanent('NotReady', 'x', [fault('fw2', 'not in sync')])),
    });
    expect(failure).toMatchObject({ type: 'NotReady', nonRetryable: true });
    expect(failure?.details[0].faults).toEqual([
      fault('edge', 'no session'),
      fault('border', 'a tie'),
      fault('packages', 'frr 9 is nowhere'),
      fault('fw2', 'not in sync'),
    ]);
    expect(failure?.message).toContain('4 faults:\n- edge: no session\n- border: a tie');
  });

  it('is asked again only if every part of it may pass', async () => {
    const silent = transient('Unreachable', 'fw1 can’t be reached', { host: 'fw1' });
    expect(await failureOf({ a: fails(silent), b: finds('fine') })).toMatchObject({
      type: 'Unreachable',
      nonRetryable: false,
    });
    expect(await failureOf({ a: fails(silent), b: fails(notReady(fault('x', 'y'))) })).toMatchObject({
      type: 'NotReady',
      nonRetryable: true,
    });
  });

  it('names a silent host once, though every checker met it', async () => {
    const silent = () => transient('Unreachable', 'fw1 can’t be reached', { host: 'fw1' });
    const failure = await failureOf({ routing: fails(silent()), parity: fails(silent()) });
    expect(failure?.details[0].faults).toEqual([{ ...fault('fw1', 'fw1 can’t be reached'), type: 'Unreachable' }]);
    // Also where one of the checkers made a list of it, beside what can't pass.
    const inner = await failureOf({ a: fails(silent()), b: fails(notReady(fault('x', 'y'))) });
    const outer = await failureOf({
      routing: fails(silent()),
      nodes: fails(permanent('NotReady', 'n', inner?.details[0])),
    });
    expect(outer?.details[0].faults).toHaveLength(2);
  });

  it('puts what isn’t a failure of ours down to the checker', async () => {
    expect(faultsOf(new TypeError('x is undefined'), 'parity')).toMatchObject([
      { where: 'parity', what: 'x is undefined', passes: true },
    ]);
    expect((await failureOf({ parity: fails(new TypeError('x')) }))?.nonRetryable).toBe(false);
  });

  it('is no list at all when the call was cut', async () => {
    const controller = new AbortController();
    const cut = new Error('cut');
    const checking = readinessCheck({ a: fails(new Error('connection closed')) }).check(context(controller.signal), {});
    controller.abort(cut);
    await expect(checking).rejects.toBe(cut);
  });
});

describe('faults with names', () => {
  const named = (where: string, check: string) => ({ where, what: 'differs', check, waivable: true });
  const waivable = (...faults: ReturnType<typeof named>[]) =>
    permanent('Waivable', 'x', { faults, waivable: faults.map(({ check }) => check) });

  it('may be waived where nothing else is in the way', async () => {
    const failure = await failureOf({ parity: fails(waivable(named('fw1', 'a#1'), named('fw2', 'b#2'))) });
    expect(failure).toMatchObject({ type: 'Waivable', nonRetryable: true });
    expect(failure?.details[0]).toMatchObject({ waivable: ['a#1', 'b#2'] });
    expect(failure?.message).toContain('- fw1: differs [a#1]');
  });

  it('may not be where something must be mended', async () => {
    const failure = await failureOf({
      parity: fails(waivable(named('fw1', 'a#1'))),
      routing: fails(notReady(fault('edge', 'no session'))),
    });
    expect(failure).toMatchObject({ type: 'NotReady', nonRetryable: true });
    expect(failure?.details[0].faults).toHaveLength(2);
  });

  it('are asked about when what passes by itself has passed', async () => {
    const silent = transient('Unreachable', 'edge can’t be reached', { host: 'edge' });
    const failure = await failureOf({ parity: fails(waivable(named('fw1', 'a#1'))), routing: fails(silent) });
    expect(failure).toMatchObject({ type: 'Unreachable', nonRetryable: false });
  });

  it('that were waived are told', async () => {
    const checked = await readinessCheck<unknown>({
      parity: () => Promise.resolve({ summary: 'alike', waived: ['a#1'] }),
      routing: finds('fine'),
    }).check(context(), {});
    expect(checked.waived).toEqual(['a#1']);
  });
});
