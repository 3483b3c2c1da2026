/** The state of a run at its beginning. Pure. */
import type { PlannedItem } from '../contract';
import type { RecoveryState, State } from './state';
import type { Identity } from './types';

export const noRecovery: RecoveryState = {
  reason: '',
  escapeFailed: false,
  escaped: false,
  escapedByItself: false,
  stumbleSettled: false,
  unmended: null,
  cancelling: false,
  rollBack: null,
};

export const initialState = (
  items: readonly PlannedItem[],
  at: number,
  planDigest: string,
  identity?: Identity,
): State => ({
  phase: 'forward',
  startedAt: at,
  items: items.map((item) => ({ item, state: 'pending' })),
  openings: [],
  openingCounts: {},
  requests: {},
  escapes: [],
  remedies: [],
  escapeCount: 0,
  remedyCount: 0,
  answersDropped: 0,
  refused: [],
  refusedCount: 0,
  votes: { pause: [], switchBack: [] },
  recovery: noRecovery,
  switchBack: 'traffic has not been moved yet, there is nothing to switch back',
  chain: { digest: planDigest, pending: [] },
  ...(identity === undefined ? {} : { identity }),
  takenOver: [],
  resetCount: 0,
  nodes: {},
  noReturnBehind: false,
  cancelled: false,
});
