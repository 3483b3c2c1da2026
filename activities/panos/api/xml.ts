/** Reading parsed XML: paths of element names, texts, attributes. Nothing here knows PAN-OS. */
import { XmlElement, type XmlNode } from '@rgrove/parse-xml';
import { treeOf } from './shapes';
import { XmlStream } from './xml-stream';

export { XmlElement };

/** @throws Error for text that isn't well-formed XML; XmlLimit for a tree that is too deep or too large */
export function parseDocument(text: string): XmlElement {
  const tree = treeOf('document');
  const stream = new XmlStream(tree);
  stream.write(text);
  stream.end();
  const root = childrenOf(tree.result())[0];
  if (root === undefined) throw new Error('an XML document without an element');
  return root;
}

const isElement = (node: XmlNode): node is XmlElement => node instanceof XmlElement;

/** Children that are elements; of one name, if it is given. */
export const childrenOf = (element: XmlElement | undefined, name?: string): XmlElement[] =>
  (element?.children ?? []).filter(isElement).filter((child) => name === undefined || child.name === name);

/** The first element along a path of names, as "group/local-info/state". */
export function at(element: XmlElement | undefined, path: string): XmlElement | undefined {
  let here = element;
  for (const name of path.split('/')) {
    here = childrenOf(here, name)[0];
    if (here === undefined) return undefined;
  }
  return here;
}

/** Trimmed text of the first element along a path; undefined if there is no such element. */
export const textAt = (element: XmlElement | undefined, path: string): string | undefined =>
  at(element, path)?.text.trim();

/** A number at a path; undefined where there is none that reads as one. */
export function numberAt(element: XmlElement | undefined, path: string): number | undefined {
  const text = textAt(element, path);
  return text === undefined || !/^-?\d+(\.\d+)?$/.test(text) ? undefined : Number(text);
}

/** A command as people type it: `<show><jobs><all/></jobs></show>` is "show jobs all". */
export const inWords = (command: string): string =>
  command
    .replace(/<\/[^>]*>/g, ' ')
    .replace(/<([^\s/>]+)[^>]*>/g, ' $1 ')
    .trim()
    .replace(/\s+/g, ' ');

/** Text for inside an element or a quoted attribute. */
export const escapeXml = (text: string): string =>
  text.replace(/[<>&'"]/g, (c) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', "'": '&apos;' })[c] ?? '&quot;');
