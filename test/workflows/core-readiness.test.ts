import { readinessFailure } from '../../activities/panos/readiness/check';
import { certain, notReady } from '../../activities/readiness/registry';
import { readinessOf } from '../../workflows/procedure/readiness';

const found = [
  { where: 'fw-a', what: 'no NTP server', next: 'set one' },
  { where: 'fw-b', what: 'HA2 is down' },
];
/** The failure as it reaches a workflow. */
const arrived = (error: unknown) => {
  const { message, details } = error as { message: string; details?: unknown[] };
  return { message, details: details?.[0] };
};

describe('a readiness check that failed is told', () => {
  it('with the faults that it lists, each once', () => {
    const readiness = readinessOf('fw-dc1', arrived(notReady(found.map(certain))));
    expect(readiness).toMatchObject({ ready: false, faults: found });
  });

  it('of a PAN-OS pair with the names of the checks', () => {
    const faults = found.map((fault) => ({ ...fault, check: 'ntp_sync', waivable: true }));
    expect(readinessOf('pa', arrived(readinessFailure(faults))).faults).toEqual(faults);
  });

  it('with a list that is its details', () => {
    expect(readinessOf('fw-dc1', { message: 'x', details: found }).faults).toEqual(found);
  });

  it.each([[undefined], [null], [{ faults: [] }], [{ faults: 'two' }], [[null, 1, {}]]])(
    'as one fault, its message, if its details are %j',
    (details) => {
      expect(readinessOf('fw-dc1', { message: 'no answer', details }).faults).toEqual([
        { where: 'fw-dc1', what: 'no answer' },
      ]);
    },
  );
});
