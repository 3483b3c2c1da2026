/** Times as a device prints them, besides those of reads/xml.ts. Its time zone is UTC. */

const two = (value: number): string => String(value).padStart(2, '0');

/** "00:28:32" */
export const timeOfDayText = (epochMs: number): string => new Date(epochMs).toISOString().slice(11, 19);

/** "3 days, 1:05:09" */
export function uptimeText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const clock = [Math.floor((seconds % 86_400) / 3_600), two(Math.floor((seconds % 3_600) / 60)), two(seconds % 60)];
  return `${Math.floor(seconds / 86_400)} days, ${clock.join(':')}`;
}

/** "Tue Aug  1 00:28:32 2023", with a space for the first digit of the day. */
export function dateLineText(epochMs: number): string {
  const [weekday = '', , month = '', year = ''] = new Date(epochMs).toUTCString().replace(',', '').split(' ');
  const day = String(new Date(epochMs).getUTCDate()).padStart(2, ' ');
  return `${weekday} ${month} ${day} ${timeOfDayText(epochMs)} ${year}`;
}
