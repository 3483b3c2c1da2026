/** The wire format of facts §5, byte by byte where clients depend on it. */
import { Bench, GROUP } from './bench';

const PREEMPTIVE = `${GROUP}/election-option/preemptive`;

describe('who may ask', () => {
  it('a wrong password, key, or none: 403 in single quotes', () => {
    const bench = new Bench();
    const body = "<response status = 'error' code = '403'><result><msg>Invalid Credential</msg></result></response>";
    for (const params of [
      { type: 'keygen', user: 'admin', password: 'wrong' },
      { type: 'keygen' },
      { type: 'op', cmd: '<show/>', key: 'LUFRPT==' },
      { type: 'op', cmd: '<show/>' },
    ])
      expect(bench.request(0, params as unknown as Record<string, string>)).toEqual({
        kind: 'answer',
        status: 403,
        contentType: 'application/xml; charset=UTF-8',
        body,
      });
  });

  it('keys are the device’s own, outlive a reboot, and may expire', () => {
    const bench = new Bench();
    const keygen = (side: 0 | 1) =>
      bench.ask(side, { type: 'keygen', user: 'admin', password: 'simulated' }, '').text('result', 'key');
    const key = keygen(0);
    expect(key).toMatch(/^LUFRPT1\w+==$/);
    expect(keygen(1)).not.toBe(key);
    expect(bench.request(1, { type: 'version', key })).toMatchObject({ status: 403 });
    bench.restart(0);
    bench.settle();
    expect(bench.request(0, { type: 'version', key })).toMatchObject({ status: 200 });
    bench.pair.faults.inject({ kind: 'keys-expire', device: 0 });
    expect(bench.request(0, { type: 'version', key })).toMatchObject({ status: 403 });
    expect(keygen(0)).not.toBe(key);
  });
});

describe('what isn’t known', () => {
  const bench = new Bench();

  it.each([
    ['<show><systemm><info/></systemm></show>', ' show -> systemm -> info  is unexpected'],
    ['<reboot/>', ' reboot  is unexpected'],
  ])('%s: code 17 in CDATA', (cmd, line) => {
    expect(bench.op(0, cmd).body).toBe(
      `<response status="error" code="17"><msg><line><![CDATA[${line}]]></line></msg></response>`,
    );
  });

  it.each(['<show><system>', '', 'show system info'])('%j isn’t XML', (cmd) => {
    expect(bench.op(0, cmd).code).toBe('18');
  });

  it.each([
    [{}, 'Missing value for parameter "type".'],
    [{ type: 'report' }, 'Illegal value for parameter "type" [report].'],
    [{ type: 'config' }, 'Missing value for parameter "action".'],
    [{ type: 'config', action: 'rename', xpath: '/config' }, 'Illegal value for parameter "action" [rename].'],
    [{ type: 'export' }, 'Missing value for parameter "category".'],
    [{ type: 'export', category: 'tech-support' }, 'Illegal value for parameter "category" [tech-support].'],
    [{ type: 'import', category: 'certificate' }, 'Illegal value for parameter "category" [certificate].'],
  ])('%j: 400', (params, message) => {
    const answer = bench.ask(0, params);
    expect(answer.body).toBe(
      `<response status = 'error' code = '400'><result><msg>${message.replaceAll('"', '&quot;')}</msg></result></response>`,
    );
  });
});

describe('ways to write a command', () => {
  it.each([
    '<show><system><info></info></system></show>',
    '<show><system><info/></system></show>',
    '<show>\n  <system>\n    <info />\n  </system>\n</show>',
    '<show  ><system><info></info ></system></show>',
  ])('%j', (cmd) => {
    expect(new Bench().op(0, cmd).text('result', 'system', 'sw-version')).toBe('10.2.3');
  });

  it('spaces and quotes around names, for what reads/ answers', () => {
    expect(new Bench().op(0, "<show><arp><entry name = 'all'/></arp></show>").status).toBe('success');
  });
});

it('type=version', () => {
  expect(new Bench().ask(0, { type: 'version' }).body).toBe(
    '<response status="success"><result><sw-version>10.2.3</sw-version><multi-vsys>off</multi-vsys><model>PA-VM</model><serial>007051000100001</serial></result></response>',
  );
});

describe('type=config', () => {
  const get = (bench: Bench, xpath: string) => bench.ask(0, { type: 'config', action: 'get', xpath });
  const show = (bench: Bench, xpath: string) => bench.ask(0, { type: 'config', action: 'show', xpath });

  it('get: code 19 with counts, or code 7 and nothing', () => {
    const bench = new Bench();
    expect(get(bench, PREEMPTIVE).body).toBe(
      '<response status="success" code="19"><result total-count="1" count="1"><preemptive>no</preemptive></result></response>',
    );
    expect(get(bench, `${GROUP}/nothing`).body).toBe('<response status="success" code="7"><result/></response>');
  });

  it('show: the running configuration, or No such node', () => {
    const bench = new Bench();
    bench.set(0, `${GROUP}/election-option`, '<preemptive>yes</preemptive>');
    expect(show(bench, PREEMPTIVE).body).toBe(
      '<response status="success"><result><preemptive>no</preemptive></result></response>',
    );
    expect(get(bench, PREEMPTIVE).text('result', 'preemptive')).toBe('yes');
    expect(show(bench, `${GROUP}/nothing`).body).toBe(
      '<response status="error"><msg><line>No such node</line></msg></response>',
    );
  });

  it('set: code 20, also for what is there, in a candidate that nobody runs', () => {
    const bench = new Bench();
    const set = () => bench.set(0, `${GROUP}/election-option`, '<preemptive>yes</preemptive>').body;
    const done = '<response status="success" code="20"><msg>command succeeded</msg></response>';
    expect([set(), set()]).toEqual([done, done]);
    expect(bench.op(0, '<check><pending-changes></pending-changes></check>').body).toContain('<result>yes</result>');
    bench.settle();
    expect(bench.ha(0).text('result', 'group', 'local-info', 'preemptive')).toBe('no');
    bench.set(0, `${GROUP}/election-option`, '<preemptive>no</preemptive>');
    expect(bench.op(0, '<check><pending-changes></pending-changes></check>').body).toContain('<result>no</result>');
  });

  it('set makes the path, and merges entries by their name', () => {
    const bench = new Bench();
    const tags = "/config/devices/entry[@name='localhost.localdomain']/vsys/entry[@name='vsys1']/tag";
    bench.set(0, `${tags}/entry[@name='a/b']`, '<color>color1</color>');
    bench.set(0, tags, `<entry name="a/b"><comments>x &amp; y</comments></entry><entry name="c"/>`);
    expect(get(bench, tags).text('result', 'tag')).toBe('color1x & y');
    expect(get(bench, `${tags}/entry[@name="a/b"]/color`).text('result', 'color')).toBe('color1');
    expect(get(bench, `${tags}/entry`).body).toContain('total-count="2"');
  });

  it('edit replaces, delete removes, and says so where there is nothing', () => {
    const bench = new Bench();
    const option = `${GROUP}/election-option`;
    const edit = (element: string) => bench.ask(0, { type: 'config', action: 'edit', xpath: option, element });
    const remove = (xpath: string) => bench.ask(0, { type: 'config', action: 'delete', xpath });
    expect(edit('<election-option><preemptive>yes</preemptive></election-option>').code).toBe('20');
    expect(get(bench, option).text('result')).toBe('yes');
    expect(edit('<preemptive>yes</preemptive>').code).toBe('12');
    expect(remove(PREEMPTIVE).code).toBe('20');
    expect(remove(PREEMPTIVE)).toMatchObject({ status: 'success', code: '7' });
  });

  it.each(['/config/devices[1]/x', 'config/devices', "/config/devices/entry[@name='x'", '/config//entry'])(
    '%s is no xpath here: code 6',
    (xpath) => {
      expect(get(new Bench(), xpath).code).toBe('6');
    },
  );

  it('an element that isn’t well-formed: code 12, and nothing is changed', () => {
    const bench = new Bench();
    expect(bench.set(0, GROUP, '<preemptive>yes</preemp>').code).toBe('12');
    expect(bench.op(0, '<check><pending-changes/></check>').text('result')).toBe('no');
  });
});
