import type { PlanView } from '../../workflows/contract';
import { changes, newRefusals } from '../../client/render/changes';
import { renderPlan, renderReadiness } from '../../client/render/plan';
import { renderOutcome, renderRun } from '../../client/render/run';
import { answersTo, renderReport, renderStatus } from '../../client/render/status';
import { bar, printable, table } from '../../client/render/text';
import type { RunState } from '../../client/run';
import { gate, hold, pause, report, running, status, told } from './fixtures/views';

const nowMs = Date.parse('2026-11-22T10:30:00.000Z');
const watching = {
  name: 'Watch',
  since: gate.openedAt,
  state: 'watching' as const,
  observedMs: 0,
  pass: 0,
  fail: 0,
  inconclusive: 0,
};

describe('renderStatus', () => {
  it('shows node, step, progress and why it waits', () => {
    const text = renderStatus(
      {
        ...status,
        waitingFor: [gate],
        wait: {
          name: 'Monitoring period',
          observedMs: 3_600_000,
          neededMs: 14_400_000,
          asOf: '2026-11-22T02:00:00.000Z',
          counting: true,
        },
        watch: {
          name: 'Watch 2.0 on fw1',
          since: '2026-11-22T09:00:00.000Z',
          state: 'blind',
          observedMs: 3_600_000,
          pass: 3_600,
          fail: 1,
          inconclusive: 2,
          escape: { ready: false, why: 'fw2: sudo refused' },
          last: 'no results from probe-outside',
        },
        refused: [{ at: '2026-11-22T10:10:00.000Z', signal: 'approve', why: 'bob requested this upgrade' }],
      },
      { nowMs },
    );
    expect(text).toBe(
      [
        'fw-dc1 → 2.0: forward',
        'Going forward through the steps of the procedure.',
        'Step 3 of 4: Monitoring period, for 1 h 30 min',
        '',
        'WAITING FOR PEOPLE',
        'return#2  Move traffic back to fw1, which now runs 2.0?',
        '    2 needed, from alice, bob, carol; so far alice: approve; until 2026-11-23 10:00:00Z (23 h 30 min left), then hold',
        '    digest 0123456789ab, asked 2026-11-22 10:00:00Z, for 30 min',
        '    hitless approve fw-dc1 return#2',
        '    hitless reject fw-dc1 return#2 --comment "why"',
        '',
        'REFUSED 2026-11-22 10:10:00Z approve: bob requested this upgrade',
        '',
        'NODE  RELEASE  SERVING  NOTE',
        'fw1   2.0      yes      -',
        'fw2   1.0      no       idle',
        '',
        'Monitoring period: [#####···············] 25 %, 1 h of 4 h, 3 h left',
        '  it stands still: time without probes doesn’t count',
        '',
        'Watch 2.0 on fw1: BLIND: no probe results arrive, for 1 h 30 min; no results from probe-outside',
        '  probes passed 3600, failed 1, inconclusive 2; observed 1 h',
        '  THE WAY BACK IS NOT READY: fw2: sudo refused',
        '',
        'STEPS',
        '  1  done     Check that the pair is ready  12 s        both nodes are ready',
        '  2  failed   Move traffic to fw2           31 s        VerifyFailed: border still prefers fw1',
        '  3  running  Monitoring period             1 h 30 min',
        '  4           Gate finish',
        '',
        'Plan ffffffffffff',
      ].join('\n'),
    );
  });

  it('tells what came of a step that was undone, of traffic that was moved away, and what activities are at', () => {
    const [first] = status.steps;
    const text = renderStatus(
      {
        ...status,
        nodesAsOf: '2026-11-22T10:29:00.000Z',
        escapes: [{ at: '2026-11-22T10:00:00.000Z', why: 'regression: 3 of 5 failed', outcome: 'fw2 serves' }],
        steps: [
          {
            ...first!,
            state: 'undone',
            summary: 'traffic moved to fw1',
            undo: { at: '2026-11-22T10:05:00.000Z', summary: 'fw2 serves again' },
          },
        ],
      },
      { nowMs, inHand: ['waiting for fw1 to come back: its AutoCommit is at 30 % (2 s ago)'] },
    );
    expect(text).toContain('\n  waiting for fw1 to come back: its AutoCommit is at 30 % (2 s ago)\n');
    expect(text).toContain('as of 2026-11-22 10:29:00Z');
    expect(text).toContain('2026-11-22 10:00:00Z moved away: regression: 3 of 5 failed → fw2 serves');
    expect(text).toContain('traffic moved to fw1; undone: fw2 serves again');
  });

  it('says what each answer does, and who is meant', () => {
    const text = renderStatus({
      ...status,
      doing: 'waiting for people',
      sentence: 'Waiting for approval: Move traffic back to fw1, which now runs 2.0?',
      waitingFor: [told],
    });
    expect(text).toMatch(/^fw-dc1 → 2\.0: waiting for people\nWaiting for approval: /);
    expect(text).toContain('2 needed, from alice, bob, carol, but not alice, who asked for the upgrade; so far');
    expect(text).toContain(
      [
        '    hitless approve fw-dc1 return#2',
        '        goes on',
        '    hitless reject fw-dc1 return#2 --comment "why"',
        '        changes nothing yet: people are asked what now',
      ].join('\n'),
    );
  });

  it('can be read at 80 columns: whole words, nothing cut but steps', () => {
    const why = 'fw-b is non-functional (Dataplane down: brdagent exiting), and nobody knows why that is so';
    const text = renderStatus(
      {
        ...status,
        sentence: `REGRESSION: ${why}; traffic is on fw-a, which runs 10.2.3 (read 03:12Z).`,
        steps: [],
        waitingFor: [{ ...told, question: `${why}. ${why}. What now?` }],
        watch: {
          name: 'Watch 2.0 on fw1',
          since: gate.openedAt,
          state: 'regression',
          observedMs: 1,
          pass: 1,
          fail: 1,
          inconclusive: 0,
          last: why,
        },
        refused: [{ at: gate.openedAt, signal: 'approve', by: 'bob', why }],
        refusedCount: 500,
        escapes: [{ at: gate.openedAt, why, outcome: why }],
      },
      { nowMs, width: 80 },
    );
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).not.toContain('…');
    const words = text.replace(/\s+/g, ' ');
    expect(words).toContain(`${why}. ${why}. What now?`);
    expect(words).toContain(`REFUSED 2026-11-22 10:00:00Z approve by bob: ${why} (500 refused in all)`);
    expect(words).toContain('REFUSED MESSAGES, the last 1 of 500');
  });

  it('what is asked stands before nodes and steps; what was refused last, too', () => {
    const refused = [{ at: gate.openedAt, signal: 'approve', why: 'no' }];
    const text = renderStatus({ ...status, waitingFor: [gate], refused });
    const order = ['WAITING FOR PEOPLE', 'REFUSED 2026', 'NODE', 'STEPS'].map((part) => text.indexOf(part));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('counts only what a watch has reported, and says when; nothing is watched before a report', () => {
    const wait = {
      name: 'Period',
      observedMs: 43_000,
      neededMs: 100_000,
      asOf: '2026-11-22T03:12:00.000Z',
      counting: false,
    };
    const waiting = { ...watching, state: 'waiting' as const };
    const text = renderStatus({ ...status, wait, watch: waiting }, { nowMs });
    expect(text).toContain('43 %, 43 s of 1 min 40 s, 57 s left\n  as of 2026-11-22 03:12:00Z, the last report');
    expect(text).toContain('Watch: NOBODY WATCHES YET: nothing has been reported');
    const seen = { ...watching, asOf: gate.openedAt, escape: { ready: true } };
    expect(renderStatus({ ...status, watch: seen })).toContain('the way back was ready (as of 2026-11-22 10:00:00Z)');
  });

  it.each([
    [{ ready: true, lookedAgoMs: 20_000 }, 'the way back was ready (as of 2026-11-22 09:59:40Z)'],
    [
      { ready: false, unknown: true as const, why: 'it hasn’t been looked at for 3 min' },
      'whether the way back is ready is not known: it hasn’t been looked at for 3 min',
    ],
    [{ ready: false, why: 'sudo refused' }, 'THE WAY BACK IS NOT READY: sudo refused'],
  ])('the way back is as it was looked at: %j', (escape, words) => {
    const watch = { ...watching, asOf: gate.openedAt, escape };
    expect(renderStatus({ ...status, watch })).toContain(words);
    expect(changes(status, { ...status, watch })).toContain(words);
    expect(changes({ ...status, watch }, { ...status, watch })).toEqual([]);
  });

  it.each([
    [{ asWanted: true, lookedAgoMs: 1_000 }, 'devices were as this run left them (as of 2026-11-22 09:59:59Z)', false],
    [{ asWanted: false, why: 'border prefers fw2' }, 'NOT as this run left it: border prefers fw2', true],
    [
      { why: 'border doesn’t answer' },
      'whether devices are as this run left them is not known: border doesn’t answer',
      true,
    ],
  ])('whether somebody has changed what the run owns: %j', (owned, words, isNews) => {
    const watch = { ...watching, asOf: gate.openedAt, owned };
    expect(renderStatus({ ...status, watch })).toContain(words);
    expect(changes(status, { ...status, watch }).includes(words)).toBe(isNews);
    const mended = { ...status, watch: { ...watch, owned: { asWanted: true } } };
    expect(changes({ ...status, watch }, mended).some((line) => line.startsWith('devices were as'))).toBe(isNews);
  });

  it('tells what a reset run, or one that came after another, goes on from; and how often it continued', () => {
    const at = gate.openedAt;
    const takenOver = [
      { at, from: 'earlier run' as const, runId: 'a', by: 'rita@ops', steps: 2 },
      { at, from: 'reset' as const, runId: 'b', steps: 1, lost: 'step 4: its before was too large' },
    ];
    const text = renderStatus({ ...status, takenOver, link: 2 });
    expect(text).toContain(
      '2026-11-22 10:00:00Z an earlier run was ended from outside, by rita@ops; the state before of 2 steps was taken over from its history\n' +
        '2026-11-22 10:00:00Z this run was reset; the state before of 1 step was taken over from its history. THIS RUN CANNOT UNDO: step 4: its before was too large',
    );
    const unread = [{ at, from: 'earlier run' as const, runId: '', steps: 0, lost: 'its history is gone' }];
    expect(renderStatus({ ...status, takenOver: unread })).toContain(
      'what an earlier run left is not known. THIS RUN CANNOT UNDO: its history is gone\n',
    );
    expect(text).toMatch(/^Plan f{12}; the run has continued as new 2 times$/m);
    expect(changes(status, { ...status, takenOver }).join('\n')).toContain('THIS RUN CANNOT UNDO');
    const run = {
      cluster: 'c',
      workflowId: 'upgrade-c',
      runId: 'b',
      firstRunId: 'a',
      workflowType: 't',
      taskQueue: 'q',
    };
    const reset = { ...run, execution: 'running' as const, startedAt: at, resetAt: at };
    expect(renderRun({ ...reset, status: { ...status, takenOver } })).not.toContain("isn't known to it");
    expect(renderRun({ ...reset, status })).toContain("isn't known to it");
  });

  it('tells who has given a command that needs more people', () => {
    const votes = [{ command: 'pause', by: ['ann'], needed: 2 }];
    expect(renderStatus({ ...status, votes })).toContain('pause: said by ann; 1 of 2');
  });

  it('of an ended run: no step that it would be at, and nothing that grows older', () => {
    const watch = {
      name: 'Watch',
      since: gate.openedAt,
      state: 'regression' as const,
      observedMs: 1,
      pass: 0,
      fail: 1,
      inconclusive: 0,
    };
    const ended = renderStatus({ ...status, phase: 'ended', watch }, { nowMs });
    expect(ended).not.toMatch(/Step 3 of 4|REGRESSION, for/);
    expect(renderReport({ ...report, watch }, { nowMs })).not.toContain('REGRESSION, for');
  });

  it('is the same whenever it is read, without a clock', () => {
    expect(renderStatus(status)).not.toContain('for ');
  });

  it('fits the terminal', () => {
    const wide = { ...status, steps: [{ ...status.steps[0]!, summary: 'x'.repeat(500) }] };
    for (const line of renderStatus(wide, { width: 60 }).split('\n').slice(3))
      expect(line.length).toBeLessThanOrEqual(60);
    expect(renderStatus(wide)).toContain('x'.repeat(500));
  });

  it('lets nobody write to the terminal but us', () => {
    const evil = renderStatus({
      ...status,
      target: '2.0\u001b[2J',
      waitingFor: [{ ...gate, question: 'Go?\u001b]0;title\u0007', answered: ['eve\u009b31m: approve'] }],
      steps: [{ ...status.steps[0]!, summary: 'fine\n\u001b[31mFAKE\u202e' }],
      refused: [{ at: 'x\u001b[2J', signal: 'a\u001bb', why: '\u0008\u0008' }],
    });
    expect(evil).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});

describe('the commands that answer an opening', () => {
  it.each([
    ['a gate', gate, ['hitless approve c return#2', 'hitless reject c return#2 --comment "why"']],
    [
      'a hold',
      { ...hold, choices: ['retry', 'skip'] },
      ['hitless decide c hold#1 retry', 'hitless decide c hold#1 skip --comment "why"'],
    ],
    ['a pause', pause, ['hitless resume c --reason "why"']],
    [
      'a hold whose worker tells two ways back',
      {
        ...hold,
        answers: [
          { choice: 'roll-back', signal: 'decide' as const, means: 'undoes one', message: {} },
          { choice: 'roll-back', to: 'start' as const, signal: 'decide' as const, means: 'undoes all', message: {} },
        ],
      },
      ['hitless decide c hold#1 roll-back', 'hitless decide c hold#1 roll-back --to start'],
    ],
  ])('%s', (_, opening, commands) => {
    expect(answersTo('c', opening)).toEqual(commands);
  });
});

describe('renderReport', () => {
  it('says how it ended, where it stands and who said what', () => {
    const text = renderReport(report);
    expect(text).toContain(
      'fw-dc1 → 2.0: ROLLED BACK\nRolled back: see where it stands.\nIt stands so: fw1: release 1.0',
    );
    expect(text).toContain('2026-11-22 08:00:00Z to 2026-11-22 11:30:00Z, 3 h 30 min');
    expect(text).toContain('ANSWERS\n  2026-11-22 10:00:00Z  hold#1  alice  roll-back  errors');
  });
});

describe('renderRun', () => {
  const run: RunState = {
    ...running,
    link: 'http://127.0.0.1:8233/namespaces/default/workflows/upgrade-fw-dc1/r-1',
  };

  it('without a worker: what the server knows, and that it may be old', () => {
    const text = renderRun(
      {
        ...run,
        server: {
          silence: 'no-worker',
          why: 'no worker answered in time',
          taskQueue: 'hitless',
          lastPoll: { at: '2026-11-22T10:28:00.000Z', by: '12@host' },
          phase: 'held',
          waitingFor: 'hold#1',
          target: '2.0',
          pending: [
            {
              activity: 'packages.install.act',
              state: 'running',
              attempt: 3,
              note: 'unpacking frr',
              heardAt: '2026-11-22T10:27:00.000Z',
              lastFailure: 'fw1: lost',
            },
          ],
        },
      },
      { nowMs },
    );
    expect(text).toContain('NO WORKER ANSWERS');
    expect(text).toContain('was last polled 2026-11-22 10:28:00Z, 2 min ago by 12@host');
    expect(text).toContain('  waiting for  hold#1');
    expect(text).toContain(
      '  packages.install.act  running  attempt 3  unpacking frr  heard 2026-11-22 10:27:00Z  last failure: fw1: lost',
    );
    expect(text).toContain(run.link);
  });

  it('of a run that somebody terminated: that nothing was undone', () => {
    const text = renderRun({ ...run, execution: 'terminated', closedAt: '2026-11-22T09:00:00.000Z' });
    expect(text).toContain('fw-dc1: terminated');
    expect(text).toContain('nothing was undone');
  });

  it('of a run that failed before it began: the whole message', () => {
    const text = renderRun({
      ...run,
      execution: 'failed',
      failure: { type: 'InvalidInput', message: 'a:\n- one\n- two' },
    });
    expect(text).toContain('InvalidInput: a:\n  - one\n  - two');
  });
});

describe('what became of a message', () => {
  it.each([
    [{ kind: 'counted' as const, opening: gate }, 'approve: counted, more are needed\nreturn#2'],
    [
      { kind: 'counted' as const, opening: gate, counted: 1, needed: 2 },
      'approve: counted, more are needed: 1 of 2\nreturn#2',
    ],
    [{ kind: 'counted' as const, counted: 1, needed: 3 }, 'approve: counted, more are needed: 1 of 3'],
    [{ kind: 'closed' as const, opening: 'return#2' }, 'approve: counted; return#2 is closed'],
    [{ kind: 'refused' as const, why: 'bob requested it' }, 'approve: refused: bob requested it'],
    [{ kind: 'recorded' as const, why: 'no poller' }, 'approve: recorded, not yet read: no poller'],
    [{ kind: 'unclear' as const }, 'look again: hitless status c'],
  ])('%#: $kind', (outcome, text) => {
    expect(renderOutcome('c', 'approve', outcome)).toContain(text);
  });
});

describe('changes', () => {
  it('tells the phase in words', () => {
    const after = { ...status, phase: 'undoing-step', doing: 'undoing a step that failed', sentence: 'So it is.' };
    expect(changes(status, after)).toEqual(['— undoing a step that failed: So it is.']);
  });

  it('tells that nobody watches before somebody has reported', () => {
    const watch = { ...watching, state: 'waiting' as const };
    expect(changes(status, { ...status, watch })).toEqual(['watch begins, NOBODY WATCHES YET: Watch']);
  });

  it('tells everything once, then only what is new', () => {
    const first = changes(undefined, status);
    expect(first).toContain('1/4 done: Check that the pair is ready (12 s) – both nodes are ready');
    expect(first).toContain('2/4 failed: Move traffic to fw2 (31 s) – VerifyFailed: border still prefers fw1');
    expect(first).toContain('  fw2: release 1.0, serving false, note idle');
    expect(changes(status, status)).toEqual([]);
  });

  it('tells of openings, answers, refusals, nodes and the watch', () => {
    const before = { ...status, waitingFor: [{ ...gate, answered: [] }, hold] };
    const watch = { name: 'w', since: gate.openedAt, observedMs: 0, pass: 0, fail: 0, inconclusive: 0 };
    const after = {
      ...status,
      nodes: { ...status.nodes, fw1: { release: '2.0', serving: false } },
      waitingFor: [gate, pause],
      watch: { ...watch, state: 'regression' as const, last: 'web failed', escape: { ready: true } },
      refused: [{ at: gate.openedAt, signal: 'pause', why: 'no' }],
    };
    const lines = changes(before, after);
    expect(lines).toContain('hold#1 is closed');
    expect(lines).toContain('return#2: alice: approve (1 given, 2 needed)');
    expect(lines.join('\n')).toContain('WAITING FOR PEOPLE\npause#1  Paused by bob: storm');
    expect(lines).toContain('  fw1: serving false');
    expect(lines).toContain('watch regression: w – web failed');
    expect(lines).toContain('refused pause: no');
  });

  it('tells the progress of a wait in tenths', () => {
    const at = (observedMs: number) => ({
      ...status,
      wait: { name: 'Period', observedMs, neededMs: 100_000, asOf: '2026-11-22T02:00:00.000Z', counting: true },
    });
    expect(changes(at(10_000), at(19_000))).toEqual([]);
    expect(changes(at(19_000), at(20_000))).toEqual(['Period: 20 s of 1 min 40 s (20 %)']);
  });

  it('knows a refusal from an earlier one just like it', () => {
    const r = { at: '1', signal: 'approve', why: 'no' };
    expect(newRefusals({ refused: [r] }, { refused: [r] })).toEqual([]);
    expect(newRefusals({ refused: [r] }, { refused: [r, r] })).toEqual([r]);
    // The list holds the newest few: the old one may be gone.
    expect(newRefusals({ refused: [r] }, { refused: [{ ...r, at: '2' }] })).toHaveLength(1);
  });
});

describe('renderPlan', () => {
  const view: PlanView = {
    digest: 'a'.repeat(64),
    plan: {},
    items: [
      { kind: 'check', name: 'Check that the pair is ready', action: 'readiness.check' },
      { kind: 'step', name: 'Move traffic to fw2', action: 'pair.moveTraffic' },
      { kind: 'watch', name: 'Watch' },
      { kind: 'watch-end', name: 'Watch' },
      { kind: 'gate', name: 'finish' },
    ],
    readiness: {
      ready: false,
      faults: [
        { where: 'fw2', what: 'sudo asks for a password', next: 'hitless plan --sudoers' },
        { where: 'edge', what: 'down' },
      ],
    },
    previews: [
      {
        item: 1,
        commands: [{ host: 'border', command: 'vtysh -c "clear bgp * soft"' }],
        differences: [{ host: 'border', of: 'route-map FROM-FW2', diff: '-100\n+110\n' }],
      },
    ],
  };

  it('numbers steps as the status does, with commands and differences', () => {
    expect(renderPlan('fw-dc1', view)).toBe(
      [
        'STEPS',
        '  1  look       Check that the pair is ready',
        '  2  step       Move traffic to fw2',
        '         border  vtysh -c "clear bgp * soft"',
        '         border: route-map FROM-FW2',
        '           -100',
        '           +110',
        '  3  watch      Watch',
        '     watch end  Watch',
        '  4  ASK        finish',
        '',
        'fw-dc1 is NOT READY, 2 faults; nothing was changed:',
        '- fw2: sudo asks for a password',
        '    → hitless plan --sudoers',
        '- edge: down',
        '',
        'Plan aaaaaaaaaaaa',
      ].join('\n'),
    );
    expect(renderReadiness('c', { ready: true, faults: [], summary: 'all well' })).toBe('c is ready: all well');
  });

  it('says first whose plan it is, where a run was ended half-way', () => {
    const resumed = { ...view, plan: { resumedFrom: 'run-1\u001b[2J' } };
    expect(renderPlan('fw-dc1', resumed)).toMatch(
      /^Goes on with the plan of run run-1[^\u001b]*, which was ended from outside/,
    );
  });

  it('names the check that a waiver would name', () => {
    const faults = [{ where: 'fw-a', what: 'no NTP server', check: 'ntp_sync' }];
    expect(renderReadiness('pa', { ready: false, faults })).toBe(
      'pa is NOT READY, one fault; nothing was changed:\n- fw-a: no NTP server [ntp_sync]',
    );
  });
});

describe('text', () => {
  it('leaves empty columns out', () => {
    expect(
      table([
        ['a', '', 'b'],
        ['aa', '', 'c'],
      ]),
    ).toBe('a   b\naa  c');
  });
  it('bars never leave their box', () => {
    expect([bar(-1, 4), bar(0.5, 4), bar(2, 4), bar(NaN, 4)]).toEqual(['[····]', '[##··]', '[####]', '[····]']);
  });
  it('keeps line breaks, nothing else', () => {
    expect(printable('a\nb\tc\u0000')).toBe('a\nb c�');
  });
});
