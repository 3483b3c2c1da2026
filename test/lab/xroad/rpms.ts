/**
 * The stand-ins as rpms, which differ from the debs where RHEL does (facts/x-road.md 5.2, 5.3): what was stopped stays
 * stopped, and databases are migrated after the whole transaction.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { rpmVersion, type RpmPackage } from '../repo/rpm';
import { base } from '../rpm-host/packages';
import { filesBelow, isLater, isProgram, releasedAt, sourceFolder, standIns, type XRoadRelease } from './packages';

const RELEASE = '1.el9';
/** Where packages note what ran before them. */
const STATE = '/var/lib/rpm-state';
const running = '[ -d /run/systemd/system ]';

/** With a final dot, unlike the debs. */
const versionCheck = (name: string, oldest: string): string => `
if [ $1 -gt 1 ] && [ "$(printf '%s\\n' "$(cat /usr/share/xroad/versions/${name})" ${oldest} | sort -V | head -n 1)" != ${oldest} ]; then
  echo >&2 'ERROR: Upgrade supported from version ${oldest} or newer.'
  exit 1
fi`;

/** Notes the unit if it is active; else there must be no note, not an old one either. */
const recordActive = (name: string): string => `
mkdir -p ${STATE}/${name}
rm -f ${STATE}/${name}/active
if [ $1 -gt 1 ] && ${running} && systemctl is-active --quiet ${name}.service; then
  echo ${name}.service >${STATE}/${name}/active
fi`;

/** Enabled as it is installed, by X-Road's preset; after that it's the administrator's. RHEL's systemd reloads by itself. */
const enable = (name: string): string => `
if ${running}; then systemctl daemon-reload || :; fi
if [ $1 -eq 1 ]; then systemctl --quiet enable ${name}.service || :; fi`;

const disable = (name: string): string => `if [ $1 -eq 0 ]; then systemctl disable --now ${name}.service || :; fi`;

const tryRestart = (name: string): string =>
  `if [ $1 -ge 1 ] && ${running}; then systemctl try-restart ${name}.service || :; fi`;

/** The macro ends in an `if` of something else, which hides how the set-up ended. */
const setUp = (script: string): string => `
/usr/share/xroad/scripts/${script}
if [ -e /etc/xroad/autologin ] && [ ! -s /etc/xroad/autologin ]; then echo 'The autologin file is empty'; fi`;

/** What a package does beside what all do. */
const own: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'xroad-base': {
    pre: `
if ! getent passwd xroad >/dev/null; then
  useradd --system --user-group --shell /bin/bash --home-dir /var/lib/xroad --create-home xroad
fi`,
    post: `
mkdir -p /etc/xroad/conf.d /etc/xroad/globalconf /var/log/xroad
chown xroad:xroad /etc/xroad /etc/xroad/conf.d /etc/xroad/globalconf /var/log/xroad`,
    // Only what ran before. Everything hangs on xroad-base itself, which isn't restarted.
    posttrans: `
for note in ${STATE}/xroad-*/active; do
  if [ -e "$note" ] && ${running}; then systemctl --no-block restart "$(cat "$note")" || :; fi
  rm -f "$note"
done`,
  },
  'xroad-signer': {
    post: `
install -d -m 750 -o xroad -g xroad /etc/xroad/signer /etc/xroad/signer/softtoken
if [ ! -f /etc/xroad/signer/keyconf.xml ]; then
  echo '<keyConf><device><tokenType>softToken</tokenType><id>0</id></device></keyConf>' >/etc/xroad/signer/keyconf.xml
  chown xroad:xroad /etc/xroad/signer/keyconf.xml
  chmod 640 /etc/xroad/signer/keyconf.xml
fi`,
  },
  'xroad-proxy': {
    post: 'chown -R xroad:xroad /etc/xroad/conf.d',
    posttrans: setUp('setup_serverconf_db.sh'),
  },
  'xroad-addon-messagelog': { posttrans: setUp('setup_messagelog_db.sh') },
};
const checksVersion = ['xroad-base', 'xroad-proxy'];

function scriptsOf(name: string, { upgradeFrom }: XRoadRelease): Record<string, string> {
  const { unit } = standIns[name]!;
  const restarted = unit === 'restart';
  const parts: Record<string, readonly (string | undefined)[]> = {
    pre: [
      checksVersion.includes(name) ? versionCheck(name, upgradeFrom) : undefined,
      restarted ? recordActive(name) : undefined,
      own[name]?.['pre'],
    ],
    post: [own[name]?.['post'], unit === undefined ? undefined : enable(name)],
    preun: [unit === undefined ? undefined : disable(name)],
    postun: [restarted ? tryRestart(name) : undefined],
    posttrans: [own[name]?.['posttrans']],
  };
  return Object.fromEntries(
    Object.entries(parts).flatMap(([kind, texts]) => {
      const text = texts.filter((each) => each !== undefined).join('\n');
      return text === '' ? [] : [[kind, text.trim()]];
    }),
  );
}

/** Debian's /lib is /usr/lib in RHEL's packages. */
const pathOf = (name: string): string => `/${name.replace(/^lib\//, 'usr/lib/')}`;

/** Where the content differs: starting RHEL's proxy starts the management API, too (facts/x-road.md section 1). */
const likeRhel = (path: string, content: string): string =>
  path.endsWith('/xroad-proxy.service') ? content.replace(/^Wants=.*$/m, '$& xroad-proxy-ui-api.service') : content;

function filesOf(name: string, release: XRoadRelease, version: string): NonNullable<RpmPackage['files']> {
  const below = (folder: string, to: string): NonNullable<RpmPackage['files']> =>
    (existsSync(folder) ? filesBelow(folder) : [])
      .filter((path) => !path.includes('__pycache__') && !path.includes('/DEBIAN/') && !isLater(path, release))
      .sort()
      .map((file) => {
        const path = pathOf(join(to, relative(folder, file)));
        return {
          path,
          content: likeRhel(path, readFileSync(file, 'utf8').replaceAll('@VERSION@', version)),
          mode: isProgram(path.slice(1)) ? '0755' : '0644',
          // Replaced where it was edited, unlike a conffile.
          ...(path.startsWith('/etc/') ? { config: 'config' as const } : {}),
        };
      });
  return [
    ...below(join(sourceFolder(), name), ''),
    ...(name === 'xroad-base' ? below(join(sourceFolder(), 'python'), 'usr/share/xroad/standin') : []),
    { path: `/usr/share/xroad/versions/${name}`, content: `${version}\n` },
  ];
}

/** Version of the rpms of a release, as rpm and dnf spell it: `7.8.0-1.el9` of 7.8.0-1. */
export const rpmRelease = ({ version }: Pick<XRoadRelease, 'version'>): string =>
  rpmVersion({ version: version.replace(/-1$/, ''), release: RELEASE });

/**
 * All packages of a release. They require nothing of Debian's, which rpm doesn't know: that is the image's, and `base`
 * provides what every rpm requires.
 */
export const standInRpms = (release: XRoadRelease): RpmPackage[] =>
  Object.entries(standIns).map(([name, { needs }]) => ({
    name,
    version: release.version.replace(/-1$/, ''),
    release: RELEASE,
    modifiedAt: releasedAt(release).toISOString(),
    preamble: [
      'AutoReqProv: no',
      `Requires: ${base.name}`,
      ...needs.map((each) => `Requires: ${each} = ${rpmRelease(release)}`),
    ],
    files: filesOf(name, release, rpmRelease(release)),
    scripts: scriptsOf(name, release),
  }));
