/** So many characters of a text, and a mark where there was more: at most `chars` + 1. Pure. */
export const clip = (text: string, chars: number): string => (text.length <= chars ? text : `${text.slice(0, chars)}…`);
