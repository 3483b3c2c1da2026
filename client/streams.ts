/** Standard output and error that can't be written to: nobody reads any more, or the disk is full. */
import { exitCodes } from './exit';

type Failed = NodeJS.ErrnoException;

/**
 * A worker goes on without its log, and writes it again when there is room: watches hang on it. A command whose answer can't
 * be written has failed, unless whoever read it had enough (`hitless status … | head`).
 */
export function outliveStreams(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', ({ code, message }: Failed) => {
    if (code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.ok);
    process.stderr.write(`hitless: standard output can’t be written: ${message}\n`);
    process.exit(exitCodes.failed);
  });
}
