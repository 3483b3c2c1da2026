/** XML as this folder reads it; writing is in reads/xml.ts. */
import { parseXml, XmlElement } from '@rgrove/parse-xml';

export { XmlElement };
export { cdata, escapeXml, leaf } from './reads/xml';

/** The root element, or undefined where it isn't well-formed XML. */
export function parseRoot(text: string): XmlElement | undefined {
  try {
    return parseXml(text).root ?? undefined;
  } catch {
    return undefined;
  }
}

const COMMANDS_KEPT = 300;
const LONGEST_KEPT = 500;
/** The same few commands come again and again: parsed once. What is kept is never changed. */
const kept = new Map<string, XmlElement | undefined>();

export function parseCommand(text: string): XmlElement | undefined {
  if (kept.has(text)) return kept.get(text);
  const parsed = parseRoot(text);
  if (text.length <= LONGEST_KEPT) {
    if (kept.size >= COMMANDS_KEPT) kept.clear();
    kept.set(text, parsed);
  }
  return parsed;
}

export const elements = (parent: XmlElement): XmlElement[] =>
  parent.children.filter((node): node is XmlElement => node instanceof XmlElement);

export const child = (parent: XmlElement | undefined, name: string): XmlElement | undefined =>
  parent?.children.find((node): node is XmlElement => node instanceof XmlElement && node.name === name);

/** Text of a child element without the whitespace around it; undefined where there is none. */
export const childText = (parent: XmlElement | undefined, name: string): string | undefined => {
  const text = child(parent, name)?.text.trim();
  return text === '' ? undefined : text;
};

/** An element around others; the name is trusted. */
export const node = (name: string, ...content: readonly string[]): string => {
  const inner = content.join('');
  return inner === '' ? `<${name}/>` : `<${name}>${inner}</${name}>`;
};

export const yesNo = (value: boolean): 'yes' | 'no' => (value ? 'yes' : 'no');
