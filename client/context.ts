/** What every command is given, and how what it found becomes words or JSON and an exit code. */
import { ApplicationFailure } from '@temporalio/common';
import type { Command } from 'commander';
import { InventoryError } from '../worker/inventory';
import { openEngine, type ConnectedEngine } from './connection';
import { ClientError, exitCodes, type ExitCode } from './exit';
import { explain } from './failures';
import { userName } from './identity';
import type { Io } from './io';
import { printable } from './render/text';
import { exitCodeOf } from './start';

/** What a command found: for people, for scripts, and the exit code for both. */
export interface Result {
  readonly text: string;
  readonly json: unknown;
  readonly code?: ExitCode;
}

export interface Session {
  readonly io: Io;
  readonly wantsJson: boolean;
  /** Connects at the first call. */
  readonly engine: () => Promise<ConnectedEngine>;
  /** Progress and notes: never mixed into JSON. */
  readonly note: (text: string) => void;
  /** Output in the middle of a command that goes on: a line of text, or one JSON document on a line. */
  readonly emit: (text: string, json: unknown) => void;
}

/** Runs commands and remembers the exit code of the last one. */
export class Context {
  code: ExitCode = exitCodes.ok;
  constructor(readonly io: Io) {}

  /** A commander action around `work`: connects when asked to, prints, maps faults, closes. */
  async run(
    options: { readonly json?: boolean },
    work: (session: Session) => Promise<Result | undefined>,
  ): Promise<void> {
    const wantsJson = options.json === true;
    let engine: ConnectedEngine | undefined;
    const session: Session = {
      io: this.io,
      wantsJson,
      engine: async () => (engine ??= await openEngine(this.io.env)),
      note: (text) => this.io.err(`${text}\n`),
      emit: (text, json) => {
        if (wantsJson) this.io.out(`${JSON.stringify(json)}\n`);
        else if (text !== '') this.io.out(`${text}\n`);
      },
    };
    try {
      const result = await work(session);
      if (result === undefined) return;
      // A command that has printed all of its JSON already has none left.
      if (wantsJson && result.json !== undefined) this.io.out(`${JSON.stringify(result.json, undefined, 2)}\n`);
      else if (!wantsJson && result.text !== '') this.io.out(`${result.text}\n`);
      this.code = result.code ?? exitCodes.ok;
    } catch (error) {
      this.fail(faultOf(error, engine), wantsJson);
    } finally {
      await engine?.close();
    }
  }

  /** Prints what went wrong, and remembers its exit code. */
  fail(fault: ClientError, wantsJson: boolean): void {
    this.code = fault.code;
    const { message, next, details } = fault;
    if (wantsJson) {
      const error = {
        message,
        exitCode: fault.code,
        ...(next !== undefined && { next }),
        ...(details !== undefined && { details }),
      };
      this.io.out(`${JSON.stringify({ error }, undefined, 2)}\n`);
      return;
    }
    this.io.err(`hitless: ${printable(message)}\n`);
    if (next !== undefined) this.io.err(`  → ${printable(next)}\n`);
  }
}

function faultOf(error: unknown, engine: ConnectedEngine | undefined): ClientError {
  if (error instanceof InventoryError)
    return new ClientError(exitCodes.usage, error.message, undefined, { faults: error.faults });
  if (error instanceof ApplicationFailure) {
    // What a plan can't be resolved for is told alike here and by a worker.
    const details = error.details ?? undefined;
    return new ClientError(exitCodeOf({ type: error.type ?? '', details }), error.message, undefined, {
      type: error.type,
    });
  }
  const where = { address: engine?.address ?? '?', namespace: engine?.client.options.namespace ?? '?' };
  return explain(error, where);
}

/** Who acts: HITLESS_USER, else the user of the operating system. @throws ClientError usage, where that has no name. */
export function defaultUser(env: NodeJS.ProcessEnv): string {
  const name = env['HITLESS_USER'] || userName();
  if (name !== undefined) return name;
  throw new ClientError(
    exitCodes.usage,
    `nobody says who acts: this system has no name for the user with the ID ${process.getuid?.()}`,
    'give --by NAME (of start: --requested-by NAME), or set HITLESS_USER',
  );
}

export const withJson = (command: Command): Command =>
  command.option('--json', 'print one JSON document instead of text (errors too)');

/** Examples below a command's help. */
export const withExamples = (command: Command, ...examples: readonly (readonly [string, string])[]): Command => {
  const width = Math.max(...examples.map(([line]) => line.length));
  return command.addHelpText(
    'after',
    `\nExamples:\n${examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`).join('\n')}`,
  );
};
