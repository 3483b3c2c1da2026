/**
 * Takes secrets out of text that is kept or shown: commands, outputs, errors, evidence. One place, for what hosts and devices
 * print isn't ours to foresee. It rather takes too much than too little, and is never used on what is parsed.
 */

const GONE = '***';

/** Names of what is secret; what stands before or behind them in a name (`proxy_password`, `secretKey`) doesn't matter. */
const NAMES =
  'pass(?:word|wd|phrase|code)|pwd|secret|(?:api|access|private|auth|session)[_-]?key|(?:api|access|auth|refresh|session|bearer)[_-]?token|phash';

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // Private keys, whole; cut off ones to their end.
  [/(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)[\s\S]*?(-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, `$1${GONE}$2`],
  // Headers, to the end of the line or of the quoted text.
  [
    /\b((?:proxy-)?authorization|x-pan-key|x-api-key|x-auth-token|x-vault-token|(?:set-)?cookie)(["']?\s{0,8}[:=]\s{0,8}["']?)[^\r\n"']+/gi,
    `$1$2${GONE}`,
  ],
  [/\b(bearer|basic)(\s{1,8})(?=[^\s"'<>]*[\d+/=_.-])[^\s"'<>]{6,}/gi, `$1$2${GONE}`],
  // user:password@ of an address. Up to the last @ before the path, or, of a password with a slash in it, to the next @.
  [/(:\/\/[^\s/@:'"<>]{0,256}:)[^\s/'"<>]*@/g, `$1${GONE}@`],
  // Where another address with a user begins before that, it is looked for there.
  [/(:\/\/[^\s/@:'"<>]{0,256}:)(?!\d{0,5}[/?#])(?:(?!:\/\/[^\s/@:'"<>]{0,256}:)[^\s'"<>@]){1,128}@/g, `$1${GONE}@`],
  // A token alone before the @: no login name is that long.
  [/(:\/\/)[^\s/@:'"<>]{20,256}@/g, `$1${GONE}@`],
  // Parameters of a query.
  [/([?&;](?:key|sig|signature|code|auth)=)[^\s&;"'<>]+/gi, `$1${GONE}`],
  [/(^|[\s"'])(key=)[^\s&"'<>]+/gim, `$1$2${GONE}`],
  // XML.
  [new RegExp(`(<(?:[\\w.-]{0,32}(?:${NAMES})|key)(?:\\s[^<>]{0,200})?>)[^<]+`, 'gi'), `$1${GONE}`],
  // name=value, name: value, "name":"value". A value in quotes to its end, else to the next white space. References to
  // secrets, and what messages say of a field, are none.
  [
    new RegExp(
      `((?:${NAMES})[\\w.-]{0,32}["']?\\s{0,8}[:=]\\s{0,8})(?!["']?(?:env:[a-z_]|file:[/~]|(?:an?|the|must|is|not?|expected|invalid|required|missing|unknown|one)\\s))(?:"(?:[^"\\\\]|\\\\.)*"?|'[^']*'?|[^\\s"'<>]+)`,
      'gi',
    ),
    `$1${GONE}`,
  ],
  [/(\btoken=)[^\s&"'<>]+/gi, `$1${GONE}`],
  // --name value
  [
    new RegExp(
      `(\\s--?(?!no-)(?:[\\w-]{0,32}(?:${NAMES}|token)[\\w-]{0,32})\\s{1,8})(?!-)(?:"[^"]*"?|'[^']*'?|[^\\s"']+)`,
      'gi',
    ),
    `$1${GONE}`,
  ],
  [/(\s-u\s{0,4}['"]?[^\s:'"]{1,64}:)[^\s'"]+/g, `$1${GONE}`],
  // Lines of routers' configurations.
  [
    /\b((?:neighbor \S{1,64} password|snmp-server community|key-string|message-digest-key \d{1,3} md5|enable (?:password|secret)|username \S{1,64} (?:privilege \d{1,2} )?(?:password|secret))(?: \d)? )[^\s"']+/gi,
    `$1${GONE}`,
  ],
  [
    /^([ \t+-]{0,16}(?:password|secret)(?: \d)? )(?!(?:is|isn|was|or|and|of|for|to|in|on|at|can|could|must|may|has|hasn|doesn|does|from|that|which|with|are|be|by)\b)[^\s"']+$/gim,
    `$1${GONE}`,
  ],
];

/** The text without what looks like a secret. Pure; linear in its length. */
export function redact(text: string): string {
  let clean = text;
  for (const [pattern, by] of PATTERNS) clean = clean.replace(pattern, by);
  return clean;
}

/** Every text in a value, names of members aside; what isn't plain data stays as it is. Pure. */
export function redactDeep<T>(value: T): T {
  return deep(value, 0) as T;
}

const DEPTH = 64;

function deep(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null || depth > DEPTH) return value;
  if (Array.isArray(value)) return value.map((item) => deep(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  // Of another realm (jest's) too: what has a life of its own isn't data.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, deep(member, depth + 1)]));
}
