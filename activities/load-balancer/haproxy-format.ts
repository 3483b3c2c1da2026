/** What HAProxy's runtime socket prints (management.txt, "9.3. Unix Socket commands" and "9.1. CSV format"). Pure. */
import type { AdminState, ServerState } from './driver';

/** SRV_ADMF_* of HAProxy: reasons for maintenance and for drain, as bits of srv_admin_state. */
const MAINTENANCE_BITS = 0x01 | 0x02 | 0x04 | 0x20 | 0x40;
const DRAIN_BITS = 0x08 | 0x10;
/** SRV_ST_RUNNING of srv_op_state; 0 is stopped, 1 starting, 3 stopping. */
const RUNNING = '2';

export const adminState = (bits: number): AdminState =>
  (bits & MAINTENANCE_BITS) !== 0 ? 'maint' : (bits & DRAIN_BITS) !== 0 ? 'drain' : 'ready';

interface Row {
  readonly column: (name: string) => string;
}

/** Lines below a line of names that begins with `# `. Columns are found by name: their number grew with every release. */
function rows(text: string, separator: string): Row[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const at = lines.findIndex((line) => line.startsWith('# '));
  const places = new Map<string, number>();
  for (const [place, name] of (lines[at]?.slice(2).split(separator) ?? []).entries())
    if (!places.has(name)) places.set(name, place);
  return lines.slice(at + 1).flatMap((line) => {
    const cells = line.split(separator);
    return line === '' || cells.length < 4 ? [] : [{ column: (name) => cells[places.get(name) ?? -1] ?? '' }];
  });
}

/**
 * Servers of `show servers state` joined with `show stat`. Undefined if one of the two isn't what HAProxy prints.
 * @param state of `show servers state`: a line with the format's version, a line of names, a line per server
 * @param stat of `show stat`: CSV, with lines for frontends and backends too
 */
export function parseServers(state: string, stat: string): ServerState[] | undefined {
  if (!/^# be_id be_name /m.test(state) || !/^# pxname,svname,/m.test(stat)) return undefined;
  const measured = new Map(rows(stat, ',').map((row) => [`${row.column('pxname')}/${row.column('svname')}`, row]));
  return rows(state, ' ').map(({ column }) => {
    const [backend, server] = [column('be_name'), column('srv_name')];
    const figures = measured.get(`${backend}/${server}`);
    const status = figures?.column('status') ?? '';
    return {
      ...{ backend, server, status },
      admin: adminState(Number(column('srv_admin_state'))),
      up: column('srv_op_state') === RUNNING,
      checked: status !== 'no check',
      sessions: Number(figures?.column('scur') ?? NaN),
    };
  });
}
