import { told } from '../../../activities/firewall-pair/move-traffic';

const moved = {
  summary: 'traffic goes through south',
  changed: true,
  nodes: { south: { serving: true }, north: { serving: false } },
  remarks: ['the policy was half set already'],
};

describe('what a move tells', () => {
  it('is the sessions of both nodes, beside who serves', () => {
    expect(
      told(moved, [], { remarks: [], nodes: { south: { sessions: 7 }, north: { sessions: 'in sync (7)' } } }),
    ).toEqual({
      ...moved,
      nodes: { south: { serving: true, sessions: 7 }, north: { serving: false, sessions: 'in sync (7)' } },
    });
  });

  it('is every remark on the sessions, where people see it: in the sentence of status and report', () => {
    const result = told(moved, ['not copied again'], {
      remarks: ['not all sessions are handed over yet: 1 of 144 flows are missing'],
      nodes: { north: { sessions: 'NOT IN SYNC' } },
    });
    expect(result.summary).toBe(
      'traffic goes through south. Note: not copied again; not all sessions are handed over yet: 1 of 144 flows are missing',
    );
    expect(result.nodes).toMatchObject({ north: { serving: false, sessions: 'NOT IN SYNC' } });
    expect(result.remarks).toHaveLength(3);
  });

  it('is an undo’s too, which has no remarks of its own', () => {
    expect(told({ summary: 'as it was', changed: true }, [], { remarks: ['late'] })).toEqual({
      summary: 'as it was. Note: late',
      changed: true,
      nodes: {},
      remarks: ['late'],
    });
  });
});
