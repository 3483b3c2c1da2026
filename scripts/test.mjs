#!/usr/bin/env node
/**
 * The tests: format, lint and types first (a minute), then jest in two groups. What needs the machine to itself (booted
 * hosts, traffic with microsecond counters) runs one file after another; the rest side by side.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [command, ...rest] = process.argv.slice(2);
const all = rest.includes('--all');
const patterns = rest.filter((a) => !a.startsWith('--'));
const bin = (name) => join(root, 'node_modules', '.bin', name);

const checks = [
  ['format', bin('prettier'), ['--check', '--log-level=warn', '.']],
  // It also builds: whole upgrades run `hitless` as a program.
  ['types and build', bin('tsc'), ['-p', root]],
  ['lint', bin('eslint'), ['--max-warnings=0', '.']],
];
const totals = { passed: 0, failed: 0, skipped: 0 };
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(0)} s`;

for (const [name, program, argv] of patterns.length > 0 ? [] : checks) {
  const since = Date.now();
  const { status } = spawnSync(program, argv, { cwd: root, stdio: 'inherit' });
  console.log(`${name}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds(since)})`);
  totals[status === 0 ? 'passed' : 'failed']++;
}
if (command === 'check' || totals.failed > 0) end();

const lab = '(\\.lab\\.test\\.ts$|/test/lab/)';
const whole = '/test/e2e/';
/**
 * In test:all only: what takes minutes and shows what other tests show, too, or a rarer case; and what needs HAProxy or
 * PostgreSQL on this machine itself, where the lab has its own.
 */
const later = all
  ? []
  : [
      '/test/lab/xroad/(xroad|upgrade-by-hand|forbidden|dnf)[.]test',
      '/test/lab/(upgrade-by-hand|topologies|traffic/traffic|xroad/options)[.]test',
      '/test/activities/routing/topologies[.]',
      '/test/activities/firewall-pair/busy[.]',
      '/test/e2e/(undo-restart|terminate)[.]',
      '/test/e2e/xroad-(refused|nodes|database|reboot|dnf|plain)[.]',
      '/test/e2e/(kill-matrix|kill-matrix-panos|links|panos-steering)[.]',
      '/test/activities/packages/dnf-failures[.]',
      '/test/activities/load-balancer/haproxy[.]test',
      '/test/activities/xroad/database[.]test',
    ];
const ignoring = (paths) => (paths.length > 0 ? ['--testPathIgnorePatterns', ...paths] : []);
const groups = [
  ['unit, property and engine tests', ['--maxWorkers=2', '--testPathIgnorePatterns', lab, whole, ...later]],
  ['lab tests', ['--runInBand', '--testPathPatterns', lab, '--testPathIgnorePatterns', whole, ...later]],
  ['whole upgrades on the lab', ['--runInBand', '--testPathPatterns', whole, ...ignoring(later)]],
];
const out = mkdtempSync(join(tmpdir(), 'hitless-test-'));
try {
  for (const [index, [name, argv]] of groups.entries()) {
    const since = Date.now();
    const file = join(out, `${index}.json`);
    const env = {
      ...process.env,
      ...(all ? { HITLESS_TEST_ALL: '1', HITLESS_PROPERTY_RUNS: process.env.HITLESS_PROPERTY_RUNS ?? '10000' } : {}),
    };
    const paths = patterns.length > 0 ? ['--runTestsByPath', ...patterns] : [];
    const { status } = spawnSync(
      process.execPath,
      [
        join(root, 'node_modules/jest/bin/jest.js'),
        '--passWithNoTests',
        '--forceExit',
        '--json',
        `--outputFile=${file}`,
        ...(patterns.length > 0 ? ['--runInBand', ...paths] : argv),
      ],
      {
        cwd: root,
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    const result = JSON.parse(readFileSync(file, 'utf8'));
    totals.passed += result.numPassedTests;
    totals.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    totals.skipped += result.numPendingTests;
    console.log(`${name}: ${result.numPassedTests} passed, ${result.numFailedTests} failed (${seconds(since)})`);
    if (status !== 0 && totals.failed === 0) totals.failed++;
    if (patterns.length > 0) break;
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
end();

function end() {
  // In CI a lab that was skipped is a failure: there it must be able to run.
  if (process.env.CI && totals.skipped > 0 && !all) {
    console.log(`${totals.skipped} tests were skipped, which counts as a failure in CI`);
    totals.failed += totals.skipped;
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);
}
