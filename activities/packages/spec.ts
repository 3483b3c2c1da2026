/**
 * Section `software` of a plan: which packages make a release, how a node tells which release it runs, and how one is
 * exchanged for another. Parsing a parsed value again changes nothing.
 */
import { z } from 'zod';
import { duration } from '../kit/duration';
import { patternFault } from '../kit/pattern';

/** Of Debian (Policy 5.6.1) or rpm, with the suffix of a foreign architecture. Never starts with a hyphen: no option. */
const packageName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*(:[a-z0-9-]+)?$/, { error: 'the name of a package' });

/** [epoch:]version[-revision], Debian Policy 5.6.12; or rpm's [epoch:]version-release. */
const packageVersion = z.string().regex(/^([0-9]+:)?[A-Za-z0-9][A-Za-z0-9._^+~-]*(:[A-Za-z0-9.+~-]+)*$/, {
  error:
    'an exact version as `apt-cache madison` prints it, e.g. "8.4.4-1.1~deb12u1", or VERSION-RELEASE of rpm, e.g. "7.8.0-1.el9"; ranges and wildcards are refused',
});

/** What the package managers' own rules say of names and versions, where they are stricter. */
const FORMS = {
  apt: {
    name: /^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?$/,
    version: /^([0-9]+:)?[0-9][A-Za-z0-9.+~-]*(:[A-Za-z0-9.+~-]+)*$/,
    versionIs: 'an exact version as `apt-cache madison` prints it, e.g. "8.4.4-1.1~deb12u1"',
  },
  dnf: {
    name: /^[A-Za-z0-9][A-Za-z0-9._+-]*$/,
    version: /^([1-9][0-9]*:)?[A-Za-z0-9._^+~]+-[A-Za-z0-9._^+~]+$/,
    versionIs: 'VERSION-RELEASE, e.g. "7.8.0-1.el9", with EPOCH: before it if it isn’t 0',
  },
} as const;

/** Names a directory on the host and a choice of the person who starts. */
const releaseName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.+~_-]{0,62}$/, {
  error: 'letters, digits and . + ~ _ -, 63 at most, starting with a letter or digit',
});

const absolutePath = z.string().regex(/^(\/[A-Za-z0-9._+-]+)+$/, { error: 'an absolute path without spaces' });

const pattern = z
  .string()
  .superRefine((text, context) => {
    const fault = releasePatternFault(text);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  })
  .describe('regular expression as of RE2, `^` and `$` for each line; its first group is the name of the release');

const releasePatternFault = (text: string): string | undefined =>
  patternFault(text, 'the release, as "^VERSION_ID=\\"(.+)\\"$"');

const releaseReading = z
  .union(
    [
      z.strictObject({ package: packageName.describe('its version tells the release: the one whose list names it') }),
      z.strictObject({
        file: absolutePath.describe('file that names the release, readable by the login user'),
        pattern,
      }),
      z.strictObject({
        command: z.array(z.string().min(1)).min(1).describe('argument vector; the command by absolute path'),
        root: z.boolean().default(false).describe('run it as root'),
        pattern,
      }),
    ],
    { error: 'one of {package: NAME}, {file: PATH, pattern: REGEX}, {command: [PATH, ARG…], pattern: REGEX}' },
  )
  .describe('how to read which release a node runs');
export type ReleaseReading = z.output<typeof releaseReading>;

export const releaseSpec = z.strictObject({
  packages: z
    .record(packageName, packageVersion)
    .refine((packages) => Object.keys(packages).length > 0, { error: 'at least one package' })
    .describe('packages of the release with their exact versions; what they need besides is found out when staging'),
  mayRemove: z
    .array(packageName)
    .default([])
    .describe('installed packages that may go for this release; any other removal is refused'),
});

export const softwareSpec = z
  .strictObject({
    driver: z
      .enum(['apt', 'dnf'])
      .describe('package manager of the nodes: apt of Debian and Ubuntu, dnf 4 of RHEL 8 to 10'),
    releases: z
      .record(releaseName, releaseSpec)
      .describe('releases by name; the version that people upgrade to is one of these names'),
    release: releaseReading,
    conffiles: z
      .enum(['keep', 'replace'])
      .default('keep')
      .describe(
        'configuration files that were edited on the node and changed by the package: keep the edited ones (dpkg --force-confold; after dnf they are put back) or take those of the package (--force-confnew, .rpmnew; undo puts the edited ones back)',
      ),
    reboot: z.boolean().default(true).describe('whether a node is rebooted after its packages were exchanged'),
    rebootTimeoutMs: duration().default(600_000).describe('how long a node may take to come back from a reboot'),
    installTimeoutMs: duration().default(1_800_000).describe('how long the package manager may take for one node'),
    stageTimeoutMs: duration().default(1_800_000).describe('how long downloading the packages to one node may take'),
    stageDirectory: absolutePath
      .default('/var/lib/hitless/stage')
      .describe('directory on the nodes that holds the packages of both releases; made if missing'),
    minFreeMb: z
      .int()
      .min(0)
      .default(512)
      .describe('room in MiB that must be free for the stage directory, / and /var, besides the packages themselves'),
    units: z
      .array(
        z.string().regex(/^[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|target|mount)$/, {
          error: 'a systemd unit with its suffix',
        }),
      )
      .default([])
      .describe('systemd units that must be active on an upgraded node'),
  })
  .superRefine(({ driver, releases }, context) => {
    const form = FORMS[driver];
    for (const [release, { packages, mayRemove }] of Object.entries(releases)) {
      const path = ['releases', release, 'packages'];
      for (const [name, version] of Object.entries(packages)) {
        if (!form.version.test(version))
          context.addIssue({ code: 'custom', path: [...path, name], message: `${version} isn’t ${form.versionIs}` });
      }
      for (const name of [...Object.keys(packages), ...mayRemove])
        if (!form.name.test(name))
          context.addIssue({ code: 'custom', path, message: `${name} is no name of a package of ${driver}` });
    }
  })
  .superRefine(({ releases, release }, context) => {
    if (!('package' in release)) return;
    const seen = new Map<string, string>();
    for (const [name, { packages }] of Object.entries(releases)) {
      const version = packages[release.package];
      const path = ['releases', name, 'packages'];
      const twin = version === undefined ? undefined : seen.get(version);
      if (version === undefined)
        context.addIssue({
          code: 'custom',
          path,
          message: `lacks ${release.package}, by which the release is told (release.package)`,
        });
      else if (twin !== undefined)
        context.addIssue({
          code: 'custom',
          path,
          message: `${release.package} is ${version} here as in ${twin}: the two can't be told apart`,
        });
      else seen.set(version, name);
    }
  });
export type SoftwareSpec = z.output<typeof softwareSpec>;
