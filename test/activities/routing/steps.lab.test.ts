/** The steps and checks of routing on booted hosts: moving, undoing, refusing, and what each says. */
import {
  confirmIdle,
  escapeFaults,
  ownedRouting,
  prefer,
  ready,
  serving,
  sudoCommands,
  survey,
  verifyServing,
  type PreferBefore,
  type PreferInput,
  type RoutingPlan,
} from '../../../activities/routing';
import { startFirewallPairLab, waitFor, type FirewallPairLab } from '../../lab';
import { describeLab, progress } from '../../lab/describe-lab';
import { benchOf, contextOf, routingOf, type Bench } from './support';

jest.setTimeout(240_000); // a cold start builds the image

describeLab('moving traffic on the lab', () => {
  let lab: FirewallPairLab;
  let bench: Bench;

  beforeAll(async () => {
    lab = await startFirewallPairLab({}, progress);
    bench = await benchOf(lab.description);
  });

  afterAll(async () => {
    bench?.close();
    await lab?.down();
  });

  const vtysh = (host: string, ...lines: string[]): Promise<string> =>
    lab.host(host).exec(`vtysh ${['configure terminal', ...lines, 'end'].map((l) => `-c '${l}'`).join(' ')}`);
  const running = async (): Promise<string> => lab.host('border').exec("vtysh -c 'show running-config'");
  const saved = (): string => lab.host('border').readFile('/etc/frr/frr.conf');
  const who = async (b: Bench = bench): Promise<string> => (await serving.check(contextOf(b), {})).node;

  const run = async (input: PreferInput, b: Bench = bench) => {
    const before = await prefer.observe(contextOf(b), input);
    return { before, result: await prefer.act(contextOf(b), input, before) };
  };
  const undo = (input: PreferInput, before: PreferBefore, b: Bench = bench) => prefer.undo(contextOf(b), input, before);
  const withRouting = (change: (routing: Record<string, unknown>) => void): Bench => {
    const routing = structuredClone(bench.plan.routing) as unknown as Record<string, unknown>;
    change(routing);
    return { ...bench, plan: { ...bench.plan, routing: routing as unknown as RoutingPlan['routing'] } };
  };

  describe('by BGP policy', () => {
    test('goes there, stays there, and comes back byte for byte, in the running and the saved configuration', async () => {
      const [runningBefore, savedBefore] = [await running(), saved()];
      expect(await who()).toBe('fw1');
      const { before, result } = await run({ node: 'fw2' });
      expect(before).toMatchObject({ serving: 'fw1' });
      expect(result).toMatchObject({
        changed: true,
        nodes: { fw1: { serving: false }, fw2: { serving: true } },
        remarks: [],
      });
      expect(await who()).toBe('fw2');
      expect(saved()).toContain('set as-path prepend 65200 65200');
      // A repetition after a crash that hid the result finds it done.
      expect(await prefer.act(contextOf(bench), { node: 'fw2' }, before)).toMatchObject({ changed: false });
      const back = await run({ node: 'fw1', as: 'restore' });
      expect(back.result).toMatchObject({ changed: true, summary: 'traffic goes through fw1' });
      expect(await running()).toBe(runningBefore);
      expect(saved()).toBe(savedBefore);
      expect(await undo({ node: 'fw2' }, before)).toMatchObject({ changed: false });
    });

    test('a stale attempt of a lost worker moves nothing', async () => {
      const stale = contextOf(bench);
      const before = await prefer.observe(stale, { node: 'fw2' });
      await prefer.act(contextOf(bench), { node: 'fw1', as: 'restore' }, before);
      await expect(prefer.act(stale, { node: 'fw2' }, before)).rejects.toMatchObject({ type: 'OwnedByAnother' });
      expect(await who()).toBe('fw1');
    });

    test('what others change between two steps is seen, and traffic that somebody moved', async () => {
      const owned = () => ownedRouting(contextOf(bench), 'fw1');
      expect(await owned()).toEqual({ asWanted: true, leadsTo: 'fw1' });
      const { before } = await run({ node: 'fw2' });
      expect(await owned()).toEqual({ asWanted: true, leadsTo: 'fw2' });
      expect(await escapeFaults(contextOf(bench))).toEqual([]);
      await vtysh('border', 'route-map FROM-FW1 permit 10', 'set local-preference 150');
      expect(await owned()).toMatchObject({
        asWanted: false,
        why: expect.stringContaining('FROM-FW1 10 has "set local-preference 150"') as string,
      });
      await vtysh('border', 'route-map FROM-FW1 permit 10', 'set local-preference 100');
      expect(await owned()).toMatchObject({ asWanted: true });
      await undo({ node: 'fw2' }, before);
      expect(await owned()).toEqual({ asWanted: true, leadsTo: 'fw1' });
    });

    test('undo puts back what was, and may be repeated', async () => {
      const text = await running();
      const { before } = await run({ node: 'fw2' });
      expect(await undo({ node: 'fw2' }, before)).toMatchObject({ changed: true, nodes: { fw1: { serving: true } } });
      expect(await running()).toBe(text);
      expect(await undo({ node: 'fw2' }, before)).toMatchObject({ changed: false });
    });

    test('the dry run shows the commands and the difference', async () => {
      const before = await prefer.observe(contextOf(bench), { node: 'fw2' });
      const preview = await prefer.preview(contextOf(bench), { node: 'fw2' }, before);
      expect(preview.differences[0]!.diff).toBe(
        [
          ' route-map FROM-FW1 permit 10',
          '- set local-preference 110',
          '+ set local-preference 100',
          ' route-map TO-FW1 permit 10',
          '+ set as-path prepend 65200 65200',
          ' route-map FROM-FW2 permit 10',
          '- set local-preference 100',
          '+ set local-preference 110',
          ' route-map TO-FW2 permit 10',
          '- set as-path prepend 65200',
        ].join('\n'),
      );
      expect(preview.commands.map((c) => c.command)).toEqual([
        "/usr/bin/vtysh -c 'configure terminal' -c 'route-map FROM-FW1 permit 10' -c 'set local-preference 100' -c 'exit' -c 'route-map TO-FW1 permit 10' -c 'set as-path prepend 65200 65200' -c 'exit' -c 'route-map FROM-FW2 permit 10' -c 'set local-preference 110' -c 'exit' -c 'route-map TO-FW2 permit 10' -c 'no set as-path prepend' -c 'exit' -c 'end'",
        "/usr/bin/vtysh -c 'show running-config'",
        "/usr/bin/vtysh -c 'clear bgp ipv4 unicast 172.31.0.6 soft out' -c 'clear bgp ipv4 unicast 172.31.0.14 soft out' -c 'clear bgp ipv4 unicast 172.31.0.6 soft in' -c 'clear bgp ipv4 unicast 172.31.0.14 soft in'",
        "/usr/bin/vtysh -c 'write memory'",
      ]);
    });

    test('the document’s literal change ends in a tie: it is noticed, taken back, and said so', async () => {
      const text = await running();
      // "Increase local preference and reduce prepending" of the standby, and no more: both AS paths are then equally long.
      const trap = withRouting((routing) => {
        const { policy } = (routing['routers'] as Record<string, { policy: Record<string, unknown> }>)['border']!;
        policy['other'] = { localPreference: 100, prepend: 0 };
      });
      const before = await prefer.observe(contextOf(trap), { node: 'fw2' });
      await expect(prefer.act(contextOf(trap), { node: 'fw2' }, before)).rejects.toMatchObject({
        type: 'NotConverged',
        nonRetryable: true,
        message: expect.stringMatching(
          /edge 10\.20\.0\.0\/24: traffic is spread over fw. \(\S+\) and fw.*a tie[\s\S]*taken back, fw1 serves/,
        ),
      });
      expect(await running()).toBe(text);
      expect(await who()).toBe('fw1');
    });

    test('refuses a node that can’t serve', async () => {
      await vtysh('fw2', 'router bgp 65100', 'neighbor 172.31.0.9 shutdown');
      try {
        const before = await prefer.observe(contextOf(bench), { node: 'fw2' });
        await expect(prefer.act(contextOf(bench), { node: 'fw2' }, before)).rejects.toMatchObject({
          type: 'GuardRefused',
          nonRetryable: false,
          message: expect.stringMatching(/edge 172\.31\.0\.10 \(fw2, ipv4 unicast\): the BGP session is/),
        });
        await expect(ready.check(contextOf(bench), {})).rejects.toMatchObject({ type: 'NotReady' });
        expect(await who()).toBe('fw1');
      } finally {
        await vtysh('fw2', 'router bgp 65100', 'no neighbor 172.31.0.9 shutdown');
        await lab.waitRouting();
      }
    });

    test('refuses after somebody else’s change, naming it; an escape goes over it', async () => {
      const before = await prefer.observe(contextOf(bench), { node: 'fw2' });
      await vtysh('border', 'route-map FROM-FW2 permit 10', 'set local-preference 77');
      await expect(prefer.act(contextOf(bench), { node: 'fw2' }, before)).rejects.toMatchObject({
        type: 'ForeignChange',
        nonRetryable: true,
        message: expect.stringContaining('route-map FROM-FW2 10 has "set local-preference 77"'),
      });
      await expect(ready.check(contextOf(bench), {})).rejects.toThrow(/the role policy isn’t the plan’s/);
      const { result } = await run({ node: 'fw2', as: 'escape' });
      expect(result.remarks).toEqual([expect.stringContaining('set local-preference 77')]);
      expect(await who()).toBe('fw2');
      await run({ node: 'fw1', as: 'restore' });
      await ready.check(contextOf(bench), {});
    });

    test('refuses when the neighbors’ configuration was changed, and names the line', async () => {
      await vtysh('border', 'router bgp 65200', 'address-family ipv4 unicast', 'maximum-paths 1');
      try {
        const before = await prefer.observe(contextOf(bench), { node: 'fw2' });
        await expect(prefer.act(contextOf(bench), { node: 'fw2' }, before)).rejects.toMatchObject({
          type: 'ForeignChange',
          message: expect.stringContaining('+ maximum-paths 1'),
        });
      } finally {
        await vtysh('border', 'router bgp 65200', 'address-family ipv4 unicast', 'no maximum-paths 1');
      }
      await ready.check(contextOf(bench), {});
    });

    test('an escape moves traffic off a node that is dead', async () => {
      await run({ node: 'fw2' });
      await lab.host('fw2').exec('systemctl stop frr');
      try {
        const { result } = await run({ node: 'fw1', as: 'escape' });
        expect(result).toMatchObject({ nodes: { fw1: { serving: true } } });
        expect(await who()).toBe('fw1');
      } finally {
        await lab.host('fw2').exec('systemctl start frr');
        await lab.waitRouting();
        await run({ node: 'fw1', as: 'restore' });
      }
    });

    test('sudo that allows nothing but the printed commands suffices', async () => {
      const rules = sudoCommands(bench.plan).filter((c) => c.host === 'border');
      const before = lab.host('border').readFile('/etc/sudoers.d/hitless');
      const text = rules.map(({ as, command }) => `hitless ALL=(${as}) NOPASSWD: ${command}\n`).join('');
      await lab
        .host('border')
        .exec('cat > /etc/sudoers.d/hitless && visudo -cf /etc/sudoers.d/hitless', { input: text });
      try {
        await ready.check(contextOf(bench), {});
        const { before: found } = await run({ node: 'fw2' });
        await undo({ node: 'fw2' }, found);
        await run({ node: 'fw1', as: 'restore' });
      } finally {
        await lab.host('border').exec('cat > /etc/sudoers.d/hitless', { input: before });
      }
    });

    test('a login user in the group frrvty needs no sudo for it', async () => {
      await lab.host('border').exec('usermod -aG frrvty,frr hitless');
      try {
        const group = withRouting((routing) => {
          (routing['routers'] as Record<string, { access: string }>)['border']!.access = 'group';
          (routing['steering'] as { persist: boolean }).persist = false;
        });
        const hosts = await benchOf(lab.description);
        const b = { ...hosts, plan: group.plan };
        const { before } = await run({ node: 'fw2' }, b);
        await undo({ node: 'fw2' }, before, b);
        hosts.close();
      } finally {
        await lab.host('border').exec('gpasswd -d hitless frrvty; gpasswd -d hitless frr');
      }
    });
  });

  describe('readiness', () => {
    test('is fine, tells who serves, and advises', async () => {
      expect(await ready.check(contextOf(bench), { serving: 'fw1' })).toMatchObject({
        serving: 'fw1',
        nodes: { fw1: { serving: true }, fw2: { serving: false } },
      });
      expect((await survey(contextOf(bench))).original).toEqual(bench.plan.routing.original);
    });

    test('lists every fault at once, each with what to do', async () => {
      await vtysh('border', 'bgp route-map delay-timer 5');
      await vtysh(
        'border',
        'router bgp 65200',
        'address-family ipv4 unicast',
        'no neighbor 172.31.0.14 route-map TO-FW2 out',
      );
      await vtysh('fw1', 'router bgp 65100', 'bgp graceful-restart');
      await lab.host('fw1').exec("vtysh -c 'clear bgp *'");
      await lab.waitRouting();
      try {
        const error = await ready.check(contextOf(bench), { serving: 'fw2' }).catch((e: unknown) => e);
        expect(error).toMatchObject({ type: 'NotReady', nonRetryable: true });
        const { message } = error as Error;
        expect(message).toMatch(
          /bgp route-map delay-timer is 5.*→ vtysh -c "configure terminal" -c "bgp route-map delay-timer 0"/,
        );
        expect(message).toMatch(/route-map \(none\) is attached out, the inventory says TO-FW2/);
        expect(message).toMatch(/fw1, ipv4 unicast\): the node asks for graceful restart .*no bgp graceful-restart/);
        expect(message).toMatch(
          /the BGP configuration isn’t the plan’s: - neighbor 172\.31\.0\.14 route-map TO-FW2 out/,
        );
        // Without prepending towards fw2 both AS paths are equally long.
        expect(message).toMatch(/edge 10\.20\.0\.0\/24: traffic is spread over fw1 .* and fw2 .*a tie/);
      } finally {
        await vtysh('border', 'bgp route-map delay-timer 0');
        await vtysh(
          'border',
          'router bgp 65200',
          'address-family ipv4 unicast',
          'neighbor 172.31.0.14 route-map TO-FW2 out',
        );
        await vtysh('fw1', 'router bgp 65100', 'no bgp graceful-restart');
        await lab.host('fw1').exec("vtysh -c 'clear bgp *'");
        await lab.waitRouting();
      }
      await ready.check(contextOf(bench), {});
    });
  });

  describe('counters', () => {
    test('traffic through the node that serves, none through the other', async () => {
      const { client, server } = lab.description.roles;
      const { address } = lab.description.service;
      expect(server).toBe('server');
      const ping = lab.host(client).exec(`ping -i 0.05 -c 500 -q ${address}`);
      const sources: Record<string, unknown>[] = [
        { source: 'kernel' },
        { source: 'nft', table: 'filter', chain: 'forward', comments: ['established', 'new-icmp'] },
        { source: 'interface', interface: 'wan0', controlPerSecond: 3 },
      ];
      for (const source of sources) {
        const b = await benchOf(lab.description, {
          ...routingOf(lab.description),
          traffic: {
            counters: { fw1: [source], fw2: [source] },
            idleForMs: '1s',
            idleTimeoutMs: '1s',
            sampleMs: '1s',
          },
        });
        const result = await verifyServing.check(contextOf(b), { node: 'fw1' });
        expect(result.packets['fw1']).toBeGreaterThan(10);
        expect(result.packets['fw2']).toBe(0);
        expect(await confirmIdle.check(contextOf(b), { node: 'fw2' })).toMatchObject({
          nodes: { fw2: { serving: false } },
        });
        await expect(confirmIdle.check(contextOf(b), { node: 'fw1' })).rejects.toMatchObject({ type: 'GuardRefused' });
        b.close();
      }
      await ping;
      const quiet = await benchOf(lab.description, { ...routingOf(lab.description), traffic: { sampleMs: '500ms' } });
      await expect(verifyServing.check(contextOf(quiet), { node: 'fw1' })).rejects.toThrow(/forwarded no packet/);
      await expect(verifyServing.check(contextOf(quiet), { node: 'fw2' })).rejects.toThrow(/fw1 serves, not fw2/);
      quiet.close();
    });

    test('a node isn’t idle while packets are sent through it past the routes', async () => {
      const { client } = lab.description.roles;
      const { address } = lab.description.service;
      const edge = lab.description.hosts['edge']!.bgp!.neighbors.find((n) => n.host === 'fw2')!;
      await lab.host('edge').exec(`ip route add ${address}/32 via ${edge.address}`);
      try {
        const ping = lab.host(client).tryExec(`ping -i 0.1 -c 100 -q ${address}`);
        await waitFor('packets on the way', async () =>
          (await lab.host('edge').exec(`ip route get ${address}`)).includes(edge.address),
        );
        const b = await benchOf(lab.description, {
          ...routingOf(lab.description),
          traffic: { idleForMs: '1s', idleTimeoutMs: '1s' },
        });
        await expect(confirmIdle.check(contextOf(b), { node: 'fw2' })).rejects.toMatchObject({
          type: 'GuardRefused',
          message: expect.stringMatching(/fw2 is not idle: it forwarded \d+ packets/),
        });
        b.close();
        await ping;
      } finally {
        await lab.host('edge').exec(`ip route del ${address}/32`);
      }
    });
  });

  describe('by session shutdown', () => {
    test('there, back by itself once its sessions are open, and undone', async () => {
      const neighborsOf = (name: string) => lab.description.hosts[name]!.bgp!.neighbors.map((n) => n.address);
      const b = await benchOf(lab.description, {
        ...routingOf(lab.description),
        steering: {
          method: 'session-shutdown',
          nodes: Object.fromEntries(['fw1', 'fw2'].map((n) => [n, { localAs: 65100, neighbors: neighborsOf(n) }])),
        },
        verify: { stableReads: 2, intervalMs: '300ms', timeoutMs: '30s' },
      });
      const savedOf = (name: string): string => lab.host(name).readFile('/etc/frr/frr.conf');
      const original = savedOf('fw1');
      await ready.check(contextOf(b), {});
      const { before, result } = await run({ node: 'fw2' }, b);
      expect(result).toMatchObject({ changed: true });
      expect(await who(b)).toBe('fw2');
      // Saved: a restart of the node doesn't bring traffic back.
      expect(savedOf('fw1')).toMatch(/neighbor 172\.31\.0\.1 shutdown message hitless upgrade-fw-test/);
      await expect(ready.check(contextOf(b), {})).rejects.toThrow(/fw1: BGP sessions are shut/);
      expect(await prefer.act(contextOf(b), { node: 'fw2' }, before)).toMatchObject({ changed: false });
      const back = await run({ node: 'fw1', as: 'restore' }, b);
      expect(back.result).toMatchObject({ changed: true });
      expect(await who(b)).toBe('fw1');
      expect(savedOf('fw1')).toBe(original);
      const again = await run({ node: 'fw2' }, b);
      await undo({ node: 'fw2' }, again.before, b);
      expect(await who(b)).toBe('fw1');
      await lab.waitRouting();
      b.close();
    });
  });

  describe('by interface', () => {
    const bench2 = () =>
      benchOf(lab.description, {
        ...routingOf(lab.description),
        steering: {
          method: 'interface-down',
          nodes: { fw1: { interface: 'dc0' }, fw2: { interface: 'dc0' } },
          revertAfterMs: '60s',
        },
        verify: { stableReads: 2, intervalMs: '300ms', timeoutMs: '40s' },
      });

    test('goes down, stays down over a restart of the node, and comes back when told', async () => {
      const b = await bench2();
      const { before, result } = await run({ node: 'fw2' }, b);
      expect(result).toMatchObject({ changed: true });
      expect(await who(b)).toBe('fw2');
      const timers = await lab.host('fw1').exec('systemctl list-timers --all --no-legend "hitless-*"');
      expect(timers).toBe('');
      const boot = await lab.host('fw1').bootId();
      await lab.host('fw1').tryExec('systemctl reboot');
      await lab.host('fw1').waitBooted({ after: boot });
      await waitFor('FRR', async () =>
        (await lab.host('fw1').exec("vtysh -c 'show bgp summary json'")).includes('172.31.0.1'),
      );
      expect(await lab.host('fw1').exec('ip -j link show dev dc0')).not.toContain('"UP"');
      expect(await who(b)).toBe('fw2');
      // The connection from before the restart is dead: the engine would try again, too.
      await undo({ node: 'fw2' }, before, b).catch(() => undo({ node: 'fw2' }, before, b));
      expect(await who(b)).toBe('fw1');
      expect(await lab.host('fw1').exec('ls /etc/systemd/system')).not.toContain('hitless-');
      await lab.waitRouting();
      b.close();
    });

    test('a node that nobody can reach any more takes its interface up by itself', async () => {
      const b = await bench2();
      const short = {
        ...b,
        plan: {
          ...b.plan,
          routing: { ...b.plan.routing, steering: { ...b.plan.routing.steering, revertAfterMs: 3_000 } },
        },
      } as Bench;
      const before = await prefer.observe(contextOf(short), { node: 'fw2' });
      // The worker is lost as soon as the interface is down: nothing of it comes after.
      const lost = contextOf(short, {
        progress: (note) => {
          if (note.includes('is down')) throw new Error('lost');
        },
      });
      await expect(prefer.act(lost, { node: 'fw2' }, before)).rejects.toThrow('lost');
      await waitFor(
        'the interface',
        async () => (await lab.host('fw1').exec('ip -j link show dev dc0')).includes('"UP"'),
        {
          timeoutMs: 20_000,
        },
      );
      await lab.waitRouting();
      expect(await who(b)).toBe('fw1');
      b.close();
    });
  });
});
