/** A simulated pair in memory, asked as a client would, in virtual time. */
import { parseXml, XmlElement } from '@rgrove/parse-xml';
import { SimulatedPair, type ApiReply, type ApiRequest, type PairOptions } from '../../../simulators/panos';

export interface Answer {
  readonly status: string | undefined;
  readonly code: string | undefined;
  /** As it came. */
  readonly body: string;
  readonly root: XmlElement;
  /** Text at a path of names below the root, the first of each; '' where there is nothing. */
  readonly text: (...path: readonly string[]) => string;
  readonly all: (name: string) => XmlElement[];
}

export const childOf = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((child): child is XmlElement => child instanceof XmlElement && child.name === name);

const descendants = (element: XmlElement): XmlElement[] =>
  element.children.filter((child) => child instanceof XmlElement).flatMap((child) => [child, ...descendants(child)]);

export function parseAnswer(reply: ApiReply): Answer {
  if (reply.kind !== 'answer') throw new Error(`no answer but ${reply.kind}`);
  const body = reply.body.toString();
  const { root } = parseXml(body);
  if (root === null) throw new Error('no root');
  return {
    status: root.attributes['status'],
    code: root.attributes['code'],
    body,
    root,
    text: (...path) =>
      path.reduce<XmlElement | undefined>((element, name) => childOf(element, name), root)?.text.trim() ?? '',
    all: (name) => descendants(root).filter((element) => element.name === name),
  };
}

export class Bench {
  readonly pair: SimulatedPair;
  /** Every change, with the seconds since the start. */
  readonly changes: string[] = [];
  readonly #keys: [string, string];
  readonly #start: number;

  constructor(options: PairOptions = {}) {
    this.pair = new SimulatedPair(options);
    this.#start = this.pair.now;
    this.pair.onChange = (at, what) => this.changes.push(`${(at - this.#start) / 1000} ${what}`);
    const key = (side: 0 | 1): string =>
      this.ask(side, { type: 'keygen', user: 'admin', password: 'simulated' }, '').text('result', 'key');
    this.#keys = [key(0), key(1)];
  }

  get seconds(): number {
    return (this.pair.now - this.#start) / 1000;
  }

  request(side: 0 | 1, params: Record<string, string>, more: Partial<ApiRequest> = {}): ApiReply {
    return this.pair.devices[side].request({
      method: 'POST',
      params: new URLSearchParams(params),
      headers: {},
      ...more,
    });
  }

  ask(side: 0 | 1, params: Record<string, string>, key = this.#keys[side]): Answer {
    return parseAnswer(this.request(side, { ...params, ...(key !== '' && { key }) }));
  }

  op(side: 0 | 1, cmd: string): Answer {
    return this.ask(side, { type: 'op', cmd });
  }

  /** Lets seconds pass. */
  pass(seconds: number): void {
    this.pair.elapse(this.pair.now + 1000 * seconds);
  }

  /** Lets time pass until nothing more happens by itself, an hour at most. */
  settle(): void {
    const end = this.pair.now + 3_600_000;
    for (let next = this.pair.nextEventAt(); next !== undefined && next <= end; next = this.pair.nextEventAt())
      this.pair.elapse(next);
  }

  get states(): readonly [string, string] {
    const [a, b] = this.pair.devices;
    return [a.haState, b.haState];
  }

  ha(side: 0 | 1): Answer {
    return this.op(side, '<show><high-availability><state></state></high-availability></show>');
  }

  /** A leaf of what a device says of itself in HA. */
  local(side: 0 | 1, ...path: readonly string[]): string {
    return this.ha(side).text('result', 'group', 'local-info', ...path);
  }

  /** A leaf of what a device says of its peer. */
  peer(side: 0 | 1, ...path: readonly string[]): string {
    return this.ha(side).text('result', 'group', 'peer-info', ...path);
  }

  suspend(side: 0 | 1): Answer {
    return this.op(side, '<request><high-availability><state><suspend/></state></high-availability></request>');
  }

  functional(side: 0 | 1): Answer {
    return this.op(side, '<request><high-availability><state><functional/></state></high-availability></request>');
  }

  restart(side: 0 | 1): ApiReply {
    const cmd = '<request><restart><system></system></restart></request>';
    return this.request(side, { type: 'op', cmd, key: this.#keys[side] });
  }

  version(side: 0 | 1): string {
    return this.op(side, '<show><system><info/></system></show>').text('result', 'system', 'sw-version');
  }

  install(side: 0 | 1, version: string): Answer {
    return this.op(
      side,
      `<request><system><software><install><version>${version}</version></install></software></system></request>`,
    );
  }

  download(side: 0 | 1, version: string, syncToPeer: 'yes' | 'no' = 'no'): Answer {
    return this.op(
      side,
      `<request><system><software><download><sync-to-peer>${syncToPeer}</sync-to-peer><version>${version}</version></download></software></system></request>`,
    );
  }

  checkSoftware(side: 0 | 1): Answer {
    return this.op(side, '<request><system><software><check></check></software></system></request>');
  }

  job(side: 0 | 1, id: string): Answer {
    return this.op(side, `<show><jobs><id>${id}</id></jobs></show>`);
  }

  set(side: 0 | 1, xpath: string, element: string): Answer {
    return this.ask(side, { type: 'config', action: 'set', xpath, element });
  }

  commit(side: 0 | 1): Answer {
    return this.ask(side, { type: 'commit', cmd: '<commit></commit>' });
  }
}

export const GROUP = "/config/devices/entry[@name='localhost.localdomain']/deviceconfig/high-availability/group";
