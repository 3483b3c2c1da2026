/** Lost replies and dying workers around jobs: found again by reading, never queued twice where they took effect. */
import { sameBoot } from '../../../activities/panos/system';
import { operationOf } from '../../../simulators/panos/api';
import { Bench, DOWNLOAD, INSTALL, RESTART, failureOf } from './support/bench';

const input = { node: 'fw-b', version: '10.2.9' };

/** fw-b suspended, with the image. */
async function staged(options: Parameters<typeof Bench.start>[0] = {}): Promise<Bench> {
  const bench = await Bench.start({ ...options, pair: { downloaded: ['10.2.9'], ...options.pair } });
  await bench.step('suspend', { node: 'fw-b' });
  return bench;
}
const softwareOf = (bench: Bench) => bench.device('fw-b').software;

describe.each(['refuse', 'drop', 'hang'] as const)('a reply that is lost (%s)', (how) => {
  it.each(['none', 'done'] as const)('of an installation, effect %s: installed once', async (effect) => {
    const bench = await staged();
    bench.fault({ kind: 'request', how, effect, operation: INSTALL, device: 1 });
    await bench.step('install', input);
    expect(bench.count('fw-b', INSTALL)).toBe(1);
    expect(softwareOf(bench).nextBoot).toBe('10.2.9');
  });

  it.each(['none', 'done'] as const)('of a download, effect %s: downloaded once', async (effect) => {
    const bench = await Bench.start();
    bench.fault({ kind: 'request', how, effect, operation: DOWNLOAD, device: 1 });
    await bench.step('images', { nodes: ['fw-b', 'fw-a'], versions: ['10.2.9'] });
    expect([bench.count('fw-a', DOWNLOAD), bench.count('fw-b', DOWNLOAD)]).toEqual([1, 1]);
    expect(bench.world.pair.devices.map((d) => d.software.has('10.2.9'))).toEqual(['yes', 'yes']);
  });

  it.each(['none', 'done'] as const)('of a commit, effect %s: committed once', async (effect) => {
    const devices = [{ preemptive: true }, { preemptive: true }] as const;
    const bench = await Bench.start({ pair: { devices } });
    bench.fault({ kind: 'request', how, effect, operation: 'commit', device: 1 });
    await bench.step('preemptionOff', {});
    expect([bench.count('fw-a', 'commit'), bench.count('fw-b', 'commit')]).toEqual([0, 1]);
  });
});

it('a lost reply that can’t be resolved at once is resolved by the next attempt', async () => {
  const bench = await staged();
  bench.fault(
    { kind: 'request', how: 'drop', effect: 'done', operation: INSTALL, device: 1 },
    { kind: 'request', how: 'refuse', operation: 'show system info', device: 1, pass: 2, times: 3 },
  );
  await bench.step('install', input);
  expect(bench.count('fw-b', INSTALL)).toBe(1);
});

it('…also where the job has ended by then', async () => {
  const bench = await staged({ attempts: 60 });
  bench.fault({ kind: 'request', how: 'drop', effect: 'done', operation: INSTALL, device: 1 });
  const before = await bench.observe('install', input);
  // From the moment of the lost reply until its job has ended.
  bench.runtime.at(bench.runtime.now() + 1_500, () =>
    bench.fault({ kind: 'request', how: 'refuse', device: 1, times: 0, forMs: 300_000 }),
  );
  await bench.act('install', input, before);
  expect(bench.count('fw-b', INSTALL)).toBe(1);
});

it('a device that can’t be asked for a while doesn’t fail the job that it works on', async () => {
  const bench = await staged();
  const before = await bench.observe('install', input);
  // Longer than the attempts of a step together.
  bench.runtime.at(bench.runtime.now() + 60_000, () =>
    bench.fault({ kind: 'request', how: 'refuse', device: 1, times: 0, forMs: 100_000 }),
  );
  await bench.act('install', input, before);
  expect(bench.count('fw-b', INSTALL)).toBe(1);
});

it.each(['before', 'after'] as const)('the worker dies %s the device was told to install', async (when) => {
  const bench = await staged();
  bench.dieAt(INSTALL, when);
  await bench.step('install', input);
  expect(bench.count('fw-b', INSTALL)).toBe(1);
  expect(softwareOf(bench).nextBoot).toBe('10.2.9');
});

it('an installation that fails tells the device’s own lines, and is not repeated; its undo leaves the old release', async () => {
  const bench = await staged();
  const details = ['Failed to install 10.2.9', 'checksum mismatch'];
  bench.fault({ kind: 'job', how: 'fail', type: 'SWInstall', details, device: 1 });
  const before = await bench.observe('install', input);
  const error = await failureOf(bench.act('install', input, before));
  expect(error).toMatchObject({ type: 'CommandFailed', nonRetryable: true });
  expect(error.message).toMatch(
    /^fw-b: the installation of 10\.2\.9 failed \(job \d+\): Failed to install 10\.2\.9; checksum/,
  );
  await bench.undo('install', input, before);
  expect([bench.count('fw-b', INSTALL), bench.count('fw-b', RESTART)]).toEqual([1, 0]);
  expect(softwareOf(bench).nextBoot).toBeUndefined();
});

it('a job of an earlier boot with the same ID isn’t taken for ours', async () => {
  const bench = await staged();
  const before = await bench.observe('install', input);
  await bench.cutAt(INSTALL, 'install', input, before);
  // Its job dies with the boot. The next boot has jobs of the same IDs: AutoCommit, and somebody's download.
  bench.fault({ kind: 'crash', device: 1 });
  await bench.pass(600_000);
  const own = bench.device('fw-b').jobs.list();
  expect(own.map(({ id, type }) => [id, type])).toEqual([[1, 'AutoCom']]);
  await bench.act('install', input, before);
  expect(bench.count('fw-b', INSTALL)).toBe(2);
  expect(softwareOf(bench).nextBoot).toBe('10.2.9');
});

it('a device that restarts while it is polled: the job that has the ID now is another one', async () => {
  const bench = await staged({ panos: { timing: { pollMs: 900_000 } }, attempts: 1 });
  const before = await bench.observe('install', input);
  bench.runtime.at(bench.runtime.now() + 60_000, () => bench.fault({ kind: 'crash', device: 1 }));
  const error = await failureOf(bench.act('install', input, before));
  expect(error).toMatchObject({ type: 'VerifyFailed', nonRetryable: false });
  expect(error.message).toBe('fw-b restarted during the installation of 10.2.9');
});

/** A row that a device shows beside its own jobs; its ID is below those of all that come. */
function shows(bench: Bench, node: string, type: string): void {
  const device = bench.device(node);
  const usual = device.request.bind(device);
  const row = `<job><id>1</id><type>${type}</type><status>ACT</status><result>PEND</result></job>`;
  device.request = (request) => {
    const reply = usual(request);
    return reply.kind === 'answer' && operationOf(request).startsWith('show jobs')
      ? { ...reply, body: String(reply.body).replace('</result></response>', `${row}</result></response>`) }
      : reply;
  };
}

it('jobs that fetch lists every few minutes keep no step from anything; a commit does', async () => {
  const bench = await Bench.start({ pair: { downloaded: ['10.2.9'] }, attempts: 1 });
  for (const node of ['fw-a', 'fw-b']) shows(bench, node, 'WildFire');
  await bench.step('suspend', { node: 'fw-b' });
  await bench.step('install', input);
  shows(bench, 'fw-b', 'Commit-All');
  const error = await failureOf(bench.step('restart', input));
  expect(error).toMatchObject({ type: 'GuardRefused', nonRetryable: false });
  expect(error.message).toMatch(/^fw-b was not restarted: jobs run on it: Commit-All \(job 1, ACT\)/);
  expect(bench.count('fw-b', RESTART)).toBe(0);
});

describe('an image that one device downloads for both', () => {
  const images = { nodes: ['fw-b', 'fw-a'], versions: ['10.2.9'] };
  const panos = { download: 'sync-to-peer', content: 'keep' } as const;
  /** The copy comes so long after the download; never if left out. */
  const copying = async (afterMs?: number): Promise<Bench> => {
    const bench = await Bench.start({ panos });
    const { software } = bench.device('fw-b');
    const store = software.store.bind(software);
    software.store = (image, uploaded) => {
      if (afterMs !== undefined) bench.runtime.at(bench.runtime.now() + afterMs, () => void store(image, uploaded));
      return undefined;
    };
    return bench;
  };

  it('may be copied a while after its job has ended: downloaded once', async () => {
    const bench = await copying(60_000);
    await bench.step('images', images);
    expect([bench.count('fw-a', DOWNLOAD), bench.count('fw-b', DOWNLOAD)]).toEqual([1, 0]);
    expect(softwareOf(bench).has('10.2.9')).toBe('yes');
  });

  it('and isn’t copied: told, and not downloaded again by the next attempts', async () => {
    const bench = await copying();
    const error = await failureOf(bench.step('images', images));
    expect(error).toMatchObject({ type: 'VerifyFailed', nonRetryable: false });
    expect(error.message).toMatch(/^fw-a has the image of 10\.2\.9, and fw-b didn’t get its copy within/);
    expect(bench.count('fw-a', DOWNLOAD)).toBe(1);
  });
});

it('a job that doesn’t end is given up in time', async () => {
  const bench = await staged({ panos: { timing: { pollMs: 15_000, installTimeoutMs: 600_000 } }, attempts: 1 });
  bench.fault({ kind: 'job', how: 'stall', type: 'SWInstall', device: 1 });
  const error = await failureOf(bench.step('install', input));
  expect(error).toMatchObject({ type: 'CommandFailed', nonRetryable: true });
  expect(error.message).toMatch(/^fw-b: the installation of 10\.2\.9 hasn’t ended within .* \(job \d+, 40 %\)/);
});

it('a wall clock that is set is no reboot, and a reboot behind one is seen', () => {
  const HOUR = 3_600_000;
  const mark = { bootedAtMs: 100 * HOUR, uptimeMs: 50 * HOUR };
  const later = (bootedBy: number, upFor: number) => ({ bootedAtMs: bootedBy, uptimeMs: upFor });
  expect(sameBoot(later(100 * HOUR, 51 * HOUR), mark)).toBe(true);
  // Summer time begins, and ends.
  expect(sameBoot(later(101 * HOUR, 51 * HOUR), mark)).toBe(true);
  expect(sameBoot(later(99 * HOUR, 51 * HOUR), mark)).toBe(true);
  expect(sameBoot(later(151 * HOUR, HOUR / 60), mark)).toBe(false);
  // It restarted in the hour that came twice.
  expect(sameBoot(later(149.5 * HOUR, HOUR / 60), mark)).toBe(false);
  // Up for longer than at the mark, which was soon after a boot.
  const young = { bootedAtMs: 100 * HOUR, uptimeMs: HOUR / 60 };
  expect(sameBoot(later(101 * HOUR, HOUR), young)).toBe(false);
  expect(sameBoot(later(100 * HOUR + 1_000, HOUR), young)).toBe(true);
});
