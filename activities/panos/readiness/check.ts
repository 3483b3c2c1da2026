/**
 * How readiness checks run: all of them, on both members, whatever the others find or fail on. panos-upgrade-assurance ends
 * at the first exception; here a check that can't be made is a fault of its own.
 */
import {
  failureType,
  formatFaults,
  messageOf,
  permanent,
  transient,
  type Fault,
  type TransientType,
} from '../../kit/errors';
import type { Reader, XmlElement } from '../api';
import { CHECK_NAMES, isWaivable, type CheckName } from './catalogue';
import type { ReadinessChecksSpec } from './spec';

export interface CheckContext {
  readonly spec: ReadinessChecksSpec;
  /** Images that the upgrade will bring to each member, base images too; none for a look without a target. */
  readonly images: readonly string[];
  /** They come from files of the worker, not from the update server. */
  readonly imported: boolean;
  /** Content that the upgrade installs first; `keep`: none. */
  readonly content: 'latest' | 'keep';
}

/** Something found. */
export interface Found {
  readonly what: string;
  readonly next?: string;
  /** Another member or router than the one that was looked at. */
  readonly where?: string;
  /** Overrides the check's own: one of its faults may be worse, or better, than the others. */
  readonly waivable?: boolean;
  /** It may pass by itself: the check is made again for a while before people are asked. */
  readonly passes?: TransientType;
}

/** What a check asks one member with. */
export interface MemberReader extends Reader {
  /** An answer of now, where one from earlier in the run is no use. */
  fresh(command: string): Promise<XmlElement>;
}

export type MemberCheck = (device: MemberReader, context: CheckContext) => Promise<readonly Found[]>;
export type PairCheck = (members: readonly MemberReader[], context: CheckContext) => Promise<readonly Found[]>;
/** `each` is asked of every member, `both` once of the pair. */
export type Check = { readonly each: MemberCheck } | { readonly both: PairCheck };
export type Checks = Readonly<Record<CheckName, Check>>;

/** A fault and the check that found it. Waived by that name. */
export interface CheckFault extends ReadinessFault {
  readonly check: CheckName;
}

/** A fault of a named check, or of something else that an upgrade needs. */
export interface ReadinessFault extends Fault {
  readonly check?: string;
  readonly waivable: boolean;
  /** Type of the failure, where the check couldn't be made, or of a fault that may pass by itself. */
  readonly type?: string;
}

export interface CheckRun {
  readonly faults: readonly CheckFault[];
  /** Names of the checks that were run. */
  readonly ran: readonly CheckName[];
}

/** Checks that are run by the inventory: those that can't be waived always. */
export const chosen = ({ only, skip }: Pick<ReadinessChecksSpec, 'only' | 'skip'>): CheckName[] =>
  CHECK_NAMES.filter(
    (name) => !isWaivable(name) || ((only === undefined || only.includes(name)) && !skip.includes(name)),
  );

/** What every device answers at once: whether it is silent, or only doesn't answer one question. */
const ALIVE = '<show><clock></clock></show>';

/**
 * Each question is asked once, however many checks need its answer. A device that is silent isn't asked again: thirty checks
 * would each wait for it. One that answers other questions, as without a way to the servers that it would ask itself, has its
 * question repeated once in all (one reply may be lost); then the check is one that couldn't be made, and no silence.
 */
export function remembering(device: Reader): MemberReader {
  const answers = new Map<string, Promise<unknown>>();
  let silence: Error | undefined;
  let repeats = 1;
  const isAlive = (): Promise<boolean> =>
    device.op(ALIVE).then(
      () => true,
      () => false,
    );
  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    if (silence !== undefined) throw silence;
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof Error) || !SILENCES.includes(failureType(error) ?? '')) throw error;
      if (failureType(error) === 'Unreachable' && (await isAlive())) {
        if (repeats-- > 0) return ask(question);
        throw permanent('CommandFailed', `it answers other questions, and not this one: ${messageOf(error)}`);
      }
      silence = error;
      throw error;
    }
  };
  const once = <T>(key: string, question: () => Promise<T>): Promise<T> => {
    const known = answers.get(key) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const asked = ask(question);
    answers.set(key, asked);
    return asked;
  };
  return {
    name: device.name,
    op: (command) => once(command, () => device.op(command)),
    table: (command, shape) => once(`${shape.key} of ${command}`, () => device.table(command, shape)),
    config: (action, xpath, only) =>
      once(`${action} ${xpath} ${only?.join(' ') ?? ''}`, () => device.config(action, xpath, only)),
    fresh: (command) => ask(() => device.op(command)),
  };
}

/**
 * Members side by side, the checks of one after another: a device answers few calls at once, and its own load is measured
 * meanwhile.
 */
export async function runChecks(checks: Checks, devices: readonly Reader[], context: CheckContext): Promise<CheckRun> {
  const members = devices.map(remembering);
  const ran = chosen(context.spec);
  const ofMembers = members.map(async (member) => {
    const faults: CheckFault[] = [];
    for (const name of ran) {
      const check = checks[name];
      if ('each' in check) faults.push(...(await faultsOf(name, member.name, () => check.each(member, context))));
    }
    return faults;
  });
  const faults = (await Promise.all(ofMembers)).flat();
  for (const name of ran) {
    const check = checks[name];
    if ('both' in check) faults.push(...(await faultsOf(name, 'both members', () => check.both(members, context))));
  }
  const order = (fault: CheckFault): number => ran.indexOf(fault.check);
  return { ran, faults: oneSilence(faults.sort((a, b) => order(a) - order(b))) };
}

/** Failures of the device, not of one question: every check would tell the same. */
const SILENCES: readonly string[] = ['Unreachable', 'AuthenticationFailed', 'HostKeyMismatch'];

/** A member that can't be asked is one fault, and none that could be waived. */
function oneSilence(faults: readonly CheckFault[]): CheckFault[] {
  const told = new Set<string>();
  return faults.flatMap((fault) => {
    if (!SILENCES.includes(fault.type ?? '')) return [fault];
    const first = !told.has(fault.where);
    told.add(fault.where);
    return first ? [{ ...fault, waivable: false }] : [];
  });
}

async function faultsOf(check: CheckName, where: string, find: () => Promise<readonly Found[]>): Promise<CheckFault[]> {
  try {
    return (await find()).map((found) => ({
      where: found.where ?? where,
      what: found.what,
      ...(found.next === undefined ? {} : { next: found.next }),
      check,
      waivable: found.waivable ?? isWaivable(check),
      ...(found.passes === undefined ? {} : { type: found.passes }),
    }));
  } catch (error) {
    const type = failureType(error);
    return [
      {
        where,
        what: `check ${check} couldn’t be made: ${messageOf(error)}`,
        check,
        waivable: isWaivable(check),
        ...(type === undefined ? {} : { type }),
      },
    ];
  }
}

/**
 * The failure that a run's faults are, or nothing. NotReady: somebody must mend something. Waivable: people may decide to
 * go on, naming each check. Transient, if every fault may pass by itself, or all of those that can't be waived: what can is
 * asked about when they have passed.
 */
export function readinessFailure(faults: readonly ReadinessFault[]): Error | undefined {
  if (faults.length === 0) return undefined;
  const list = formatFaults(
    faults.map((fault) => ({ ...fault, what: `${fault.what}${fault.check === undefined ? '' : ` [${fault.check}]`}` })),
  );
  const message = `not ready, nothing was changed; ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${list}`;
  const inTheWay = faults.filter(({ waivable }) => !waivable);
  const passing = (inTheWay.length === 0 ? faults : inTheWay).map(({ type }) => PASSING.find((one) => one === type));
  if (passing.every((type) => type !== undefined)) return transient(passing[0] ?? 'Unreachable', message, { faults });
  if (inTheWay.length > 0) return permanent('NotReady', message, { faults });
  return permanent('Waivable', message, { faults, waivable: [...new Set(faults.flatMap(({ check }) => check ?? []))] });
}

/** What asking again may cure. */
const PASSING: readonly TransientType[] = ['Unreachable', 'Busy', 'CommandFailedRetryable'];
