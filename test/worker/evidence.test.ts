/** Whole outputs on the worker's disk: without secrets, the worker's alone; a disk that is full or closed is told. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ran } from '../../activities/kit';
import { evidenceIn } from '../../worker/evidence';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'hitless-evidence-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = { workflowId: 'upgrade-fw', runId: 'r-1' };
const ran = (out: string, command = 'show'): Ran => ({ host: 'fw1', command, code: 0, ms: 1, out });
async function keep(entries: readonly Ran[], directory = folder): Promise<string | undefined> {
  const sink = evidenceIn(directory)(run, '07-upgrade');
  for (const entry of entries) sink.add(entry);
  return sink.close();
}
async function kept(): Promise<Ran[]> {
  const place = join(folder, 'upgrade-fw', 'r-1');
  const [name = ''] = await readdir(place);
  expect(name).toMatch(/^07-upgrade-\d{4}-\d\d-\d\dT\d+Z-[0-9a-f]{4}\.json$/);
  expect((await stat(join(place, name))).mode & 0o777).toBe(0o600);
  return JSON.parse(await readFile(join(place, name), 'utf8')) as Ran[];
}

it('is kept whole, in order', async () => {
  const outputs = ['one', 'x\n'.repeat(600_000), 'three'];
  expect(await keep(outputs.map((out) => ran(out)))).toBeUndefined();
  expect((await kept()).map(({ out }) => out)).toEqual(outputs);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

it('names of runs and steps make no way out of the directory', async () => {
  const sink = evidenceIn(folder)({ workflowId: '../../up', runId: '..' }, '../x');
  sink.add(ran('one'));
  expect(await sink.close()).toBeUndefined();
  expect(await readdir(folder)).toEqual(['__.._up']);
});

it('secrets are taken out, also where a large output is looked through in slices', async () => {
  const line = 'Get:1 http://host/a b\n';
  const key = `-----BEGIN PRIVATE KEY-----\n${'S3cretLine\n'.repeat(40)}-----END PRIVATE KEY-----\n`;
  const places = Array.from({ length: 40 }, (_, i) => line.repeat(700 + i) + key + "'http://u:S3cret@host/'\n");
  expect(await keep([ran(places.join('')), ran('fine', 'get http://u:S3cret@host/')])).toBeUndefined();
  const [large, small] = await kept();
  expect(large?.out?.length).toBeGreaterThan(500_000);
  expect(JSON.stringify([large, small])).not.toContain('S3cret');
  expect(small?.command).toBe('get http://u:***@host/');
});

it('an output of many megabytes is kept by its ends and its digest', async () => {
  expect(await keep([ran('y'.repeat(9 * 1024 * 1024))])).toBeUndefined();
  const [entry] = await kept();
  expect(entry?.out?.length).toBeLessThan(25_000);
  expect(entry?.out).toMatch(/… 9437184 characters, sha256 [0-9a-f]{64} …/);
});

it('a directory that can’t be written to is told', async () => {
  // A file in its place: this stops root, too.
  await writeFile(join(folder, 'file'), '');
  expect(await keep([ran('one'), ran('two')], join(folder, 'file'))).toMatch(/ENOTDIR/);
});

const mount = (): boolean =>
  process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status === 0;

it('a full disk is told', async () => {
  // Where nobody may mount, the test above stands for this one.
  if (!mount()) return;
  try {
    expect(await keep([ran('z'.repeat(200_000)), ran('two')])).toMatch(/ENOSPC/);
  } finally {
    expect(spawnSync('umount', [folder]).status).toBe(0);
  }
});
