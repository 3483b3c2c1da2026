/**
 * Looking with dnf: what the repositories offer, what a transaction would change. dnf's command prints these for people,
 * in columns; its documented API (dnf.readthedocs.io, "DNF API Reference") has them as values. So a fixed program asks it,
 * in dnf's own interpreter, as the login user, and answers in JSON. It changes nothing and needs no network: lists are read
 * as the last `refresh` left them.
 */
import { z } from 'zod';
import { UnexpectedOutput, parseJson, shaped } from '../../kit/answer';

/** What can be asked. Names are as in plans: with `.ARCH` for a foreign architecture only. */
export type Question = { readonly cache: string } & (
  | { readonly what: 'offers'; readonly names: readonly string[] }
  | { readonly what: 'reasons'; readonly names: readonly string[] }
  | { readonly what: 'locks' }
  | { readonly what: 'repositories' }
  | { readonly what: 'simulate'; readonly packages: Readonly<Record<string, string>> }
  | {
      readonly what: 'rehearse';
      /** Paths of package files. */
      readonly files: readonly string[];
      readonly remove: readonly string[];
    }
);

const offer = z.object({
  name: z.string(),
  version: z.string(),
  uri: z.string(),
  file: z.string(),
  sizeBytes: z.number(),
  /** Hexadecimal, if the repository vouches by SHA-256. */
  sha256: z.string().nullable(),
  /** The repository's packages must be signed (gpgcheck). */
  signed: z.boolean(),
});
export type Offer = z.output<typeof offer>;

const failure = z.object({ failed: z.enum(['missing', 'unmet', 'parallel', 'other']), text: z.string() });
export type LookFailure = z.output<typeof failure>;

/** Answers by question. */
export const answers = {
  /** Newest first. */
  offers: z.object({ offers: z.array(offer) }),
  /** Why dnf thinks that a package is there: user, dependency, weak-dependency, group, … */
  reasons: z.object({ reasons: z.record(z.string(), z.string()) }),
  /** Entries of the versionlock plugin, as `dnf versionlock list` shows them. */
  locks: z.object({ locks: z.array(z.string()) }),
  /** Address by ID, of those that are enabled and have one. */
  repositories: z.object({ repositories: z.record(z.string(), z.string()) }),
  simulate: z.object({ before: z.record(z.string(), z.string()), after: z.record(z.string(), z.string()) }),
  rehearse: z.object({ before: z.record(z.string(), z.string()), after: z.record(z.string(), z.string()) }),
};
export type Answers = { readonly [What in keyof typeof answers]: z.output<(typeof answers)[What]> };

/** Marks the line of the answer among what plugins print. */
const MARK = 'hitless-answer: ';

/** @throws UnexpectedOutput if there is no answer in it. */
export function parseAnswer<What extends keyof typeof answers>(
  what: What,
  stdout: string,
): Answers[What] | LookFailure {
  const line = stdout.split('\n').findLast((each) => each.startsWith(MARK));
  if (line === undefined) throw new UnexpectedOutput('dnf gave no answer');
  const value = parseJson(line.slice(MARK.length));
  const refused = failure.safeParse(value);
  return refused.success ? refused.data : shaped(answers[what] as unknown as z.ZodType<Answers[What]>, value);
}

/** Arguments for dnf's interpreter. */
export const lookArguments = (question: Question): string[] => ['-c', PROGRAM, JSON.stringify(question)];

const PROGRAM = `
import configparser, json, os, sys
import dnf, dnf.exceptions, dnf.rpm

ask = json.loads(sys.argv[1])
def answer(value):
    print("${MARK}" + json.dumps(value))
    sys.exit(0)

base = dnf.Base()
conf = base.conf
conf.read()
offline = ask["what"] in ("rehearse", "reasons", "locks", "repositories")
# Without it the login user's own is taken: this program can't make it.
if os.path.isdir(ask["cache"]):
    conf.cachedir = ask["cache"]
elif not offline:
    answer({"failed": "other", "text": "there are no package lists in " + ask["cache"]})
conf.cacheonly = True
conf.best = True
conf.install_weak_deps = False
conf.clean_requirements_on_remove = False
conf.substitutions.update_from_etc(conf.installroot, varsdir=conf.varsdir)
if not conf.substitutions.get("releasever"):
    conf.substitutions["releasever"] = dnf.rpm.detect_releasever(conf.installroot) or ""

if ask["what"] == "locks":
    locks = []
    for path in conf.pluginconfpath:
        parser = configparser.ConfigParser()
        parser.read(os.path.join(path, "versionlock.conf"))
        file = parser.get("main", "locklist", fallback=None)
        if file and parser.get("main", "enabled", fallback="1").lower() not in ("0", "false", "no") and os.path.exists(file):
            with open(file) as lines:
                locks += [line.split("#")[0].strip() for line in lines]
    answer({"locks": [lock for lock in locks if lock]})

native = conf.substitutions["arch"]
def called(package):
    return package.name if package.arch in ("noarch", native) else package.name + "." + package.arch
def version(package):
    return ("" if package.epoch == 0 else str(package.epoch) + ":") + package.version + "-" + package.release
def named(query, names):
    bare = set(name.rpartition(".")[0] or name for name in names) | set(names)
    return [p for p in query.filter(name=list(bare)).run() if called(p) in names and p.arch != "src"]

# Version locks hide what they don't let in; an offer is one all the same, and locks are told as such.
if ask["what"] == "simulate":
    base.init_plugins(["*"], ["versionlock"])
    base.pre_configure_plugins()
if not offline or ask["what"] == "repositories":
    base.read_all_repos()
    for repo in base.repos.iter_enabled():
        repo.skip_if_unavailable = True
if ask["what"] == "simulate":
    base.configure_plugins()
if ask["what"] == "repositories":
    addresses = {r.id: list(r.baseurl) or [r.metalink or r.mirrorlist] for r in base.repos.iter_enabled()}
    answer({"repositories": {id: found[0] for id, found in addresses.items() if found[0]}})

base.fill_sack(load_system_repo=True, load_available_repos=not offline)

if ask["what"] == "reasons":
    answer({"reasons": {called(p): p.reason for p in named(base.sack.query().installed(), ask["names"])}})

if ask["what"] == "offers":
    offers = []
    for p in sorted(named(base.sack.query().available(), ask["names"]), reverse=True):
        kind, digest = p.chksum or (None, b"")
        offers.append({
            "name": called(p), "version": version(p), "sizeBytes": p.downloadsize,
            "uri": p.remote_location() or p.location, "file": os.path.basename(p.location),
            "sha256": digest.hex() if len(digest) == 32 else None,
            "signed": bool(p.repo is not None and p.repo.gpgcheck),
        })
    answer({"offers": offers})

try:
    if ask["what"] == "simulate":
        available = base.sack.query().available()
        for name, wanted in ask["packages"].items():
            found = [p for p in named(available, [name]) if version(p) == wanted]
            if not found:
                answer({"failed": "missing", "text": "no repository offers " + name + " " + wanted + " (or a versionlock hides it: dnf versionlock list)"})
            if not any(version(p) == wanted for p in named(base.sack.query().installed(), [name])):
                base.package_install(found[0])
    else:
        for p in base.add_remote_rpms(ask["files"], strict=True):
            if not base.sack.query().installed().filter(name=p.name, arch=p.arch, evr=p.evr).run():
                base.package_install(p)
        there = base.sack.query().installed()
        for p in named(there, ask["remove"]):
            base.package_remove(p)
    base.resolve(allow_erasing=True)
    parallel = set(base.sack.query().filter(provides=list(conf.installonlypkgs)).run())
    coming, going = base.transaction.install_set, base.transaction.remove_set
    several = sorted(str(p) for p in coming if p in parallel)
    if several:
        answer({"failed": "parallel", "text": ", ".join(several)})
    answer({"before": {called(p): version(p) for p in going}, "after": {called(p): version(p) for p in coming}})
except dnf.exceptions.DepsolveError as error:
    answer({"failed": "unmet", "text": str(error)})
except dnf.exceptions.Error as error:
    answer({"failed": "other", "text": str(error)})
`;
