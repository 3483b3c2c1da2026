/** Images: what is refused, what is copied, what a reboot leaves (facts §3, §5). */
import { Bench, parseAnswer, type Answer } from './bench';

const CHECK = '<request><system><software><check></check></software></system></request>';
const INFO = '<request><system><software><info></info></software></system></request>';

/** A leaf of the list's entry of one release; undefined where it isn't listed. */
const listed = (answer: Answer, version: string, name: string) => {
  const entry = answer.all('entry').find(({ text }) => text.startsWith(version + 'PanOS'));
  return entry === undefined
    ? undefined
    : new RegExp(`<version>${version}</version>.*?<${name}>([^<]*)<`).exec(answer.body)?.[1];
};
const line = (answer: Answer) => answer.text('msg', 'line');
const job = (answer: Answer, ...path: string[]) => answer.text('result', 'job', ...path);

describe('the list of images', () => {
  it('is what is on the device until somebody checks', () => {
    const bench = new Bench();
    expect(
      bench
        .op(0, INFO)
        .all('version')
        .map(({ text }) => text),
    ).toEqual(['10.2.3', '10.2.0']);
    const checked = bench.op(0, CHECK);
    expect(bench.op(0, INFO).body).toBe(checked.body);
    expect(checked.all('version')[0]?.text).toBe('12.1.4');
    expect(
      ['downloaded', 'current', 'latest', 'uploaded', 'filename'].map((name) => listed(checked, '10.2.3', name)),
    ).toEqual(['yes', 'yes', 'no', 'no', 'PanOS_vm-10.2.3']);
    expect(checked.body).toMatch(/<sw-updates last-updated-at="2026\/01\/15 10:00:00"><msg\/>/);
  });

  it('without internet: the message that tells why, and import', () => {
    const bench = new Bench({ internet: false });
    expect(line(bench.op(0, CHECK))).toBe(
      'Failed to check upgrade info due to Unknown error. Please check network connectivity and try again.',
    );
    expect(bench.download(0, '10.2.9').status).toBe('error');
    const key = bench.ask(0, { type: 'keygen', user: 'admin', password: 'simulated' }, '').text('result', 'key');
    const upload = (name: string, content = 'image') =>
      parseAnswer(
        bench.request(
          0,
          { type: 'import', category: 'software', key },
          { file: { name, content: Buffer.from(content) } },
        ),
      );
    for (const wrong of ['PanOS_3400-10.2.9', '10.2.9', 'PanOS_vm-9.9.9']) expect(upload(wrong).status).toBe('error');
    expect(upload('PanOS_vm-10.2.9', '').status).toBe('error');
    expect(upload('PanOS_vm-10.2.9').status).toBe('success');
    const list = bench.op(0, INFO);
    expect([listed(list, '10.2.9', 'downloaded'), listed(list, '10.2.9', 'uploaded')]).toEqual(['yes', 'yes']);
    bench.install(0, '10.2.9');
    bench.settle();
    expect(job(bench.job(0, '2'), 'result')).toBe('OK');
  });

  it('images of other models have other names', () => {
    const bench = new Bench({ model: 'PA-3410' });
    expect(listed(bench.op(0, CHECK), '10.2.9', 'filename')).toBe('PanOS_3400-10.2.9');
  });
});

describe('download', () => {
  it('downloading, then yes; the peer has it only if it was told to', () => {
    const bench = new Bench();
    expect(bench.download(0, '10.2.9').status).toBe('error');
    bench.checkSoftware(0);
    expect(bench.download(0, '10.2.9').body).toBe(
      '<response status="success" code="19"><result><msg><line>Download job enqueued with jobid 2</line></msg><job>2</job></result></response>',
    );
    bench.pass(10);
    expect(listed(bench.op(0, INFO), '10.2.9', 'downloaded')).toBe('downloading');
    expect(job(bench.job(0, '2'), 'type')).toBe('Downld');
    bench.settle();
    expect(listed(bench.op(0, INFO), '10.2.9', 'downloaded')).toBe('yes');
    expect(listed(bench.op(1, CHECK), '10.2.9', 'downloaded')).toBe('no');
  });

  it('sync-to-peer copies it, but not to a peer that isn’t there', () => {
    const bench = new Bench();
    bench.checkSoftware(0);
    bench.download(0, '10.2.9', 'yes');
    bench.settle();
    expect(listed(bench.op(1, INFO), '10.2.9', 'downloaded')).toBe('yes');
    bench.download(0, '10.2.7', 'yes');
    bench.pair.faults.inject({ kind: 'power-off', device: 1, afterMs: 1_000, forMs: 600_000 });
    bench.settle();
    expect(job(bench.job(0, '3'), 'result')).toBe('OK');
    expect(listed(bench.op(1, INFO), '10.2.7', 'downloaded')).toBeUndefined();
  });

  it('a second job is refused while one runs', () => {
    const bench = new Bench({ downloaded: ['10.2.9'] });
    bench.checkSoftware(0);
    bench.download(0, '10.2.7');
    const busy = 'The software manager is currently in use. Please try again later.';
    expect(line(bench.download(0, '11.0.0'))).toBe(busy);
    expect(line(bench.install(0, '10.2.9'))).toBe(busy);
    bench.settle();
    expect(bench.install(0, '10.2.9').code).toBe('19');
  });

  it('fails where the disk is full, and is then as before', () => {
    const bench = new Bench();
    const disk = bench.pair.devices[0].facts.disks.find(({ mountedOn }) => mountedOn === '/opt/panrepo');
    if (disk) disk.usedMb = disk.sizeMb - 100;
    bench.checkSoftware(0);
    bench.download(0, '10.2.9');
    bench.settle();
    expect(job(bench.job(0, '2'), 'result')).toBe('FAIL');
    expect(bench.job(0, '2').all('line')[0]?.text).toContain('not enough disk space');
    expect(listed(bench.op(0, INFO), '10.2.9', 'downloaded')).toBe('no');
    bench.op(0, '<delete><software><version>10.2.3</version></software></delete>');
    expect(listed(bench.op(0, INFO), '10.2.3', 'downloaded')).toBe('yes');
  });

  it('deleting makes room', () => {
    const bench = new Bench({ downloaded: ['10.2.9'] });
    const free = () =>
      bench.pair.devices[0].facts.disks.find(({ mountedOn }) => mountedOn === '/opt/panrepo')?.usedMb ?? 0;
    const before = free();
    expect(bench.op(0, '<delete><software><version>10.2.9</version></software></delete>').status).toBe('success');
    expect(free()).toBeLessThan(before);
    expect(bench.install(0, '10.2.9').status).toBe('error');
  });
});

describe('install', () => {
  const outcome = (bench: Bench, version: string) => {
    bench.install(1, version);
    bench.settle();
    return [
      job(bench.job(1, '2'), 'result'),
      bench
        .job(1, '2')
        .all('line')
        .map(({ text }) => text)
        .join(' '),
    ];
  };

  it('says how to go on', () => {
    const bench = new Bench({ downloaded: ['10.2.9'] });
    expect(bench.install(1, '10.2.9').text('result', 'msg', 'line')).toBe(
      "Software install job enqueued with jobid 2. Run 'show jobs id 2' to monitor its status. Please reboot the device after the installation is done.",
    );
  });

  it('is refused before the download', () => {
    expect(new Bench().install(1, '10.2.9').status).toBe('error');
  });

  it.each([
    [{ downloaded: ['11.0.4'] }, '11.0.4', 'requires the base image 11.0.0'],
    [{ downloaded: ['12.1.4'] }, '12.1.4', 'requires the base image 12.1.2'],
    [{ version: '9.1.0', downloaded: ['10.1.0', '10.1.9'] }, '10.1.9', 'skips more feature releases'],
    [
      {
        downloaded: ['10.2.9'],
        software: [{ version: '10.2.9', sizeMb: 1, releasedOn: '', minimumContent: '8799-8509' }],
      },
      '10.2.9',
      'requires a content version of 8799-8509 or greater and found 8700-8000.',
    ],
  ])('%j: %s fails as a job', (options, version, why) => {
    const [result, details] = outcome(new Bench(options), version);
    expect([result, details]).toEqual(['FAIL', expect.stringContaining(why)]);
  });

  it.each([
    [{ downloaded: ['11.0.0', '11.0.4'] }, '11.0.4'],
    [{ downloaded: ['11.2.0', '11.2.3'] }, '11.2.3'],
    [{ version: '10.2.9', downloaded: ['10.2.3'] }, '10.2.3'],
    [{ version: '11.0.4', downloaded: ['10.2.0', '10.2.9'] }, '10.2.9'],
  ])('%j: %s is installed', (options, version) => {
    const bench = new Bench(options);
    expect(outcome(bench, version)[0]).toBe('OK');
    expect(bench.version(1)).toBe(bench.pair.options.version);
    bench.restart(1);
    bench.settle();
    expect(bench.version(1)).toBe(version);
  });

  it('load-config: the next boot runs that configuration', () => {
    const bench = new Bench({ downloaded: ['10.2.9'] });
    const install = (name: string) =>
      bench.op(
        1,
        `<request><system><software><install><load-config>${name}</load-config><version>10.2.9</version></install></software></system></request>`,
      );
    bench.op(1, '<save><config><to>before.xml</to></config></save>');
    bench.set(1, '/config/shared/tag', '<entry name="after"/>');
    bench.commit(1);
    bench.settle();
    expect(install('no.xml').status).toBe('error');
    expect(install('before.xml').code).toBe('19');
    bench.settle();
    bench.restart(1);
    bench.settle();
    expect(bench.ask(1, { type: 'config', action: 'show', xpath: '/config/shared/tag/entry' }).status).toBe('error');
    expect(bench.op(1, '<show><config><running/></config></show>').body).toContain('<config version="10.2.0"');
  });

  it('a configuration that a newer feature release has migrated: AutoCom of the older one fails', () => {
    const boot = (loadConfig: string) => {
      const bench = new Bench({ downloaded: ['11.0.0', '11.0.4'] });
      bench.op(1, '<save><config><to>before.xml</to></config></save>');
      const to = (version: string, load: string) => {
        bench.op(
          1,
          `<request><system><software><install><version>${version}</version>${load}</install></software></system></request>`,
        );
        bench.settle();
        bench.restart(1);
        bench.settle();
      };
      to('11.0.4', '');
      expect(bench.job(1, '1').text('result', 'job', 'result')).toBe('OK');
      to('10.2.3', loadConfig);
      return bench;
    };
    const bad = boot('');
    expect(job(bad.job(1, '1'), 'result')).toBe('FAIL');
    expect(bad.job(1, '1').all('line')[0]?.text).toBe(
      "Error: the configuration was migrated by 11.0.0 and can't be loaded by 10.2.3",
    );
    expect(bad.states[1]).toBe('non-functional');
    const good = boot('<load-config>before.xml</load-config>');
    expect([job(good.job(1, '1'), 'result'), good.states[1]]).toEqual(['OK', 'passive']);
  });
});

it('12 images with a hotfix are in their numeric order', () => {
  const versions = ['10.2.7-h3', '10.2.10', '10.2.7', '10.2.7-h12', '9.1.0', '10.2.9'];
  const bench = new Bench({
    version: '10.2.7',
    software: versions.map((each) => ({ version: each, sizeMb: 1, releasedOn: '' })),
  });
  expect(
    bench
      .op(0, CHECK)
      .all('version')
      .map(({ text }) => text),
  ).toEqual(['10.2.10', '10.2.9', '10.2.7-h12', '10.2.7-h3', '10.2.7', '10.2.0', '9.1.0']);
});
