/**
 * A host as activities see it. The SSH implementation is in activities/ssh; drivers know this interface only.
 */
export interface ExecOptions {
  /** Run as root (true) or as the named user, through `sudo -n`. */
  readonly sudo?: boolean | string;
  readonly stdin?: string;
  /** Default 30 s. */
  readonly timeoutMs?: number;
  /** Exit codes that aren't errors; default [0]. 'any' returns whatever came. */
  readonly okCodes?: readonly number[] | 'any';
  /** Keep this command's output out of the evidence (it may hold configuration secrets). */
  readonly quiet?: boolean;
  /**
   * Bytes of stdout and stderr together; default 1 MiB. A command that prints more fails: one host must not fill the worker.
   * Ask for more only where an honest answer may be that large.
   */
  readonly outputLimitBytes?: number;
  /**
   * Takes stdout as it comes, in pieces of whole lines, for what is too large to be held; the result's stdout is empty then.
   * A host that can't stream leaves it alone: use `streamed`. What it throws fails the command.
   */
  readonly onStdout?: (text: string) => void;
  /** Command that runs this one as its last arguments, before any sudo: a lock, a guard. Not part of the evidence. */
  readonly via?: readonly string[];
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface Host {
  /** Name in the plan. */
  readonly name: string;
  /**
   * Runs one command, given as its argument vector, never through string building: arguments are quoted for the remote shell.
   * Throws Unreachable (transport), HostKeyMismatch, AuthenticationFailed, SudoRefused, CommandFailed (exit code not in okCodes,
   * or more output than the limit).
   */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  readFile(path: string, options?: Pick<ExecOptions, 'sudo' | 'quiet'>): Promise<string>;
  /** Written to a temporary file beside it, then renamed: never seen half. Files for root are put in place with `install`. */
  writeFile(
    path: string,
    content: string,
    options?: Pick<ExecOptions, 'sudo' | 'quiet'> & { readonly mode?: string },
  ): Promise<void>;
  /** /proc/sys/kernel/random/boot_id: changes with every boot. */
  bootId(): Promise<string>;
}
