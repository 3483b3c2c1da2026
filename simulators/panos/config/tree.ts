/** A configuration as a tree that is never changed: an edit copies the path to what it changes. Pure. */
import { type XmlElement } from '@rgrove/parse-xml';
import { elements, escapeXml, parseRoot } from '../xml';

export interface ConfigNode {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly ConfigNode[];
  /** Of a leaf, without the whitespace around it. */
  readonly text: string;
}

/** One step of an XPath: a name, and of several elements of that name the one with an attribute or a text. */
export interface Step {
  readonly name: string;
  readonly attribute?: { readonly name: string; readonly value: string };
  readonly text?: string;
}

export const fromXml = (element: XmlElement): ConfigNode => {
  const children = elements(element);
  return {
    name: element.name,
    attributes: element.attributes,
    children: children.map(fromXml),
    text: children.length > 0 ? '' : element.text.trim(),
  };
};

const rendered = new WeakMap<ConfigNode, string>();

export function render(node: ConfigNode): string {
  const known = rendered.get(node);
  if (known !== undefined) return known;
  let open = node.name;
  for (const [name, value] of Object.entries(node.attributes)) open += ` ${name}="${escapeXml(value)}"`;
  const inner = node.children.length > 0 ? node.children.map(render).join('') : escapeXml(node.text);
  const text = inner === '' ? `<${open}/>` : `<${open}>${inner}</${node.name}>`;
  rendered.set(node, text);
  return text;
}

const STEP = /^\s*([\w.-]+|\*)\s*((?:\[[^\]]*\]\s*)*)$/;
const ATTRIBUTE = /^\[\s*@([\w.-]+)\s*=\s*(?:'([^']*)'|"([^"]*)")\s*\]$/;
const TEXT = /^\[\s*text\(\)\s*=\s*(?:'([^']*)'|"([^"]*)")\s*\]$/;

/** Splits at slashes outside quotes. */
function split(xpath: string): string[] {
  const parts: string[] = [];
  let quote = '';
  let part = '';
  for (const character of xpath) {
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === "'" || character === '"') quote = character;
    if (character === '/' && quote === '') {
      parts.push(part);
      part = '';
    } else part += character;
  }
  return [...parts, part];
}

function parseStep(text: string): Step | undefined {
  const [, name, predicate = ''] = STEP.exec(text) ?? [];
  if (name === undefined) return undefined;
  const trimmed = predicate.trim();
  if (trimmed === '') return { name };
  const attribute = ATTRIBUTE.exec(trimmed);
  if (attribute?.[1] !== undefined)
    return { name, attribute: { name: attribute[1], value: attribute[2] ?? attribute[3] ?? '' } };
  const member = TEXT.exec(trimmed);
  return member === null ? undefined : { name, text: member[1] ?? member[2] ?? '' };
}

/** Steps of an absolute XPath of the kind that PAN-OS documents; undefined for any other. */
export function parseXpath(xpath: string): Step[] | undefined {
  const [first, ...parts] = split(xpath.trim().replace(/(?<=.)\/+$/, ''));
  if (first !== '' || parts.length === 0) return undefined;
  const steps = parts.map(parseStep);
  return steps.every((step) => step !== undefined) ? steps : undefined;
}

const matches = (node: ConfigNode, { name, attribute, text }: Step): boolean =>
  (name === '*' || node.name === name) &&
  (attribute === undefined || node.attributes[attribute.name] === attribute.value) &&
  (text === undefined || node.text === text);

/** Every node that the steps lead to; the first step is the root's own. */
export function select(root: ConfigNode, steps: readonly Step[]): ConfigNode[] {
  const [first, ...rest] = steps;
  if (first === undefined || !matches(root, first)) return [];
  return rest.reduce<ConfigNode[]>(
    (found, step) => found.flatMap(({ children }) => children.filter((child) => matches(child, step))),
    [root],
  );
}

/** Same place in the tree: entries by their name, members by their text. */
const samePlace = (a: ConfigNode, b: ConfigNode): boolean =>
  a.name === b.name && a.attributes['name'] === b.attributes['name'] && (a.name !== 'member' || a.text === b.text);

/** What `set` does: adds what isn't there, replaces the text of leaves. */
export function merge(into: ConfigNode, from: ConfigNode): ConfigNode {
  if (from.children.length === 0 && from.text !== '') return { ...into, children: [], text: from.text };
  return { ...into, text: '', children: from.children.reduce(mergeChild, into.children) };
}

function mergeChild(children: readonly ConfigNode[], from: ConfigNode): readonly ConfigNode[] {
  const index = children.findIndex((child) => samePlace(child, from));
  return index < 0 ? [...children, from] : children.map((child, at) => (at === index ? merge(child, from) : child));
}

const created = ({ name, attribute, text }: Step): ConfigNode => ({
  name,
  attributes: attribute === undefined ? {} : { [attribute.name]: attribute.value },
  children: [],
  text: text ?? '',
});

/** `set`: elements into the node at the path, which is made where it is missing. */
export function setAt(root: ConfigNode, steps: readonly Step[], added: readonly ConfigNode[]): ConfigNode {
  const [, next, ...rest] = steps;
  if (next === undefined) return { ...root, text: '', children: added.reduce(mergeChild, root.children) };
  const index = root.children.findIndex((child) => matches(child, next));
  const target = root.children[index] ?? created(next);
  const changed = setAt(target, [next, ...rest], added);
  return {
    ...root,
    text: '',
    children:
      index < 0 ? [...root.children, changed] : root.children.map((child, at) => (at === index ? changed : child)),
  };
}

/** `edit` with a replacement, `delete` without. The node must be there. */
export function replaceAt(root: ConfigNode, steps: readonly Step[], replacement?: ConfigNode): ConfigNode {
  const [, next, ...rest] = steps;
  if (next === undefined) return replacement ?? root;
  const children = root.children.flatMap((child) => {
    if (!matches(child, next)) return [child];
    if (rest.length > 0) return [replaceAt(child, [next, ...rest], replacement)];
    return replacement === undefined ? [] : [replacement];
  });
  return { ...root, children };
}

/** The elements of a piece of XML that may have several; undefined where it isn't well-formed. */
export function parseElements(text: string): ConfigNode[] | undefined {
  const root = parseRoot(`<elements>${text}</elements>`);
  return root === undefined ? undefined : elements(root).map(fromXml);
}

/** Text of the leaf at a path of names below `node`. */
export function textAt(node: ConfigNode | undefined, ...path: readonly string[]): string | undefined {
  const leaf = path.reduce<ConfigNode | undefined>(
    (found, name) => found?.children.find((child) => child.name === name),
    node,
  );
  return leaf === undefined || leaf.text === '' ? undefined : leaf.text;
}
