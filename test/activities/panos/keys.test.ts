/** The API key of one device: when it is fetched, and when it isn't. */
import { createDevice, keepKey, type PanosDevice, type Transport } from '../../../activities/panos/api';
import { transient } from '../../../activities/kit';
import { failureOf } from './support/bench';
import { INFO, success } from './support/https';

const MINUTE_MS = 60_000;
const answer = (status: number, body: string) => ({ status, body: Buffer.from(body) });
const refused = answer(
  403,
  "<response status = 'error' code = '403'><result><msg>Invalid Credential</msg></result></response>",
);
const login = async () => ({ user: 'admin', password: 'correct-horse-battery' });

/** A device that accepts the keys it has been told to, and a clock. */
class Station {
  nowMs = 1_000_000;
  keygens = 0;
  calls = 0;
  /** What it accepts: the password, and keys. */
  accepts: { password: boolean; keys: readonly string[] } = { password: true, keys: ['K1'] };
  silent = false;
  readonly transport: Transport = async ({ parameters, key }) => {
    if (this.silent) throw transient('Unreachable', 'fw-a doesn’t answer');
    if (parameters['type'] === 'keygen') {
      this.keygens++;
      return this.accepts.password ? answer(200, success(`<key>K${this.keygens}</key>`)) : refused;
    }
    this.calls++;
    return this.accepts.keys.includes(key ?? '') ? answer(200, success('yes')) : refused;
  };
  private readonly keys = keepKey('fw-a', this.transport, login, () => this.nowMs);

  device(trusted: boolean): PanosDevice {
    const { signal } = new AbortController();
    const { transport, keys } = this;
    const times = { callTimeoutMs: 1_000, transferTimeoutMs: 1_000 };
    return createDevice({
      name: 'fw-a',
      transport,
      keys,
      signal,
      trusted,
      record: () => undefined,
      now: () => this.nowMs,
      ...times,
    });
  }

  /** Asked every second, as a wait does. */
  async poll(forMs: number): Promise<void> {
    for (const until = this.nowMs + forMs; this.nowMs < until; this.nowMs += 1_000)
      expect(await failureOf(this.device(true).op(INFO))).toMatchObject({ type: 'Unreachable', nonRetryable: false });
  }
}

const known = async (): Promise<Station> => {
  const station = new Station();
  await station.device(false).op(INFO);
  station.nowMs += 10 * MINUTE_MS;
  return station;
};

it('a device that starts up and refuses is asked by password once a minute, not at every look', async () => {
  const station = await known();
  station.accepts = { password: false, keys: [] };
  await station.poll(5 * MINUTE_MS);
  expect([station.keygens, station.calls]).toEqual([1 + 5, 1 + 300]);
});

it('…and once it is up the old key works again at once', async () => {
  const station = await known();
  station.accepts = { password: false, keys: [] };
  await station.poll(2_000);
  station.accepts = { password: true, keys: ['K1'] };
  expect((await station.device(true).op(INFO)).text).toBe('yes');
  expect(station.keygens).toBe(2);
});

it('a key that doesn’t come back is replaced, within a minute of the last refusal', async () => {
  const station = await known();
  station.accepts = { password: false, keys: [] };
  await station.poll(2_000);
  station.accepts = { password: true, keys: ['K3'] };
  await station.poll(MINUTE_MS - 2_000);
  expect((await station.device(true).op(INFO)).text).toBe('yes');
  expect(station.keygens).toBe(3);
});

it('a key that has expired is replaced at once', async () => {
  const station = await known();
  station.accepts = { password: true, keys: ['K2'] };
  expect((await station.device(true).op(INFO)).text).toBe('yes');
  expect(station.keygens).toBe(2);
});

it('fresh keys that are refused too, as for want of a right, are told with that, and not made at every call', async () => {
  const station = await known();
  station.accepts = { password: true, keys: [] };
  await station.poll(3_000);
  expect(station.keygens).toBe(2);
  expect((await failureOf(station.device(true).op(INFO))).message).toMatch(
    /starting up, or they were changed since, or the user’s role lacks the right to use the XML API, or to import, export or commit/,
  );
});

it('a worker that has no key yet asks for one once a minute too; silence doesn’t count, nobody saw the password', async () => {
  const station = new Station();
  station.silent = true;
  await station.poll(3_000);
  station.silent = false;
  station.accepts = { password: false, keys: [] };
  await station.poll(MINUTE_MS);
  expect([station.keygens, station.calls]).toEqual([1, 0]);
  station.accepts = { password: true, keys: ['K2'] };
  expect((await station.device(true).op(INFO)).text).toBe('yes');
});

it('while planning it is asked at once: people have just put the password right', async () => {
  const station = new Station();
  station.accepts = { password: false, keys: [] };
  expect(await failureOf(station.device(false).op(INFO))).toMatchObject({ type: 'AuthenticationFailed' });
  station.accepts = { password: true, keys: ['K2'] };
  expect((await station.device(false).op(INFO)).text).toBe('yes');
});

it('of those who ask for it together, one that is cut doesn’t take it from the others', async () => {
  let open = (_key: string): void => undefined;
  const transport: Transport = async () =>
    answer(200, success(`<key>${await new Promise<string>((resolve) => (open = resolve))}</key>`));
  const keys = keepKey('fw-a', transport, login, () => 0);
  const [first, second] = [new AbortController(), new AbortController()];
  const use = { trusted: true, timeoutMs: 1_000 };
  const cut = failureOf(keys.get({ ...use, signal: first.signal }));
  const other = keys.get({ ...use, signal: second.signal });
  await Promise.resolve();
  first.abort(new Error('cut'));
  expect((await cut).message).toBe('cut');
  open('K==');
  expect(await other).toBe('K==');
});

it('refused to several at once: one fresh key for all, also for those that come late', async () => {
  let made = 0;
  const keys = keepKey(
    'fw-a',
    async () => answer(200, success(`<key>K${++made}</key>`)),
    login,
    () => 0,
  );
  const use = { signal: new AbortController().signal, trusted: false, timeoutMs: 1_000 };
  const old = await keys.get(use);
  const fresh = [keys.insteadOf(old, use), keys.insteadOf(old, use)];
  expect(await Promise.all(fresh)).toEqual(['K2', 'K2']);
  expect([await keys.insteadOf(old, use), await keys.get(use)]).toEqual(['K2', 'K2']);
});
