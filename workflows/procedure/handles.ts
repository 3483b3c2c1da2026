/**
 * Actions from activity *types*: `handles<typeof import('../activities/routing')>('routing').prefer({ node })` is plain data
 * that names the activity and its input. No activity code reaches the workflow bundle.
 */
import type { AnyPlan, CheckDefinition, GuardDefinition, GuardFinding, StepDefinition } from '../../activities/kit';
import type { Action, Given } from './types';

/** An input may be given another step's result where it asks for a value of that type, or a list of such values. */
type MaybeGiven<I> = I extends object ? { [K in keyof I]: I[K] | Given<NonNullable<I[K]>> | GivenList<I[K]> } : I;
type GivenList<V> = NonNullable<V> extends readonly (infer E)[] ? readonly (E | Given<E>)[] : never;

export type ActionOptions = Pick<Action, 'site' | 'timeoutMs' | 'patience'>;

type HandleOf<D> =
  D extends StepDefinition<infer I, AnyPlan, infer R>
    ? (input: MaybeGiven<I>, options?: ActionOptions) => Action<'step', R>
    : D extends CheckDefinition<infer I, infer R>
      ? (input: MaybeGiven<I>, options?: ActionOptions) => Action<'check', R>
      : D extends GuardDefinition<infer I>
        ? (input: MaybeGiven<I>, options?: ActionOptions) => Action<'check', GuardFinding>
        : never;

export type Handles<Module> = {
  readonly [K in keyof Module as HandleOf<Module[K]> extends never ? never : K]: HandleOf<Module[K]>;
};

export const handles = <Module>(folder: string): Handles<Module> =>
  new Proxy({} as Handles<Module>, {
    get:
      (_target, name) =>
      (input: unknown, options: ActionOptions = {}): Action => ({
        type: `${folder}.${String(name)}`,
        input,
        ...options,
      }),
  });
