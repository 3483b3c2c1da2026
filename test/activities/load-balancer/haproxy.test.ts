/** The driver and the steps against a real HAProxy on loopback, with backends that are healthy or not as the test says. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  inService,
  loadBalancerSpec,
  lookAtAll,
  putBack,
  serversOf,
  sudoCommands,
  takeOut,
  type LoadBalancerPlan,
} from '../../../activities/load-balancer';
import { LocalHost, contextOn } from '../support/local-host';

const HAPROXY = '/usr/sbin/haproxy';
const missing = [HAPROXY, '/usr/bin/socat'].filter((path) => !existsSync(path));
const describeIfThere = missing.length === 0 ? describe : describe.skip;
const title = `HAProxy${missing.length === 0 ? '' : ` (skipped: ${missing.join(' and ')} not installed; apt-get install haproxy socat)`}`;

/** A node: connections that stay open, and a health port. */
class Node {
  healthy = true;
  readonly sockets = new Set<Socket>();
  readonly #messages: TcpServer = createTcpServer((socket) => {
    this.sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    socket.write('hello\n');
  });
  readonly #health: Server = createServer((_, reply) => void reply.writeHead(this.healthy ? 200 : 503).end());

  async start(): Promise<{ messages: number; health: number }> {
    const listen = (server: TcpServer | Server): Promise<number> =>
      new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
    return { messages: await listen(this.#messages), health: await listen(this.#health) };
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#messages.close();
    this.#health.close();
    this.#health.closeAllConnections();
  }
}

describeIfThere(title, () => {
  let directory: string;
  let haproxy: ChildProcess;
  let frontend: number;
  const nodes = { ss1: new Node(), ss2: new Node() };
  const clients: Socket[] = [];
  let plan: LoadBalancerPlan;
  let calls = 0;

  const attempt = (changes: Partial<LoadBalancerPlan['loadBalancer']> = {}) =>
    contextOn(
      { ...plan, loadBalancer: { ...plan.loadBalancer, ...changes } },
      { lb: new LocalHost('lb', { home: directory }) },
      { call: ++calls },
    );
  const admin = async (node: string) =>
    serversOf(plan, await lookAtAll(attempt()), node).map((s) => `${s.backend} ${s.admin}`);
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    for (let i = 0; i < 200 && !(await condition()); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  /** Opens a connection through HAProxy and says which node it reached. */
  const open = async (): Promise<{ node: string; socket: Socket }> => {
    const before = { ss1: nodes.ss1.sockets.size, ss2: nodes.ss2.sockets.size };
    const socket = connect(frontend, '127.0.0.1');
    clients.push(socket);
    await new Promise((resolve, reject) => socket.once('data', resolve).once('error', reject).once('close', reject));
    return { node: nodes.ss1.sockets.size > before.ss1 ? 'ss1' : 'ss2', socket };
  };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'hitless-haproxy-'));
    const [one, two] = [await nodes.ss1.start(), await nodes.ss2.start()];
    frontend = 20_000 + (process.pid % 20_000);
    const server = (name: string, p: { messages: number; health: number }): string =>
      `  server ${name} 127.0.0.1:${p.messages} check port ${p.health} inter 100ms fall 2 rise 2`;
    writeFileSync(
      join(directory, 'haproxy.cfg'),
      [
        'global',
        `  stats socket ${join(directory, 'admin.sock')} mode 600 level admin`,
        `  stats socket ${join(directory, 'user.sock')} mode 600 level user`,
        'defaults',
        '  mode tcp',
        '  timeout connect 1s',
        '  timeout client 60s',
        '  timeout server 60s',
        'frontend in',
        `  bind 127.0.0.1:${frontend}`,
        '  default_backend messages',
        ...['messages', 'ocsp'].flatMap((backend) => [
          `backend ${backend}`,
          '  option httpchk GET /',
          '  http-check expect status 200',
          server('ss1', one),
          server('ss2', two),
        ]),
        '',
      ].join('\n'),
    );
    haproxy = spawn(HAPROXY, ['-db', '-f', join(directory, 'haproxy.cfg')], { stdio: 'ignore' });
    await until(() => Promise.resolve(existsSync(join(directory, 'admin.sock'))));
    plan = {
      cluster: 'ss',
      nodes: { ss1: {}, ss2: {} },
      loadBalancer: loadBalancerSpec.parse({
        driver: 'haproxy',
        instances: [{ host: 'lb', socket: join(directory, 'admin.sock') }],
        upTimeoutMs: '5s',
        pollIntervalMs: '50ms',
      }),
    };
    await until(async () => (await lookAtAll(attempt())).every((s) => s.up));
  }, 30_000);

  afterAll(async () => {
    for (const socket of clients) socket.destroy();
    nodes.ss1.stop();
    nodes.ss2.stop();
    if (haproxy?.exitCode === null) {
      const gone = new Promise((resolve) => haproxy.once('exit', resolve));
      haproxy.kill('SIGKILL');
      await gone;
    }
    rmSync(directory, { recursive: true, force: true });
  });

  test('a node is taken out of all its backends, keeps its connections, gets no new ones, and comes back', async () => {
    const held = [await open(), await open()];
    expect(held.map((h) => h.node).sort()).toEqual(['ss1', 'ss2']);

    const before = await takeOut.observe(attempt(), { node: 'ss1' });
    const preview = await takeOut.preview(attempt(), { node: 'ss1' }, before);
    expect(preview.commands.map((c) => c.command)[0]).toMatch(
      /^echo 'set server messages\/ss1 state drain' \| sudo .*socat/,
    );
    const out = await takeOut.act(attempt(), { node: 'ss1' }, before);
    expect(out).toMatchObject({ changed: true, sessions: 1 });
    expect(await admin('ss1')).toEqual(['messages drain', 'ocsp drain']);

    const fresh = [await open(), await open(), await open()];
    expect(fresh.map((f) => f.node)).toEqual(['ss2', 'ss2', 'ss2']);
    expect(held.every((h) => !h.socket.destroyed)).toBe(true);

    // Repeated after a crash that hid the result.
    expect((await takeOut.act(attempt(), { node: 'ss1' }, before)).changed).toBe(false);
    await expect(inService.check(attempt(), {})).rejects.toThrow(/ss1: isn’t in service.*DRAIN.*→ find out who/s);

    const back = await putBack.act(attempt(), { node: 'ss1' }, await putBack.observe(attempt(), { node: 'ss1' }));
    expect(back.changed).toBe(true);
    expect((await inService.check(attempt(), {})).summary).toBe('ss1, ss2 are up at lb');
  });

  test('undo restores the admin state found before, also where that was no ready one', async () => {
    const by = attempt();
    const driver = await takeOut.observe(by, { node: 'ss2' });
    await takeOut.act(attempt(), { node: 'ss2' }, driver);
    // ss2 was out by somebody's decision when the next step began: its undo leaves it so.
    const before = await takeOut.observe(attempt(), { node: 'ss2' });
    await takeOut.act(attempt(), { node: 'ss2' }, before);
    expect((await takeOut.undo(attempt(), { node: 'ss2' }, before)).changed).toBe(false);
    expect(await admin('ss2')).toEqual(['messages drain', 'ocsp drain']);
    expect((await takeOut.undo(attempt(), { node: 'ss2' }, driver)).changed).toBe(true);
    expect(await admin('ss2')).toEqual(['messages ready', 'ocsp ready']);
  });

  test('the last node that is up is never taken out, unless an outage was announced', async () => {
    nodes.ss2.healthy = false;
    await until(async () => serversOf(plan, await lookAtAll(attempt()), 'ss2').every((s) => !s.up));
    const before = await takeOut.observe(attempt(), { node: 'ss1' });
    const refusal = await takeOut.act(attempt(), { node: 'ss1' }, before).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ type: 'GuardRefused', nonRetryable: false });
    expect(String(refusal)).toMatch(
      /ss1 stays in service.*ss2: isn’t in service.*no other server of its backend is up/s,
    );
    expect(await admin('ss1')).toEqual(['messages ready', 'ocsp ready']);

    expect((await takeOut.act(attempt(), { node: 'ss1', outage: true }, before)).changed).toBe(true);
    await takeOut.undo(attempt(), { node: 'ss1' }, before);

    // A node that is put back while its health check fails isn't back.
    const late = await putBack.act(attempt({ upTimeoutMs: 100 }), { node: 'ss2' }, before).catch((e: unknown) => e);
    expect(late).toMatchObject({ type: 'VerifyFailed' });
    expect(String(late)).toMatch(/lb messages\/ss2 is DOWN/);
    nodes.ss2.healthy = true;
    await putBack.act(attempt(), { node: 'ss2' }, before);
  });

  test('what is wrong is told in HAProxy’s own words', async () => {
    const instance = plan.loadBalancer.instances[0]!;
    const user = { instances: [{ ...instance, socket: join(directory, 'user.sock') }] };
    const before = await takeOut.observe(attempt(), { node: 'ss1' });
    await expect(takeOut.act(attempt(user), { node: 'ss1' }, before)).rejects.toThrow(/ermission denied.*level admin/s);
    await expect(takeOut.observe(attempt({ servers: { ss1: 'ss9' } }), { node: 'ss1' })).rejects.toThrow(
      /no backend has a server ss9 \(ss1\)/,
    );
    await expect(
      takeOut.observe(attempt({ servers: { ss1: ['messages/ss1', 'proxy/ss1'] } }), { node: 'ss1' }),
    ).rejects.toThrow(/there is no server proxy\/ss1/);
    const gone = { instances: [{ ...instance, socket: join(directory, 'gone.sock') }] };
    await expect(takeOut.observe(attempt(gone), { node: 'ss1' })).rejects.toMatchObject({
      type: 'CommandFailedRetryable',
      message: expect.stringMatching(/doesn’t answer on .*gone.sock.*No such file/s) as string,
    });
  });

  test('one command for everything, in the syntax of sudoers', () => {
    const printed = sudoCommands({
      loadBalancer: loadBalancerSpec.parse({
        driver: 'haproxy',
        instances: [{ host: 'lb' }, { host: 'lb2', client: 'nc' }],
      }),
    });
    expect(printed).toEqual([
      { host: 'lb', as: 'root', command: '/usr/bin/socat -t 10 STDIO UNIX-CONNECT\\:/run/haproxy/admin.sock' },
      { host: 'lb2', as: 'root', command: '/usr/bin/nc -N -w 10 -U /run/haproxy/admin.sock' },
    ]);
  });
});
