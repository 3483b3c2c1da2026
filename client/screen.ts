/** A terminal's screen, drawn on in place: the alternate one, so that nothing is added to what can be scrolled back to. */
import type { WriteStream } from 'node:tty';

export interface Screen {
  /** Begins to draw. `frame` gives the rows for a size; it is asked at every `draw`, and when the size has changed. */
  open(frame: (size: Size) => readonly string[]): Drawing;
}

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

export interface Drawing {
  draw(): void;
  /** Gives the terminal back as it was found. */
  close(): void;
}

const CSI = '\u001b[';
/** Alternate screen, no cursor, no wrapping at the right edge: a character of unknown width can't push a row down. */
const ENTER = `${CSI}?1049h${CSI}?25l${CSI}?7l`;
const LEAVE = `${CSI}?7h${CSI}?25h${CSI}?1049l`;

/** One frame: each row over the old one, what is below cleared. No line feed, so nothing can scroll. */
export const frameText = (rows: readonly string[]): string =>
  rows.map((row, index) => `${CSI}${index + 1};1H${row}${CSI}K`).join('') + `${CSI}J`;

/** Some terminals (serial lines) don't tell their size. */
const UNKNOWN: Size = { rows: 24, columns: 80 };
const sizeOf = ({ rows, columns }: Partial<Size>): Size => ({
  rows: rows !== undefined && rows > 0 ? rows : UNKNOWN.rows,
  columns: columns !== undefined && columns > 0 ? columns : UNKNOWN.columns,
});

/**
 * The screen of this process. Whoever ends it (Ctrl-C, kill, a hang-up, a fault of ours) finds the terminal as it was; what
 * was shown last stays there for those who ended it themselves.
 */
export const processScreen = (stdout: WriteStream): Screen => ({
  open(frame) {
    let isOpen = false;
    let shown: readonly string[] = [];
    const enter = (): void => {
      if (!isOpen) stdout.write(ENTER);
      isOpen = true;
    };
    const leave = (): void => {
      if (isOpen) stdout.write(LEAVE);
      isOpen = false;
    };
    const draw = (): void => {
      if (!isOpen) return;
      shown = frame(sizeOf(stdout));
      stdout.write(frameText(shown));
    };
    const end = (signal: NodeJS.Signals): void => {
      leave();
      if (signal !== 'SIGHUP') stdout.write(`${shown.join('\n')}\n`);
      release();
      // As if we had never listened: whoever waits for us sees which signal it was.
      process.kill(process.pid, signal);
    };
    const suspend = (): void => {
      leave();
      process.kill(process.pid, 'SIGSTOP');
    };
    const resume = (): void => {
      enter();
      draw();
    };
    const release = (): void => {
      for (const signal of ENDS) process.off(signal, end);
      process.off('SIGTSTP', suspend).off('SIGCONT', resume).off('exit', leave);
      stdout.off('resize', draw);
    };
    for (const signal of ENDS) process.once(signal, end);
    process.on('SIGTSTP', suspend).on('SIGCONT', resume).on('exit', leave);
    stdout.on('resize', draw);
    enter();
    return {
      draw,
      close: () => {
        release();
        leave();
      },
    };
  },
});

const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
