#!/usr/bin/env node
/** The `hitless` command: what was built; in a checkout that was never built, it is installed and built first. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../build/client/cli.js', import.meta.url));
if (existsSync(cli)) {
  await createRequire(import.meta.url)(cli).runProcess();
} else {
  const run = fileURLToPath(new URL('run.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [run, 'hitless', ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
