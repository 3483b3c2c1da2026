/** Jobs, and content, which has the simplest ones (facts §4.3, §5). */
import { Bench, type Answer } from './bench';

const line = (answer: Answer) => answer.text('msg', 'line');
const job = (answer: Answer, ...path: string[]) => answer.text('result', 'job', ...path);

describe('jobs', () => {
  it('go from PEND over ACT to FIN, with times as devices print them', () => {
    const bench = new Bench({ downloaded: ['10.2.9'] });
    const id = bench.install(1, '10.2.9').text('result', 'job');
    const now = () => bench.job(1, id);
    expect(['status', 'result', 'queued', 'tfin', 'tdeq', 'progress', 'tenq'].map((name) => job(now(), name))).toEqual([
      'PEND',
      'PEND',
      'YES',
      'Still Active',
      '',
      '0',
      '2026/01/15 10:00:00',
    ]);
    bench.pass(91);
    expect(['status', 'result', 'queued', 'tfin', 'tdeq', 'progress'].map((name) => job(now(), name))).toEqual([
      'ACT',
      'PEND',
      'NO',
      'Still Active',
      '10:00:01',
      '50',
    ]);
    bench.pass(90);
    expect(['status', 'result', 'tfin', 'progress'].map((name) => job(now(), name))).toEqual([
      'FIN',
      'OK',
      '2026/01/15 10:03:01',
      '100',
    ]);
    expect(now().all('line').length).toBe(2);
  });

  it('the newest is first; one that isn’t there isn’t found', () => {
    const bench = new Bench();
    for (let count = 0; count < 2; count++) {
      bench.set(0, '/config/shared/tag', `<entry name="t${count}"/>`);
      bench.commit(0);
      bench.settle();
    }
    expect(
      bench
        .op(0, '<show><jobs><all></all></jobs></show>')
        .all('id')
        .map(({ text }) => text),
    ).toEqual(['3', '2', '1']);
    expect(bench.job(0, '99').body).toBe(
      '<response status="error"><msg><line>job 99 not found</line></msg></response>',
    );
  });

  it('ids start over at a reboot, and so names another job', () => {
    const bench = new Bench({ downloaded: ['10.2.9'] });
    const id = bench.install(1, '10.2.9').text('result', 'job');
    bench.settle();
    expect(job(bench.job(1, id), 'type')).toBe('SWInstall');
    bench.restart(1);
    bench.settle();
    expect(bench.job(1, id).status).toBe('error');
    bench.checkSoftware(1);
    bench.download(1, '10.2.7');
    expect(job(bench.job(1, id), 'type')).toBe('Downld');
  });

  it('a reboot ends those that run', () => {
    const bench = new Bench({ downloaded: ['10.2.9'] });
    bench.install(1, '10.2.9');
    bench.pass(100);
    bench.restart(1);
    bench.settle();
    expect(bench.version(1)).toBe('10.2.3');
  });
});

describe('content', () => {
  const content = (what: string) => `<request><content>${what}</content></request>`;
  const CONTENT_CHECK = content('<upgrade><check/></upgrade>');
  const DOWNLOAD = content('<upgrade><download><latest/></download></upgrade>');
  const INSTALL = content('<upgrade><install><version>latest</version></install></upgrade>');
  const version = (bench: Bench, side: 0 | 1) =>
    bench.op(side, '<show><system><info/></system></show>').text('result', 'system', 'app-version');

  it('check, download, install; a peer without it shows the mismatch; and back', () => {
    const bench = new Bench();
    expect(line(bench.op(0, DOWNLOAD))).toBe('No update available');
    expect(
      bench
        .op(0, CONTENT_CHECK)
        .all('version')
        .map(({ text }) => text),
    ).toContain('8799-8509');
    bench.op(0, DOWNLOAD);
    bench.settle();
    expect(bench.op(0, INSTALL).text('result', 'job')).toBe('3');
    expect(job(bench.job(0, '3'), 'type')).toBe('Content');
    bench.settle();
    expect([version(bench, 0), version(bench, 1)]).toEqual(['8799-8509', '8700-8000']);
    expect(bench.ha(1).text('result', 'group', 'local-info', 'app-compat')).toBe('Mismatch');
    expect(line(bench.op(0, DOWNLOAD))).toBe('No update available');
    bench.op(0, content('<downgrade><install>previous</install></downgrade>'));
    bench.settle();
    expect(version(bench, 0)).toBe('8700-8000');
  });

  it('sync-to-peer as clients write it', () => {
    const bench = new Bench();
    bench.op(0, CONTENT_CHECK);
    bench.op(0, content('<upgrade><download><latest><sync-to-peer>yes</sync-to-peer></latest></download></upgrade>'));
    bench.settle();
    bench.op(1, INSTALL);
    bench.settle();
    expect([version(bench, 0), version(bench, 1)]).toEqual(['8700-8000', '8799-8509']);
    bench.op(
      1,
      content(
        '<upgrade><install><commit>yes</commit><sync-to-peer>yes</sync-to-peer><version>latest</version></install></upgrade>',
      ),
    );
    bench.settle();
    expect(version(bench, 0)).toBe('8799-8509');
  });
});
