import { readFileSync } from 'node:fs';
import { describeLab, progress } from './describe-lab';
import {
  choiceOf,
  remainsOf,
  run,
  startFirewallPairLab,
  waitFor,
  type FirewallPairLab,
  type FirewallPairDescription,
} from './index';

jest.setTimeout(240_000); // a cold start builds the image

const ssh = (lab: FirewallPairLab, host: string, command: string, input = '') =>
  run([...lab.lab.sshCommand(host), command], { input });

describeLab('the lab of a firewall pair', () => {
  let lab: FirewallPairLab;

  beforeAll(async () => {
    lab = await startFirewallPairLab({}, progress);
  });

  afterAll(async () => {
    if (lab === undefined) return; // it didn't come up, and says so itself
    await lab.down();
    expect(remainsOf(lab.lab.record)).toEqual({
      processes: [],
      mounts: [],
      namespaces: [],
      interfaces: [],
      directories: [],
    });
  });

  test('BGP has one best path through firewall 1 and a valid other one, on both sides', async () => {
    expect(await choiceOf(lab.host('border'), '0.0.0.0/0')).toEqual({ best: ['172.31.0.6'], others: ['172.31.0.14'] });
    expect(await choiceOf(lab.host('border'), '10.30.0.1/32')).toEqual({
      best: ['172.31.0.6'],
      others: ['172.31.0.14'],
    });
    expect(await choiceOf(lab.host('edge'), '10.20.0.0/24')).toEqual({ best: ['172.31.0.2'], others: ['172.31.0.10'] });
  });

  test.each(['edge', 'fw1', 'border'])('%s runs the configuration that it has saved', async (name) => {
    const shown = await lab.host(name).exec("vtysh -c 'show running-config'");
    expect(shown.slice(shown.indexOf('frr version')).replace(/end\n$/, '')).toBe(
      lab.host(name).readFile('/etc/frr/frr.conf'),
    );
  });

  test('people log in by key as a user who may sudo, and as nobody else', async () => {
    expect(await ssh(lab, 'fw1', 'id -un; sudo -n id -un')).toMatchObject({ code: 0, stdout: 'hitless\nroot\n' });
    const root = lab.lab.sshCommand('fw1').map((word) => word.replace(/^hitless@/, 'root@'));
    expect((await run([...root, '-o', 'BatchMode=yes', 'true'])).stderr).toContain('Permission denied');
  });

  test('what the user may do by sudo can be replaced, but not by nonsense', async () => {
    const host = lab.host('fw2');
    const before = host.readFile('/etc/sudoers.d/hitless');
    await expect(host.setSudoers('hitless ALL=(ALL NOPASSWD\n')).rejects.toThrow('fw2');
    expect(host.readFile('/etc/sudoers.d/hitless')).toBe(before);
    await host.setSudoers('hitless ALL=(root) NOPASSWD: /usr/sbin/conntrack -C\n');
    expect((await ssh(lab, 'fw2', 'sudo -n conntrack -C')).code).toBe(0);
    expect((await ssh(lab, 'fw2', 'sudo -n conntrack -F')).code).not.toBe(0);
    await host.setSudoers(before);
  });

  test('the firewalls let through what they should, translate half of it, and refuse the rest', async () => {
    const get = (port: number) =>
      run(['ip', 'netns', 'exec', lab.host('client').namespace, 'node', '-e', probe, '10.20.0.10', String(port)]);
    const { ports } = lab.description.service;
    expect((await get(ports.http.direct)).stdout).toBe('port 8080 answers /');
    expect((await get(ports.http.nat)).stdout).toBe('port 8081 answers /');
    expect((await get(ports.refused)).stdout).toBe('timed out');
    const flows = await lab.host('fw1').exec('conntrack -L -p tcp 2>/dev/null');
    expect(flows).toMatch(/dport=8081 src=10.20.0.10 dst=10.30.0.1 /);
    expect(flows).toMatch(/dport=8080 src=10.20.0.10 dst=10.10.0.10 /);
    const refused = await lab.host('fw1').exec('nft list chain inet filter forward');
    expect(refused).toMatch(/counter packets [1-9]\d* bytes \d+ drop comment "refused"/);
    expect(refused).toMatch(/counter packets 0 bytes 0 drop comment "invalid"/);
  });

  test('management passes no forwarding rule of a firewall', async () => {
    const counters = (): Promise<string> => lab.host('fw2').exec('nft list chain inet filter forward');
    const before = await counters();
    await ssh(lab, 'fw2', 'true');
    await lab.host('fw2').exec('apt-get update -q');
    expect(await counters()).toBe(before);
  });

  test('a reboot is one: another boot id, empty kernel tables, the same rules and sysctls, and BGP is back', async () => {
    const fw2 = lab.host('fw2');
    const state = 'sysctl net.netfilter.nf_conntrack_tcp_loose net.ipv4.ip_forward; nft list chain inet filter forward';
    const [bootId, before] = [await fw2.bootId(), await fw2.exec(state)];
    await fw2.exec('sysctl -q net.ipv4.ip_default_ttl=77; touch /var/kept /run/lost');
    await fw2.exec(
      'conntrack -I -p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1 --dport 2 --state ESTABLISHED -t 999 -u ASSURED',
    );
    await fw2.reboot();
    expect(await fw2.bootId()).not.toBe(bootId);
    expect(await fw2.exec(state)).toBe(before);
    const kept = await fw2.exec('sysctl net.ipv4.ip_default_ttl; conntrack -L; ls /var/kept; ls /run/lost || true');
    expect(kept).toMatch(/ip_default_ttl = 64\n/);
    expect(kept).toContain('/var/kept');
    expect(kept).not.toMatch(/192\.0\.2\.1|\/run\/lost/);
    expect((await fw2.status()).boots).toBe(2);
    await lab.waitRouting();
    expect((await lab.carrierSeenBy('border', '0.0.0.0/0')).escape).toBe(true);
  });

  test('a host without power is gone for its neighbours until it is started again', async () => {
    await lab.host('fw2').powerOff();
    expect((await lab.host('fw2').status()).state).toBe('off');
    await expect(lab.host('fw2').exec('true')).rejects.toThrow('fw2 is off');
    await waitFor('the border to lose its other path', async () => {
      return !(await lab.carrierSeenBy('border', '0.0.0.0/0')).escape;
    });
    await lab.host('fw2').start();
    await lab.host('fw2').waitBooted();
    await lab.waitRouting();
  });

  test('a host can be made not to come back from a reboot', async () => {
    await lab.host('fw2').onNextReboot('stay-off');
    await lab.host('fw2').tryExec('systemctl reboot');
    await waitFor('fw2 to be off', async () => (await lab.host('fw2').status()).state === 'off');
    await lab.host('fw2').start();
    await lab.host('fw2').waitBooted();
    await lab.waitRouting();
  });

  test('the description holds what an inventory is written from', () => {
    const description = JSON.parse(readFileSync(lab.descriptionPath, 'utf8')) as FirewallPairDescription;
    expect(description.roles).toMatchObject({ firewalls: ['fw1', 'fw2'], preferred: 'fw1', other: 'fw2' });
    expect(description.hosts['border']!.bgp!.neighbors[0]).toMatchObject({
      host: 'fw1',
      address: '172.31.0.6',
      asNumber: 65100,
      routeMapIn: 'FROM-FW1',
      routeMapOut: 'TO-FW1',
    });
    expect(description.prefixes).toEqual({ wan: ['0.0.0.0/0'], dc: ['10.20.0.0/24'], nat: ['10.30.0.1/32'] });
  });
});

/** An HTTP client for a namespace in which there is no program but node. */
const probe = `
const [host, port] = process.argv.slice(1);
const request = require('node:http').get({ host, port, timeout: 1500 }, (response) => {
  let text = '';
  response.setEncoding('utf8').on('data', (data) => (text += data)).on('end', () => process.stdout.write(text.trim()));
});
request.on('timeout', () => request.destroy(new Error('timed out')));
request.on('error', (error) => process.stdout.write(error.message));
`;
