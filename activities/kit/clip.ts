/** So many characters of a text, and a mark where there was more: at most `chars` + 1. Pure. */
export const clip = (text: string, chars: number): string => (text.length <= chars ? text : `${text.slice(0, chars)}…`);

/** Both ends of a text of megabytes, for what then looks at all of it: what to do next stands at the end. Pure. */
export const ends = (text: string, chars: number): string =>
  text.length <= chars ? text : `${text.slice(0, chars >> 1)} […] ${text.slice(-(chars >> 1))}`;
