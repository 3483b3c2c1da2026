/** The engine: a Temporal server to connect to, found or started (design, section Engine). */
export type { EngineSettings, SearchAttributeType } from './arguments';
export { UnusableBinary, oldestServer, type EngineBinary } from './binary';
export { BuildError, buildEngine, builtEnginePath, type Progress } from './build';
export { SettingsError, connect, connectIfRunning, type ConnectTarget } from './connect';
export { ensureLocalEngine, runningLocalEngine, stopLocalEngine, type LocalEngine, type LocalOptions } from './local';
export { NoEngineError, locate, type LocateOptions } from './locate';
export {
  SearchAttributeError,
  ensureSearchAttributes,
  productSearchAttributes,
  type ServerConnection,
} from './search-attributes';
export { EngineStartError, startEngine, type Engine, type StartOptions } from './start';
