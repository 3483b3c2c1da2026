/**
 * The procedure core: step, gate, watching, recovery, over one pure reducer (events → state). Status, live details, search
 * attributes and report are views of that state. runtime.ts is the only door to Temporal.
 */
export { handles } from './handles';
export { record } from './record';
export { whereItWasLeft } from './resumed';
export { planOnly } from './dry-run';
export { upgrade } from './start';
export { Run } from './run';
export * from './types';
export { details } from './details';
export { reportView } from './report';
export { statusView } from './views';
