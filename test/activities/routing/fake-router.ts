/** As much of FRR’s configuration as the driver writes and reads back. */
import type { ExecOptions, ExecResult, Host } from '../../../activities/kit';

const entries = (...names: string[]): string =>
  names.map((n) => `route-map ${n} permit 10\n set metric 1\nexit\n`).join('!\n');

/** FRR that takes every line but those that match: it prints an error and ends with 0, as the real one does. */
export function fakeRouter(
  refuses: RegExp,
  ...maps: string[]
): Host & {
  readonly ran: string[][];
  config: string;
  saved: Record<string, string | Error>;
  wrote: string;
  said: string;
} {
  const ran: string[][] = [];
  const host = {
    name: 'border',
    ran,
    /** Files that can be read there. */
    saved: {} as Record<string, string | Error>,
    /** What it says to `write memory`. */
    wrote: '',
    /** What it says to those lines. */
    said: '% [BGP] Argument form is unsupported or malformed.\n',
    config: `bgp route-map delay-timer 0\nrouter bgp 65200\nexit\n${entries('FROM-FW1', 'TO-FW1', ...maps)}`,
    async exec(argv: readonly string[], _options?: ExecOptions): Promise<ExecResult> {
      if (argv[0] === '/usr/bin/cat') {
        const text = host.saved[argv[1] ?? ''];
        if (text instanceof Error) throw text;
        return { code: text === undefined ? 1 : 0, stdout: text ?? '', stderr: '', ms: 1 };
      }
      const commands = argv.filter((_, i) => argv[i - 1] === '-c');
      ran.push(commands);
      let out = '';
      let at = '';
      for (const command of commands) {
        if (refuses.test(command)) out += host.said;
        else if (command === 'write memory') out += host.wrote;
        else if (command === 'show running-config') out += host.config;
        else if (command.startsWith('route-map')) at = command;
        else if (/^(no )?set /.test(command)) {
          const [kind] = /set (local-preference|as-path prepend)/.exec(command)!;
          const block = new RegExp(`(${at}\n)((?: .*\n)*)`);
          host.config = host.config.replace(block, (_all, head: string, lines: string) => {
            const kept = lines.split('\n').filter((l) => l !== '' && !l.trim().startsWith(kind));
            return [head.trimEnd(), ...kept, ...(command.startsWith('no ') ? [] : [` ${command}`]), ''].join('\n');
          });
        }
      }
      return { code: 0, stdout: out, stderr: '', ms: 1 };
    },
    readFile: () => Promise.reject(new Error('not used')),
    writeFile: () => Promise.reject(new Error('not used')),
    bootId: () => Promise.resolve('boot'),
  };
  return host;
}
