/** Nodes that fail on the way: the roll stops, the others go on serving, and it is finished once somebody mended the node. */
import type { Traffic } from '../lab';
import { observe, waitFor, type MessageReport } from '../lab';
import { describeLab } from '../lab/describe-lab';
import { pauseState } from '../lab/xroad/by-hand';
import { NEW, OLD, XRoadSite, noViolation } from './xroad-support';

jest.setTimeout(600_000);

describeLab('an upgrade of an X-Road cluster whose nodes fail', () => {
  let site: XRoadSite;
  let traffic: Traffic<MessageReport>;
  let observer: ReturnType<typeof observe>;
  beforeAll(async () => {
    site = await XRoadSite.ready({ secondaries: 2 }, ({ xroad }) => {
      // Long enough for nothing, but for a node that is ill for good to be told from it soon.
      xroad.health['timeoutMs'] = '10s';
    });
    traffic = await site.lab.startTraffic({ perSecond: 100 });
    observer = observe(site.lab);
  }, 900_000);
  afterAll(() => site?.close());

  const statusOf = async (node: string): Promise<string[]> =>
    (await site.lab.servers()).filter(({ server }) => server === node).map(({ status }) => status);
  const serves = async (node: string, release: string): Promise<void> => {
    expect((await site.lab.health(node)).status).toBe(200);
    expect(await statusOf(node)).toEqual(['UP', 'UP']);
    expect(await site.release(node)).toBe(release);
  };
  const isPaused = async (node: string): Promise<void> => {
    expect(await pauseState(site.lab, node)).toBe('paused');
    expect((await site.lab.host(node).tryExec(`test -e ${site.lab.description.sync.flag}`)).code).toBe(0);
  };

  it('a primary that is ill on the new release: nothing is undone, and all secondaries stay paused', async () => {
    const memory = (expression: string): Promise<string> =>
      site.lab.host('ss1').exec(`sed -i '${expression}' /etc/xroad/conf.d/local.ini`);
    await site.begin(NEW);
    await site.approve('start');
    // Read at the next start of the proxy; the secondaries don't copy it any more.
    await site.runs('Wait until ss1 has no connections');
    await memory('/^.proxy.$/a memory-usage-threshold=0');
    const hold = await site.holds(/ss1 is not healthy: Memory usage above threshold/);
    expect(hold.choices).toEqual(['retry', 'stop']);
    expect(await site.release('ss1')).toBe(NEW);
    expect(await statusOf('ss1')).not.toContain('UP');
    for (const node of ['ss2', 'ss3']) {
      await serves(node, OLD);
      await isPaused(node);
    }
    await memory('/^memory-usage-threshold/d');
    await site.lab.host('ss1').exec('systemctl restart xroad-proxy');
    await site.say('hold', 'retry');
    await site.asked('secondaries');
    await serves('ss1', NEW);
  });

  it('a secondary whose packages fail: the next one isn’t begun, the others serve', async () => {
    // dpkg can't replace a file that is a mount, so it fails in the middle of the packages.
    const busy = '/usr/share/xroad/versions/xroad-signer';
    await site.lab.host('ss2').exec(`mount --bind ${busy} ${busy}`);
    await site.approve('secondaries');
    const hold = await site.holds(/ss2: the installation failed/);
    expect(hold.choices).toEqual(['retry', 'stop']);
    await serves('ss1', NEW);
    await serves('ss3', OLD);
    await isPaused('ss3');
    const units = await site.lab.host('ss2').tryExec(`systemctl is-active ${site.lab.description.services.join(' ')}`);
    expect(new Set(units.stdout.trim().split('\n'))).toEqual(new Set(['inactive']));
    expect(await statusOf('ss2')).not.toContain('UP');
    await site.lab.host('ss2').exec(`umount ${busy}`);
    await site.say('hold', 'retry');
    await site.asked('next');
    await serves('ss2', NEW);
  });

  it('a node that somebody put into maintenance mode meanwhile, with a message of 20 s in flight: its end is waited for', async () => {
    expect(await site.lab.maintenance('ss3', true)).toContain('false => true');
    await waitFor('HAProxy to see it', async () => (await statusOf('ss3')).every((status) => status === 'DOWN'));
    const message = 'curl -sS http://10.60.0.13:8080/lab-service?ms=20000';
    await site.lab.host('lb').exec(`systemd-run --quiet --unit=message -p RemainAfterExit=yes ${message}`);
    await site.approve('next');
    await site.says(/^ss3 has 1 connections: 10\.60\.0\.5 → :8080/);
    const { report, failure } = await site.ended();
    expect(failure?.message).toBeUndefined();
    expect(report?.ending).toBe('Completed');
    expect(report?.steps.find((s) => s.name === 'Switch maintenance mode of ss3 on')?.summary).toContain('already');
    expect(await site.lab.host('lb').exec('journalctl -u message -o cat')).toContain('took 20000 ms');
    // On when its upgrade began, off at its end: the proxy was restarted, and serves.
    await serves('ss3', NEW);
  });

  it('no package started a service: each proxy was started once, by the procedure', async () => {
    for (const node of ['ss2', 'ss3']) {
      const log = site.lab.host(node).readFile('/var/log/xroad/proxy.log');
      const starts = [...log.matchAll(/Starting proxy \((.*?)\)\.\.\./g)].map(([, release]) => release);
      expect({ node, starts }).toEqual({ node, starts: [OLD, NEW] });
    }
  });

  it('failed no message, and never were two nodes out or old code on the new schema', async () => {
    noViolation(await observer.stop());
    const measured = await traffic.stop();
    expect(measured).toMatchObject({ failed: 0, faults: [], answered: measured.sent });
    expect(await site.releases()).toEqual([NEW, NEW, NEW]);
  });
});
