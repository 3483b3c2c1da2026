/**
 * Nodes of a cluster as their commands show them, for tests of decisions: answers have the form that the tools give them.
 * The real tools answer in the lab; PostgreSQL in database.test.ts.
 */
import { monitoringSpec } from '../../../activities/probes';
import { readinessSpec } from '../../../activities/readiness/spec';
import { softwareSpec } from '../../../activities/packages/spec';
import { loadBalancerSpec } from '../../../activities/load-balancer';
import { xroadSpec, type XroadPlan } from '../../../activities/xroad';
import { SERVICES } from '../../../activities/xroad/node';
import { ScriptedHost, contextOn, type Answer } from '../support/local-host';

export const OLD = '7.3.0-1.ubuntu22.04';
export const NEW = '7.4.0-1.ubuntu22.04';
const NAMES = ['xroad-base', 'xroad-proxy', 'xroad-signer', 'xroad-confclient', 'xroad-addon-messagelog'];

interface FakeUnit {
  active: 'active' | 'inactive' | 'failed' | 'activating';
  masked: '' | 'masked' | 'masked-runtime';
  exists: boolean;
  restarts: number;
  result: string;
  /** Comes up failed when started. */
  broken?: boolean;
}

export interface FakeDatabase {
  version: number;
  standby: boolean;
  pause: 'not paused' | 'pause requested' | 'paused';
  replayed: string;
  received: string;
  receiver: string;
  position: string;
  system: string;
  changes: number;
  digest: string;
  last: string;
  locked: number;
  down: boolean;
}

const FLAG = '/var/tmp/xroad/sync-disabled';

export class FakeNode {
  type: string;
  versions: Record<string, string> = Object.fromEntries(NAMES.map((name) => [name, OLD]));
  status: Record<string, string> = {};
  units = new Map<string, FakeUnit>();
  maintenance = false;
  /** What a failing check says; undefined while all are good. */
  failing: string | undefined;
  localIni = '[proxy]\nhealth-check-port=5588\n';
  flag = false;
  ignoresFlag = false;
  unitText = `[Service]\nExecStartPre=/usr/bin/test ! -f ${FLAG}\n`;
  /** Answers of `systemctl show xroad-sync.service` before it is idle. */
  copying = 0;
  /** Such a look finds the unit testing for the flag, before it copies anything. */
  testing = false;
  copies = 0;
  copyFails = false;
  timer = 'active';
  keyconf = 'a'.repeat(64);
  connections: string[] = [];
  listeners = [5500, 5577, 8080, 8443, 5566, 5588];
  tokens = 'Token: 0 (OK, writable, available, active)\n';
  autologin = false;
  databaseUrl = 'serverconf.hibernate.connection.url=jdbc:postgresql://127.0.0.1:5433/serverconf\n';
  log: string[] = [];
  /** Changes of the schema that its packages bring, by file; undefined: their folder isn't there. */
  changeFiles: Record<string, string> | undefined = { '003.xml': 'c'.repeat(64), '004.xml': 'd'.repeat(64) };
  manifest: string | undefined;
  /** Its own database of the message log: locks held; undefined: it doesn't answer. */
  messageLogLocks: number | undefined = 0;
  readonly db: FakeDatabase;
  host: ScriptedHost;

  constructor(
    readonly name: string,
    readonly world: { plan: XroadPlan; nodes: Record<string, FakeNode> },
    isPrimary: boolean,
  ) {
    this.type = isPrimary ? 'master' : 'slave';
    for (const unit of SERVICES) {
      const exists = !/opmonitor|autologin/.test(unit);
      this.units.set(unit, {
        active: exists ? 'active' : 'inactive',
        masked: '',
        exists,
        restarts: 0,
        result: 'success',
      });
    }
    this.db = {
      version: 150_004,
      standby: !isPrimary,
      pause: 'not paused',
      receiver: 'streaming',
      down: false,
      replayed: '0/3000148',
      received: '0/3000148',
      position: '0/3000148',
      system: '7300000000000000001',
      changes: 12,
      digest: 'd-old',
      last: '2026-01-01 00:00:00',
      locked: 0,
    };
    this.host = new ScriptedHost(name, (command) => this.answer(command));
  }

  set release(version: string) {
    for (const name of Object.keys(this.versions)) this.versions[name] = version;
  }

  get running(): string[] {
    return [...this.units].filter(([, unit]) => unit.active === 'active').map(([name]) => name);
  }

  stopAll(): void {
    for (const unit of this.units.values()) if (unit.exists) unit.active = 'inactive';
    this.maintenance = false;
  }

  maskAll(): void {
    for (const unit of this.units.values()) if (unit.exists) unit.masked = 'masked-runtime';
  }

  /** What the primary's packages do to its database. */
  migrate(): void {
    this.changeFiles = { ...this.changeFiles, '005.xml': 'e'.repeat(64) };
    Object.assign(this.db, { digest: 'd-new', changes: 13, last: '2026-11-22 22:00:00', position: '0/3100000' });
  }

  /** What a secondary has once it has replayed all that the primary wrote. */
  catchUp(): void {
    const { db } = this.primary;
    Object.assign(this.db, { digest: db.digest, changes: db.changes, last: db.last, replayed: db.position });
  }

  private get primary(): FakeNode {
    return this.world.nodes[this.world.plan.roles.primary]!;
  }

  answer(command: string): Answer | undefined {
    const c = command;
    if (c.includes('/usr/bin/psql') && c.includes(' -p 5432 ')) return this.ownDatabase();
    if (c.includes('/usr/bin/psql')) return this.psql(c.slice(c.indexOf(' -c ') + 4));
    if (c.includes('curl') && c.endsWith('http://127.0.0.1:5588/')) return this.health();
    if (c.includes('/maintenance?targetState=')) return this.setMaintenance(c.endsWith('true'));
    if (c.startsWith('/usr/bin/systemctl show')) return this.show(c.slice(c.indexOf(' -- ') + 4).split(' '));
    const [, verb = '', unit = ''] =
      /^sudo \/usr\/bin\/systemctl (start|stop|mask|unmask)(?: --runtime)? -- (\S+)$/.exec(c) ?? [];
    if (verb !== '') return this.systemctl(verb, unit, c.includes('--runtime'));
    const files: Record<string, string> = {
      '/usr/bin/cat /etc/machine-id': `${Buffer.from(this.name).toString('hex').padEnd(32, '0')}\n`,
      'sudo -u xroad /usr/bin/cat -- /etc/xroad/conf.d/node.ini': `[node]\ntype=${this.type}\n`,
      'sudo -u xroad /usr/bin/cat -- /etc/xroad/conf.d/local.ini': this.localIni,
      'sudo -u xroad /usr/bin/signer-console list-tokens': this.tokens,
      'sudo -u xroad /usr/bin/sha256sum -- /etc/xroad/signer/keyconf.xml': `${this.keyconf}  /etc/xroad/signer/keyconf.xml\n`,
      '/usr/bin/systemctl cat -- xroad-sync.service': this.unitText,
      '/usr/bin/pg_lsclusters --no-header':
        '15 serverconf 5433 online postgres /var/lib/postgresql/15/serverconf /log\n',
    };
    if (files[c] !== undefined) return files[c];
    if (c === `sudo -u xroad /usr/bin/test -e ${FLAG}`) return { code: this.flag ? 0 : 1 };
    if (c === `sudo -u xroad /usr/bin/touch -- ${FLAG}`) return this.does(() => (this.flag = true));
    if (c === `sudo /usr/bin/rm -f -- ${FLAG}`) return this.does(() => (this.flag = false));
    if (c === 'sudo -u xroad /usr/bin/test -e /etc/xroad/autologin') return { code: this.autologin ? 0 : 1 };
    if (c.includes('messagelog.hibernate'))
      return 'messagelog.hibernate.connection.url = jdbc\\:postgresql\\://127.0.0.1\\:5432/messagelog\n';
    if (c.includes('db.properties')) return this.databaseUrl === '' ? { code: 1 } : this.databaseUrl;
    if (c.startsWith('/usr/bin/grep -hF') && c.includes('/var/log/hitless/')) {
      const patterns = [...c.matchAll(/ -e (?:'([^']*)'|(\S+))/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
      const found = this.log.filter((line) => patterns.some((text) => line.includes(text)));
      return { code: found.length > 0 ? 0 : 1, stdout: found.map((line) => `${line}\n`).join('') };
    }
    if (c.startsWith('/usr/bin/find /usr/share/xroad/db'))
      return this.changeFiles === undefined
        ? { code: 1, stderr: 'find: ‘/usr/share/xroad/db’: No such file or directory\n' }
        : Object.entries(this.changeFiles)
            .map(([file, digest]) => `${digest}  /usr/share/xroad/db/serverconf/${file}\n`)
            .join('');
    if (c === '/usr/bin/ss -Htln')
      return this.running.includes('xroad-proxy.service')
        ? this.listeners.map((port) => `LISTEN 0 512 0.0.0.0:${port} 0.0.0.0:*\n`).join('')
        : '';
    if (c.startsWith('/usr/bin/ss -Htn state established')) return this.connections.map((line) => `${line}\n`).join('');
    return this.packageManager(c);
  }

  private ownDatabase(): Answer {
    if (this.messageLogLocks !== undefined) return `${this.messageLogLocks}\n`;
    return { code: 2, stderr: 'psql: error: connection to server on socket "…" failed: No such file or directory' };
  }

  private does(change: () => unknown): Answer {
    change();
    return '';
  }

  private health(): Answer {
    const reply = (status: string, body: string) =>
      `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    if (!this.running.includes('xroad-proxy.service') || !this.localIni.includes('health-check-port=5588'))
      return { code: 7, stderr: 'curl: (7) Failed to connect to 127.0.0.1 port 5588: Connection refused' };
    if (this.maintenance) return reply('503 Service Unavailable', 'Health check interface is in maintenance mode.');
    return this.failing === undefined ? reply('200 OK', '') : reply('500 Server Error', `${this.failing}\n`);
  }

  private setMaintenance(on: boolean): Answer {
    if (!this.running.includes('xroad-proxy.service')) return { code: 7, stderr: 'curl: (7) Failed to connect' };
    if (!this.localIni.includes('health-check-port=5588'))
      return 'No HealthCheckPort found, maintenance mode not set\n';
    const before = this.maintenance;
    this.maintenance = on;
    return `Maintenance mode set: ${before} => ${on}\n`;
  }

  private show(units: readonly string[]): Answer {
    const blocks = units.map((name) => {
      if (name === 'xroad-sync.service') {
        const busy = this.copying > 0;
        this.copying = Math.max(0, this.copying - 1);
        const result = this.copyFails || (this.flag && !this.ignoresFlag) ? 'exit-code' : 'success';
        return `Id=${name}\nLoadState=${this.unitText === '' ? 'not-found' : 'loaded'}\nActiveState=${busy ? 'activating' : result === 'success' ? 'inactive' : 'failed'}\nSubState=${busy ? (this.testing ? 'start-pre' : 'start') : 'dead'}\nUnitFileState=enabled\nResult=${result}\nNRestarts=0`;
      }
      if (name === 'xroad-sync.timer')
        return `Id=${name}\nLoadState=loaded\nActiveState=${this.timer}\nSubState=waiting\nUnitFileState=enabled\nResult=success`;
      const unit = this.units.get(name);
      const load = unit?.exists !== true ? 'not-found' : unit.masked === '' ? 'loaded' : 'masked';
      const file = unit?.exists !== true ? '' : unit.masked === '' ? 'enabled' : unit.masked;
      const active = unit?.active ?? 'inactive';
      return `Id=${name}\nLoadState=${load}\nActiveState=${active}\nSubState=${active === 'active' ? 'running' : 'dead'}\nUnitFileState=${file}\nResult=${unit?.result ?? 'success'}\nNRestarts=${unit?.restarts ?? 0}`;
    });
    return `${blocks.join('\n\n')}\n`;
  }

  private systemctl(verb: string, name: string, runtime: boolean): Answer {
    if (name === 'xroad-sync.service') {
      if ((this.flag && !this.ignoresFlag) || this.copyFails)
        return {
          code: 1,
          stderr: 'Job for xroad-sync.service failed because the control process exited with error code.\n',
        };
      this.copies++;
      this.keyconf = this.primary.keyconf;
      return '';
    }
    if (name === 'xroad-sync.timer') return this.does(() => (this.timer = 'active'));
    const unit = this.units.get(name)!;
    if (verb === 'mask') unit.masked = runtime ? 'masked-runtime' : 'masked';
    else if (verb === 'unmask') unit.masked = unit.masked === 'masked' && runtime ? 'masked' : '';
    else if (verb === 'stop') {
      unit.active = 'inactive';
      if (name === 'xroad-proxy.service') this.maintenance = false;
    } else if (unit.masked !== '') return { code: 1, stderr: `Failed to start ${name}: Unit ${name} is masked.\n` };
    else {
      unit.active = unit.broken === true ? 'failed' : 'active';
      if (unit.broken === true) unit.result = 'exit-code';
      if (name === 'xroad-proxy.service') this.maintenance = false;
    }
    return '';
  }

  /** What activities/packages looks at when everything is installed already. */
  private packageManager(c: string): Answer | undefined {
    if (c === '/usr/bin/dpkg --print-architecture') return 'amd64\n';
    if (c.startsWith('/usr/bin/dpkg-query --show'))
      return {
        code: 0,
        stdout: Object.entries(this.versions)
          .map(([name, version]) => `${name}\tamd64\t${version}\t${this.status[name] ?? 'ii '}\n`)
          .join(''),
      };
    if (c.startsWith('/usr/bin/test -e /var/lib/hitless/stage/ss/'))
      return { code: c.endsWith('/7.4/manifest.json') && this.manifest !== undefined ? 0 : 1 };
    if (c.startsWith('/usr/bin/cat -- /var/lib/hitless/stage/ss/7.4/')) return this.manifest ?? '';
    if (c.startsWith('/usr/bin/systemctl list-units --state=failed')) return '';
    if (c.startsWith('sudo /usr/bin/dpkg --verify')) return '';
    if (c.startsWith('/usr/bin/apt-mark showauto')) return '';
    return undefined;
  }

  private psql(sql: string): Answer {
    const { db } = this;
    if (db.down)
      return {
        code: 2,
        stderr:
          'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5433" failed: No such file or directory',
      };
    const error = (text: string): Answer => ({ code: 1, stderr: `ERROR:  ${text}\n` });
    const pauseable = (to: FakeDatabase['pause']): Answer => {
      if (!db.standby)
        return error(
          'recovery is not in progress\nHINT:  Recovery control functions can only be executed during recovery.',
        );
      if (to === 'not paused' && db.pause !== 'not paused') this.catchUp();
      db.pause = to;
      return '\n';
    };
    if (sql.includes('pg_is_in_recovery')) return `${db.standby ? 't' : 'f'}|${db.version}|${db.system}\n`;
    if (sql.includes('pg_current_wal_lsn')) return db.standby ? error('recovery is in progress') : `${db.position}\n`;
    if (sql.includes('pg_stat_replication')) {
      const others = Object.values(this.world.nodes).filter((n) => n.db.standby && n.db.receiver === 'streaming');
      return others.map((n) => `${n.name}|streaming|async|${db.position}|${n.db.replayed}\n`).join('');
    }
    if (sql.includes('pg_wal_replay_pause()')) return pauseable('paused');
    if (sql.includes('pg_wal_replay_resume()')) return pauseable('not paused');
    if (sql.includes('pg_last_wal_replay_lsn')) {
      const asked = db.version >= 140_000 || db.pause === 'not paused' ? db.pause : 'pause requested';
      return `${asked}|${db.replayed}|${db.received}|${db.receiver}\n`;
    }
    if (sql.includes('databasechangelog')) return `${db.changes}|${db.digest}|${db.last}|${db.locked}\n`;
    return error(`unforeseen: ${sql}`);
  }
}

/** One primary and two secondaries; nothing is waited for longer than a few milliseconds. */
export class World {
  readonly nodes: Record<string, FakeNode> = {};
  /** Admin states at the load balancer, by node. */
  readonly balancer: Record<string, { admin: 'ready' | 'drain'; up: boolean }> = {};
  plan: XroadPlan;
  private calls = 0;

  constructor(
    changes: {
      outOfService?: 'both' | 'maintenance' | 'load-balancer';
      mode?: XroadPlan['mode'];
      reboot?: boolean;
    } = {},
  ) {
    const { outOfService = 'maintenance', mode = 'rolling', reboot = false } = changes;
    const packages = (version: string) => ({ packages: Object.fromEntries(NAMES.map((name) => [name, version])) });
    const names = ['ss1', 'ss2', 'ss3'];
    const facts = {
      active: SERVICES.filter((unit) => !/opmonitor|autologin/.test(unit)),
      ...{ enabled: [], postgres: 150_004, schema: 'd-old', autologin: false },
    };
    this.plan = {
      cluster: 'ss',
      version: '7.4',
      mode,
      hosts: {},
      nodes: Object.fromEntries(names.map((name) => [name, { host: name }])),
      software: softwareSpec.parse({
        ...{ driver: 'apt', reboot, release: { package: 'xroad-proxy' } },
        releases: { '7.3': packages(OLD), '7.4': packages(NEW) },
      }),
      readiness: readinessSpec.parse({}),
      monitoring: monitoringSpec.parse({
        periodMs: '1h',
        probes: [
          { name: 'spool', kind: 'command', from: 'ss2', argv: ['/usr/bin/spool'], sudo: true, bound: { max: 0 } },
        ],
      }),
      xroad: xroadSpec.parse({
        outOfService,
        health: { spanMs: 0, pollIntervalMs: 1, timeoutMs: 40 },
        drain: { settleMs: 0, pollIntervalMs: 1, timeoutMs: 30 },
        services: { startTimeoutMs: 60, settleMs: 0 },
        database: { pauseTimeoutMs: 40, catchUpTimeoutMs: 40, pollIntervalMs: 1 },
        sync: { timeoutMs: 60, pollIntervalMs: 1 },
        token: { waitMs: 20, pollIntervalMs: 1 },
      }),
      ...(outOfService === 'maintenance'
        ? {}
        : {
            loadBalancer: loadBalancerSpec.parse({
              driver: 'haproxy',
              instances: [{ host: 'lb' }],
              upTimeoutMs: 40,
              pollIntervalMs: 1,
            }),
          }),
      roles: { primary: 'ss1', secondaries: ['ss2', 'ss3'] },
      releases: { from: '7.3', to: '7.4' },
      found: Object.fromEntries(names.map((name) => [name, facts])),
    };
    for (const name of names) {
      this.nodes[name] = new FakeNode(name, this, name === 'ss1');
      this.balancer[name] = { admin: 'ready', up: true };
    }
  }

  node(name: string): FakeNode {
    return this.nodes[name]!;
  }

  context() {
    const hosts = Object.fromEntries(Object.values(this.nodes).map((node) => [node.name, node.host]));
    const lb = new ScriptedHost('lb', (_, how) => this.haproxy(how.stdin ?? ''));
    return contextOn(this.plan, { ...hosts, lb }, { call: ++this.calls, instant: true });
  }

  /** Commands that change something, of all nodes, as "ss1: sudo …". */
  get changes(): string[] {
    const reading =
      /show |test -e|find |\bcat\b|dpkg-query|curl .*5588\/|psql|list-tokens|sha256sum|grep|\bss -|lsclusters|list-units|print-arch|verify|showauto/;
    return Object.values(this.nodes).flatMap((node) =>
      node.host.ran
        .filter((command) => !reading.test(command) || /pg_wal_replay_(pause|resume)\(\)$/.test(command))
        .map((command) => `${node.name}: ${command}`),
    );
  }

  /** The secondaries as they are after section A of the procedure. */
  pauseAll(): void {
    for (const node of Object.values(this.nodes))
      if (node.db.standby) {
        node.db.pause = 'paused';
        node.flag = true;
      }
  }

  /** The primary as it is after section B. */
  upgradePrimary(): void {
    const primary = this.node('ss1');
    primary.release = NEW;
    primary.migrate();
  }

  private haproxy(text: string): string {
    const set = /^set server messages\/(\S+) state (\S+)$/m.exec(text);
    if (set !== null) {
      this.balancer[set[1]!]!.admin = set[2] as 'ready';
      return '\n';
    }
    const rows = Object.entries(this.balancer);
    if (text.startsWith('show servers state'))
      return `1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight\n${rows.map(([name, s], i) => `3 messages ${i + 1} ${name} 192.0.2.1 ${s.up ? 2 : 0} ${s.admin === 'ready' ? 0 : 8} 1\n`).join('')}`;
    return `# pxname,svname,qcur,qmax,scur,smax,status\n${rows.map(([name, s]) => `messages,${name},0,0,0,0,${s.admin === 'drain' ? 'DRAIN' : s.up ? 'UP' : 'DOWN'}\n`).join('')}`;
  }
}

/** What a piece of work failed with. Throws if it didn't. */
export const failureOf = (work: Promise<unknown>): Promise<Error & { type?: string; nonRetryable?: boolean }> =>
  work.then(
    () => {
      throw new Error('it should have failed');
    },
    (error: Error) => error,
  );
