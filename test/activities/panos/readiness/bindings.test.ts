/** What is bound to a device ID or to active-primary, and what of it is a fault. */
import { parseDocument } from '../../../../activities/panos/api';
import * as bindings from '../../../../activities/panos/readiness/checks/bindings';
import { nat, virtualIp } from './changes';

const said = (found: readonly { what: string }[]) => found.map(({ what }) => what).join('; ');

describe('rules', () => {
  const names = ['fw-a', 'fw-b'];
  const inVsys = (name: string, ...rules: string[]) =>
    `<entry name="${name}"><rulebase>${rules.join('')}</rulebase></entry>`.replaceAll('</rules></nat><nat><rules>', '');
  const of = (...rules: string[]) => bindings.boundRules(parseDocument(`<vsys>${inVsys('vsys1', ...rules)}</vsys>`));
  const judged = (...rules: string[]) => said(bindings.ruleFaults(of(...rules), names));

  test('of one device, with what happens and what to do', () => {
    expect(bindings.ruleFaults(of(nat('a', '1'), nat('b', '1', '10.0.0.5')), names)).toEqual([
      {
        what: 'NAT rules of device ID 1 (fw-b) alone: a (vsys1), b (vsys1); while it is suspended, new sessions match none of them',
        next: 'add rules for device ID 0 that match the same, or waive this by name',
      },
    ]);
    expect(said(bindings.ruleFaults(of(nat('a', '0')), []))).toContain('NAT rules of device ID 0 alone: a (vsys1)');
  });

  test('a rule of the other device, of both or of active-primary that matches the same is enough', () => {
    expect(judged(nat('a', '0'), nat('b', '1'))).toBe('');
    expect(judged(nat('a', '0'), nat('b', 'both'))).toBe('');
    expect(judged(nat('a', '0'), nat('b', 'primary'))).not.toContain('alone');
    expect(judged(nat('a', 'both'))).toBe('');
  });

  test('one that matches something else, is disabled, or is of another virtual system isn’t', () => {
    expect(judged(nat('a', '0'), nat('b', '1', '10.0.0.5'))).toContain('device ID 1 (fw-b) alone: b');
    const disabled = nat('b', '1').replace('</entry>', '<disabled>yes</disabled></entry>');
    expect(judged(nat('a', '0'), disabled)).toContain('device ID 0 (fw-a) alone: a');
    const apart = parseDocument(`<vsys>${inVsys('vsys1', nat('a', '0'))}${inVsys('vsys2', nat('b', '1'))}</vsys>`);
    expect(bindings.ruleFaults(bindings.boundRules(apart), names)).toHaveLength(2);
  });

  test('the order of members and what is written out don’t matter', () => {
    const members = (...zones: string[]) => zones.map((zone) => `<member>${zone}</member>`).join('');
    const from = (name: string, binding: string, zones: string, more = '') =>
      nat(name, binding).replace('<member>trust</member>', zones).replace('<to>', `${more}<to>`);
    const explicit = '<nat-type>ipv4</nat-type><to-interface>any</to-interface>';
    expect(judged(from('a', '0', members('x', 'y')), from('b', '1', members('y', 'x'), explicit))).toBe('');
    expect(judged(from('a', '0', members('x')), from('b', '1', members('x'), '<nat-type>nat64</nat-type>'))).not.toBe(
      '',
    );
  });

  test('of active-primary move with it; without a binding they aren’t judged', () => {
    expect(judged(nat('a', 'primary'))).toMatch(/^bound to active-primary: NAT rules a \(vsys1\); they move/);
    expect(judged(nat('a', '').replace(/<active-active-device-binding>.*?binding>/, ''))).toBe('');
    expect(bindings.boundRules(undefined)).toEqual([]);
  });
});

describe('addresses', () => {
  const PRIORITIES =
    '<floating><device-priority><device-0>10</device-0><device-1>20</device-1></device-priority></floating>';
  const SHARED = '<arp-load-sharing><ip-hash><hash-seed>1</hash-seed></ip-hash></arp-load-sharing>';
  const bound = (value: string) =>
    `<floating><bind-to-active-primary>${value}</bind-to-active-primary><device-priority><device-0>1</device-0><device-1>2</device-1></device-priority></floating>`;
  const of = (kind: string, wrap: (mode: string) => string = (mode) => `<group>${mode}</group>`) =>
    bindings.virtualAddresses(
      parseDocument(
        `<high-availability>${wrap(`<mode><active-active><virtual-address>${kind === '' ? '' : virtualIp(kind)}</virtual-address></active-active></mode>`)}</high-availability>`,
      ),
    );
  const judged = (a: string, b: string) =>
    said(
      bindings.addressFaults([
        { name: 'fw-a', addresses: of(a) },
        { name: 'fw-b', addresses: of(b) },
      ]),
    );

  test('that both members have alike move by themselves', () => {
    expect([judged(PRIORITIES, PRIORITIES), judged(SHARED, SHARED), judged('', '')]).toEqual(['', '', '']);
  });

  test('that one member lacks, or has otherwise, don’t', () => {
    expect(judged(PRIORITIES, '')).toContain('10.0.0.254 on ethernet1/3 is configured on fw-a only');
    expect(judged(SHARED, PRIORITIES)).toContain(
      'isn’t set alike: fw-a: shared; fw-b: priority 10 for device ID 0, priority 20 for device ID 1',
    );
    expect(judged(PRIORITIES, PRIORITIES.replace('>20<', '>5<'))).toContain('isn’t set alike');
  });

  test('with a priority for one device, or for none, aren’t said to move', () => {
    const half = PRIORITIES.replace('<device-0>10</device-0>', '');
    expect(judged(half, half)).toContain('has no priority for device ID 0: nothing says that it moves there');
    expect(judged('<floating/>', '<floating/>')).toContain('has no priority for device ID 0 and 1');
  });

  test('of active-primary move with it', () => {
    expect(judged(bound('yes'), bound('yes'))).toMatch(/^bound to active-primary: floating addresses 10.0.0.254 on/);
    expect(judged(bound('no'), bound('no'))).toBe('');
  });

  test('are found in the group of before 8.1, and of IPv6', () => {
    expect(of(SHARED, (mode) => `<group><entry name="1">${mode}</entry></group>`)).toMatchObject([{ kind: 'shared' }]);
    const v6 = parseDocument(
      '<high-availability><group><mode><active-active><virtual-address><entry name="ae1"><ipv6><entry name="2001:db8::1"><floating/></entry></ipv6></entry></virtual-address></active-active></mode></group></high-availability>',
    );
    expect(bindings.virtualAddresses(v6)).toMatchObject([
      { address: '2001:db8::1', interface: 'ae1', kind: 'floating' },
    ]);
    expect(bindings.virtualAddresses(undefined)).toEqual([]);
  });
});
