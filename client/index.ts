/** The same as the `hitless` command, for programs: start, look, answer. Nothing here prints or exits. */
export { answer, cancel, chooseOpening, command, type AnswerRequest, type Outcome, type Verb } from './answer';
export { openEngine, type ConnectedEngine } from './connection';
export { ClientError, exitCodes, type ExitCode } from './exit';
export { chainOf, type Chain, type Link } from './chain';
export { follow, hasEnded, type FollowOptions } from './follow';
export { listUpgrades, type ListedRun, type Listing, type ListOptions } from './list';
export { renderPlan, renderReadiness } from './render/plan';
export { renderRun } from './render/run';
export { renderReport, renderStatus } from './render/status';
export { deepLink, readUpgrade, readRun, type Engine, type Execution, type RunState } from './run';
export type { PendingCall, ServerView, Silence } from './server-view';
export type { FailingTasks } from './tasks';
export { planUpgrade, startUpgrade, type Started, type StartOptions } from './start';
export { sudoersFiles, type SudoersFile } from './sudoers';
export type { SudoCommand } from '../activities/readiness';
