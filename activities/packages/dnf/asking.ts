/** What a host with dnf and rpm is asked before and after anything is done. Nothing here changes it. */
import { permanent } from '../../kit/errors';
import { readAnswer } from '../../kit/answer';
import type { ExecResult, Host } from '../../kit/host';
import { lockedFiles } from '../../readiness/reading';
import * as commands from './commands';
import { lookArguments, parseAnswer, type Answers, type LookFailure, type Question } from './look';
import { NEXT, failed } from './messages';
import * as parse from './parse';

/** Reading all package lists takes seconds on a slow machine. */
export const DNF_TIMEOUT_MS = 120_000;

export const outputOf = ({ stdout, stderr }: ExecResult): string => `${stdout}\n${stderr}`;

export type StagedFile = parse.RpmPackage & { readonly file: string };

/** Installed packages of these names, several of one name included. @throws CommandFailed if rpm doesn't answer for each. */
export async function queryPackages(host: Host, names: readonly string[]): Promise<parse.RpmPackage[]> {
  if (names.length === 0) return [];
  const [result, { architecture }] = await Promise.all([
    host.exec(commands.queryInstalled(names), { okCodes: 'any' }),
    readSystem(host),
  ]);
  const packages = parse.parseQuery(result.stdout, architecture);
  const known = new Set([...packages.map((p) => p.name), ...parse.parseAbsent(result.stdout)]);
  if (names.every((name) => known.has(name))) return packages;
  throw failed(host, 'reading what is installed', result.code, outputOf(result));
}

/** What is in package files. */
export async function readFiles(host: Host, files: readonly string[]): Promise<StagedFile[]> {
  if (files.length === 0) return [];
  const { stdout } = await host.exec(commands.queryFiles(files));
  const packages = parse.parseQuery(stdout, (await readSystem(host)).architecture);
  return files.map((file, index) => {
    const found = packages[index];
    if (packages.length === files.length && found !== undefined) return { ...found, file };
    throw permanent(
      'CommandFailed',
      `${host.name}: rpm can’t read ${files.join(', ')}. Nothing was installed. Next: stage them again.`,
      { host: host.name },
    );
  });
}

export async function readSystem(host: Host): Promise<{ architecture: string; database: string }> {
  const [architecture = '', database = ''] = (await host.exec(commands.evaluate)).stdout.trim().split(' ');
  return { architecture, database };
}

/** Who works on the packages now: dnf notes its process, rpm locks its database. */
export async function findWorker(host: Host): Promise<string | undefined> {
  const { database } = await readSystem(host);
  const lock = await host.exec(['/usr/bin/cat', commands.DNF_LOCK], { okCodes: [0, 1] });
  const pid = /^\d+/.exec(lock.stdout.trim())?.[0];
  if (pid !== undefined) {
    const name = await host.exec(['/usr/bin/cat', `/proc/${pid}/comm`], { okCodes: [0, 1] });
    // A number that is left of a dnf that was killed may be another process's by now.
    if (/^(dnf|yum|python|platform-py)/.test(name.stdout)) return `process ${pid} (${name.stdout.trim()})`;
  }
  const stat = await host.exec(['/usr/bin/stat', '-c', '%D %i %n', `${database}/.rpm.lock`], { okCodes: [0, 1] });
  const [holder] = lockedFiles(stat.stdout, await host.readFile('/proc/locks'));
  if (holder === undefined) return undefined;
  const name = await host.exec(['/usr/bin/cat', `/proc/${holder.pid}/comm`], { okCodes: [0, 1] });
  return `process ${holder.pid} (${name.stdout.trim() || 'rpm'})`;
}

/** A question without the directory of package lists. */
export type Asked<What extends Question['what']> = Omit<Extract<Question, { what: What }>, 'cache'> & { what: What };

const isRefusal = (answer: object): answer is LookFailure => 'failed' in answer;

/** @throws CommandFailed, in dnf's own words, if it refuses. */
export async function askDnf<What extends Question['what']>(
  host: Host,
  doing: string,
  cache: string,
  what: Asked<What>,
): Promise<Answers[What]> {
  const question = { ...what, cache } as unknown as Question;
  const python = await findInterpreter(host);
  const result = await host.exec([python, ...lookArguments(question)], { okCodes: 'any', timeoutMs: DNF_TIMEOUT_MS });
  if (result.code !== 0) throw failed(host, doing, result.code, outputOf(result));
  const asked = { host: host.name, command: `${python} (${doing})`, expected: 'the answer of dnf’s own API, as JSON' };
  const answer = readAnswer(asked, () => parseAnswer<What>(what.what, result.stdout));
  if (!isRefusal(answer)) return answer;
  throw permanent(
    'CommandFailed',
    answer.failed === 'parallel'
      ? `${host.name}: ${doing} failed: ${answer.text} would be installed beside what is there, as dnf does with kernels: no exchange, and no way back. Nothing was installed. Next: leave it out of software.releases.`
      : `${host.name}: ${doing} failed: ${answer.text.trim()}. Nothing was installed. Next: ${NEXT[answer.failed]}.`,
    { host: host.name, why: answer.failed, output: answer.text },
  );
}

/** dnf is a program in Python, and its first line names the interpreter that has its modules. */
async function findInterpreter(host: Host): Promise<string> {
  const { stdout } = await host.exec(['/usr/bin/head', '--bytes=200', '--', commands.DNF], { okCodes: [0, 1] });
  const python = /^#!(\/[A-Za-z0-9/._-]+)/.exec(stdout)?.[1];
  if (python !== undefined) return python;
  throw permanent(
    'CommandFailed',
    `${host.name}: ${commands.DNF} isn’t dnf 4 (RHEL 8 to 10), which this driver is for. Nothing was changed. Next: correct software.driver in the inventory.`,
    { host: host.name },
  );
}
