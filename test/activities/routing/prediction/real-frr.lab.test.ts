/**
 * The prediction against FRR itself: neighbors that announce random attributes, under random settings; what FRR chooses,
 * spreads traffic over and gives as its reason must be what decide() says.
 */
import { Documents, wholeDocument } from '../../../../activities/routing/frr/documents';
import { instanceIn, policiesIn, settingsOf } from '../../../../activities/routing/frr/bgp-config';
import { chosenIn, keyOf, pathsOf, type Chosen } from '../../../../activities/routing/frr/paths';
import { compare, isTieBreak, type Step } from '../../../../activities/routing/prediction/compare';
import { decide } from '../../../../activities/routing/prediction/decide';
import type { BgpPath, DecisionSettings } from '../../../../activities/routing/prediction/model';
import { assumptions, type Policies } from '../../../../activities/routing/prediction/policy';
import { reapplied } from '../../../../activities/routing/prediction/transform';
import { ensureImage, waitFor, type ImageRecipe } from '../../../lab';
import { describeLab, progress } from '../../../lab/describe-lab';
import { firewallPairImage } from '../../../lab/firewall-pair/image';
import { FrrAlone, ROUTER } from './frr-alone';
import { configurationOf, mapOf, Random, scenario, type Neighbor, type Scenario } from './random';
import { Speaker } from './speaker';

jest.setTimeout(240_000);

const ALL = process.env['HITLESS_TEST_ALL'] === '1';
const SEED = Number(process.env['HITLESS_PREDICTION_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const PREFIXES = 320;
const SCENARIOS = ALL ? 25 : 2;

const trixieImage: ImageRecipe = { name: 'frr-trixie', suite: 'trixie', packages: ['frr'], commands: [] };
const images: [name: string, recipe: ImageRecipe][] = [
  ['Debian 12', firewallPairImage],
  ...(ALL ? [['Debian 13', trixieImage] satisfies [string, ImageRecipe]] : []),
];

const REASONS: Readonly<Partial<Record<Step, string>>> = {
  weight: 'Weight',
  'local preference': 'Local Pref',
  'locally originated': 'Local Route',
  origin: 'Origin',
  MED: 'MED',
  'peer type': 'Peer Type',
  confederation: 'Confed Peer Type',
  'IGP metric': 'IGP Metric',
  'cluster list': 'IGP Metric',
  age: 'Older Path',
  'router ID': 'Router ID',
  'cluster list (late)': 'Cluster length',
  'neighbor address': 'Neighbor IP',
  'order of arrival': 'Nothing left to compare',
};

describeLab.each(images)('%s', (_, recipe) => {
  let frr: FrrAlone;
  const tally: Record<string, number> = {};
  const count = (what: string): void => void (tally[what] = (tally[what] ?? 0) + 1);

  // The image is built once.
  beforeAll(async () => {
    frr = await FrrAlone.start(`${await ensureImage(recipe, progress)}/root`);
  }, 900_000);
  afterAll(async () => {
    process.stderr.write(`FRR ${frr?.release}, seed ${SEED}: ${JSON.stringify(tally)}\n`);
    await frr?.stop();
  });

  test.each(Array.from({ length: SCENARIOS }, (_, i) => [SEED + i]))('seed %d', async (seed) => {
    const random = new Random(seed);
    const plan = scenario(random, `S${seed}`, PREFIXES);
    const own = plan.prefixes.filter(() => random.chance(0.07));
    const speakers: Speaker[] = [];
    try {
      await frr.configure([...policies(plan, random), ...configurationOf(plan, own)]);
      const order = await connectAll(frr, plan, speakers);
      const config = await frr.vtysh(['show running-config']);
      const instance = instanceIn(config);
      if (instance === undefined) throw new Error('no BGP instance');
      const settings = settingsOf(instance, 'ipv4 unicast');
      const read = await readAll(frr, plan);
      for (const [prefix, { paths, chosen }] of read) {
        const predicted = inOrder(paths, chosen, order, settings);
        const verdict = held(predicted, chosen, settings);
        count(verdict.kind);
        if (verdict.kind === 'differs')
          throw new Error(
            `seed ${seed}, ${prefix}: ${verdict.what}\n${JSON.stringify(settings)}\n${paths.map((p) => JSON.stringify(p)).join('\n')}`,
          );
        expectReason(chosen, paths, settings, `seed ${seed}, ${prefix}`, count);
      }

      const { lines, told } = anotherPolicy(plan, random);
      await frr.configure(lines);
      const after = policiesIn(await frr.vtysh(['show running-config']));
      for (const n of told) {
        await frr.vtysh([`clear bgp ipv4 unicast ${n.address} soft in`]);
        await refreshed(frr, speakers[plan.neighbors.indexOf(n)] as Speaker);
      }
      const moved = await readAll(frr, plan);
      for (const [prefix, { paths, chosen }] of read) {
        const now = moved.get(prefix);
        if (now === undefined) throw new Error(`no ${prefix}`);
        const {
          decision,
          untold,
          held: kept,
        } = replay(paths, chosen, prefix, plan, told, policiesIn(config), after, settings);
        const verdict = untold ? ({ kind: 'cannot tell' } as const) : held(decision, now.chosen, settings);
        count(`move ${verdict.kind}`);
        const where = `seed ${seed}, ${prefix}, after ${told.map((n) => n.address).join(', ')}`;
        if (verdict.kind === 'differs')
          throw new Error(
            `${where}: ${verdict.what}\n${lines.join('\n')}\n${JSON.stringify(settings)}\n${now.paths.map((p) => JSON.stringify(p)).join('\n')}`,
          );
        if (!untold) expect([where, essence(kept)]).toEqual([where, essence(now.paths)]);
      }
    } finally {
      for (const speaker of speakers) speaker.close();
      await frr.configure([`no router bgp ${plan.localAs}`]);
    }
  });

  test('every comparison was made', () => {
    const { alike = 0, differs = 0, 'cannot tell': untold = 0 } = tally;
    expect(differs).toBe(0);
    expect(alike).toBeGreaterThanOrEqual(500);
    expect(untold).toBeLessThan(alike / 5);
    expect(tally['move alike']).toBeGreaterThanOrEqual(400);
  });
});

/** Some weights, by prefix-list. */
const policies = (plan: Scenario, random: Random): string[] => [
  `ip prefix-list ${plan.name} seq 5 deny 10.200.3.0/24`,
  `ip prefix-list ${plan.name} seq 10 permit 10.200.0.0/19 ge 20 le 24`,
  ...plan.neighbors.flatMap((n) => [
    `route-map ${mapOf(plan, n)} permit 10`,
    `match ip address prefix-list ${plan.name}`,
    ...(random.chance(0.3) ? [`set weight ${random.of([5, 10])}`] : []),
    'exit',
    `route-map ${mapOf(plan, n)} permit 20`,
    'exit',
  ]),
];

/** Other values on what some of the neighbors announce, and these neighbors in the order in which they are asked again. */
function anotherPolicy(plan: Scenario, random: Random): { lines: string[]; told: Neighbor[] } {
  const told = plan.neighbors.filter(() => random.chance(0.5)).sort(() => random.next() - 0.5);
  const sets = (): string[] => [
    ...(random.chance(0.5) ? [`set local-preference ${random.of([90, 100, 110])}`] : []),
    ...(random.chance(0.2) ? [`set weight ${random.of([0, 5, 10])}`] : []),
    ...(random.chance(0.3) ? [`set metric ${random.of(['0', '5', '+5', '-5'])}`] : []),
    ...(random.chance(0.3) ? [`set as-path prepend ${random.of(['64999', '64999 64999', 'last-as 1'])}`] : []),
    ...(random.chance(0.2) ? [`set origin ${random.of(['igp', 'egp', 'incomplete'])}`] : []),
  ];
  const lines = told.flatMap((n) => [
    `no route-map ${mapOf(plan, n)}`,
    `route-map ${mapOf(plan, n)} permit 10`,
    `match ip address prefix-list ${plan.name}`,
    ...sets(),
    ...(random.chance(0.4) ? ['on-match next'] : []),
    'exit',
    `route-map ${mapOf(plan, n)} permit 20`,
    ...(random.chance(0.1) ? [`match ip address prefix-list ${plan.name}`] : []),
    ...sets(),
    'exit',
  ]);
  return { lines, told };
}

/** The speaker has announced everything again, and FRR has decided about it. */
async function refreshed(frr: FrrAlone, speaker: Speaker): Promise<void> {
  await waitFor('the route refresh', () => speaker.refreshes > 0, { intervalMs: 20 });
  await frr.settled();
}

/** The change as predict() plays it through: neighbor by neighbor, each decided about before the next. */
function replay(
  paths: readonly BgpPath[],
  chosen: Chosen,
  prefix: string,
  plan: Scenario,
  told: readonly Neighbor[],
  old: Policies,
  now: Policies,
  settings: DecisionSettings,
): { readonly decision: ReturnType<typeof decide>; readonly untold: boolean; readonly held: readonly BgpPath[] } {
  let known: readonly BgpPath[] = paths;
  const present = decide(paths, settings);
  // What doesn't come to what is so now can't be told of what will be, either (Network.contradiction()).
  let untold = present.kind === 'cannot tell' || (present.kind === 'decided' && keyOf(present.best) !== chosen.best);
  for (const n of told) {
    const name = mapOf(plan, n);
    const assumed = assumptions([old, now], [name]);
    known = known.flatMap((p) => {
      if (p.from !== n.address) return [p];
      const changed = reapplied(p, prefix, { policies: old, name }, { policies: now, name }, assumed, 0);
      if (changed.kind === 'told') return changed.path === undefined ? [] : [changed.path];
      untold = true;
      return [p];
    });
    const decision = decide(known, settings);
    untold ||= decision.kind === 'cannot tell' || (decision.kind === 'decided' && decision.step === 'order of arrival');
    if (decision.kind === 'decided') known = known.map((p) => ({ ...p, selected: keyOf(p) === keyOf(decision.best) }));
  }
  return {
    decision: decide(known, settings),
    untold: untold || known.some((p) => Object.keys(p.unknown).length > 0),
    held: known,
  };
}

/** What decides of paths, in no order. */
const essence = (paths: readonly BgpPath[]): unknown[] =>
  paths
    .map(({ from, pathId, weight, localPreference, med, origin, asPath }) => ({
      key: `${from}#${pathId}`,
      ...{ weight, localPreference, med, origin, asPath },
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));

/** One after the other, each decided about before the next one comes. Returns their order, the router's own paths first. */
async function connectAll(frr: FrrAlone, plan: Scenario, speakers: Speaker[]): Promise<string[]> {
  // A neighbor that was just configured turns callers away for a second.
  await waitFor('neighbors to be listened for', async () => {
    const sessions = Object.values(await frr.sessions());
    return sessions.length === plan.neighbors.length && sessions.every(({ state }) => state === 'Active');
  });
  for (const n of plan.neighbors) {
    const announcements = plan.announcements.get(n.address) ?? [];
    const speaker = new Speaker({
      relay: frr.relay,
      address: n.address,
      peer: ROUTER,
      as: n.as,
      routerId: n.routerId,
      addPath: n.addPath,
      announcements,
    });
    speakers.push(speaker);
    await speaker.announced;
    await waitFor(
      `what ${n.address} announced`,
      async () => {
        const { state, pfxRcd } = (await frr.sessions())[n.address] ?? {};
        if (state !== 'Established' || pfxRcd !== announcements.length)
          throw new Error(`it is ${state} with ${pfxRcd} of ${announcements.length} prefixes`);
        return true;
      },
      { timeoutMs: 10_000 },
    );
    await frr.settled();
  }
  return ['', ...plan.neighbors.map((n) => n.address)];
}

async function readAll(
  frr: FrrAlone,
  plan: Scenario,
): Promise<Map<string, { readonly paths: BgpPath[]; readonly chosen: Chosen }>> {
  const text = await frr.vtysh(plan.prefixes.map((p) => `show bgp ipv4 unicast ${p} json`));
  const reader = new Documents(wholeDocument);
  reader.write(text);
  reader.end();
  const documents = reader.found;
  expect(documents).toHaveLength(plan.prefixes.length);
  const ases = new Map(plan.neighbors.map((n) => [n.address, n.as]));
  const context = { nodeOf: () => ({}), remoteAs: (from: string) => ases.get(from) };
  return new Map(
    plan.prefixes.map((p, i) => [p, { paths: pathsOf(documents[i], context), chosen: chosenIn(documents[i]) }]),
  );
}

/** As they came: which path is the oldest is what was chosen until then, not what FRR says now. */
function inOrder(
  paths: readonly BgpPath[],
  chosen: Chosen,
  order: readonly string[],
  settings: DecisionSettings,
): ReturnType<typeof decide> {
  let known: BgpPath[] = [];
  for (const from of order) {
    const come = paths.filter((p) => p.from === from).map((p) => ({ ...p, selected: false }));
    // In the router's order, in which the newest come first.
    known = [...come, ...known];
    const decision = decide(known, settings);
    if (decision.kind !== 'decided') continue;
    // Of two paths by one neighbor (ADD-PATH) that are alike in everything, the order of arrival decides: FRR's word for it.
    const alike = known.find((p) => keyOf(p) === chosen.best && p.from === decision.best.from);
    const pair = alike === undefined ? undefined : compare(alike, decision.best, settings);
    const isToss = pair?.kind === 'decided' && pair.step === 'order of arrival';
    const best = keyOf(isToss && alike !== undefined ? alike : decision.best);
    known = known.map((p) => ({ ...p, selected: keyOf(p) === best }));
  }
  return decide(known, settings);
}

type Verdict =
  { readonly kind: 'alike' | 'cannot tell' | 'nothing' } | { readonly kind: 'differs'; readonly what: string };

function held(predicted: ReturnType<typeof decide>, chosen: Chosen, settings: DecisionSettings): Verdict {
  if (predicted.kind === 'cannot tell') return { kind: 'cannot tell' };
  if (predicted.kind === 'no path')
    return chosen.best === undefined ? { kind: 'nothing' } : { kind: 'differs', what: `FRR chose ${chosen.best}` };
  if (chosen.best === undefined) return { kind: 'differs', what: 'FRR chose nothing' };
  const best = keyOf(predicted.best);
  const arrival = predicted.step === 'order of arrival';
  if (chosen.best !== best && !arrival)
    return {
      kind: 'differs',
      what: `predicted ${best} (${predicted.why}), FRR chose ${chosen.best} (${chosen.reason})`,
    };
  const used = predicted.used.map(keyOf).sort();
  const limit = settings.maximumPaths;
  if (
    used.length < Math.min(limit.external, limit.internal) &&
    !arrival &&
    used.join() !== [...chosen.used].sort().join()
  )
    return { kind: 'differs', what: `predicted ${used.join(', ')} together, FRR uses ${chosen.used.join(', ')}` };
  return { kind: 'alike' };
}

const TIES = ['Older Path', 'Router ID', 'Cluster length', 'Neighbor IP', 'Nothing left to compare'];

/**
 * FRR's reason is that of its last comparison. Where it looks for multipath, that was the best path against the last one
 * in its list; from 10.1 on, against one that its sorting left last, which the list doesn't show.
 */
function expectReason(
  chosen: Chosen,
  paths: readonly BgpPath[],
  settings: DecisionSettings,
  where: string,
  count: (what: string) => void,
): void {
  const able = paths.filter((p) => p.eligible);
  const best = able.find((p) => keyOf(p) === chosen.best);
  const others = able.filter((p) => p !== best);
  const { maximumPaths, release, peerTypeRelax } = settings;
  const looks = Math.max(maximumPaths.external, maximumPaths.internal) > 1;
  if (best === undefined || others.length === 0 || (!looks && others.length > 1)) return;
  const [major = 0, minor = 0] = release ?? [];
  const sorts = major > 10 || (major === 10 && minor >= 1);
  const possible = (sorts ? others : others.slice(-1)).flatMap((other) => {
    const pair = compare(other, best, settings);
    // FRR leaves the reason alone where LLGR decides, and names the metric where a relaxed peer type does.
    if (pair.kind === 'cannot tell' || pair.step === 'LLGR stale' || (peerTypeRelax && pair.step === 'peer type'))
      return [undefined];
    if (pair.step === 'AS path') return [settings.asPathConfederation ? 'Confederation based AS Path' : 'AS Path'];
    // Which one was selected when FRR compared them isn't told any more.
    return isTieBreak(pair.step) ? TIES : [REASONS[pair.step]];
  });
  if (possible.includes(undefined)) return;
  count(others.length === 1 || !sorts ? 'reasons' : 'reasons among several');
  expect([where, possible]).toEqual([where, expect.arrayContaining([chosen.reason])]);
}
