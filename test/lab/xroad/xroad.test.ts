import { describeLab, progress } from '../describe-lab';
import { remainsOf, run, startXRoadLab, waitFor, type XRoadLab } from '../index';
import { pauseState } from './by-hand';

jest.setTimeout(300_000); // a cold start builds two images

describeLab('the lab of an X-Road cluster', () => {
  let lab: XRoadLab;

  beforeAll(async () => {
    lab = await startXRoadLab({ syncPeriodSeconds: 5 }, progress);
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

  const ssh = (host: string, command: string) => run([...lab.lab.sshCommand(host), command]);
  const healthOf = (node: string, status: number, body: string) =>
    waitFor(`${node} to answer ${status}`, async () => {
      const reply = await lab.health(node);
      if (reply.status !== status || reply.body !== body) throw new Error(JSON.stringify(reply));
      return true;
    });

  test('one primary, the others secondaries, all of one release, serving', async () => {
    const { nodes, primary } = lab.description.roles;
    expect(nodes).toEqual(['ss1', 'ss2', 'ss3']);
    for (const node of nodes) {
      const type = await lab.host(node).exec('curl -s http://127.0.0.1:4000/api/v1/system/node-type');
      expect(JSON.parse(type)).toEqual({ node_type: node === primary ? 'PRIMARY' : 'SECONDARY' });
      const versions = await lab.host(node).exec("dpkg-query -W -f '${Version}\\n' 'xroad-*' | sort -u");
      expect(versions).toBe('7.7.0-1\n');
      const active = await lab.host(node).exec(`systemctl is-active ${lab.description.services.join(' ')}`);
      expect(active.trim().split('\n')).toEqual(lab.description.services.map(() => 'active'));
    }
    const servers = await lab.servers();
    expect(servers.map(({ backend, server, status }) => `${backend}/${server} ${status}`)).toEqual(
      ['xroad-messages', 'xroad-clients'].flatMap((backend) => nodes.map((node) => `${backend}/${node} UP`)),
    );
  });

  test('people log in by key, and need no root for the runtime API of HAProxy', async () => {
    expect(await ssh('ss1', 'id -un; sudo -n id -un')).toMatchObject({ code: 0, stdout: 'hitless\nroot\n' });
    const { socket } = lab.description.loadBalancer;
    expect((await ssh('lb', `echo 'show info' | socat - UNIX-CONNECT:${socket}`)).stdout).toContain('Name: HAProxy');
    await expect(lab.balancer('set server xroad-messages/nobody state drain')).rejects.toThrow('No such server');
  });

  test('the databases replicate; a pause holds back what is received, and a restart loses it', async () => {
    expect(await lab.streaming()).toEqual(['ss2', 'ss3']);
    expect(await lab.sql('ss1', 'select count(*) from pg_replication_slots')).toBe('0');
    const tls =
      "select count(*) from pg_stat_replication join pg_stat_ssl using (pid) where ssl and client_dn = '/CN=' || usename";
    expect(await lab.sql('ss1', tls)).toBe('2');
    const seen = (): Promise<string> => lab.sql('ss2', "select count(*) from serverconf.ui_user where name = 'eve'");
    await lab.sql('ss2', 'select pg_wal_replay_pause()');
    await waitFor('the pause', async () => (await pauseState(lab, 'ss2')) === 'paused');
    await lab.sql('ss1', "insert into serverconf.ui_user values ('eve')");
    const at = await lab.sql('ss1', 'select pg_current_wal_lsn()');
    await waitFor('ss2 to receive it', async () => {
      return (await lab.sql('ss2', `select pg_last_wal_receive_lsn() >= '${at}'`)) === 't';
    });
    expect(await seen()).toBe('0');
    expect((await lab.health('ss2')).status).toBe(200);
    await lab.host('ss2').exec(`systemctl restart ${lab.description.database.unit}`);
    expect(await pauseState(lab, 'ss2')).toBe('not paused');
    await waitFor('ss2 to replay it', async () => (await seen()) === '1');
    await expect(lab.sql('ss1', 'select pg_wal_replay_pause()')).rejects.toThrow('recovery is not in progress');
    await lab.waitServing(['ss2']); // a health check that fell into the restart keeps its answer for 30 s
  });

  test('files follow the primary, but for what makes a node itself; the flag stops that', async () => {
    const [ss1, ss2] = [lab.host('ss1'), lab.host('ss2')];
    const { flag, service } = lab.description.sync;
    const arrives = (name: string): Promise<true> =>
      waitFor(`${name} to arrive`, async () => (await ss2.tryExec(`test -e /etc/xroad/signer/${name}`)).code === 0);
    const put = (name: string): Promise<string> => ss1.exec(`runuser -u xroad -- touch /etc/xroad/signer/${name}`);
    const before = ss2.readFile('/etc/xroad/db.properties');
    await put('canary-1');
    await arrives('canary-1');
    expect(ss2.readFile('/etc/xroad/conf.d/node.ini')).toBe('[node]\ntype=slave\n');
    expect(ss2.readFile('/etc/xroad/db.properties')).toBe(before);

    await ss2.exec(`runuser -u xroad -- touch ${flag}`);
    await waitFor('the last pull to end', async () => {
      return (await ss2.tryExec(`systemctl is-active ${service}`)).stdout.trim() !== 'activating';
    });
    await put('canary-2');
    const forced = await ss2.tryExec(`systemctl start ${service}`);
    expect(forced).toMatchObject({ code: 1 });
    expect(forced.stderr).toContain(
      'Job for xroad-sync.service failed because the control process exited with error code.',
    );
    const runs = (): Promise<string> => ss2.exec(`systemctl show -p InvocationID --value ${service}`);
    const last = await runs();
    await waitFor('the timer to try again', async () => (await runs()) !== last);
    expect((await ss2.tryExec('test -e /etc/xroad/signer/canary-2')).code).toBe(1);
    await ss2.exec(`rm ${flag}`);
    await arrives('canary-2');
  });

  test('the health port answers everybody alike: 200 without a body and without a Server header', async () => {
    const ask = (more: string) => lab.host('ss2').exec(`curl -si ${more} http://10.60.0.12:5588/any/path`);
    for (const more of ['', '-X POST -d x', '-X DELETE']) {
      const reply = await ask(more);
      expect(reply).toMatch(/^HTTP\/1.1 200 OK\r\n/);
      expect(reply).toMatch(/\r\nContent-Length: 0\r\n/);
      expect(reply).not.toMatch(/\r\nServer:/i);
    }
  });

  test('maintenance mode: exact bodies, only the health port changes, and a restart of the proxy ends it', async () => {
    const ss3 = lab.host('ss3');
    const admin = (path: string) => ss3.exec(`curl -si 'http://localhost:5566${path}'`);
    expect(await lab.maintenance('ss3', true)).toBe('Maintenance mode set: false => true\n');
    expect(await lab.maintenance('ss3', true)).toBe('Maintenance mode set: true => true\n');
    const reply = await admin('/maintenance?targetState=perhaps');
    expect(reply).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*Content-Type: application\/json\r\n/);
    expect(reply).toMatch(/\r\n\r\nInvalid parameter 'targetState', request ignored\n$/);
    expect(await admin('/other')).toMatch(/^HTTP\/1.1 404 /);
    expect(await ss3.exec("curl -si --interface 127.0.0.2 'http://127.0.0.1:5566/maintenance'")).toMatch(
      /^HTTP\/1.1 403 /,
    );
    expect((await lab.host('ss2').tryExec('curl -s http://10.60.0.13:5566/maintenance')).code).toBe(7);

    expect(await lab.health('ss3')).toEqual({ status: 503, body: 'Health check interface is in maintenance mode.' });
    await waitFor('HAProxy to see it', async () => {
      return (await lab.servers()).filter(({ server, status }) => server === 'ss3' && status === 'DOWN').length === 2;
    });
    expect(await ss3.exec('curl -s http://127.0.0.1:8080/lab-service?ms=1')).toBe('took 1 ms\n');
    await ss3.exec('systemctl restart xroad-proxy');
    await lab.waitServing(['ss3']);
    expect(await lab.maintenance('ss3', false)).toBe('Maintenance mode set: false => false\n');
  });

  test('a stop of the proxy loses what is in flight, and ends with 143, which counts as a success', async () => {
    const traffic = await lab.startTraffic({ perSecond: 20, longEvery: 2, longMs: 3000 });
    await waitFor('long messages', () => (traffic.snapshot()?.long ?? 0) > 20);
    await lab.host('ss2').exec('systemctl stop xroad-proxy');
    await waitFor('a failure', () => (traffic.snapshot()?.failed ?? 0) > 0);
    const report = await traffic.stop();
    expect(report.faults[0]).toMatch(/^long message \d+ to port \d+, .* s after the start: closed without an answer$/);
    expect(report.sent).toBe(report.answered + report.failed);
    const shown = await lab.host('ss2').exec('systemctl show -p Result,ExecMainStatus,ActiveState xroad-proxy');
    expect(shown.trim().split('\n').sort()).toEqual(['ActiveState=inactive', 'ExecMainStatus=143', 'Result=success']);
    await lab.host('ss2').exec('systemctl start xroad-proxy');
    await lab.waitServing(['ss2']);
  });

  test('a signer that is down shows after 5 s, and for up to 30 s after it is back', async () => {
    const ss2 = lab.host('ss2');
    await ss2.exec('systemctl stop xroad-signer');
    await healthOf('ss2', 500, 'Fetching health check response timed out for: Authentication key OCSP status\n');
    await ss2.exec('systemctl start xroad-signer');
    expect((await lab.health('ss2')).status).toBe(500); // the failure is kept
    await lab.waitServing(['ss2']);
  });

  test('the token stays logged in over restarts, not over a reboot; autologin helps', async () => {
    const [ss1, ss3] = [lab.host('ss1'), lab.host('ss3')];
    await ss1.exec('mv /etc/xroad/autologin /root/');
    await waitFor(
      'autologin to go from ss3 too',
      async () => (await ss3.tryExec('test -e /etc/xroad/autologin')).code === 1,
    );
    await ss3.exec('systemctl restart xroad-base xroad-signer xroad-proxy');
    await lab.waitServing(['ss3']);
    await ss3.reboot();
    await healthOf('ss3', 500, 'No certificate chain available in authentication key.\n');
    await expect(lab.login('ss3', 'wrong')).rejects.toThrow('PIN incorrect');
    await lab.login('ss3');
    await lab.waitServing(['ss3']);

    await ss1.exec('mv /root/autologin /etc/xroad/');
    await waitFor('autologin on ss3', async () => (await ss3.tryExec('test -e /etc/xroad/autologin')).code === 0);
    await ss3.reboot();
    await lab.waitServing(['ss3']);
  });

  test('an upgrade over too many releases is refused before anything is unpacked', async () => {
    await lab.publish({ version: '7.12.0-1', upgradeFrom: '7.10.0', schema: { serverconf: 4, messagelog: 2 } });
    const ss2 = lab.host('ss2');
    await ss2.exec('apt-get update -q');
    const refused = await ss2.tryExec(`apt-get install -y -q ${lab.repo.installArguments('7.12.0-1').join(' ')} 2>&1`);
    expect(refused.code).toBe(100);
    expect(refused.stdout).toContain('ERROR: Upgrade supported from version 7.10.0 or newer');
    expect(await ss2.exec("dpkg-query -W -f '${Version} ${db:Status-Abbrev}' xroad-proxy")).toBe('7.7.0-1 ii ');
  });

  test('the configuration and the database of the primary can be backed up', async () => {
    const script = '/usr/share/xroad/scripts/backup_xroad_proxy_configuration.sh';
    await lab.host('ss1').exec(`runuser -u xroad -- ${script} -s lab/org/1/ss -f /var/lib/xroad/backup.tar`);
    const files = await lab.host('ss1').exec('tar -tf /var/lib/xroad/backup.tar');
    expect(files.split('\n')).toEqual(
      expect.arrayContaining(['label', 'serverconf.sql', 'etc/xroad/signer/keyconf.xml']),
    );
  });
});
