import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Runs `body` while holding an exclusive lock on `path`, across processes. The lock is flock(2)'s, held by a small
 * child that ends when this process does, however it ends; no stale lock can be left.
 */
export async function withLock<T>(path: string, onWait: () => void, body: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const holder = spawn('flock', ['--exclusive', path, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => holder.once('close', () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      const patience = setTimeout(onWait, 500);
      holder.stdout.once('data', () => {
        clearTimeout(patience);
        resolve();
      });
      holder.once('error', (error) => reject(new Error(`can't lock ${path}: ${error.message}`)));
      holder.once('close', (code) => reject(new Error(`can't lock ${path}: flock ended with status ${code}`)));
    });
    return await body();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
