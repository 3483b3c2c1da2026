/** Nodes that are rebooted on the way, and whose PIN is entered by hand; and a worker whose connections are cut. */
import type { Traffic } from '../lab';
import { observe, waitFor, type MessageReport } from '../lab';
import { describeLab } from '../lab/describe-lab';
import { NEW, OLD, XRoadSite, noViolation } from './xroad-support';

jest.setTimeout(600_000);

describeLab('an upgrade of an X-Road cluster with a reboot of each node', () => {
  let site: XRoadSite;
  let traffic: Traffic<MessageReport>;
  let observer: ReturnType<typeof observe>;
  const boots = new Map<string, string>();
  beforeAll(async () => {
    site = await XRoadSite.ready({ secondaries: 1, autologin: false }, ({ xroad, software }) => {
      software['reboot'] = true;
      xroad['token'] = { waitMs: '3s' };
    });
    for (const node of ['ss1', 'ss2']) boots.set(node, await site.lab.host(node).bootId());
    traffic = await site.lab.startTraffic({ perSecond: 100 });
    observer = observe(site.lab);
  }, 900_000);
  afterAll(() => site?.close());

  const tokens = (node: string): Promise<string> =>
    site.lab.host(node).exec('runuser -u xroad -- signer-console list-tokens');
  const statusOf = async (node: string): Promise<string[]> =>
    (await site.lab.servers()).filter(({ server }) => server === node).map(({ status }) => status);

  /** Waits until the run asks for the PIN of a node, in whatever way it does. Returns how to say that it was entered. */
  async function askedForPin(node: string): Promise<() => Promise<void>> {
    const meant = (question: string): boolean => question.includes('PIN') && question.includes(node);
    const state = await site.until(`the PIN of ${node} was asked for`, ({ status }) =>
      (status?.waitingFor ?? []).some(({ kind, question }) => {
        if (kind === 'hold' && !meant(question)) throw new Error(`held for another reason: ${question}`);
        return meant(question);
      }),
    );
    const { id, choices } = state.status!.waitingFor.find(({ question }) => meant(question))!;
    const answer = ['done', 'retry'].find((choice) => choices.includes(choice)) ?? choices[0]!;
    return () => site.say(id, answer);
  }

  it('connections that are cut while packages are installed: dpkg goes on, and is found again', async () => {
    await site.begin(NEW);
    await site.approve('start');
    await site.runs('Upgrade ss1');
    const ss1 = site.lab.host('ss1');
    // dpkg is also asked before: only that of the job is the installation.
    const installs = `systemctl -q is-active 'hitless-*-install.service' && pgrep -x dpkg >/dev/null`;
    const { stdout, code } = await ss1.tryExec(
      `until ${installs}; do sleep 0.05; done; pids=$(pgrep -u hitless sshd) && kill -KILL $pids && echo $pids; ${installs}`,
    );
    expect({ code, cut: stdout.trim() !== '' }).toEqual({ code: 0, cut: true });
    await site.until('the reboot', (s) => site.stepState(s, 'Upgrade ss1') === 'done');
    // Each package once, however often anybody looked.
    const log = ss1.readFile('/var/log/dpkg.log');
    const upgrades = [...log.matchAll(/ upgrade (xroad-\S+):all 7\.7\.0-1 7\.8\.0-1$/gm)].map(([, name]) => name);
    expect(upgrades.sort()).toEqual([...site.lab.description.packages].sort());
  });

  it('a PIN that the reboot lost is asked for; a health port that still says so 30 s later is waited for', async () => {
    const entered = await askedForPin('ss1');
    expect(await site.lab.host('ss1').bootId()).not.toBe(boots.get('ss1'));
    expect(await tokens('ss1')).toMatch(/^Token: 0 .* inactive\)$/m);
    expect(await statusOf('ss1')).not.toContain('UP');
    // A failed check that is quite new: its answer is kept.
    await site.lab.host('ss1').exec('systemctl restart xroad-proxy');
    await waitFor('the first check', async () => (await site.lab.health('ss1')).status === 500);
    await site.lab.login('ss1');
    expect(await tokens('ss1')).toMatch(/^Token: 0 .*, active\)$/m);
    expect(await site.lab.health('ss1')).toMatchObject({
      status: 500,
      body: 'No certificate chain available in authentication key.\n',
    });
    await entered();
    await site.says(/waiting for ss1: not healthy: No certificate chain/);
    expect(await statusOf('ss1')).not.toContain('UP');
    await site.asked('secondaries');
    expect(await statusOf('ss1')).toEqual(['UP', 'UP']);
    expect(await site.releases()).toEqual([NEW, OLD]);
  });

  it('said to be entered when it wasn’t, it is asked for again', async () => {
    await site.approve('secondaries');
    await (
      await askedForPin('ss2')
    )();
    const entered = await askedForPin('ss2');
    expect(await tokens('ss2')).toMatch(/^Token: 0 .* inactive\)$/m);
    await site.lab.login('ss2');
    await entered();
    const { report, failure } = await site.ended();
    expect(failure?.message).toBeUndefined();
    expect(report?.ending).toBe('Completed');
    expect(await site.lab.host('ss2').bootId()).not.toBe(boots.get('ss2'));
  });

  it('failed no message, and never were two nodes out or old code on the new schema', async () => {
    noViolation(await observer.stop());
    const measured = await traffic.stop();
    expect(measured).toMatchObject({ failed: 0, faults: [], answered: measured.sent });
    expect(await site.releases()).toEqual([NEW, NEW]);
  });

  it('the PIN is in no part of the history', async () => {
    const { workflowId } = await site.state();
    const history = await site.engine.client.workflow.getHandle(workflowId).fetchHistory();
    const text = (history.events ?? []).map((event) => JSON.stringify(event, bytesAsText)).join('\n');
    expect(text).toContain('ss1');
    expect(text).not.toContain(site.lab.description.token.pin);
  });
});

/** Payloads are bytes. */
const bytesAsText = (_key: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value;
