/**
 * The side port: plain HTTP with JSON on loopback, for tests and for people who rehearse. It shows the pair, gives it
 * faults and lets time pass. No device has anything like it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { deviceSchema, faultSchema } from '../faults/schema';
import type { SimulatedPair } from '../pair';
import type { DeviceFacts } from '../reads';
import { stateOf } from '../state';
import type { PairClock } from './clock';

const WAYS = [
  'GET /state',
  'POST /time',
  'GET /faults',
  'POST /faults',
  'DELETE /faults',
  'DELETE /faults/ID',
  'POST /config',
  'GET /facts',
  'POST /facts',
];

const BODY_BYTES = 1024 * 1024;

const timeSchema = z
  .strictObject({
    advanceMs: z.number().nonnegative().optional(),
    speed: z.number().nonnegative().max(100_000).optional(),
  })
  .refine((value) => Object.keys(value).length > 0, 'advanceMs or speed, or both');

const configSchema = z.strictObject({
  device: deviceSchema.optional(),
  xpath: z.string(),
  element: z.string(),
});

const factsSchema = z.strictObject({ device: deviceSchema.optional(), facts: z.record(z.string(), z.unknown()) });

class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function readJson(message: IncomingMessage): Promise<unknown> {
  // A page in a browser can't send this type without asking first.
  if (!/^application\/json\b/i.test(message.headers['content-type'] ?? ''))
    throw new Refused(415, 'content-type: application/json');
  let text = '';
  for await (const chunk of message as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.length > BODY_BYTES) throw new Refused(413, `more than ${BODY_BYTES} bytes`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Refused(400, 'the body is no JSON');
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Refused(400, z.prettifyError(parsed.error));
}

export class ControlServer {
  readonly #server: Server;

  constructor(
    private readonly pair: SimulatedPair,
    private readonly clock: PairClock,
  ) {
    this.#server = createServer((message, response) => {
      this.#handle(message)
        .catch((error: unknown) => {
          if (error instanceof Refused) return { status: error.status, value: { error: error.message } };
          return { status: 400, value: { error: error instanceof Error ? error.message : String(error) } };
        })
        .then(({ status, value }) => send(response, status, value))
        .catch(() => message.socket.destroy());
    });
  }

  /** @returns its URL. @throws Error where the port can't be listened on. */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #handle(message: IncomingMessage): Promise<{ status: number; value: unknown }> {
    const [path = '', id] = (message.url ?? '').replace(/\/$/, '').split(/(?<=^\/faults)\//);
    const { pair, clock } = this;
    clock.tick();
    const faultId = id === undefined ? undefined : Number(id);
    switch (`${message.method} ${path}`) {
      case 'GET /state':
        return ok({ ...stateOf(pair), speed: clock.speed });
      case 'GET /faults':
        return ok(pair.faults.list());
      case 'POST /faults': {
        const fault = checked(faultSchema, await readJson(message));
        const given = pair.faults.inject(fault);
        clock.tick();
        return { status: 201, value: { id: given } };
      }
      case 'DELETE /faults':
        pair.faults.clear(faultId);
        clock.tick();
        return ok(pair.faults.list());
      case 'POST /time': {
        const { advanceMs, speed } = checked(timeSchema, await readJson(message));
        if (speed !== undefined) clock.speed = speed;
        clock.advance(advanceMs ?? 0);
        return ok({ now: new Date(clock.now()).toISOString(), speed: clock.speed });
      }
      case 'POST /config':
        pair.configure(checked(configSchema, await readJson(message)));
        return ok(stateOf(pair));
      case 'GET /facts':
        return ok(Object.fromEntries(pair.devices.map(({ name, facts }) => [name, facts])));
      case 'POST /facts': {
        const { device, facts } = checked(factsSchema, await readJson(message));
        for (const each of device === undefined ? pair.devices : [pair.devices[pair.sideOf(device)]])
          changeFacts(each.facts, facts);
        return ok(facts);
      }
      default:
        throw new Refused(404, `there is ${WAYS.join(', ')}`);
    }
  }
}

/** Top-level facts as they are given: what a fact is made of isn't checked further. */
function changeFacts(facts: DeviceFacts, changes: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(changes)) {
    const known = Object.hasOwn(facts, name) ? facts[name as keyof DeviceFacts] : undefined;
    if (known === undefined || Array.isArray(known) !== Array.isArray(value) || typeof known !== typeof value)
      throw new Refused(400, `${name} is no fact, or is of another kind: GET /facts shows them`);
  }
  Object.assign(facts, changes);
}

const ok = (value: unknown): { status: number; value: unknown } => ({ status: 200, value });

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(value, undefined, 2)}\n`);
}
