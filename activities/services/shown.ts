/** What `systemctl show UNIT…` prints: a block of KEY=VALUE for each unit asked for, in the same order. Pure. */

/** Values by key, of each block; of a key that comes twice in a block, the first. */
export const shownUnits = (text: string): ReadonlyMap<string, string>[] =>
  text
    .trim()
    .split(/\n\s*\n/)
    .map((block) => {
      const values = new Map<string, string>();
      for (const line of block.split('\n')) {
        const at = line.indexOf('=');
        if (at > 0 && !values.has(line.slice(0, at))) values.set(line.slice(0, at), line.slice(at + 1));
      }
      return values;
    });
