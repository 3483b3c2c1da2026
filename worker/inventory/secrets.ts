import { formatPath, type InventoryFault, type Path } from './faults';
import type { SourceDocument } from './document';

/** Keys whose value is a secret unless it is a reference. `key` alone isn't: where it is one, its section's schema says so. */
const SECRET_KEY = /^(.*[-_.]?(password|passwd|passphrase|secret|token|api[-_]?key)|private[-_]?key|psk)$/i;
const REFERENCE = /^(file:(\/|~\/)\S|env:[A-Za-z_][A-Za-z0-9_]*$)/;

/** What a secret looks like, whatever the key is called. */
const LITERALS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/, 'a private key'],
  [/PuTTY-User-Key-File-\d/, 'a private key'],
  [/\bAGE-SECRET-KEY-1[A-Z0-9]+/, 'a private key'],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+/, 'a token (JWT)'],
  [/\b(gh[pousr]_\w{20,}|glpat-[\w-]{16,}|AKIA[0-9A-Z]{16}|xox[abprs]-[\w-]{10,})/, 'an access token'],
  [/\$(1|2[aby]|5|6|y|7|gy)\$[./\w$=,-]{20,}/, 'a password hash'],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:(?!\$)[^\s/@]+@/i, 'a password inside a URL'],
  [
    /(?:^|[\s"';-])[\w-]*(?:password|passwd|passphrase|secret|token|api[-_]?key)\s*[=]\s*(?!\$|file:|env:)["']?[^\s"']+/i,
    'a password inside a command',
  ],
  [/\bauthorization:\s*(basic|bearer)\s+(?!\$)\S+/i, 'credentials inside a header'],
];

const NEXT = 'replace it, as it was readable here; keep it on the worker and write a reference: file:/path or env:NAME';

/**
 * Secrets written into the inventory. They would be frozen into plans and histories, so the file is refused; what was
 * found is never repeated in the message.
 */
export function secretFaults(source: SourceDocument): (InventoryFault & { readonly at: Path })[] {
  const faults: (InventoryFault & { at: Path })[] = [];
  const visit = (value: unknown, path: Path): void => {
    if (Array.isArray(value)) return value.forEach((item, i) => visit(item, [...path, i]));
    if (typeof value === 'object' && value !== null)
      return Object.entries(value).forEach(([key, item]) => visit(item, [...path, key]));
    const found = secretIn(path, value);
    if (found !== undefined)
      faults.push({ at: path, path: formatPath(path), ...source.positionOf(path), what: `holds ${found}`, next: NEXT });
  };
  visit(source.value, []);
  return faults;
}

/** Files of secrets that an inventory names (`file:…`), the socket of an agent aside: it is no secret. */
export function secretFiles(inventory: unknown): { readonly at: Path; readonly file: string }[] {
  const found: { at: Path; file: string }[] = [];
  const visit = (value: unknown, path: Path): void => {
    if (typeof value === 'object' && value !== null)
      return Object.entries(value).forEach(([key, item]) =>
        visit(item, [...path, Array.isArray(value) ? Number(key) : key]),
      );
    if (typeof value !== 'string' || path.at(-1) === 'agent' || !/^file:(\/|~\/)/.test(value)) return;
    found.push({ at: path, file: value.slice('file:'.length) });
  };
  visit(inventory, []);
  return found;
}

function secretIn(path: Path, value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  const key = [...path].reverse().find((part) => typeof part === 'string') ?? '';
  if (SECRET_KEY.test(key) && !REFERENCE.test(text)) return 'a secret where only a reference may stand';
  return LITERALS.find(([pattern]) => pattern.test(text))?.[1];
}
