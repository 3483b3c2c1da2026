/** Where a command's words go. Tests give their own. */
import { processScreen, type Screen } from './screen';

export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: NodeJS.ProcessEnv;
  /** Columns of the terminal; undefined where the output isn't one. */
  readonly columns?: number;
  /** The terminal as a screen that can be drawn on; undefined where the output isn't one. */
  readonly screen?: Screen;
  readonly now: () => number;
}

export const processIo = (): Io => ({
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  env: process.env,
  ...(process.stdout.isTTY && { columns: process.stdout.columns, screen: processScreen(process.stdout) }),
  now: Date.now,
});
