import { readMark } from '../../../activities/readiness/reboot-mark';

/** As dpkg 1.21 (Debian 12) logs it. */
const BEFORE =
  '2026-11-01 08:00:00 install frr:amd64 <none> 8.4.4-1\n2026-11-01 08:00:02 status installed frr:amd64 8.4.4-1\n';
const up = (at: string): string =>
  `2026-11-29 ${at}:00 upgrade frr:amd64 8.4.4-1 8.4.5-1\n2026-11-29 ${at}:05 status installed frr:amd64 8.4.5-1\n`;
const down = (at: string): string =>
  `2026-11-29 ${at}:00 upgrade frr:amd64 8.4.5-1 8.4.4-1\n2026-11-29 ${at}:05 status installed frr:amd64 8.4.4-1\n`;
const look = (log: string, more: Partial<Parameters<typeof readMark>[0]> = {}) =>
  readMark({
    askedFor: 'frr\n',
    markedAt: '2026-11-29 12:00:03.123456789 +0000\n',
    bootedAt: '2026-11-29 06:00:00\n',
    log: BEFORE + log,
    ...more,
  });

test('an installation that was taken back leaves nothing to reboot into (findings, networks.md, D17)', () => {
  expect(look(up('12:00') + down('12:30'))).toEqual({ packages: ['frr'], isStale: true });
  // Without names it counts when it was set while packages were exchanged.
  expect(look(up('12:00') + down('12:30'), { askedFor: '' })).toEqual({ packages: [], isStale: true });
  const kernel = (line: string): string => `2026-11-29 12:00:00 ${line}\n`;
  const come = kernel('install linux-image-6.1.0-30-amd64:amd64 <none> 6.1.124-1');
  const there = kernel('status installed linux-image-6.1.0-30-amd64:amd64 6.1.124-1');
  const gone = kernel('remove linux-image-6.1.0-30-amd64:amd64 6.1.124-1 <none>');
  const left = kernel('status config-files linux-image-6.1.0-30-amd64:amd64 6.1.124-1');
  const askedFor = 'linux-image-6.1.0-30-amd64\nlinux-image-6.1.0-30-amd64\n';
  expect(look(come + there + gone + left, { askedFor })).toMatchObject({ isStale: true });
  expect(look(come + there, { askedFor })).toMatchObject({ isStale: false });
});

test.each([
  ['the new release is still there', up('12:00'), {}],
  ['taken back, then installed again', up('12:00') + down('12:30') + up('13:00'), {}],
  ['it booted with the new one: the older one came after', up('03:00') + down('12:00'), {}],
  ['the way back was cut', `${up('12:00')}2026-11-29 12:30:00 upgrade frr:amd64 8.4.5-1 8.4.4-1\n`, {}],
  ['another package asks, too', up('12:00') + down('12:30'), { askedFor: 'frr\nlibc6\n' }],
  ['nothing was installed: somebody set it by hand', '', {}],
  ['nothing was installed, and no names', '', { askedFor: '' }],
  ['no names, and set at another time', up('12:00') + down('12:30'), { askedFor: '', markedAt: '2026-11-29 14:00:00' }],
  ['the log begins after the boot', up('12:00') + down('12:30'), { log: up('12:00') + down('12:30') }],
  ['changed so shortly before the boot that a clock set back could hide it', up('04:30') + down('12:30'), {}],
  ['no log', '', { log: '' }],
  ['the host doesn’t say when it booted', up('12:00') + down('12:30'), { bootedAt: 'uptime: unrecognized option' }],
])('stands: %s', (_why, log, more) => expect(look(log, more).isStale).toBe(false));
