/** Reads one node: everything by fixed commands, one of them as root. */
import {
  failureType,
  JsonItems,
  LARGE_OUTPUT_LIMIT_BYTES,
  messageOf,
  readAnswer,
  readInto,
  readItems,
  type Host,
} from '../kit';
import { shownUnits } from '../services/shown';
import { globbed, withoutIgnored, type About, type Facts, type NodeReading } from './facts';
import { nameOf, type NamedFault } from './faults';
import { Links, readRules, routesOf, type Interfaces } from './network';
import { RulesetReader, type Ruleset } from './nftables';
import type { ParitySpec, Section } from './spec';
import { ABSENT, readConfigured, setNames } from './sysctls';

const NFT = ['/usr/sbin/nft', '-s', 'list', 'ruleset'];
const IP = '/usr/sbin/ip';
const SYSCTL = '/usr/sbin/sysctl';
const SYSTEMCTL = '/usr/bin/systemctl';
/** Prints every file of sysctl.d that is read at boot, in the order in which they are. */
const CONFIGURED = ['/usr/lib/systemd/systemd-sysctl', '--cat-config'];
const VRRP_UNIT = 'keepalived.service';

/** Routes of the protocols that are compared: those that people or programs of the node set. */
const COMPARED_LIMIT = 50_000;

/** Commands that run as root. */
export const SUDO_COMMANDS: readonly string[] = [NFT.join(' ')];

/** States of a unit file in which the unit comes back after a reboot, or needs nothing to. */
const COMES_BACK = ['enabled', 'static', 'indirect', 'alias', 'generated', 'linked'];

export async function readNode(host: Host, spec: ParitySpec): Promise<NodeReading> {
  const wanted = (section: Section): boolean => spec.sections.includes(section);
  const vrrp = await runsVrrp(host);
  const interfaces = await readAllInterfaces(host, vrrp);
  const sysctls = wanted('sysctls') ? await readSysctls(host, spec.sysctls) : undefined;
  const facts: Facts = {
    ...(wanted('ruleset') ? { ruleset: await readAllRules(host) } : {}),
    ...(sysctls === undefined ? {} : { sysctls: sysctls.values }),
    ...(wanted('routes') ? { routes: await readAllRoutes(host, spec.routeProtocols) } : {}),
    ...(wanted('rules') ? { rules: await readPolicyRules(host) } : {}),
    ...(wanted('interfaces') ? { interfaces: interfaces.lines } : {}),
    ...(wanted('services') && spec.services.length > 0 ? { services: await readServices(host, spec.services) } : {}),
  };
  return {
    facts: withoutIgnored(facts, spec.ignore),
    addresses: interfaces.addresses satisfies Interfaces['addresses'],
    stacked: interfaces.stacked,
    about: { ...sysctls?.about, ...(vrrp ? { vrrp } : {}) },
  };
}

/** A unit that isn't there isn't active. */
async function runsVrrp(host: Host): Promise<boolean> {
  const { stdout } = await host.exec([SYSTEMCTL, 'is-active', VRRP_UNIT], { okCodes: 'any', quiet: true });
  return stdout.trim() === 'active';
}

async function readAllInterfaces(host: Host, vrrp: boolean): Promise<Interfaces> {
  const links = new Links(vrrp);
  const expected = 'interfaces and addresses, as JSON';
  await readItems(
    host,
    [IP, '-j', 'address', 'show'],
    { expected },
    new JsonItems(1, (link) => links.add(link), 'list'),
  );
  return links.all;
}

async function readAllRules(host: Host): Promise<Ruleset> {
  const reader = new RulesetReader();
  const expected = 'a ruleset of nftables';
  const options = { sudo: true, outputLimitBytes: LARGE_OUTPUT_LIMIT_BYTES, expected };
  const { end } = await readInto(host, NFT, options, reader);
  return readAnswer({ host: host.name, command: NFT, expected }, () => {
    end();
    return reader.ruleset;
  });
}

async function read<T>(
  host: Host,
  command: readonly string[],
  expected: string,
  parse: (text: string) => T,
): Promise<T> {
  const { stdout } = await host.exec(command);
  return readAnswer({ host: host.name, command, expected }, () => parse(stdout));
}

/** Of `sysctl -a`, what the patterns match; a plain name that isn't there is said to be absent, so that both must lack it. */
export function pickSysctls(text: string, patterns: readonly string[]): Record<string, string[]> {
  const all = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^(\S+) = (.*)$/s.exec(line);
    if (match !== null) all.set(match[1] ?? '', (match[2] ?? '').trim().replace(/\s+/g, ' '));
  }
  const picked = new Map<string, string[]>();
  for (const pattern of patterns) {
    if (!pattern.includes('*')) picked.set(pattern, [all.get(pattern) ?? ABSENT]);
    else {
      const matches = globbed(pattern);
      for (const [name, value] of all) if (matches(name)) picked.set(name, [value]);
    }
  }
  return Object.fromEntries(picked);
}

async function readSysctls(
  host: Host,
  patterns: readonly string[],
): Promise<{ readonly values: Record<string, string[]>; readonly about: About }> {
  // Some are for root only, and none of those decides how packets are forwarded; what can't be read is said on stderr.
  const { stdout } = await host.exec([SYSCTL, '-a'], {
    okCodes: 'any',
    quiet: true,
    outputLimitBytes: LARGE_OUTPUT_LIMIT_BYTES,
  });
  const values = pickSysctls(stdout, patterns);
  const [kernel] = pickSysctls(stdout, [KERNEL])[KERNEL] ?? [];
  const configured = await host.exec(CONFIGURED, {
    okCodes: 'any',
    quiet: true,
    outputLimitBytes: LARGE_OUTPUT_LIMIT_BYTES,
  });
  return {
    values,
    about: {
      ...(kernel === undefined || kernel === ABSENT ? {} : { kernel }),
      ...(configured.code === 0 ? { set: setNames(Object.keys(values), readConfigured(configured.stdout)) } : {}),
    },
  };
}
/** What `uname -r` prints. */
const KERNEL = 'kernel.osrelease';

async function readAllRoutes(host: Host, protocols: readonly string[]): Promise<Record<string, string[]>> {
  const of = async (flag: string, family: 'ipv4' | 'ipv6') => {
    const argv = [IP, '-j', flag, 'route', 'show', 'table', 'all'];
    // A full table that BGP brought in isn't compared: what is left out isn't held.
    const compared: unknown[] = [];
    const json = new JsonItems(
      1,
      (route) => {
        if (!protocols.includes((route as { protocol?: string }).protocol ?? 'boot')) return;
        compared.push(route);
        if (compared.length > COMPARED_LIMIT) throw new Error(`more than ${COMPARED_LIMIT} routes to compare`);
      },
      'list',
    );
    const expected = 'routes, as JSON';
    await unlessOff(() => readItems(host, argv, { expected, mayBeEmpty: true }, json), undefined);
    return readAnswer({ host: host.name, command: argv, expected }, () => routesOf(compared, family, protocols));
  };
  return { ...(await of('-4', 'ipv4')), ...(await of('-6', 'ipv6')) };
}

/** What the kernel says where IPv6 is switched off (ipv6.disable=1): there is none of it. */
const IS_OFF = /Address family not supported|Operation not supported|Protocol not supported/;
async function unlessOff<T>(work: () => Promise<T>, none: T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (failureType(error) === 'CommandFailed' && IS_OFF.test(messageOf(error))) return none;
    throw error;
  }
}

const readPolicyRules = async (host: Host): Promise<Record<string, string[]>> => ({
  ipv4: await read(host, [IP, '-j', '-4', 'rule', 'show'], 'routing rules, as JSON', readRules),
  ipv6: await unlessOff(() => read(host, [IP, '-j', '-6', 'rule', 'show'], 'routing rules, as JSON', readRules), []),
});

/** Of `systemctl show --property=Id,ActiveState,UnitFileState UNIT…`: blocks separated by empty lines, in the order asked for. */
export function readUnits(text: string, units: readonly string[]): Record<string, string[]> {
  const shown = shownUnits(text);
  return Object.fromEntries(
    units.map((unit, index) => [
      unit,
      [shown[index]?.get('ActiveState') || 'not found', shown[index]?.get('UnitFileState') || 'no unit file'],
    ]),
  );
}

async function readServices(host: Host, units: readonly string[]): Promise<Record<string, string[]>> {
  const { stdout } = await host.exec([SYSTEMCTL, 'show', '--property=Id,ActiveState,UnitFileState', ...units]);
  return readUnits(stdout, units);
}

/** Units that don't run, or wouldn't after a reboot, whatever the other node's do. */
export function serviceFaults(where: string, services: Facts['services'] = {}): NamedFault[] {
  const fault = (unit: string, what: string, next: string): NamedFault => ({
    where,
    what: `${unit} ${what}`,
    next,
    check: nameOf(`services/${unit}`, what),
  });
  return Object.entries(services).flatMap(([unit, [active = '', file = '']]) => [
    ...(active === 'active' ? [] : [fault(unit, `is ${active}, it must run`, `systemctl status ${unit}`)]),
    ...(COMES_BACK.includes(file)
      ? []
      : [fault(unit, `would not come back after a reboot (${file})`, `systemctl enable ${unit}`)]),
  ]);
}
