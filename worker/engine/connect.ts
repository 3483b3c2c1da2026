/** Which Temporal to talk to: the one that is configured, else the embedded engine of this machine. */
import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { ensureLocalEngine, runningLocalEngine, type LocalEngine, type LocalOptions } from './local';

export interface ConnectTarget {
  /** For `Connection.connect` and `NativeConnection.connect` alike; `address` is always set. */
  readonly connectionOptions: NativeConnectionOptions & { readonly address: string };
  readonly namespace: string;
  /** Root of the Web UI without a slash at the end; known for the embedded engine only. */
  readonly uiUrl?: string;
  /** Set when it is the embedded engine. */
  readonly embedded?: LocalEngine;
}

/** Thrown for settings of the connection that can't be used: a file that can't be read, a profile that isn't there. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const ip = '127.0.0.1';

/**
 * What `@temporalio/envconfig` finds comes first: TEMPORAL_ADDRESS, TEMPORAL_PROFILE, the default profile of the configuration
 * file that the Temporal CLI writes. Where it names no address, the embedded engine is used, and started if need be.
 */
export async function connect(options: Omit<LocalOptions, 'namespace'> = {}): Promise<ConnectTarget> {
  const configured = configuredTarget(options.env);
  if ('connectionOptions' in configured) return configured;
  return localTarget(await ensureLocalEngine({ ...options, ...configured }));
}

/** The same, but nothing is started: undefined where no server is configured and the embedded engine doesn't run. */
export async function connectIfRunning(env?: LocalOptions['env']): Promise<ConnectTarget | undefined> {
  const configured = configuredTarget(env);
  if ('connectionOptions' in configured) return configured;
  const engine = await runningLocalEngine(env);
  return engine && localTarget(engine);
}

function configuredTarget(env: LocalOptions['env']): ConnectTarget | { namespace?: string } {
  const variables = env && Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const { profile, connectionOptions, namespace } = configuredProfile(variables);
  if (profile.address === undefined) return namespace === undefined ? {} : { namespace };
  return {
    connectionOptions: { ...connectionOptions, address: profile.address },
    namespace: namespace ?? 'default',
  };
}

function configuredProfile(variables: Record<string, string> | undefined) {
  try {
    const profile = loadClientConfigProfile(variables ? { overrideEnvVars: variables } : {});
    return { profile, ...toClientOptions(profile) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`the settings of the connection (TEMPORAL_…, or the profile) can't be used: ${why}`, {
      cause: error,
    });
  }
}

const localTarget = (engine: LocalEngine): ConnectTarget => ({
  connectionOptions: { address: `${ip}:${engine.port}` },
  namespace: engine.namespace,
  uiUrl: `http://${ip}:${engine.uiPort}`,
  embedded: engine,
});
