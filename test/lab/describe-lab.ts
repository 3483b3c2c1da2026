import { labUnavailable } from './host/machine';

/**
 * `describe` for tests on the lab. Where it can't run they are skipped, saying why; in CI (the variable CI is set) that
 * is a failure, for nobody would see that they were skipped.
 */
export function describeLab(name: string, body: () => void): void {
  const reason = labUnavailable();
  if (reason === undefined) describe(name, body);
  else if (process.env['CI']) {
    test(name, () => {
      throw new Error(`not run: ${reason}`);
    });
  } else {
    describe.skip(`${name} (not run: ${reason})`, body);
  }
}

/** Progress lines of a lab, shown only when the environment variable LAB_PROGRESS is set. */
export const progress = (line: string): void => {
  if (process.env['LAB_PROGRESS']) process.stderr.write(`lab: ${line}\n`);
};

/** As `describe.each`. */
describeLab.each =
  <T extends readonly unknown[]>(rows: readonly T[]) =>
  (name: string, body: (...row: T) => void): void => {
    for (const row of rows) describeLab(name.replace('%s', String(row[0])), () => body(...row));
  };
