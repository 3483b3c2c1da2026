/** Names of people, as they are compared. */

/** One person, however the name is spelt: trimmed, NFKC, case folded. */
export const personKey = (name: string): string => name.normalize('NFKC').trim().toUpperCase().toLowerCase();

export const nameFault = (_name: string): string | undefined => undefined;
