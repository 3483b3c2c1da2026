/** Commits, what HA shares of them, and files that go out and come in (facts §5). */
import { gunzipSync } from 'node:zlib';
import { parseAnswer, Bench, GROUP } from './bench';

describe('commits', () => {
  const change = (bench: Bench, name = 'x') =>
    bench.set(0, `/config/shared/tag/entry[@name='${name}']`, '<comments>new</comments>');
  const tag = (bench: Bench, side: 0 | 1, name = 'x') =>
    bench.ask(side, { type: 'config', action: 'show', xpath: `/config/shared/tag/entry[@name='${name}']` }).status;

  it('nothing to do: success, a message, no job', () => {
    expect(new Bench().commit(0).body).toBe(
      '<response status="success" code="19"><msg>There are no changes to commit.</msg></response>',
    );
  });

  it('a job; and what HA shares comes to the peer', () => {
    const bench = new Bench();
    change(bench);
    expect(bench.commit(0).body).toBe(
      '<response status="success" code="19"><result><msg><line>Commit job enqueued with jobid 2</line></msg><job>2</job></result></response>',
    );
    bench.pass(31);
    expect(bench.job(0, '2').text('result', 'job', 'result')).toBe('OK');
    expect([tag(bench, 0), tag(bench, 1)]).toEqual(['success', 'error']);
    expect(bench.ha(0).text('result', 'group', 'running-sync')).toBe('synchronization in progress');
    expect(bench.op(1, '<show><jobs><all/></jobs></show>').text('result', 'job', 'type')).toBe('HA-Sync');
    bench.settle();
    expect(tag(bench, 1)).toBe('success');
    expect(bench.ha(1).text('result', 'group', 'running-sync')).toBe('synchronized');
  });

  it('HA settings stay with the device', () => {
    const bench = new Bench();
    bench.set(0, `${GROUP}/election-option`, '<preemptive>yes</preemptive>');
    bench.commit(0);
    bench.settle();
    expect([0, 1].map((side) => bench.ha(side as 0 | 1).text('result', 'group', 'local-info', 'preemptive'))).toEqual([
      'yes',
      'no',
    ]);
    expect(bench.ha(0).text('result', 'group', 'running-sync')).toBe('synchronized');
  });

  it('one at a time, and none during an install', () => {
    const bench = new Bench({ downloaded: ['10.2.9'] });
    change(bench);
    bench.commit(0);
    change(bench, 'y');
    expect(bench.commit(0).text('msg', 'line')).toBe('Another commit/validate is in progress. Please try again later');
    bench.settle();
    bench.install(0, '10.2.9');
    expect(bench.commit(0).text('msg', 'line')).toBe(
      'You cannot commit while an install is in progress. Please try again later.',
    );
  });

  it('commits the changes of some people alone', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'pending-change', device: 0, admin: 'bob' });
    change(bench);
    expect(
      bench
        .op(0, '<show><config><list><changes/></list></config></show>')
        .all('owner')
        .map(({ text }) => text),
    ).toEqual(['bob', 'admin']);
    bench.ask(0, { type: 'commit', cmd: '<commit><partial><admin><member>admin</member></admin></partial></commit>' });
    bench.settle();
    expect(tag(bench, 0)).toBe('success');
    expect(bench.op(0, '<check><pending-changes/></check>').text('result')).toBe('yes');
    bench.pair.faults.clear();
    expect(bench.op(0, '<check><pending-changes/></check>').text('result')).toBe('no');
    expect(tag(bench, 0)).toBe('success');
  });

  it('somebody’s lock forbids both editing and committing', () => {
    const bench = new Bench();
    change(bench);
    const fault = bench.pair.faults.inject({ kind: 'lock', lock: 'commit', device: 0, admin: 'bob' });
    expect(change(bench, 'y').status).toBe('success');
    expect(bench.commit(0).text('msg', 'line')).toBe('Configuration is locked by bob');
    bench.pair.faults.clear(fault);
    bench.pair.faults.inject({ kind: 'lock', lock: 'config', device: 0, admin: 'bob' });
    expect(change(bench, 'z').text('msg', 'line')).toBe('Configuration is locked by bob');
    expect(bench.op(0, '<show><config-locks><vsys>all</vsys></config-locks></show>').text('result')).toContain(
      'shared',
    );
  });

  it('one’s own lock doesn’t', () => {
    const bench = new Bench();
    expect(bench.op(0, '<request><commit-lock><add><comment>mine</comment></add></commit-lock></request>').status).toBe(
      'success',
    );
    change(bench);
    expect(bench.commit(0).code).toBe('19');
    expect(bench.op(0, '<request><commit-lock><remove/></commit-lock></request>').status).toBe('success');
    expect(bench.op(0, '<request><commit-lock><remove/></commit-lock></request>').status).toBe('error');
  });

  it('what was changed while it ran stays pending', () => {
    const bench = new Bench();
    change(bench);
    bench.commit(0);
    bench.pass(10);
    change(bench, 'late');
    bench.settle();
    expect(tag(bench, 0, 'late')).toBe('error');
    expect(bench.op(0, '<check><pending-changes/></check>').text('result')).toBe('yes');
    bench.op(0, '<revert><config/></revert>');
    expect(bench.op(0, '<check><pending-changes/></check>').text('result')).toBe('no');
  });

  it('sync-to-remote overwrites the peer, whatever it runs', () => {
    const bench = new Bench();
    bench.pair.faults.inject({ kind: 'job', how: 'fail', type: 'HA-Sync' });
    change(bench, 'y');
    bench.commit(0);
    bench.settle();
    expect(bench.ha(1).text('result', 'group', 'running-sync')).toBe('not synchronized');
    const sync =
      '<request><high-availability><sync-to-remote><running-config></running-config></sync-to-remote></high-availability></request>';
    expect(bench.op(0, sync).body).toBe(
      '<response status="success"><result><msg><line>HA synchronization job has been queued on peer. Please check job status on peer.</line></msg></result></response>',
    );
    expect(bench.op(1, sync).text('msg', 'line')).toBe('HA synchronization is already in progress');
    bench.settle();
    expect(bench.ha(1).text('result', 'group', 'running-sync')).toBe('synchronized');
    bench.pair.faults.inject({ kind: 'power-off', device: 1 });
    bench.pass(10);
    expect(bench.op(0, sync).text('msg', 'line')).toBe('Failed to synchronize running configuration with HA peer');
  });
});

describe('files', () => {
  it('saves, loads and exports configurations', () => {
    const bench = new Bench();
    expect(bench.op(0, '<save><config><to>pre-upgrade.xml</to></config></save>').text('result')).toBe(
      'Config saved to pre-upgrade.xml',
    );
    bench.set(0, '/config/shared/tag', '<entry name="x"/>');
    const exported = bench.ask(0, { type: 'export', category: 'configuration' });
    expect(exported.root.name).toBe('config');
    expect(exported.body).not.toContain('<entry name="x"/>');
    const named = bench.ask(0, { type: 'export', category: 'configuration', from: 'pre-upgrade.xml' });
    expect(named.body).toBe(exported.body);
    expect(bench.ask(0, { type: 'export', category: 'configuration', from: 'no.xml' }).status).toBe('error');
    bench.op(0, '<load><config><from>pre-upgrade.xml</from></config></load>');
    expect(bench.op(0, '<check><full-commit-required></full-commit-required></check>').body).toContain(
      '<result>yes</result>',
    );
    expect(bench.op(0, '<load><config><from>no.xml</from></config></load>').status).toBe('error');
    expect(bench.op(0, '<save><config><to>../etc/passwd</to></config></save>').status).toBe('error');
  });

  it('device state is a tar archive with the configuration', () => {
    const bench = new Bench();
    const key = bench.ask(0, { type: 'keygen', user: 'admin', password: 'simulated' }, '').text('result', 'key');
    const reply = bench.request(0, { type: 'export', category: 'device-state', key });
    if (reply.kind !== 'answer') throw new Error(reply.kind);
    const tar = gunzipSync(reply.body);
    expect(tar.subarray(0, 18).toString()).toBe('running-config.xml');
    expect(tar.subarray(512).toString()).toContain('<config version="10.2.0"');
    expect(tar.length % 512).toBe(0);
  });

  it('imports a configuration, and no other file as one', () => {
    const bench = new Bench();
    const key = bench.ask(0, { type: 'keygen', user: 'admin', password: 'simulated' }, '').text('result', 'key');
    const upload = (content: string) =>
      parseAnswer(
        bench.request(
          0,
          { type: 'import', category: 'configuration', key },
          { file: { name: 'back.xml', content: Buffer.from(content) } },
        ),
      );
    expect(upload('<?xml version="1.0"?><config version="10.2.0"/>').text('msg', 'line')).toBe('back.xml saved');
    expect(upload('<html/>').code).toBe('12');
    expect(bench.op(0, '<load><config><from>back.xml</from></config></load>').status).toBe('success');
  });
});
