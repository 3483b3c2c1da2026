/**
 * What every activity is made with: a step is observe → act → verify, a check reads only; errors carry the type that
 * workflows branch on; evidence stays small and free of secrets; hosts are reached through one small interface.
 */
export { UnexpectedOutput, jsonOf, parseJson, readAnswer, shaped, type Asked } from './answer';
export { attemptOf } from './attempt';
export { attemptTime, workerClock, type Clock } from './clock';
export { counted } from './counted';
export * from './errors';
export * from './evidence';
export { glob } from './glob';
export * from './host';
export { JsonItems, readInto, readItems, type TextReader } from './json-items';
export { observed } from './observed';
export * from './output';
export { patternFault, patternOf } from './pattern';
export * from './step';
export { spend } from './turns';
export { boundedFailure, leaving } from './failure';
export { redact, redactDeep } from './redact';
export { registerActivities, runActivity, type EvidenceSink, type WorkerServices } from './register';
export * from './guard';
