/** Two edges and two borders with iBGP, other names, numbers and prefixes: nothing may assume the small lab's. */
import { look, prefer, ready, serving, whoServes } from '../../../activities/routing';
import { startFirewallPairLab, waitFor, type FirewallPairLab } from '../../lab';
import { describeLab, progress } from '../../lab/describe-lab';
import { benchOf, contextOf, type Bench } from './support';

jest.setTimeout(240_000);

describeLab('two edges, two borders, iBGP', () => {
  let lab: FirewallPairLab;
  let bench: Bench;

  beforeAll(async () => {
    lab = await startFirewallPairLab(
      {
        names: {
          client: 'user',
          server: 'db',
          edges: ['wan-a', 'wan-b'],
          firewalls: ['north', 'south'],
          borders: ['leaf-a', 'leaf-b'],
        },
        asNumbers: { edge: 64601, firewalls: 4200000100, border: 64603 },
        addressing: { serverPrefixes: ['10.99.0.0/25', '10.99.1.0/24'], linkBlock: '192.168.77.0' },
      },
      progress,
    );
    bench = await benchOf(lab.description);
  });

  afterAll(async () => {
    bench?.close();
    await lab?.down();
  });

  test('every router is read, also through its iBGP sibling, with next hops resolved', async () => {
    const readings = await look(contextOf(bench));
    expect(whoServes(readings)).toMatchObject({ node: 'north', faults: [] });
    expect(whoServes(readings).table).toHaveLength(2 * 2 + 2 * 2);
    expect((await ready.check(contextOf(bench), { serving: 'north' })).serving).toBe('north');
  });

  test('moves away and back by way of equality, and leaves the configuration byte for byte as it was', async () => {
    const show = (): Promise<string> => lab.host('leaf-b').exec("vtysh -c 'show running-config'");
    const text = await show();
    const progressed: string[] = [];
    const context = contextOf(bench, { progress: (note) => void progressed.push(note) });
    const away = { node: 'south' };
    const before = await prefer.observe(context, away);
    expect(await prefer.act(context, away, before)).toMatchObject({ changed: true });
    expect((await serving.check(context, {})).node).toBe('south');
    const back = { node: 'north', as: 'restore' as const };
    expect(await prefer.act(context, back, await prefer.observe(context, back))).toMatchObject({ changed: true });
    expect(await show()).toBe(text);
    expect((await serving.check(context, {})).node).toBe('north');
  });

  test('a move that was cut while both were equal is finished, or taken back', async () => {
    const away = { node: 'south' };
    const before = await prefer.observe(contextOf(bench), away);
    const lost = () => contextOf(bench, { pause: () => Promise.reject(new Error('lost')) });
    await expect(prefer.act(lost(), away, before)).rejects.toThrow('lost');
    await waitFor('equality', async () => whoServes(await look(contextOf(bench))).node === undefined);
    expect(await prefer.act(contextOf(bench), away, before)).toMatchObject({ changed: true });
    expect(await prefer.undo(contextOf(bench), away, before)).toMatchObject({ changed: true });
    await expect(prefer.act(lost(), away, before)).rejects.toThrow('lost');
    expect(await prefer.undo(contextOf(bench), away, before)).toMatchObject({ changed: true });
    expect((await serving.check(contextOf(bench), {})).node).toBe('north');
  });
});
