/** Hashes of certificates, weakest first. Apart from the parsing, for the inventory names them too. */
export const HASH_ORDER = ['md5', 'sha1', 'sha256', 'sha384', 'sha512'] as const;
export type Hash = (typeof HASH_ORDER)[number];
