/** Which part of the configuration HA peers share: all but their own management, HA and election settings (facts §3). Pure. */
import { DEVICE_PATH } from './initial';
import { parseXpath, render, replaceAt, select, setAt, type ConfigNode } from './tree';

const steps = (path: string) => parseXpath(`${DEVICE_PATH}/deviceconfig/${path}`) ?? [];
const OWN = [steps('high-availability'), steps('system')];
const DEVICE_CONFIG = parseXpath(`${DEVICE_PATH}/deviceconfig`) ?? [];

const sharedOf = new WeakMap<ConfigNode, string>();

/** Equal on both peers where their configurations are synchronized. Releases write their own version into it: left out. */
export function sharedPart(config: ConfigNode): string {
  const known = sharedOf.get(config);
  if (known !== undefined) return known;
  const { version: _, ...attributes } = config.attributes;
  const text = render({ ...OWN.reduce((tree, own) => replaceAt(tree, own), config), attributes });
  sharedOf.set(config, text);
  return text;
}

/** `theirs`, with what is `own`'s alone. */
export function adoptShared(theirs: ConfigNode, own: ConfigNode): ConfigNode {
  const mine = OWN.flatMap((path) => select(own, path));
  const bare = OWN.reduce((tree, path) => replaceAt(tree, path), theirs);
  return { ...setAt(bare, DEVICE_CONFIG, mine), attributes: own.attributes };
}
