/**
 * FRR as border and edge router. FRR has no commit-confirm: edited route-maps stay without effect (delay-timer 0) until a
 * soft clear, so that the edit can be read back in between; the clear is what is atomic (facts/firewall-pair §4).
 */
import { transient, type Host } from '../../kit';
import type { Change, ConfigReading, Predictable, RouterDriver, RouterReading } from '../driver';
import type { RouterSpec } from '../spec';
import { attachedIn } from './attached';
import {
  blankSecrets,
  configFaults,
  diffOf,
  foreignLines,
  intendedText,
  ownedOf,
  ownedText,
  reliedLines,
  restLines,
  sameOwned,
  sha256,
  stanzas,
  type ConfigScope,
  type Owned,
} from './config';
import { modelOf, policySteps, predictionCommands, withOwned } from './prediction';
import { PER_DAEMON, SAVED, differsFromSaved, savedCommand, savedIn } from './saved';
import { inEffect, neighborsOf, readCommands, readersOf, readingOf } from './reading';
import { commandsFor, configure, runningConfig, save, Vtysh, vtyshArgv } from './vtysh';

/** Longer than this it isn't kept in the plan, only its digest. */
const RELIED_LIMIT_CHARS = 6_000;
/** "% could not lock candidate DS", "Failed to lock …", "… is locked by …". */
const LOCKED = /\block(ed)?\b/i;

export function frr(name: string, spec: RouterSpec, host: Host): RouterDriver {
  const vtysh = new Vtysh(host, spec.access);
  const command = commandsFor(spec.vrf);
  const neighbors = neighborsOf(spec);
  const { policy } = spec;
  const owned: Owned[] = policy === undefined ? [] : ownedOf(policy);
  const scope: ConfigScope = {
    neighbors: neighbors.map((n) => n.address),
    owned,
    ...(spec.vrf === undefined ? {} : { vrf: spec.vrf }),
  };
  /** Neighbors whose route-maps are owned: theirs alone are made to take effect, nobody else's pending edits. */
  const steered = neighbors.filter((n) => policy?.routeMaps[n.node] !== undefined);
  const reads = readCommands(spec, neighbors, steered);

  const read = (): Promise<RouterReading> =>
    vtysh.show(reads, readersOf(spec, steered), (documents) => readingOf(name, spec, neighbors, steered, documents));

  const attachment = (text: string): Pick<ConfigReading, 'attached' | 'unnamed'> => {
    const { uses, unnamed } = attachedIn(text, name, { ...scope, sessions: steered });
    return { attached: uses, unnamed };
  };

  const asked = predictionCommands(spec);
  const predictable = async (): Promise<Predictable> => {
    const text = await vtysh.run([runningConfig], { quiet: true });
    const now = ownedText(text, owned);
    const sessions = steered.map(({ family, address }) => ({ family, address }));
    return {
      model: await vtysh.show(asked, new Map(), (documents) => modelOf(name, spec, text, documents)),
      change: (target) => ({
        after: new Map(policy === undefined ? [] : [[name, withOwned(text, intendedText(policy, target, now))]]),
        steps: policySteps(name, sessions),
      }),
    };
  };

  const config = async (): Promise<ConfigReading> => {
    // Running configurations hold passwords: neither shown nor kept.
    const text = await vtysh.run([runningConfig], { quiet: true });
    const relied = reliedLines(text, scope);
    const reading = {
      owned: ownedText(text, owned),
      restSha256: sha256(restLines(text, owned)),
      reliedSha256: sha256(relied),
      ...(relied.join('\n').length > RELIED_LIMIT_CHARS ? {} : { relied: relied.map(blankSecrets) }),
      faults: policy === undefined ? [] : configFaults(text, name, policy, scope),
      ...(policy === undefined ? {} : attachment(text)),
    };
    if (policy === undefined || spec.access === 'group') return reading;
    const unsaved = await differsFromSaved(host, savedIn(text), owned, reading.owned);
    return { ...reading, ...(unsaved === undefined ? {} : { unsaved }) };
  };

  const clears = (direction: 'in' | 'out'): string[] => [
    ...new Set(steered.map((n) => command.soften(n.family, n.address, direction))),
  ];
  /** The invocations that make an edited policy take effect. */
  const softening = (): string[][] =>
    policy?.inboundAfterMs === 0 ? [[...clears('out'), ...clears('in')]] : [clears('out'), clears('in')];
  const load = (text: string): string[] => configure(stanzas(owned, text));

  const plan: RouterDriver['plan'] = (target, now): Change => {
    const intended = policy === undefined ? now.owned : intendedText(policy, target, now.owned);
    const invocations = [load(intended), [runningConfig], ...softening()];
    return {
      owned: intended,
      diff: diffOf(now.owned, intended),
      commands: invocations.map((i) => [...vtyshArgv([]), ...i.map((c) => `-c '${c}'`)].join(' ')),
    };
  };

  const runningOwned = async (): Promise<string> => ownedText(await vtysh.run([runningConfig], { quiet: true }), owned);

  /** Puts back what was there, and says what is there now: whatever kept FRR from taking the one may keep it from the other. */
  const notTaken = async (said: string, before: string, after: string, wanted: string): Promise<Error> => {
    const isUntouched = sameOwned(after, before);
    if (!isUntouched) await vtysh.run(load(before));
    const now = isUntouched ? after : await runningOwned();
    const state = isUntouched
      ? 'What was there before is there still, and nothing took effect.'
      : sameOwned(now, before)
        ? 'What was there before was put back, and nothing took effect.'
        : `Putting back what was there before failed, too; it lacks ${diffOf(now, before)}. Nothing took effect, and won’t as long as nobody clears these sessions.`;
    // FRR 10 keeps one lock for all who configure (mgmtd), which frr-reload and an open "configure terminal" hold for long.
    const next = LOCKED.test(said)
      ? ` Next: see who holds FRR’s configuration lock (vtysh -c "show mgmt datastore all"; frr-reload, another vtysh), and wait until that has ended.`
      : '';
    return transient(
      'VerifyFailed',
      `${name}: FRR did not take the policy as it was sent; it said ${JSON.stringify(said.trim().slice(0, 300))}. The difference was: ${diffOf(after, wanted)}. ${state}${next}`,
      { router: name },
    );
  };

  const shift: RouterDriver['shift'] = async (change) => {
    const before = await runningOwned();
    if (!sameOwned(before, change.owned)) {
      const said = await vtysh.run(load(change.owned));
      const after = await runningOwned();
      if (!sameOwned(after, change.owned)) throw await notTaken(said, before, after, change.owned);
    }
    await takeEffect();
  };

  /**
   * Between the two ways out and in lies the window in which new connections stall. Measured on FRR 8.4.4 (n = 10, on a
   * busy machine): both in one invocation, inbound routes asked for again, 22–53 ms; with soft-reconfiguration inbound the
   * own choice needs no asking and comes 96–164 ms early, which a delay takes away (11 ms in quiet, ± 150 under load).
   * The host does the waiting, so that its length doesn't depend on how far away the worker is.
   */
  const takeEffect = async (): Promise<void> => {
    const [first = [], second] = softening();
    const wait = ['/bin/sh', '-c', `sleep ${((policy?.inboundAfterMs ?? 0) / 1_000).toFixed(3)}; exec "$@"`, 'sh'];
    await vtysh.run(first);
    if (second !== undefined) await vtysh.run(second, { via: wait });
  };

  return {
    platform: 'frr',
    read,
    predictable,
    config,
    plan,
    foreign: (now, known) => foreignLines(owned, now, known),
    inEffect: (reading, text) => policy !== undefined && inEffect(reading, text, owned),
    shift,
    confirm: async () => undefined,
    restore: (before) => shift({ owned: before.owned, diff: '', commands: [] }, { revertAfterMs: 0 }),
    persist: async () => {
      const said = await vtysh.run([save]);
      if (!/saved to|\[OK\]/i.test(said))
        throw transient('VerifyFailed', `${name}: the configuration was not saved: ${said.trim().slice(0, 300)}`, {
          router: name,
        });
      if ((await config()).unsaved === true)
        throw transient(
          'VerifyFailed',
          `${name}: FRR says that it saved (${said.trim().slice(-300)}), but what it reads at its next start holds another policy. Next: compare it with \`vtysh -c "show running-config"\` there.`,
          { router: name },
        );
    },
    persistCommands: [`${vtyshArgv([]).join(' ')} -c '${save}'`],
    sudo: (original) => {
      if (spec.access === 'group') return [];
      const readOnly = [vtyshArgv(reads), vtyshArgv([runningConfig]), vtyshArgv(asked)];
      if (policy === undefined) return readOnly;
      const blank = owned.map((o) => `route-map ${o.name} permit ${o.sequence}\nexit\n`).join('');
      const targets = [
        ...Object.keys(spec.families['ipv4 unicast']?.paths ?? spec.families['ipv6 unicast']?.paths ?? {}).map((node) =>
          intendedText(policy, { kind: 'prefer', node }, blank),
        ),
        ...(policy.equal === undefined ? [] : [intendedText(policy, { kind: 'equal' }, blank)]),
        ...(original === undefined ? [] : [original]),
      ];
      return [
        ...readOnly,
        ...targets.map((text) => vtyshArgv(load(text))),
        ...softening().map(vtyshArgv),
        vtyshArgv([save]),
        savedCommand(SAVED),
      ];
    },
    sudoIfAllowed: policy === undefined || spec.access === 'group' ? [] : [savedCommand(PER_DAEMON)],
  };
}
