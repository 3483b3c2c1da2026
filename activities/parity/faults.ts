/** Differences told to people: one fault each, with a name by which it may be waived. Pure. */
import { createHash } from 'node:crypto';
import type { Fault } from '../kit';
import { clip } from '../kit/clip';
import { normalLine, type Difference } from './difference';
import { SECTIONS, type Section } from './spec';

/** Faults listed one by one, of each section; the rest is counted. */
const MOST_FAULTS = 40;
const MOST_CHARS = 240;
const shown = (text: string): string => clip(text, MOST_CHARS);

const TITLES: Readonly<Record<Section, string>> = {
  ruleset: 'ruleset',
  sysctls: 'sysctl',
  routes: 'route',
  rules: 'policy routing',
  interfaces: 'interface',
  services: 'service',
};

/** A fault by its name, by which people may waive it. */
export interface NamedFault extends Fault {
  readonly check: string;
}

/** Most paths of a section that are named one by one; more have one name together. People name at most 64 faults. */
const MOST_NAMES = 8;
/** An answer takes names of 64 characters. */
const NAME_CHARS = 58;

/** A name that stands for just this: what says otherwise later has another one, so that waiving the one doesn't hide it. */
export function nameOf(path: string, says: string): string {
  const sum = createHash('sha256').update(`${path} ${says}`).digest('hex').slice(0, 4);
  return `${path.length > NAME_CHARS ? `${path.slice(0, NAME_CHARS - 1)}…` : path}#${sum}`;
}

/**
 * The name of each difference: its section and path, as parity.ignore has them, and a sum of what differs there, the same
 * for the same difference of two nodes, of one node and what it was, and of its peer later.
 */
export function namesOf(list: readonly Difference[]): ReadonlyMap<Difference, string> {
  const says = ({ section, here, there }: Difference): string =>
    JSON.stringify([here, there].map((text) => (text === undefined ? '' : normalLine(section, text))).sort());
  const together = (of: readonly Difference[]): string => JSON.stringify(of.map((d) => [d.path, says(d)]).sort());
  const names = new Map<Difference, string>();
  for (const section of SECTIONS) {
    const of = list.filter((d) => d.section === section);
    const paths = [...new Set(of.map((d) => d.path))];
    const areFew = paths.length <= MOST_NAMES && of.length <= MOST_FAULTS;
    for (const path of areFew ? paths : [undefined]) {
      const some = path === undefined ? of : of.filter((d) => d.path === path);
      const name = nameOf(path === undefined ? section : `${section}/${path}`, together(some));
      for (const one of some) names.set(one, name);
    }
  }
  return names;
}

/** Differences that nobody waived. */
export function notWaived(list: readonly Difference[], waived: readonly string[]): readonly Difference[] {
  if (waived.length === 0) return list;
  const isWaived = (names: ReadonlyMap<Difference, string>, d: Difference): boolean =>
    waived.includes(names.get(d) ?? '');
  // By themselves first: where one of many was waived, the rest may be few enough to have names of their own.
  const left = SECTIONS.flatMap((section) => {
    const of = list.filter((d) => d.section === section);
    const byPath = new Map<Difference, string>();
    for (const path of new Set(of.map((d) => d.path)))
      for (const [d, name] of namesOf(of.filter((one) => one.path === path))) byPath.set(d, name);
    return of.filter((d) => !isWaived(byPath, d));
  });
  const names = namesOf(left);
  return left.filter((d) => !isWaived(names, d));
}

/** Differences as faults that a person can act on. `here` and `there` say whose they are, as "fw1" and "fw2", or "fw1 now" and "before". */
export function differenceFaults(
  list: readonly Difference[],
  where: string,
  names: { readonly here: string; readonly there: string },
  next: string,
): NamedFault[] {
  const checks = namesOf(list);
  return SECTIONS.flatMap((section) => {
    const of = list.filter((d) => d.section === section);
    const faults = of.slice(0, MOST_FAULTS).map((difference): NamedFault => {
      const { path, here, there } = difference;
      const says = (name: string, text: string | undefined): string =>
        text === undefined ? `${name} has nothing there` : `${name} has “${shown(text)}”`;
      return {
        where: `${where} ${TITLES[section]} ${path}`,
        what: `${says(names.here, here)}, ${says(names.there, there)}`,
        next,
        check: checks.get(difference) ?? section,
      };
    });
    const rest = of.length - faults.length;
    return rest > 0
      ? [
          ...faults,
          {
            where: `${where} ${TITLES[section]}`,
            what: `${rest} more differences`,
            next,
            check: faults[0]?.check ?? section,
          },
        ]
      : faults;
  });
}
