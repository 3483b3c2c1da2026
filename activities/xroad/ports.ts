/** Ports that carry messages: as the inventory has them, and as each node's own configuration sets them. Pure. */
import type { XroadPlan } from './plan';
import { DEFAULT_PORTS } from './text';

type Plan = Pick<XroadPlan, 'xroad' | 'found'>;

export interface MessagePorts {
  /** At which other Security Servers reach this one. */
  readonly own: readonly number[];
  /** At which it reaches others. */
  readonly peers: readonly number[];
  /** At which consumer information systems reach it. */
  readonly consumers: readonly number[];
}

const distinct = (ports: readonly number[]): number[] => [...new Set(ports)];

/** Of both, for a connection too many that is waited for costs a moment, and one too few is cut. */
export function messagePorts({ xroad, found }: Plan, node: string): MessagePorts {
  const { messages, consumers } = xroad.drain;
  const set = found[node]?.ports;
  return {
    own: distinct([messages, ...(set === undefined ? [] : [set.messages])]),
    peers: [messages],
    consumers: distinct([...consumers, ...(set === undefined ? [] : [set.http, set.https])]),
  };
}

/** TCP ports that a started node listens on: those of the inventory, but where its own configuration has others. */
export function listenerPorts({ xroad, found }: Plan, node: string): number[] {
  const { services, health } = xroad;
  const set = found[node]?.ports;
  const { messages, http, https } = DEFAULT_PORTS;
  const instead = new Map(
    set === undefined
      ? []
      : [
          [messages, set.messages],
          [http, set.http],
          [https, set.https],
        ],
  );
  return distinct([...services.listeners.map((port) => instead.get(port) ?? port), health.port]);
}
