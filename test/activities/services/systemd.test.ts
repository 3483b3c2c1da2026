import { describeUnit, parseShown, parseUnitNames } from '../../../activities/services/systemd';

/** Texts below were printed by systemd 252 (Debian 12). */
test('states of units come in the order asked for, those that do not exist included', () => {
  const text = [
    'Id=frr.service\nLoadState=loaded\nActiveState=active\nSubState=running',
    'Id=no-such.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead',
    'Id=ssh.service\nLoadState=loaded\nActiveState=failed\nSubState=failed',
  ].join('\n\n');
  // sshd.service is an alias: its block bears the unit's own name.
  const states = parseShown(`${text}\n`, ['frr.service', 'no-such.service', 'sshd.service']);
  expect(states.map(describeUnit)).toEqual([
    'frr.service is active (running)',
    'no-such.service is not-found',
    'sshd.service is failed (failed)',
  ]);
});

test('a unit that systemctl said nothing of is unknown, not fine', () =>
  expect(parseShown('', ['frr.service'])).toEqual([
    { unit: 'frr.service', load: 'unknown', active: 'unknown', sub: 'unknown' },
  ]));

test('names of failed units, with or without the bullet', () => {
  expect(
    parseUnitNames('● nftables.service loaded failed failed nftables\nfrr.service loaded failed failed FRRouting\n\n'),
  ).toEqual(['frr.service', 'nftables.service']);
  expect(parseUnitNames('')).toEqual([]);
});
