/** A part of the page that can be made shorter. */

/** From the longest to the shortest that it can be; "" where it may be left out. */
export type Part = readonly (() => string)[];

export const variants = <Level>(levels: readonly Level[], write: (level: Level) => string): Part =>
  levels.map((level) => () => write(level));

/** `2026-11-29 03:12:07Z` */
export const dateAndClock = (iso: string): string => `${iso.slice(0, 19).replace('T', ' ')}Z`;
/** `03:12Z` */
export const clockOf = (iso: string): string => `${iso.slice(11, 16)}Z`;
