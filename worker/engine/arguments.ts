/** What an engine is to do, and how each kind of program is told so. */
import type { EngineBinary } from './binary';

export type SearchAttributeType = 'Keyword' | 'KeywordList' | 'Text' | 'Int' | 'Double' | 'Bool' | 'Datetime';

export interface EngineSettings {
  /** SQLite file, created on first use with its folder. */
  readonly dbFile: string;
  readonly namespace: string;
  /** gRPC port on loopback; 0 picks a free one (the built engine only: the caller picks for the CLI). */
  readonly port: number;
  /** Port of the Web UI on loopback; 'free' picks one (as above), 0 is no UI. */
  readonly uiPort: number | 'free';
  /** Temporal's dynamic configuration, as `{'frontend.WorkflowTimeSkippingEnabled': true}`. */
  readonly dynamicConfig: Readonly<Record<string, unknown>>;
  readonly searchAttributes: Readonly<Record<string, SearchAttributeType>>;
  readonly retentionDays: number;
}

const ip = '127.0.0.1';
/** WAL with synchronous NORMAL survives `kill -9`, at twice the throughput of the default journal (facts/temporal.md, k). */
const pragmas = ['journal_mode=wal', 'synchronous=normal'];
/** As engine/main.go sets them: who signalled, where the server authenticates; no pause, for it would silently stop a watch. */
const presets = { 'frontend.enablePrincipalPropagation': true, 'frontend.WorkflowPauseEnabled': false };

/**
 * The command line. The CLI has no flag for the retention, and takes search attributes only when the namespace is created;
 * `prepareNamespace` does both for either kind.
 */
export function argumentsFor(kind: EngineBinary['kind'], settings: EngineSettings): string[] {
  const each = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value]);
  const attributes = Object.entries(settings.searchAttributes).map(([name, type]) => `${name}=${type}`);
  const dynamic = (values: Readonly<Record<string, unknown>>): string[] =>
    Object.entries(values).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  if (kind === 'hitless')
    return [
      ...['--db', settings.dbFile, '--ip', ip, '--port', String(settings.port), '--ui-port', String(settings.uiPort)],
      ...['--namespace', settings.namespace, '--retention', `${settings.retentionDays}d`],
      ...each('--search-attribute', attributes),
      ...each('--dynamic-config', dynamic(settings.dynamicConfig)),
    ];
  return [
    ...['server', 'start-dev', '--db-filename', settings.dbFile, '--ip', ip, '--port', String(settings.port)],
    ...(settings.uiPort === 0 ? ['--headless'] : ['--ui-port', String(settings.uiPort), '--ui-disable-news-fetch']),
    ...['--namespace', settings.namespace, '--log-level', 'warn'],
    ...each('--sqlite-pragma', pragmas),
    ...each('--search-attribute', attributes),
    ...each('--dynamic-config-value', dynamic({ ...presets, ...settings.dynamicConfig })),
  ];
}
