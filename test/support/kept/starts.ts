/** Runs that end before they touch anything, and dry runs. */
import { EVERY, policy, type Scenario } from './scenario';

const ended: Scenario['play'] = async (run) => void (await run.ended());

const refusedStarts: readonly Scenario[] = [
  {
    what: 'invalid-input',
    kinds: EVERY,
    setting: () => ({ input: { cluster: 'FW DC1', versoin: '2.0' } }),
    play: ended,
    ends: 'InvalidInput',
  },
  {
    what: 'undecodable-input',
    kinds: EVERY,
    setting: () => ({ rawInput: '{"cluster": ' }),
    play: ended,
    ends: 'InvalidInput',
  },
  {
    what: 'unresolved',
    kinds: EVERY,
    setting: () => ({
      turns: { 'plan.resolve': [{ fails: 'InvalidInput', message: 'the inventory has no cluster of this name' }] },
    }),
    play: ended,
    ends: 'InvalidInput',
  },
  {
    what: 'resolved-late',
    kinds: EVERY,
    setting: () => ({ turns: { 'plan.resolve': [{ fails: 'Unreachable', passing: true }] } }),
    play: async (run) => {
      await run.asked('start');
    },
    ends: 'open',
  },
  {
    what: 'resolving',
    kinds: EVERY,
    setting: () => ({ turns: { 'plan.resolve': ['hang'] } }),
    play: async (run) => {
      await run.script.hangs('plan.resolve');
      await run.say('pause', 'before there is a plan');
    },
    ends: 'open',
  },
  {
    what: 'wrong-workflow-id',
    kinds: EVERY,
    setting: ({ upgrade }) => ({ workflowId: `my-${upgrade}` }),
    play: ended,
    ends: 'WrongWorkflowId',
  },
  {
    what: 'plan-differs',
    kinds: EVERY,
    setting: () => ({ more: { expectPlan: 'abcdefabcdef' } }),
    play: ended,
    ends: 'PlanDiffers',
  },
  {
    what: 'requester-missing',
    kinds: EVERY,
    setting: () => ({ more: { requestedBy: undefined }, change: policy({ holds: { notRequester: true } }) }),
    play: ended,
    ends: 'InvalidInput',
  },
];

const dryRuns: readonly Scenario[] = [
  { what: 'plan', kinds: EVERY, setting: () => ({ isDryRun: true }), play: ended, ends: 'Completed' },
  {
    what: 'plan-resolved-only',
    kinds: EVERY,
    setting: () => ({ isDryRun: true, more: { only: 'resolve' } }),
    play: ended,
    ends: 'Completed',
  },
  {
    what: 'plan-checked-only',
    kinds: EVERY,
    setting: () => ({ isDryRun: true, more: { only: 'check', version: undefined } }),
    play: ended,
    ends: 'Completed',
  },
  {
    what: 'plan-not-ready',
    kinds: EVERY,
    setting: ({ ready, step }) => ({
      isDryRun: true,
      turns: {
        [ready]: [
          { fails: 'NotReady', message: 'a node is down', details: { faults: [{ where: 'fw2', what: 'it is down' }] } },
        ],
        [`${step}.preview`]: [{ fails: 'Unreachable', message: 'it doesn’t answer' }],
      },
    }),
    play: ended,
    ends: 'Completed',
  },
  {
    what: 'plan-of-no-cluster',
    kinds: EVERY,
    setting: () => ({
      isDryRun: true,
      turns: { 'plan.resolve': [{ fails: 'InvalidInput', message: 'the inventory has no cluster of this name' }] },
    }),
    play: ended,
    ends: 'InvalidInput',
  },
  {
    what: 'plan-wrong-workflow-id',
    kinds: EVERY,
    setting: ({ plan }) => ({ isDryRun: true, workflowId: `my-${plan}` }),
    play: ended,
    ends: 'WrongWorkflowId',
  },
];

export const starts: readonly Scenario[] = [...refusedStarts, ...dryRuns];
