import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describeLab, progress } from '../describe-lab';
import { startXRoadLab, waitFor, type XRoadLab } from '../index';

jest.setTimeout(300_000);

describeLab(
  'an X-Road lab with other names, one secondary, no health port, no autologin and pooled connections',
  () => {
    let lab: XRoadLab;

    beforeAll(async () => {
      const names = { client: 'office', lb: 'front', primary: 'alpha', secondaries: ['beta'], provider: 'backend' };
      const more = { healthPort: false, autologin: false, pooledConnections: true, proxyStartSeconds: 1 };
      lab = await startXRoadLab({ names, ...more, syncPeriodSeconds: 5, check: { intervalMs: 500 } }, progress);
    });
    afterAll(() => lab?.down());

    test('without a health port maintenance mode changes nothing, and says so with 200', async () => {
      const reply = await lab.host('alpha').exec("curl -si 'http://localhost:5566/maintenance?targetState=true'");
      expect(reply).toMatch(/^HTTP\/1.1 200 OK\r\n/);
      expect(reply).toMatch(/\r\n\r\nNo HealthCheckPort found, maintenance mode not set\n$/);
      expect(await lab.health('alpha')).toEqual({ status: 0, body: '' });
      const seen = await lab.host('alpha').exec('curl -s http://127.0.0.1:5500/lab-service?ms=1');
      expect(seen).toBe('took 1 ms\n');
    });

    test('local.ini is read at the start of the proxy, and reaches the secondary', async () => {
      const [alpha, beta] = [lab.host('alpha'), lab.host('beta')];
      await alpha.exec('crudini --set /etc/xroad/conf.d/local.ini proxy health-check-port 5588');
      await alpha.exec('chown xroad:xroad /etc/xroad/conf.d/local.ini');
      await waitFor('beta to have it', async () => {
        return (await beta.tryExec('grep -q 5588 /etc/xroad/conf.d/local.ini')).code === 0;
      });
      expect(await lab.health('alpha')).toEqual({ status: 0, body: '' });
      for (const host of [alpha, beta]) await host.exec('systemctl restart xroad-proxy');
      await lab.waitServing();
    });

    test('a pooled connection outlives the drain for as long as its client wants', async () => {
      const { address } = lab.description.loadBalancer;
      const argv = ['netns', 'exec', lab.host('office').namespace, process.execPath, '-e', pooledClient, address];
      const client = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
      try {
        const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
        const node = ((await lines.next()).value as string).split(' ')[0]!;
        await lab.maintenance(node, true);
        for (const backend of ['xroad-messages', 'xroad-clients']) {
          await lab.balancer(`set server ${backend}/${node} state drain`);
        }
        const established = () => lab.host(node).exec("ss -Htn state established '( sport = :8080 )'");
        expect((await established()).trim().split('\n')).toHaveLength(1);
        client.stdin.write('again\n');
        expect((await lines.next()).value).toBe(`${node} 7.7.0-1`); // still served, and by the same node
        client.stdin.end();
        await waitFor('the connection to end', async () => (await established()) === '');
      } finally {
        client.kill();
      }
    });

    test('policy-rc.d keeps packages from starting anything', async () => {
      const beta = lab.host('beta');
      const { services, packages } = lab.description;
      const reinstall = `DEBIAN_FRONTEND=noninteractive apt-get install -y -q --reinstall ${packages.join(' ')}`;
      const statesAfter = async (): Promise<string[]> => {
        await beta.exec(reinstall);
        const { stdout } = await beta.tryExec(`systemctl is-active ${services.join(' ')}`);
        return [...new Set(stdout.trim().split('\n'))];
      };
      await beta.exec(`apt-get update -q && systemctl stop ${services.join(' ')}`);
      beta.writeFile({ path: '/usr/sbin/policy-rc.d', content: '#!/bin/sh\nexit 101\n', mode: 0o755 });
      expect(await statesAfter()).toEqual(['inactive']);
      await beta.exec('rm /usr/sbin/policy-rc.d');
      expect(await statesAfter()).toEqual(['active']);
    });
  },
);

/** Sends a message at once and one for each line of input, all on one connection; prints who answered. */
const pooledClient = `
const socket = require('node:net').connect(8080, process.argv[1]);
const send = () => socket.write('GET /lab-service?ms=0 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
socket.on('connect', send).setEncoding('utf8').on('data', (text) => {
  const who = /Server: (.*?)\\r/.exec(text);
  if (who) console.log(who[1]);
});
process.stdin.on('data', send).on('end', () => socket.end());
`;
