/** Small changes of a run's state that several events have in common. Pure. */
import type { State } from './state';

export const without = <T extends object, K extends keyof T>(value: T, ...keys: K[]): Omit<T, K> => {
  const copy = { ...value };
  for (const key of keys) delete copy[key];
  return copy;
};

/** Nodes' facts that a step or watch reported are merged field by field: the newest word on each field stands. */
export const learn = (state: State, result: unknown, at: number): State => {
  if (typeof result !== 'object' || result === null || !('nodes' in result)) return state;
  const nodes = { ...state.nodes };
  for (const [name, fields] of Object.entries(result.nodes as State['nodes']))
    nodes[name] = { ...nodes[name], ...fields };
  return { ...state, nodes, nodesAt: at };
};
