/** Text of at most so many characters; what was cut off shows. Pure. */
export const clip = (text: string, chars: number): string =>
  text.length <= chars ? text : `${text.slice(0, chars - 1)}…`;
