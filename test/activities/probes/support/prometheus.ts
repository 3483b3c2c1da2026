/** A real Prometheus that scrapes itself, from Debian's package; its service isn't installed, only the program unpacked. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../ssh/support/sshd';

const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hitless', 'prometheus');

/** Path of the program, or why there is none. */
export function prometheusProgram(): { readonly path: string } | { readonly why: string } {
  const installed = '/usr/bin/prometheus';
  const unpacked = join(CACHE, 'usr/bin/prometheus');
  for (const path of [installed, unpacked]) if (existsSync(path)) return { path };
  if (!existsSync('/usr/bin/dpkg-deb')) return { why: 'no prometheus, and this isn’t Debian' };
  mkdirSync(CACHE, { recursive: true });
  process.stderr.write('Downloading the Debian package prometheus for the tests of probes\n');
  const download = (): boolean =>
    spawnSync('apt-get', ['download', 'prometheus'], { cwd: CACHE, stdio: 'ignore' }).status === 0;
  if (!download() && !(spawnSync('apt-get', ['update'], { stdio: 'ignore' }).status === 0 && download()))
    return { why: 'the Debian package prometheus can’t be downloaded' };
  const deb = readdirSync(CACHE).find((name) => name.endsWith('.deb'))!;
  spawnSync('dpkg-deb', ['-x', deb, '.'], { cwd: CACHE });
  rmSync(join(CACHE, deb));
  return existsSync(unpacked) ? { path: unpacked } : { why: 'the Debian package prometheus can’t be unpacked' };
}

export async function startPrometheus(path: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'hitless-prometheus-'));
  const port = await freePort();
  writeFileSync(
    join(directory, 'prometheus.yml'),
    `global: { scrape_interval: 1s }\nscrape_configs: [ { job_name: self, static_configs: [ { targets: ['127.0.0.1:${port}'] } ] } ]\n`,
  );
  const child = spawn(
    path,
    [
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('Server is ready')) resolve();
    });
    child.once('exit', () => reject(new Error(`prometheus ended: ${log}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
