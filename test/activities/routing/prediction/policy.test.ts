/** Policies, and what another one makes of a path that came in under the old. */
import { policiesIn } from '../../../../activities/routing/frr/bgp-config';
import { apply, assumptions } from '../../../../activities/routing/prediction/policy';
import { reapplied } from '../../../../activities/routing/prediction/transform';
import { pathOf } from './paths';

const none = new Map<string, boolean>();
const outcome = (config: string, prefix = '10.20.0.0/16') => apply(policiesIn(config), 'M', prefix, none);
const LISTS = `ip prefix-list P seq 5 deny 10.20.9.0/24
ip prefix-list P seq 10 permit 10.20.0.0/16 le 24
ipv6 prefix-list S seq 5 permit 2001:db8::/32 ge 48
`;

describe('an entry', () => {
  test('without a match takes everything; one that denies, or nothing that matches, denies', () => {
    expect(outcome('route-map M permit 10\n set weight 7\n')).toEqual({
      result: 'permit',
      sets: [{ kind: 'weight', to: 7 }],
    });
    expect(outcome('route-map M deny 10\n')).toEqual({ result: 'deny' });
    expect(outcome(`${LISTS}route-map M permit 10\n match ip address prefix-list P\n`, '10.30.0.0/16')).toEqual({
      result: 'deny',
    });
  });

  test('asks prefix-lists by order, length, and family', () => {
    const config = `${LISTS}route-map M permit 10\n match ip address prefix-list P\n`;
    const lets = (prefix: string, c = config): string => outcome(c, prefix).result;
    expect(['10.20.0.0/16', '10.20.4.0/24', '10.20.9.0/24', '10.20.4.0/25', '10.0.0.0/8'].map((p) => lets(p))).toEqual([
      'permit',
      'permit',
      'deny',
      'deny',
      'deny',
    ]);
    const six = config.replace('ip address prefix-list P', 'ipv6 address prefix-list S');
    expect(['2001:db8:1::/48', '2001:db8::/32', '2001:db9::/48'].map((p) => lets(p, six))).toEqual([
      'permit',
      'deny',
      'deny',
    ]);
  });

  test('that goes on is overruled by a later one, and denied where no later one matches', () => {
    const first = 'route-map M permit 10\n set local-preference 110\n on-match next\n';
    expect(outcome(`${first}route-map M permit 20\n set local-preference 90\n`)).toMatchObject({
      sets: [{ to: 110 }, { to: 90 }],
    });
    expect(outcome(`${LISTS}${first}route-map M permit 20\n match ip address prefix-list P\n`, '10.30.0.0/16')).toEqual(
      { result: 'deny' },
    );
    expect(outcome(first)).toMatchObject({ result: 'permit' });
    const goto = `route-map M permit 10\n on-match goto 30\nroute-map M deny 20\nroute-map M permit 30\n set weight 3\n`;
    expect(outcome(goto)).toEqual({ result: 'permit', sets: [{ kind: 'weight', to: 3 }] });
  });

  test('that calls another sets first, and is denied with it', () => {
    const call = 'route-map M permit 10\n call N\n set weight 3\n';
    expect(outcome(`${call}route-map N permit 10\n set weight 4\n`)).toMatchObject({ sets: [{ to: 3 }, { to: 4 }] });
    expect(outcome(`${call}route-map N deny 10\n`)).toEqual({ result: 'deny' });
  });
});

describe('another policy', () => {
  const change = (path: Parameters<typeof reapplied>[0], before: string, after: string) => {
    const [old, now] = [policiesIn(before), policiesIn(after)];
    return reapplied(
      path,
      '10.20.0.0/16',
      { policies: old, name: 'M' },
      { policies: now, name: 'M' },
      assumptions([old, now], ['M']),
      0,
    );
  };
  const entry = (...lines: string[]): string => ['route-map M permit 10', ...lines.map((l) => ` ${l}`)].join('\n');

  test('sets its own values and takes the old ones away', () => {
    const path = pathOf({ localPreference: 90, weight: 4 });
    expect(
      change(path, entry('set local-preference 90', 'set weight 4'), entry('set local-preference 110')),
    ).toMatchObject({
      kind: 'told',
      path: { localPreference: 110, weight: 0 },
    });
    const told = change(path, entry('set local-preference 90', 'set weight 4'), entry());
    expect(told).toMatchObject({ kind: 'told', path: { unknown: {} } });
    expect(told.kind === 'told' ? told.path?.localPreference : 0).toBeUndefined();
  });

  test('takes old prepends off and puts new ones on', () => {
    const path = pathOf({ asPath: [{ type: 'sequence', list: [1, 1, 65_100, 65_000] }] });
    expect(change(path, entry('set as-path prepend 1 1'), entry('set as-path prepend 2'))).toMatchObject({
      path: { asPath: [{ list: [2, 65_100, 65_000] }] },
    });
    expect(change(pathOf(), entry(), entry('set as-path prepend last-as 2'))).toMatchObject({
      path: { asPath: [{ list: [65_100, 65_100, 65_100, 65_000] }] },
    });
  });

  test('drops confederation segments when it prepends, as FRR does', () => {
    const path = pathOf({
      peerType: 'confederation',
      asPath: [
        { type: 'confederation sequence', list: [65_011] },
        { type: 'sequence', list: [65_100] },
      ],
    });
    expect(change(path, entry(), entry('set as-path prepend 2'))).toMatchObject({
      path: { asPath: [{ type: 'sequence', list: [2, 65_100] }] },
    });
  });

  test('can’t be told where the old one overwrote what the new one leaves', () => {
    expect(change(pathOf({ med: 5 }), entry('set metric 5'), entry())).toMatchObject({
      path: { unknown: { MED: 'the old policy overwrote it' } },
    });
    const inner = pathOf({ peerType: 'internal', localPreference: 90 });
    expect(change(inner, entry('set local-preference 90'), entry())).toMatchObject({
      path: { unknown: { 'local preference': expect.any(String) } },
    });
    expect(change(pathOf({ med: 5 }), entry(), entry('set metric +10'))).toMatchObject({
      path: { med: 15, unknown: {} },
    });
  });

  test('is told from what the path shows, where a match isn’t looked into', () => {
    const two = (first: number): string =>
      `route-map M permit 10\n match community C\n set local-preference ${first}\nroute-map M permit 20\n set local-preference 50`;
    expect(change(pathOf({ localPreference: 90 }), two(90), two(110))).toMatchObject({
      path: { localPreference: 110 },
    });
    expect(change(pathOf({ localPreference: 50 }), two(90), two(110))).toMatchObject({ path: { localPreference: 50 } });
    expect(change(pathOf({ localPreference: 50 }), two(50), two(110))).toMatchObject({ kind: 'cannot tell' });
  });

  test('can’t be told of a path that the old one didn’t make', () => {
    expect(
      change(pathOf({ localPreference: 77 }), entry('set local-preference 90'), entry('set local-preference 110')),
    ).toMatchObject({
      kind: 'cannot tell',
      why: expect.stringContaining('isn’t what its policy (M) makes'),
    });
  });
});
