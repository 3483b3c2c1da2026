/**
 * Routers that exchange routes, and what a change does to what each holds: a model of one network that changes step by
 * step. Pure: nothing outside it is touched. What the nodes themselves do with a route is not modelled but for one rule,
 * that a node passes on the announcement with the shortest AS path.
 */
import {
  addressAt,
  effectKey,
  lengthened,
  sameAnnouncements,
  sessionWith,
  tableKey,
  type ChangeStep,
  type Loop,
  type PlannedChange,
} from './change';
import { compare, isTieBreak } from './compare';
import { asReceived } from './exchange';
import { decide, formsCircle, keepsSorted, type Decision } from './decide';
import { nameOf, type BgpPath, type RouterModel, type Session, type Table } from './model';
import { assumptions, type Policies } from './policy';
import { prependsOf, reapplied, type Attached } from './transform';

/** More rounds than any network of a pair needs: beyond it, the routers never agree. */
const ROUND_LIMIT = 200;

export class Network {
  private readonly paths = new Map<string, Map<string, readonly BgpPath[]>>();
  private readonly decisions = new Map<string, Map<string, Decision>>();
  private readonly inEffect = new Set<string>();
  private readonly down = new Set<string>();
  /** Tables in which what a sibling announces isn't what its neighbor holds, so that changes of it can't be followed. */
  private readonly opaque = new Set<string>();
  /** Tables of which nothing can be told any more, and why. */
  private readonly lost = new Map<string, string>();
  readonly unsettled: string[] = [];

  /** @param reversed routers hear of changes in the other order: what must not depend on it is told from both */
  constructor(
    readonly routers: readonly RouterModel[],
    private readonly change: PlannedChange,
    private readonly reversed: boolean,
  ) {
    for (const r of routers) {
      this.paths.set(r.router, new Map(r.tables.map((t) => [tableKey(t), t.paths])));
      this.decisions.set(r.router, new Map());
    }
    for (const r of routers)
      for (const t of r.tables) {
        this.choose(r, t);
        const why = this.contradiction(r, t);
        if (why !== undefined) {
          this.lost.set(`${r.router} ${tableKey(t)}`, why);
          this.choose(r, t);
        }
      }
    for (const to of routers)
      for (const t of to.tables)
        for (const from of this.siblingsOf(to))
          if (!sameAnnouncements(this.held(to, from, t), this.announced(from, to, t)))
            this.opaque.add(`${from.router} ${to.router} ${tableKey(t)}`);
  }

  /** The routers as they are now, for a change that comes after this one. */
  get reached(): RouterModel[] {
    return this.routers.map((r) => ({
      ...r,
      policies: this.change.after.get(r.router) ?? r.policies,
      sessions: r.sessions.map((s) => (this.isDown(r, s) ? { ...s, established: false } : s)),
      tables: r.tables.map((t) => ({ ...t, paths: this.of(r, t) })),
    }));
  }

  decision(router: string, table: Table): Decision {
    return this.decisions.get(router)?.get(tableKey(table)) ?? { kind: 'no path' };
  }

  /** Makes one step, and lets the routers tell each other until nobody has anything new. Returns loops on the way. */
  make(step: ChangeStep): Loop[] {
    const before = new Set(this.inEffect);
    if (step.kind === 'session down') this.down.add(`${step.router} ${step.neighbor}`);
    else this.inEffect.add(effectKey(step));
    const router = this.routers.find((r) => r.router === step.router);
    if (router === undefined) return [];
    const touched =
      step.kind === 'session down'
        ? this.withdraw(router, step.neighbor)
        : step.direction === 'in'
          ? this.accept(router, step)
          : this.announce(router, step, before);
    return this.settle(touched);
  }

  private withdraw(router: RouterModel, neighbor: string): [RouterModel, Table][] {
    return router.tables.flatMap((t): [RouterModel, Table][] => {
      const now = this.of(router, t);
      const left = now.filter((p) => p.from !== neighbor);
      this.set(router, t, left);
      return left.length === now.length ? [] : [[router, t]];
    });
  }

  /** A neighbor's paths as the new inbound policy leaves them. */
  private accept(router: RouterModel, { neighbor, family }: ChangeStep & { kind: 'policy' }): [RouterModel, Table][] {
    const session = sessionWith(router, neighbor, family);
    const name = session?.routeMapIn;
    const after = this.change.after.get(router.router) ?? router.policies;
    const assumed = assumptions([router.policies, after], [name]);
    return router.tables.flatMap((t): [RouterModel, Table][] => {
      if (t.family !== family) return [];
      const paths = this.of(router, t).flatMap((p) => {
        if (p.from !== neighbor) return [p];
        const old: Attached = { policies: router.policies, name };
        const changed = reapplied(p, t.prefix, old, { policies: after, name }, assumed, session?.weight ?? 0);
        if (changed.kind === 'told') return changed.path === undefined ? [] : [changed.path];
        return [{ ...p, unknown: { ...p.unknown, presence: `${router.router}, from ${neighbor}: ${changed.why}` } }];
      });
      this.set(router, t, paths);
      return [[router, t]];
    });
  }

  /** What routers beyond the node see of another number of prepends. */
  private announce(
    router: RouterModel,
    step: ChangeStep & { kind: 'policy' },
    before: ReadonlySet<string>,
  ): [RouterModel, Table][] {
    const node = sessionWith(router, step.neighbor, step.family)?.node;
    if (node === undefined) return [];
    return this.routers
      .filter((r) => r.side !== router.side)
      .flatMap((beyond) =>
        beyond.tables.flatMap((t): [RouterModel, Table][] => {
          if (t.family !== step.family) return [];
          const old = this.copies(router, node, t, before);
          const now = this.copies(router, node, t, this.inEffect);
          if (old !== undefined && old === now) return [];
          const siblings = new Set(this.siblingsOf(beyond).map((s) => addressAt(beyond, s)));
          this.set(
            beyond,
            t,
            this.of(beyond, t).flatMap((p) =>
              p.node !== node || siblings.has(p.from) ? [p] : lengthened(p, router, old, now),
            ),
          );
          return [[beyond, t]];
        }),
      );
  }

  /** Copies of the AS beside the one that every announcement gets, in the shortest announcement to the node. */
  private copies(router: RouterModel, node: string, table: Table, inEffect: ReadonlySet<string>): number | undefined {
    const announcements = this.routers
      .filter((r) => r.side === router.side && r.localAs === router.localAs)
      .flatMap((r) => r.sessions.map((s) => ({ r, s })))
      .filter(({ r, s }) => s.node === node && s.family === table.family && s.established && !this.isDown(r, s));
    const counts = announcements.map(({ r, s }) => {
      if (s.unmodelled.some((l) => /^(?:local-as|as-override|attribute-unchanged|remove-private-AS)/.test(l)))
        return undefined;
      const key = effectKey({ router: r.router, neighbor: s.neighbor, family: s.family, direction: 'out' });
      const policies = inEffect.has(key) ? (this.change.after.get(r.router) ?? r.policies) : r.policies;
      const assumed = assumptions([policies], [s.routeMapOut]);
      return prependsOf({ policies, name: s.routeMapOut }, table.prefix, r.localAs, assumed);
    });
    return counts.reduce<number | undefined>(
      (least, n) => (least === undefined || n === undefined ? undefined : Math.min(least, n)),
      counts.length === 0 ? undefined : Infinity,
    );
  }

  private settle(touched: readonly [RouterModel, Table][]): Loop[] {
    const loops = new Map<string, Loop>();
    const queue = [...touched];
    for (let rounds = 0; queue.length > 0; rounds += 1) {
      if (rounds > ROUND_LIMIT) {
        this.unsettled.push(queue.map(([r, t]) => `${r.router} ${t.prefix}`).join(', '));
        break;
      }
      const [router, table] = (this.reversed ? queue.pop() : queue.shift()) as [RouterModel, Table];
      this.choose(router, table);
      for (const loop of this.loopsOf(router, table)) loops.set(`${loop.between.join()} ${loop.prefix}`, loop);
      for (const to of this.siblingsOf(router)) {
        const theirs = to.tables.find((t) => tableKey(t) === tableKey(table));
        if (theirs !== undefined && this.tell(router, to, theirs)) queue.push([to, theirs]);
      }
    }
    return [...loops.values()];
  }

  /** Returns whether it was news. */
  private tell(from: RouterModel, to: RouterModel, table: Table): boolean {
    const address = addressAt(to, from);
    const held = this.held(to, from, table);
    const news = this.announced(from, to, table);
    if (sameAnnouncements(held, news)) return false;
    if (this.opaque.has(`${from.router} ${to.router} ${tableKey(table)}`)) {
      const why = `${to.router} doesn’t hold what ${from.router} would announce to it, so what it will hold can’t be told`;
      if (held.some((p) => p.unknown.presence === why)) return false;
      const template = held[0] ?? news[0];
      if (template === undefined) return false;
      const kept = this.of(to, table).filter((p) => p.from !== address);
      this.set(to, table, [...kept, { ...template, unknown: { ...template.unknown, presence: why } }]);
      return true;
    }
    this.set(to, table, [...this.of(to, table).filter((p) => p.from !== address), ...news]);
    return true;
  }

  /** What a router announces to another one of its AS: its best path, unless that came from within; with ADD-PATH all such. */
  private announced(from: RouterModel, to: RouterModel, table: Table): BgpPath[] {
    const own = from.tables.find((t) => tableKey(t) === tableKey(table));
    const out = from.sessions.find((s) => s.family === table.family && s.routerId === to.routerId);
    const into = to.sessions.find((s) => s.family === table.family && s.routerId === from.routerId);
    if (own === undefined || out === undefined || into === undefined) return [];
    const decision = this.decision(from.router, own);
    const best = decision.kind === 'decided' ? [decision.best] : [];
    const chosen = out.announcesAll ? this.of(from, own).filter((p) => p.eligible) : best;
    const before = table.paths.filter((p) => p.from === into.neighbor);
    return chosen
      .filter((p) => p.peerType !== 'internal')
      .flatMap((p, i) => {
        const bare = asReceived(p, i, { from, to, out, into, before, table });
        return this.through(
          bare,
          table,
          { policies: this.policiesOf(from, out, 'out'), name: out.routeMapOut },
          into,
        ).flatMap((sent) =>
          this.through(sent, table, { policies: this.policiesOf(to, into, 'in'), name: into.routeMapIn }, into),
        );
      });
  }

  private through(path: BgpPath, table: Table, policy: Attached, { weight }: Session): BgpPath[] {
    const assumed = assumptions([policy.policies], [policy.name]);
    const result = reapplied(path, table.prefix, { ...policy, name: undefined }, policy, assumed, weight);
    if (result.kind === 'told') return result.path === undefined ? [] : [result.path];
    return [{ ...path, unknown: { ...path.unknown, presence: result.why } }];
  }

  private policiesOf(r: RouterModel, s: Session, direction: 'in' | 'out'): Policies {
    const key = effectKey({ router: r.router, neighbor: s.neighbor, family: s.family, direction });
    return this.inEffect.has(key) ? (this.change.after.get(r.router) ?? r.policies) : r.policies;
  }

  private choose(router: RouterModel, table: Table): void {
    const settings = router.settings[table.family];
    const paths = this.of(router, table);
    const key = `${router.router} ${tableKey(table)}`;
    // What a circle left behind in a sorted list stays there when the circle is gone.
    if (settings !== undefined && keepsSorted(settings) !== false && formsCircle(paths, settings))
      this.lost.set(
        key,
        'MEDs of different neighbor ASes formed a circle on the way, and the order that it left decides',
      );
    const why =
      settings === undefined ? `how ${router.router} chooses in ${table.family} wasn’t read` : this.lost.get(key);
    const decision: Decision =
      settings === undefined || why !== undefined ? { kind: 'cannot tell', why: why ?? '' } : decide(paths, settings);
    this.decisions.get(router.router)?.set(tableKey(table), decision);
    if (decision.kind !== 'decided') return;
    const { from, pathId } = decision.best;
    this.set(
      router,
      table,
      paths.map((p) => ({ ...p, selected: p.from === from && p.pathId === pathId })),
    );
  }

  /** A prediction that doesn't come to what the router does now is worth nothing for what it will do. */
  private contradiction(router: RouterModel, table: Table): string | undefined {
    const decision = this.decision(router.router, table);
    const chosen = table.paths.find((p) => p.selected);
    const settings = router.settings[table.family];
    if (decision.kind !== 'decided' || chosen === undefined || settings === undefined) return undefined;
    const { best } = decision;
    if (best.from === chosen.from && best.pathId === chosen.pathId) return undefined;
    const pair = compare(best, chosen, settings);
    const sameNode = best.node !== undefined && best.node === chosen.node;
    if (sameNode || pair.kind === 'cannot tell' || isTieBreak(pair.step)) return undefined;
    return `${nameOf(best)} should be the best path now (${pair.why}), and ${nameOf(chosen)} is: something isn’t modelled, or it is changing`;
  }

  private loopsOf(router: RouterModel, table: Table): Loop[] {
    const via = (r: RouterModel): RouterModel | undefined => {
      const decision = this.decision(r.router, table);
      if (decision.kind !== 'decided') return undefined;
      return this.siblingsOf(r).find((s) => addressAt(r, s) === decision.best.from);
    };
    const next = via(router);
    if (next === undefined || via(next) !== router) return [];
    return [{ between: [router.router, next.router].sort() as [string, string], prefix: table.prefix }];
  }

  /** Routers of the same AS and side that it has a session with. */
  private siblingsOf(router: RouterModel): RouterModel[] {
    return this.routers.filter(
      (r) =>
        r !== router && r.side === router.side && r.localAs === router.localAs && addressAt(router, r) !== undefined,
    );
  }

  private held(to: RouterModel, from: RouterModel, table: Table): BgpPath[] {
    const address = addressAt(to, from);
    return this.of(to, table).filter((p) => p.from === address);
  }

  private isDown(r: RouterModel, s: Session): boolean {
    return this.down.has(`${r.router} ${s.neighbor}`);
  }

  private of(router: RouterModel, table: Table): readonly BgpPath[] {
    return this.paths.get(router.router)?.get(tableKey(table)) ?? [];
  }

  private set(router: RouterModel, table: Table, paths: readonly BgpPath[]): void {
    this.paths.get(router.router)?.set(tableKey(table), paths);
  }
}
