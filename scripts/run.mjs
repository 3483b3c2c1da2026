#!/usr/bin/env node
/**
 * What `npm run …` runs on a fresh clone as on an old one: installs the packages if the lock file changed, builds what
 * changed (tsc sees what), then hands over. Plain JavaScript on Node's own modules, as nothing is installed yet.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [command = 'help', ...args] = process.argv.slice(2);
const say = (text) => process.stderr.write(`${text}\n`);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 3)) {
  say(`Hitless needs Node.js 20.3 or newer; this is ${process.versions.node}.`);
  process.exit(2);
}

/** Runs a program to its end; ends this process if it fails. Standard output is for what is handed over to, as JSON. */
function must(what, program, ...argv) {
  const { status, error } = spawnSync(program, argv, { cwd: root, stdio: ['ignore', 2, 'inherit'] });
  if (status === 0) return;
  say(`${what} failed${error ? `: ${error.message}` : ''}. Nothing was started.`);
  process.exit(status ?? 1);
}

function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const marker = join(root, 'node_modules', '.hitless-lock');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return;
  say('Installing npm packages (package-lock.json) …');
  // Not `npm ci`: it insists on the optional packages of every other platform, which some registries don't have.
  must('npm install', 'npm', 'install', '--no-save', '--no-progress', '--loglevel=error');
  writeFileSync(marker, lock);
}

function build() {
  mkdirSync(join(root, 'build'), { recursive: true });
  must('The build', process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-p', root);
}

/** Hands the terminal over and takes the exit code; signals reach the child through the terminal's process group. */
function hand(program, argv) {
  const child = spawn(program, argv, { cwd: root, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
}

const built = { demo: 'demo/main.js', lab: 'test/lab/cli.js', hitless: 'client/cli.js' };

install();
if (command === 'test' || command === 'check') {
  hand(process.execPath, [join(root, 'scripts/test.mjs'), command, ...args]);
} else if (built[command]) {
  build();
  hand(process.execPath, [join(root, 'build', built[command]), ...args]);
} else {
  say('usage: node scripts/run.mjs demo | test | check | lab | hitless [ARGUMENT …]');
  process.exit(2);
}
