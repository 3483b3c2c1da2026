/** Reads one node: everything by fixed commands, one of them as root. */
import { JsonItems, LARGE_OUTPUT_LIMIT_BYTES, readAnswer, readInto, readItems, type Fault, type Host } from '../kit';
import { shownUnits } from '../services/shown';
import { globbed, withoutIgnored, type Facts, type NodeReading } from './facts';
import { Links, readRules, routesOf, type Interfaces } from './network';
import { RulesetReader, type Ruleset } from './nftables';
import type { ParitySpec, Section } from './spec';

const NFT = ['/usr/sbin/nft', '-s', 'list', 'ruleset'];
const IP = '/usr/sbin/ip';
const SYSCTL = '/usr/sbin/sysctl';
const SYSTEMCTL = '/usr/bin/systemctl';

/** Routes of the protocols that are compared: those that people or programs of the node set. */
const COMPARED_LIMIT = 50_000;

/** Commands that run as root. */
export const SUDO_COMMANDS: readonly string[] = [NFT.join(' ')];

/** States of a unit file in which the unit comes back after a reboot, or needs nothing to. */
const COMES_BACK = ['enabled', 'static', 'indirect', 'alias', 'generated', 'linked'];

export async function readNode(host: Host, spec: ParitySpec): Promise<NodeReading> {
  const wanted = (section: Section): boolean => spec.sections.includes(section);
  const interfaces = await readAllInterfaces(host);
  const facts: Facts = {
    ...(wanted('ruleset') ? { ruleset: await readAllRules(host) } : {}),
    ...(wanted('sysctls') ? { sysctls: await readSysctls(host, spec.sysctls) } : {}),
    ...(wanted('routes') ? { routes: await readAllRoutes(host, spec.routeProtocols) } : {}),
    ...(wanted('rules') ? { rules: await readPolicyRules(host) } : {}),
    ...(wanted('interfaces') ? { interfaces: interfaces.lines } : {}),
    ...(wanted('services') && spec.services.length > 0 ? { services: await readServices(host, spec.services) } : {}),
  };
  return {
    facts: withoutIgnored(facts, spec.ignore),
    addresses: interfaces.addresses satisfies Interfaces['addresses'],
  };
}

async function readAllInterfaces(host: Host): Promise<Interfaces> {
  const links = new Links();
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
    if (!pattern.includes('*')) picked.set(pattern, [all.get(pattern) ?? '(absent)']);
    else {
      const matches = globbed(pattern);
      for (const [name, value] of all) if (matches(name)) picked.set(name, [value]);
    }
  }
  return Object.fromEntries(picked);
}

async function readSysctls(host: Host, patterns: readonly string[]): Promise<Record<string, string[]>> {
  // Some are for root only, and none of those decides how packets are forwarded; what can't be read is said on stderr.
  const { stdout } = await host.exec([SYSCTL, '-a'], {
    okCodes: 'any',
    quiet: true,
    outputLimitBytes: LARGE_OUTPUT_LIMIT_BYTES,
  });
  return pickSysctls(stdout, patterns);
}

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
    await readItems(host, argv, { expected, mayBeEmpty: true }, json);
    return readAnswer({ host: host.name, command: argv, expected }, () => routesOf(compared, family, protocols));
  };
  return { ...(await of('-4', 'ipv4')), ...(await of('-6', 'ipv6')) };
}

const readPolicyRules = async (host: Host): Promise<Record<string, string[]>> => ({
  ipv4: await read(host, [IP, '-j', '-4', 'rule', 'show'], 'routing rules, as JSON', readRules),
  ipv6: await read(host, [IP, '-j', '-6', 'rule', 'show'], 'routing rules, as JSON', readRules),
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
export function serviceFaults(where: string, services: Facts['services'] = {}): Fault[] {
  return Object.entries(services).flatMap(([unit, [active = '', file = '']]) => [
    ...(active === 'active'
      ? []
      : [{ where, what: `${unit} is ${active}, it must run`, next: `systemctl status ${unit}` }]),
    ...(COMES_BACK.includes(file)
      ? []
      : [{ where, what: `${unit} would not come back after a reboot (${file})`, next: `systemctl enable ${unit}` }]),
  ]);
}
