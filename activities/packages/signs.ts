/** Signs by which the output of a package manager is told, in time that is linear in it. */

/** Something that occurs in a text or doesn't: a regular expression, or pieces in order. */
export interface Sign {
  test(text: string): boolean;
}

/** Whether a line has all the pieces, in this order. (`A .* B .* C` looks for the rest again from every A.) */
export const inOneLine = (...pieces: readonly string[]): Sign => ({
  test: (text) =>
    text.split('\n').some((line) => {
      let at = 0;
      return pieces.every((piece) => {
        const found = line.indexOf(piece, at);
        at = found + piece.length;
        return found >= 0;
      });
    }),
});

/** Whether one of several signs is there. */
export const anyOf = (...signs: readonly Sign[]): Sign => ({ test: (text) => signs.some((sign) => sign.test(text)) });
