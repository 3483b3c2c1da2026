import { readFileSync } from 'node:fs';

/**
 * Datagrams dropped for want of room in a socket's buffer, by local port, from the text of /proc/net/udp (proc(5); the last
 * column, `drops`).
 */
export function parseSocketDrops(text: string): Map<number, number> {
  const drops = new Map<number, number>();
  for (const line of text.trim().split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const port = parseInt(fields[1]?.split(':')[1] ?? '', 16);
    const count = Number(fields[fields.length - 1]);
    if (Number.isInteger(port)) drops.set(port, (drops.get(port) ?? 0) + count);
  }
  return drops;
}

/** Of this process's network namespace. */
export const socketDrops = (): Map<number, number> => parseSocketDrops(readFileSync('/proc/self/net/udp', 'utf8'));
