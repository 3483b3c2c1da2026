/** What is wrong with a command line or with its settings, for people and for scripts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCodes } from '../../client/exit';
import { hitless } from './fixtures/command';

const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as { version: string };

describe('--version', () => {
  it.each([[['--version']], [['-V']]])('%j', async (args) => {
    expect(await hitless({}, args)).toMatchObject({ code: 0, out: `${version}\n`, err: '' });
  });
});

describe('wrong usage with --json', () => {
  it.each([
    ['a missing argument', ['status', '--json'], 'missing required argument', undefined],
    ['an unknown option', ['list', '--json', '--frob'], "unknown option '--frob'", undefined],
    ['an option that is nearly right', ['status', 'fw', '--json', '--wach'], "unknown option '--wach'", '--watch'],
    ['an unknown command', ['frobnicate', '--json'], "unknown command 'frobnicate'", undefined],
    ['a missing option', ['pause', 'fw', '--json'], "required option '--reason <text>'", undefined],
    ['an option without its value', ['approve', 'fw', '--json', '--by'], 'argument missing', undefined],
    ['an unknown subcommand', ['inventory', 'frob', '--json'], "unknown command 'frob'", undefined],
    ['too many arguments', ['status', 'a', 'b', '--json'], 'too many arguments', undefined],
    ['a choice that there is not', ['start', 'fw', '2.0', '--mode', 'x', '--json'], 'rolling, offline', undefined],
  ])('%s', async (_, args, message, next) => {
    const ran = await hitless({ TEMPORAL_ADDRESS: '127.0.0.1:1' }, args);
    expect(ran).toMatchObject({ code: exitCodes.usage, err: '' });
    const { error } = ran.json as { error: { message: string; exitCode: number; next?: string } };
    expect(error.exitCode).toBe(exitCodes.usage);
    expect(error.message).toContain(message);
    expect(error.message).not.toMatch(/^error:|\n$/);
    expect(error.next).toMatch(next ?? /--help/);
  });

  it('is text where no JSON was asked for', async () => {
    const ran = await hitless({}, ['pause', 'fw', '--by']);
    expect(ran.out).toBe('');
    expect(ran.err).toContain("option '--by <name>' argument missing");
  });

  it('an option’s value that happens to be --json asks for nothing', async () => {
    const ran = await hitless({}, ['plan', 'fw', '--host', '--json']);
    expect(ran.out).toBe('');
    expect(ran.err).toContain("missing required argument 'version'");
  });
});

describe('settings that can’t be used', () => {
  it.each([['bad:::x'], ['https://temporal:7233'], ['host:port'], ['::1:7233']])('the address %s', async (address) => {
    const ran = await hitless({ TEMPORAL_ADDRESS: address }, ['status', 'fw-dc1']);
    expect(ran.code).toBe(exitCodes.usage);
    expect(ran.err).toContain(`"${address}" is no address of a Temporal server`);
    expect(ran.err).toContain('HOST:PORT');
  });

  it('a profile that isn’t there, a file that is no TOML', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hitless-settings-'));
    try {
      const file = join(folder, 'temporal.toml');
      writeFileSync(file, '[profile.default\n');
      for (const env of [{ TEMPORAL_CONFIG_FILE: file }, { TEMPORAL_PROFILE: 'nowhere' }]) {
        const ran = await hitless(env, ['status', 'fw-dc1', '--json']);
        expect(ran.json).toMatchObject({ error: { exitCode: exitCodes.usage } });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
