/** Writing XML of replies: plain strings, for thousands of requests a second are answered in tests. */

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? '');

/** <name>text</name>; the name is trusted. */
export const leaf = (name: string, value: string | number): string =>
  value === '' ? `<${name}/>` : `<${name}>${typeof value === 'number' ? value : escapeXml(value)}</${name}>`;

/** Leaves in the order of the object's keys. */
export const leaves = (values: Readonly<Record<string, string | number>>): string => {
  let text = '';
  for (const name in values) text += leaf(name, values[name] ?? '');
  return text;
};

/** Text of commands that print as a terminal would. */
export const cdata = (text: string): string => `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const LONG = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const two = (value: number): string => String(value).padStart(2, '0');

/** "Wed May 31 11:50:21 UTC 2023". Simulated devices live in UTC. */
export function clockText(epochMs: number): string {
  const at = new Date(epochMs);
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  return `${DAYS[at.getUTCDay()]} ${MONTHS[at.getUTCMonth()]} ${two(at.getUTCDate())} ${time} UTC ${at.getUTCFullYear()}`;
}

/** "May 02, 2023". */
export function dateText(epochMs: number): string {
  const at = new Date(epochMs);
  return `${LONG[at.getUTCMonth()]} ${two(at.getUTCDate())}, ${at.getUTCFullYear()}`;
}

/** "2023/05/02 11:50:21". */
export function stampText(epochMs: number): string {
  const at = new Date(epochMs).toISOString();
  return `${at.slice(0, 10).replaceAll('-', '/')} ${at.slice(11, 19)}`;
}
