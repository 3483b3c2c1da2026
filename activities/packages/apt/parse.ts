/** What dpkg and apt print, as values. All commands are run with LC_ALL=C. Formats: dpkg-query(1), apt-cache(8), apt-get(8). */

import type { Change, Installed, Offered } from '../package';

/** One package as dpkg knows it. Foreign architectures have theirs in the name (`libc6:i386`), as apt prints them. */
export interface DpkgPackage extends Installed {
  /** Kept at its version (apt-mark hold). */
  readonly held: boolean;
}

export const DPKG_QUERY_FORMAT = '${Package}\\t${Architecture}\\t${Version}\\t${db:Status-Abbrev}\\n';

export function parseInstalled(text: string, nativeArchitecture: string): Map<string, DpkgPackage> {
  const found = new Map<string, DpkgPackage>();
  for (const line of text.split('\n')) {
    const [bare, architecture, version, status] = line.split('\t');
    if (bare === undefined || architecture === undefined || version === undefined || status === undefined) continue;
    const name = architecture === 'all' || architecture === nativeArchitecture ? bare : `${bare}:${architecture}`;
    // Known but neither there nor wanted: as good as absent, and its version is empty.
    if (version !== '') found.set(name, { name, version, architecture, ...stateOf(status) });
  }
  return found;
}

/** Of `db:Status-Abbrev`: desired state, state, error flag. `ii ` is installed and configured, `hi ` the same and held. */
function stateOf(status: string): Pick<DpkgPackage, 'state' | 'detail' | 'held'> {
  const held = status.startsWith('h');
  const [, state = 'n', error = ' '] = status;
  if (state === 'n' || state === 'c') return { state: 'removed', detail: 'removed', held };
  const detail = `not configured (${status.trim()})`;
  // Half-installed, or marked to be installed again: its files can't be trusted.
  if (state === 'H' || error !== ' ') return { state: 'damaged', detail, held };
  return state === 'i' ? { state: 'whole', detail: '', held } : { state: 'unfinished', detail, held };
}

/** Versions on offer by package, newest first, each once, of `apt-cache madison`. Source entries don't count. */
export function parseMadison(text: string): Map<string, string[]> {
  const offers = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [name, version, source] = line.split('|').map((cell) => cell.trim());
    if (name === undefined || version === undefined || !source?.endsWith(' Packages')) continue;
    const versions = offers.get(name) ?? [];
    if (!versions.includes(version)) offers.set(name, [...versions, version]);
  }
  return offers;
}

/** Lines of `apt-get download --print-uris`: `'http://…/frr_8.4.4-1_amd64.deb' frr_8.4.4-1_amd64.deb 3854556 SHA256:37f5…`. */
export function parseOffered(text: string, nativeArchitecture: string): Offered[] {
  return text.split('\n').flatMap((line) => {
    const [, uri, file, size, digest] = /^'([^']+)' (\S+) (\d+) (\S*)$/.exec(line.trimEnd()) ?? [];
    // apt quotes what can't stand in a file name, as the colon of an epoch (%3a), and separates by underscores.
    const [name, version, architecture] = (file ?? '')
      .replace(/\.deb$/, '')
      .split('_')
      .map(unquote);
    if (uri === undefined || file === undefined || name === undefined || !version || !architecture) return [];
    const isForeign = architecture !== 'all' && architecture !== nativeArchitecture;
    const sha256 = /^SHA256:([0-9a-f]{64})$/i.exec(digest ?? '')?.[1]?.toLowerCase();
    return [
      {
        ...{ name: isForeign ? `${name}:${architecture}` : name, version, uri, file, sizeBytes: Number(size) },
        ...(sha256 === undefined ? {} : { sha256 }),
      },
    ];
  });
}

const unquote = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** `Inst` and `Remv` lines of `apt-get --simulate`: `Inst frr [8.4.4-1] (8.4.4-1.1 Debian:12/stable [amd64])`. */
export function parseSimulation(text: string): Change[] {
  const changes: Change[] = [];
  for (const line of text.split('\n')) {
    const install = line.includes('])') ? /^Inst (\S+)(?: \[([^\]]+)\])? \((\S+) /.exec(line) : null;
    if (install?.[1] !== undefined && install[3] !== undefined)
      changes.push({ name: install[1], ...(install[2] === undefined ? {} : { from: install[2] }), to: install[3] });
    const removal = /^(?:Remv|Purg) (\S+) \[([^\]]+)\]/.exec(line);
    if (removal?.[1] !== undefined && removal[2] !== undefined) changes.push({ name: removal[1], from: removal[2] });
  }
  return changes;
}

/** Configuration files that differ from the ones that their package shipped, of `dpkg --verify`: edited or deleted. */
export function parseEditedConffiles(text: string): { readonly edited: string[]; readonly deleted: string[] } {
  const paths = (sign: RegExp): string[] => [...text.matchAll(sign)].map((match) => match[1] ?? '');
  return { edited: paths(/^[?.][?.]5\S* +c (\/.+)$/gm), deleted: paths(/^missing +c (\/\S+)/gm) };
}

/** Addresses from which `apt-get update` could not fetch. */
export const failedSources = (output: string): string[] => [
  ...new Set([...output.matchAll(/^(?:W|E): Failed to fetch (\S+)/gm)].map((m) => m[1] ?? '')),
];
