import type { Lab } from '../../../lab';
import { rpmHostImage } from '../../../lab/rpm-host/image';
import { SETUPS } from '../../../lab/rpm-host/packages';
import { RpmRepository, dnfSource, fillRpmRepository } from '../../../lab/repo/rpm';
import type { Platform } from './platform';

const repository = (lab: Lab): RpmRepository => new RpmRepository(lab.record.repository!.directory);
const LOCKLIST = '/etc/dnf/plugins/versionlock.list';
const versionOf = (release: string): string => `${release}-1.el9`;
/** Without repositories, which may be closed just then. */
const DNF = "dnf -y -q --disablerepo='*'";

/** A host whose release dnf manages. */
export const dnf: Platform = {
  driver: 'dnf',
  image: rpmHostImage,
  mask: [],
  units: ['gate.service'],
  source: dnfSource,
  fillRepository: fillRpmRepository,
  versions: (lab, release) => repository(lab).versions(release),
  versionOf,
  fileOf: (name, version) => `${name}-${version}.noarch.rpm`,
  ...{ main: 'gate', other: 'gate-lib', telling: 'lab-release', releaseFile: '/etc/lab-release' },
  edited: { '/etc/gate/gate.conf': '# gate 2.0\n', '/etc/gate/tuning.conf': '# tuning 2.0\n' },
  defaults: '/etc/lab-release.d/defaults.conf',
  takeAway: (lab, name, version) => Promise.resolve(repository(lab).takeAway(name, version)),
  putBack: (lab, name, version) => Promise.resolve(repository(lab).putBack(name, version)),
  signatures: {
    demand: 'sed -i s/gpgcheck=0/gpgcheck=1/ /etc/yum.repos.d/lab.repo',
    waive: 'sed -i s/gpgcheck=1/gpgcheck=0/ /etc/yum.repos.d/lab.repo',
  },
  // Before its files are in place, and after: rpm takes the second for installed, and only warns.
  faulty: ['2.1', '2.2'],
  publishFaulty: () => Promise.resolve(), // there from the beginning
  async addPacer(lab) {
    for (const { name } of lab.record.hosts)
      await lab.host(name).exec('dnf -y -q install pacer-1.0 pacer-lib-1.0 </dev/null && dnf -q mark remove pacer-lib');
  },
  async addMonitor(host) {
    await host.exec('dnf -y -q install site-monitor </dev/null');
  },
  async removeMonitor(host) {
    await host.exec(`${DNF} --setopt=clean_requirements_on_remove=False remove site-monitor </dev/null`);
  },
  commands: {
    all: "rpm -qa --qf '%{NEVRA}\\n' | sort",
    marks: `${DNF} repoquery --installed --qf '%{name} %{reason}' | sed -n 's/ dependency$//p' | sort`,
    markOther: `${DNF} mark remove gate-lib`,
    own: "mkdir -p /var/cache/dnf; find /var/cache/dnf /etc/dnf -type f | sort | xargs sha256sum; rpm -qa --qf '%{NEVRA} %{DBINSTANCE}\\n' | sort",
    forget: 'rm -rf /var/cache/dnf/* /var/lib/hitless/stage/dnf /etc/yum.repos.d/*',
    broken: `${DNF} check || true`,
    kill: 'kill -KILL $(pgrep -x dnf)',
    hold: (name) => `echo '${name}-0:${versionOf('1.0')}.*' >> ${LOCKLIST}`,
    unhold: () => `: > ${LOCKLIST}`,
  },
  versionsOf: (names) => `rpm -q --qf '%{NAME} %{VERSION}-%{RELEASE}\\n' ${names.join(' ')}`,
  lock: '/var/lib/rpm/.rpm.lock',
  async setUps(host, name, version) {
    const log = await host.exec(`cat ${SETUPS} 2>/dev/null || true`);
    return log.split('\n').filter((line) => `${line}-1.el9` === `${name} ${version}`).length;
  },
  says: {
    installing: /^sudo \/usr\/bin\/dnf .*--allowerasing install .*lab-release-2\.0-1\.el9\.noarch\.rpm/,
    held: /held at their version: gate\. .*Next: dnf versionlock delete gate/s,
    unhold: 'dnf versionlock delete',
    missing: /Status code: 404/,
  },
};
