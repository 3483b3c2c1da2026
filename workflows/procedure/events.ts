/** What happens to a run. Each event passes one door (door.ts) and is all that its state follows from (reduce.ts). */
import type { Ending } from '../contract';
import type {
  Answer,
  Failure,
  ItemState,
  Opening,
  Phase,
  RecoveryState,
  RefusedState,
  RemedyState,
  Requests,
  Vote,
} from './state';
import type { Action, Inherited, WatchReport, WatchSpec } from './types';

/** Of one item of the list. */
export type ItemEvent =
  | { readonly type: 'entered'; readonly item: number; readonly known: NonNullable<ItemState['known']> }
  | { readonly type: 'item-started'; readonly item: number; readonly at: number }
  | { readonly type: 'observed'; readonly item: number; readonly before: unknown }
  | { readonly type: 'item-done'; readonly item: number; readonly at: number; readonly result?: unknown }
  | { readonly type: 'item-failed'; readonly item: number; readonly at: number; readonly failure: Failure }
  | { readonly type: 'item-cut'; readonly item: number; readonly at: number }
  | { readonly type: 'undoing'; readonly item: number }
  | { readonly type: 'undone'; readonly item: number; readonly at: number; readonly result?: unknown }
  | { readonly type: 'undo-failed'; readonly item: number; readonly at: number; readonly failure: Failure }
  | { readonly type: 'undo-skipped'; readonly item: number }
  | {
      readonly type: 'wait-started';
      readonly item: number;
      readonly at: number;
      readonly neededMs: number;
      readonly fromMs: number;
      readonly watch?: number;
    };

/** Of the watch or guard that is on. */
export type WatchEvent =
  | {
      readonly type: 'watch-started';
      readonly role: 'watch' | 'guard';
      readonly item: number;
      readonly at: number;
      readonly spec: WatchSpec;
      readonly answer: Action<'step'>;
    }
  | { readonly type: 'watch-aimed'; readonly role: 'watch' | 'guard'; readonly goalMs: number }
  | {
      readonly type: 'watch-reported';
      readonly role: 'watch' | 'guard';
      readonly report: WatchReport;
      readonly at: number;
    }
  | {
      readonly type: 'watch-blind';
      readonly role: 'watch' | 'guard';
      readonly why: string;
      /** What the last heartbeat of a lost attempt told. */
      readonly beaten?: { readonly carry: unknown; readonly observedMs: number };
    }
  | { readonly type: 'watch-ended'; readonly role: 'watch' | 'guard' };

export type Event =
  | ItemEvent
  | WatchEvent
  | {
      readonly type: 'stumbled';
      readonly item: number;
      readonly kind: 'failed' | 'rejected' | 'expired';
      readonly why: string;
    }
  | { readonly type: 'recovered' }
  | { readonly type: 'opened'; readonly opening: Opening; readonly ask: string }
  | { readonly type: 'answered'; readonly opening: string; readonly answer: Answer }
  | { readonly type: 'closed'; readonly opening: string; readonly outcome: NonNullable<Opening['outcome']> }
  | ({ readonly type: 'refused' } & RefusedState)
  | { readonly type: 'requested'; readonly requests: Requests }
  | { readonly type: 'request-met'; readonly request: keyof Requests }
  | { readonly type: 'voted'; readonly command: 'pause' | 'switchBack'; readonly vote: Vote }
  | { readonly type: 'switch-back-means'; readonly means: Action<'step'> | string }
  | { readonly type: 'recovering'; readonly recovery: Partial<RecoveryState> }
  | { readonly type: 'called' }
  /** `taken`: how much of the pending evidence is in it. */
  | { readonly type: 'chained'; readonly digest: string; readonly taken: number }
  | { readonly type: 'taken-over'; readonly inherited: Inherited; readonly at: number; readonly isFirm?: boolean }
  | { readonly type: 'remedied'; readonly remedy: RemedyState }
  | { readonly type: 'escape-started'; readonly why: string; readonly at: number; readonly repeatFrom: number }
  | { readonly type: 'escape-ended'; readonly at: number; readonly result?: unknown; readonly failure?: Failure }
  | { readonly type: 'repeat-from'; readonly item: number }
  | { readonly type: 'no-return' }
  | { readonly type: 'cancel-spent' }
  | { readonly type: 'phase'; readonly phase: Phase }
  | { readonly type: 'ended'; readonly ending: Ending; readonly standing: string; readonly at: number };
