/** How a read-only command finds its answer. */
import { XmlElement } from '@rgrove/parse-xml';
import type { DeviceView } from '../view';

/** What follows the last element that a command's name is made of. */
export interface Argument {
  /** Text inside it, trimmed. */
  readonly text: string;
  readonly element: XmlElement;
}

/** Inner XML of <result>. @throws ApiError for an answer with status="error". */
export type Command = (view: DeviceView, argument: Argument) => string;

/** By the path of element names, as `show/routing/protocol/bgp/peer`. */
export type Commands = Readonly<Record<string, Command>>;

/** Path of the only children downwards, and where it ends. A command with two arguments ends above them. */
export function commandPath(op: XmlElement): { path: string; argument: Argument } {
  let element = op;
  let path = op.name;
  for (;;) {
    const children = element.children.filter((child): child is XmlElement => child instanceof XmlElement);
    const [child] = children;
    if (child === undefined || children.length > 1) return { path, argument: { text: element.text.trim(), element } };
    element = child;
    path += `/${child.name}`;
  }
}
