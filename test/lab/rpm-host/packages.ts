import type { RpmPackage } from '../repo/rpm';

export const releaseNames = ['1.0', '2.0'] as const;

/** What RHEL's own packages provide, that packages need or dnf goes by. */
export const base: RpmPackage = {
  name: 'lab-base',
  version: '9.4',
  preamble: ['Provides: /bin/sh', 'Provides: systemd', 'Provides: system-release = 9.4'],
};

/** Each run of a package's last script leaves a line there: what was set up, and how often. */
export const SETUPS = '/var/log/lab-setups';
const noted = (name: string, version: string, more = ''): string => `echo ${name} ${version} >> ${SETUPS}\n${more}`;

const unit = `[Unit]
Description=Something that the release serves with

[Service]
ExecStart=/bin/sleep infinity

[Install]
WantedBy=multi-user.target
`;

/** Waits while the host has /run/pacer-hold: a middle to cut things in. */
const pacing = 'touch /run/pacer-reached\nwhile [ -e /run/pacer-hold ]; do sleep 0.05; done';

const ofRelease = (version: string): RpmPackage[] => [
  {
    ...{ name: 'gate', version, preamble: [`Requires: gate-lib >= ${version}`] },
    files: [
      // rpm replaces one of them where it was edited, and keeps the other.
      { path: '/etc/gate/gate.conf', content: `# gate ${version}\n`, config: 'config' },
      { path: '/etc/gate/tuning.conf', content: `# tuning ${version}\n`, config: 'config(noreplace)' },
      { path: '/usr/lib/systemd/system/gate.service', content: unit },
    ],
    scripts: {
      post: noted('gate', version, 'if [ $1 = 1 ]; then systemctl enable gate.service || :; fi'),
      // As systemd's macros for RHEL: what was stopped stays stopped.
      postun: 'if [ $1 -ge 1 ]; then systemctl try-restart gate.service || :; fi',
    },
  },
  { name: 'gate-lib', version, scripts: { post: noted('gate-lib', version) } },
  {
    ...{ name: 'lab-release', version, preamble: [`Requires: gate = ${version}`] },
    files: [
      { path: '/etc/lab-release', content: `${version}\n` },
      {
        path: '/etc/lab-release.d/defaults.conf',
        content: `# Defaults of release ${version}\n`,
        config: 'config(noreplace)',
      },
    ],
    scripts: { post: noted('lab-release', version) },
  },
  {
    ...{ name: 'pacer', version },
    preamble: version === '1.0' ? ['Requires: pacer-lib'] : ['Requires: pacer-lib >= 2.0', 'Requires: pacer-extra'],
    scripts: { pre: pacing, post: noted('pacer', version) },
  },
  { name: 'pacer-lib', version, scripts: { post: noted('pacer-lib', version) } },
];

/** A release whose package refuses to be installed, and one whose package says too late that it failed: rpm goes on. */
const faulty = (version: string, script: string): RpmPackage => ({
  ...{ name: 'lab-release', version, preamble: ['Requires: gate = 2.0'] },
  files: [{ path: '/etc/lab-release', content: `${version}\n` }],
  scripts: { [script]: 'echo "lab-release: the licence server refused this release"\nexit 1' },
});

/** All that the repository has. */
export const packages = (): RpmPackage[] => [
  base,
  ...releaseNames.flatMap(ofRelease),
  { name: 'pacer-extra', version: '1.0', scripts: { post: noted('pacer-extra', '1.0') } },
  faulty('2.1', 'pre'),
  faulty('2.2', 'post'),
  // Somebody else's, that ties the gate to its version.
  { name: 'site-monitor', version: '1', preamble: ['Requires: gate = 1.0'] },
];
