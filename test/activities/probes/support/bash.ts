/** The loops as a process of this machine, optionally inside a network namespace: what sshd would start. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { LineProcess } from '../../../../activities/probes';

export interface LocalProcess extends LineProcess {
  readonly pid: number;
}

export function localLines(
  argv: readonly string[],
  onLine: (line: string) => void,
  options: { readonly netns?: string; readonly env?: NodeJS.ProcessEnv } = {},
): LocalProcess {
  const words = [...(options.netns === undefined ? [] : ['ip', 'netns', 'exec', options.netns]), ...argv];
  const child = spawn(words[0]!, words.slice(1), { stdio: ['pipe', 'pipe', 'inherit'], env: options.env });
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stdout }).on('line', onLine);
  const ended = new Promise<string>((resolve) =>
    child.once('close', (code, signal) => resolve(`it ended with ${signal ?? `code ${code}`}`)),
  );
  return {
    pid: child.pid!,
    ended,
    write: (text) => void child.stdin.write(text),
    close: () => void child.stdin.end(),
  };
}

/** Processes of this machine whose environment holds the mark: what a loop left behind. */
export function marked(mark: string): string[] {
  const out = spawnSync('bash', ['-c', `grep -lsa -- ${mark} /proc/[0-9]*/environ`], { encoding: 'utf8' }).stdout;
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((path) => spawnSync('ps', ['-o', 'pid=,stat=,args=', '-p', path.split('/')[2]!], { encoding: 'utf8' }).stdout)
    .filter((line) => line.trim() !== '' && !/ Z/.test(line));
}

export const isRoot = process.getuid?.() === 0;
/** What needs root is skipped without it, and fails in CI. */
export function describeAsRoot(name: string, body: () => void): void {
  if (isRoot) describe(name, body);
  else if (process.env['CI']) describe(name, () => test('root', () => Promise.reject(new Error('needs root'))));
  else describe.skip(`${name} (needs root)`, body);
}

/** Waits for something that must become true, looking again often; fails loudly instead of hanging. */
export async function eventually(what: string, holds: () => boolean, limitMs = 30_000): Promise<void> {
  const until = Date.now() + limitMs;
  while (!holds()) {
    if (Date.now() > until) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
