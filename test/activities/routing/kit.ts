/**
 * What every driver of a router's platform must be able to do (activities/routing/driver.ts), shown on a lab with real
 * routers. A new driver brings a `DriverLab` and calls `checkRouterDriver`.
 */
import type { RouterDriver, Target } from '../../../activities/routing/driver';
import { driverFor } from '../../../activities/routing/drivers';
import { look, settle, unmet, whoServes } from '../../../activities/routing';
import type { ExecOptions, Host } from '../../../activities/kit';
import { contextOf, type Bench } from './support';

export interface DriverLab {
  readonly bench: Bench;
  /** Router that carries the role policy. */
  readonly router: string;
  /** Node that serves at first, and the other one. */
  readonly serving: string;
  readonly other: string;
  /** Makes half of a change, as somebody would who is cut off in the middle of typing it. */
  half(change: { readonly commands: readonly string[]; readonly owned: string }): Promise<void>;
  /** Somebody else's hand on an owned value, on another line of an owned entry, and next to both; returns how to undo it. */
  meddle(where: 'owned-value' | 'owned-entry' | 'elsewhere'): Promise<() => Promise<void>>;
}

/** A host whose connection breaks at one command: before it is sent, or before its answer is heard. */
export function breaking(host: Host, at: number, when: 'before' | 'after'): Host & { readonly count: number } {
  let count = 0;
  return {
    name: host.name,
    get count() {
      return count;
    },
    async exec(argv: readonly string[], options?: ExecOptions) {
      count += 1;
      const mine = count === at;
      if (mine && when === 'before') throw new Error('cut');
      const result = await host.exec(argv, options);
      if (mine) throw new Error('cut');
      return result;
    },
    readFile: host.readFile.bind(host),
    writeFile: host.writeFile.bind(host),
    bootId: host.bootId.bind(host),
  };
}

export function checkRouterDriver(platform: string, lab: () => DriverLab): void {
  const options = { revertAfterMs: 120_000 };
  const driver = async (host?: Host): Promise<RouterDriver> => {
    const { bench, router } = lab();
    const spec = bench.plan.routing.routers[router]!;
    return driverFor(router, spec, host ?? (await bench.connect(spec.host)));
  };
  const to = (node: string): Target => ({ kind: 'prefer', node });
  const agreed = async (node: string): Promise<void> => {
    const { bench, serving, other } = lab();
    const { faults } = await settle(contextOf(bench), (r) => unmet(r, node, [serving, other], true));
    expect(faults).toEqual([]);
  };

  describe(`router driver ${platform}`, () => {
    let original: string;
    let restSha256: string;
    let reliedSha256: string;
    let d: RouterDriver;

    beforeAll(async () => {
      d = await driver();
      ({ owned: original, restSha256, reliedSha256 } = await d.config());
      await agreed(lab().serving);
    });

    afterEach(async () => {
      await d.restore({ owned: original });
      await agreed(lab().serving);
      const after = await d.config();
      expect(after).toMatchObject({ owned: original, restSha256 });
    });

    test('reads routes and sessions in words that do not depend on the platform', async () => {
      const reading = await d.read();
      const { serving, other } = lab();
      expect(reading.destinations.length).toBeGreaterThan(0);
      for (const { paths, forwarding } of reading.destinations) {
        const best = paths.filter((p) => p.used);
        expect(best).toMatchObject([{ node: serving, valid: true }]);
        expect(best[0]!.nextHops).toEqual(expect.arrayContaining([...forwarding]));
        expect(forwarding).toHaveLength(1);
        expect(paths.filter((p) => !p.used)).toMatchObject([{ node: other, valid: true }]);
      }
      expect(new Set(reading.sessions.map((s) => s.state))).toEqual(new Set(['Established']));
    });

    test('a plan is total, names the difference, and changes nothing', async () => {
      const { serving, other } = lab();
      const now = await d.config();
      const change = d.plan(to(other), now);
      expect(change.diff).not.toBe('');
      expect(change.commands.length).toBeGreaterThan(0);
      expect(await d.config()).toEqual(now);
      // Total: what is planned doesn't depend on what is there.
      const back = d.plan(to(serving), { ...now, owned: change.owned });
      expect(back.owned).toBe(d.plan(to(serving), now).owned);
      expect(d.plan({ kind: 'text', owned: now.owned }, now).diff).toBe('');
    });

    test('shifts traffic on both sides, idempotently, and restores byte for byte', async () => {
      const { other } = lab();
      const change = d.plan(to(other), await d.config());
      expect(d.inEffect(await d.read(), change.owned)).toBe(false);
      await d.shift(change, options);
      await d.confirm();
      await agreed(other);
      const after = await d.config();
      expect(after).toMatchObject({ owned: change.owned, restSha256 });
      expect(d.inEffect(await d.read(), change.owned)).toBe(true);
      const again = d.plan(to(other), after);
      expect(again).toMatchObject({ owned: change.owned, diff: '' });
      await d.shift(again, options);
      await agreed(other);
      expect(await d.config()).toMatchObject({ owned: change.owned, restSha256 });
    });

    test('a half change is known as this run’s own, isn’t in effect, and is completed', async () => {
      const { other } = lab();
      const change = d.plan(to(other), await d.config());
      await lab().half(change);
      const half = await d.config();
      expect(half.owned).not.toBe(original);
      expect(half.owned).not.toBe(change.owned);
      expect(d.foreign(half.owned, [original, change.owned])).toEqual([]);
      await d.shift(d.plan(to(other), half), options);
      await d.confirm();
      await agreed(other);
      expect((await d.config()).owned).toBe(change.owned);
    });

    test.each(['owned-value', 'owned-entry'] as const)('names a foreign change: %s', async (where) => {
      const undo = await lab().meddle(where);
      try {
        const { owned } = await d.config();
        const change = d.plan(to(lab().other), { ...(await d.config()), owned: original });
        expect(d.foreign(owned, [original, change.owned])).toHaveLength(1);
      } finally {
        await undo();
      }
    });

    test('what somebody else writes next to it is seen, and left alone', async () => {
      const undo = await lab().meddle('elsewhere');
      try {
        const meddled = await d.config();
        expect(meddled.owned).toBe(original);
        expect(meddled.reliedSha256).not.toBe(reliedSha256);
        await d.shift(d.plan(to(lab().other), meddled), options);
        await d.confirm();
        await agreed(lab().other);
        await d.restore({ owned: original });
        expect(await d.config()).toMatchObject({ owned: original, restSha256: meddled.restSha256 });
      } finally {
        await undo();
      }
    });

    test('a shift that is cut anywhere is finished by doing it again, or taken back', async () => {
      const { bench, router, serving, other } = lab();
      const host = await bench.connect(bench.plan.routing.routers[router]!.host);
      const whole = breaking(host, Infinity, 'before');
      const change = d.plan(to(other), await d.config());
      await (await driver(whole)).shift(change, options);
      await agreed(other);
      await d.restore({ owned: original });
      await agreed(serving);
      expect(whole.count).toBeGreaterThan(1);
      for (let at = 1; at <= whole.count; at += 1)
        for (const when of ['before', 'after'] as const) {
          await expect((await driver(breaking(host, at, when))).shift(change, options)).rejects.toThrow('cut');
          const left = await d.config();
          expect(d.foreign(left.owned, [original, change.owned])).toEqual([]);
          if (at % 2 === 1) {
            await d.shift(d.plan(to(other), left), options);
            await d.confirm();
            await agreed(other);
          }
          await d.restore({ owned: original });
          await agreed(serving);
        }
    }, 240_000);

    test('saving may be repeated, and the device says so', async () => {
      await d.persist();
      await d.persist();
      expect((await d.config()).unsaved).not.toBe(true);
    });

    test('all of the routers tell who serves', async () => {
      expect(whoServes(await look(contextOf(lab().bench)))).toMatchObject({ node: lab().serving, faults: [] });
    });
  });
}
