import { argumentsFor, type EngineSettings } from '../../../worker/engine/arguments';
import { atLeastVersion, parseVersion } from '../../../worker/engine/binary';
import { cacheDirectory, dataDirectory } from '../../../worker/engine/paths';
import { homedir } from 'node:os';

describe('versions', () => {
  test('of the CLI and of the built engine', () => {
    expect(parseVersion('temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)\n')).toEqual({
      kind: 'cli',
      server: '1.32.0',
      version: 'temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)',
    });
    expect(parseVersion('hitless-engine (Server 1.32.1, UI 2.55.0)\n')).toMatchObject({ kind: 'hitless', server: '1.32.1' });
    expect(parseVersion('temporal version 1.10.0-rc.1 (Server 1.33.0-rc.2, UI 3.0.0)')).toMatchObject({ server: '1.33.0' });
  });

  test.each(['', 'tctl version 1.18', 'Temporal 1.9', 'some text (Server x.y.z)'])('refuses %j', (text) => {
    expect(parseVersion(text)).toBeUndefined();
  });

  test.each([
    ['1.31.0', true],
    ['1.32.1', true],
    ['2.0.0', true],
    ['1.100.0', true],
    ['1.30.9', false],
    ['1.9.9', false],
    ['0.99.0', false],
  ])('%s is 1.31.0 or newer: %s', (version, expected) => {
    expect(atLeastVersion(version, '1.31.0')).toBe(expected);
  });
});

describe('directories', () => {
  test('XDG variables count when they are absolute', () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: '/c' })).toBe('/c/hitless');
    expect(cacheDirectory({ XDG_CACHE_HOME: 'c' })).toBe(`${homedir()}/.cache/hitless`);
    expect(dataDirectory({})).toBe(`${homedir()}/.local/share/hitless`);
    expect(dataDirectory({ XDG_DATA_HOME: '/d' })).toBe('/d/hitless');
  });
});

describe('the command line', () => {
  const settings: EngineSettings = {
    dbFile: '/d/engine.db',
    namespace: 'default',
    port: 7233,
    uiPort: 8233,
    dynamicConfig: { 'frontend.WorkflowTimeSkippingEnabled': true, 'history.timerProcessorMaxTimeShift': '10ms' },
    searchAttributes: { UpgradeCluster: 'Keyword' },
    retentionDays: 365,
  };

  test('of the built engine', () => {
    expect(argumentsFor('hitless', settings).join(' ')).toBe(
      '--db /d/engine.db --ip 127.0.0.1 --port 7233 --ui-port 8233 --namespace default --retention 365d ' +
        '--search-attribute UpgradeCluster=Keyword ' +
        '--dynamic-config frontend.WorkflowTimeSkippingEnabled=true --dynamic-config history.timerProcessorMaxTimeShift="10ms"',
    );
  });

  test('of the CLI, with the settings that the built engine has by itself', () => {
    expect(argumentsFor('cli', settings).join(' ')).toBe(
      'server start-dev --db-filename /d/engine.db --ip 127.0.0.1 --port 7233 --ui-port 8233 --ui-disable-news-fetch ' +
        '--namespace default --log-level warn --sqlite-pragma journal_mode=wal --sqlite-pragma synchronous=normal ' +
        '--search-attribute UpgradeCluster=Keyword ' +
        '--dynamic-config-value frontend.enablePrincipalPropagation=true --dynamic-config-value frontend.WorkflowPauseEnabled=false ' +
        '--dynamic-config-value frontend.WorkflowTimeSkippingEnabled=true --dynamic-config-value history.timerProcessorMaxTimeShift="10ms"',
    );
    expect(argumentsFor('cli', { ...settings, uiPort: 0 })).toContain('--headless');
  });
});
