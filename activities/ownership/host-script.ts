/**
 * The part of ownership and jobs that must happen on the host, under its lock and in one go. A small shell script in the
 * login user's home (no root needed), put there once and again whenever it changes.
 */
import { createHash } from 'node:crypto';
import { transient } from '../kit/errors';
import type { ExecOptions, ExecResult, Host } from '../kit/host';

export const HOME = '.hitless';

/** Exit codes of the script itself; each comes with a line on stderr that begins with MARK. */
export const CODES = { notOwner: 91, changed: 92, locked: 93, incomplete: 94, noSystemd: 95 } as const;
const MARK = 'hitless-host:';

const SCRIPT = `#!/bin/sh
# Part of hitless: who may act on this host, and jobs that outlive a connection. Changes nothing by itself.
set -u
umask 077
here=\${0%/*}
verb=$1
shift

fail() { # code text
  echo "${MARK} $2" >&2
  exit "$1"
}

lock() { # name seconds: one command at a time per cluster
  command -v flock >/dev/null || fail ${CODES.noSystemd} 'flock is missing; install util-linux'
  exec 9>"$here/$1.lock" || fail ${CODES.locked} "$here can't be written to"
  flock -w "$2" 9 || fail ${CODES.locked} "another command of this cluster still runs here (see: fuser -v $PWD/$here/$1.lock)"
}

running() { # tags: units of these runs that still run
  [ -d /run/systemd/system ] || return 0
  for tag in "$@"; do
    list=$(systemctl list-units --all --full --plain --no-legend --type=service "hitless-$tag-*") ||
      fail ${CODES.noSystemd} 'systemctl does not answer'
    echo "$list" | while read -r unit load active sub rest; do
      case $active/$sub in
      activating/* | deactivating/* | reloading/* | active/running) echo "$unit" ;;
      esac
    done
  done
}

case $verb in
read) # name
  [ -e "$here/$1.json" ] && cat "$here/$1.json"
  exit 0
  ;;
set) # name seconds digest tags; the new record and "end" on stdin, a line each
  name=$1 seconds=$2 digest=$3
  shift 3
  IFS= read -r new
  IFS= read -r end && [ "$end" = end ] || fail ${CODES.incomplete} 'the new record arrived cut short'
  lock "$name" "$seconds"
  now=none
  [ -e "$here/$name.json" ] && now=$(sha256sum <"$here/$name.json" | cut -c 1-64)
  [ "$now" = "$digest" ] || fail ${CODES.changed} 'the owner changed meanwhile'
  printf '%s\\n' "$new" >"$here/$name.json.new" && mv -f "$here/$name.json.new" "$here/$name.json" || exit 1
  running "$@"
  ;;
act) # name seconds token command: runs it while the token is the owner's
  name=$1 seconds=$2 token=$3
  shift 3
  lock "$name" "$seconds"
  grep -qF "\\"token\\":\\"$token\\"" "$here/$name.json" || fail ${CODES.notOwner} "$(cat "$here/$name.json" 2>&1)"
  # A daemon that the command starts mustn't inherit the lock; this shell holds it until the command has ended.
  "$@" 9>&-
  ;;
settle) # seconds tags: waits until they have ended, and tells those that haven't
  looks=$((2 * $1))
  shift
  while list=$(running "$@") || exit $?; [ -n "$list" ] && [ "$looks" -gt 0 ]; do
    sleep 0.5
    looks=$((looks - 1))
  done
  echo "$list"
  ;;
start) # unit log call command: notes whose job it is, then starts it
  unit=$1 log=$2 call=$3
  shift 3
  boot=$(cat /proc/sys/kernel/random/boot_id)
  offset=$(stat -c %s -- "$log" 2>/dev/null || echo 0)
  printf '%s %s %s starting\\n' "$call" "$boot" "$offset" >"$here/$unit.job" || exit 1
  "$@" || exit $?
  printf '%s %s %s started\\n' "$call" "$boot" "$offset" >"$here/$unit.job"
  ;;
state) # unit log seconds: waits until it has ended, and tells where it stands
  unit=$1 log=$2 looks=$((2 * $3))
  while :; do
    show=$(systemctl show "$unit.service" -p LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus) ||
      fail ${CODES.noSystemd} 'systemctl does not answer'
    case $show in
    *ActiveState=activating* | *ActiveState=deactivating* | *ActiveState=reloading* | *SubState=running*) ;;
    *) break ;;
    esac
    [ "$looks" -gt 0 ] || break
    sleep 0.5
    looks=$((looks - 1))
  done
  echo "$show"
  echo "Boot=$(cat /proc/sys/kernel/random/boot_id)"
  echo "Record=$(cat "$here/$unit.job" 2>/dev/null)"
  echo "Size=$(stat -c %s -- "$log" 2>/dev/null || echo 0)"
  echo "Last=$(tail -c 2000 -- "$log" 2>/dev/null | tr '\\r' '\\n' | grep -v '^ *$' | tail -n 1)"
  ;;
forget) # unit
  rm -f -- "$here/$1.job"
  ;;
esac
`;

const PATH = `${HOME}/host-${createHash('sha256').update(SCRIPT).digest('hex').slice(0, 12)}.sh`;

/** Several attempts may do this at once; what arrived cut short isn't put in place. */
const PUT =
  'umask 077; mkdir -p -- "${1%/*}" && cat >"$1.$$" && [ "$(wc -c <"$1.$$")" -eq "$2" ] && mv -f -- "$1.$$" "$1"';

/** Argument vector that runs a verb of the script; the working directory of a login is the home. */
export const scriptArgv = (verb: string, ...args: readonly (string | number)[]): string[] => [
  '/bin/sh',
  PATH,
  verb,
  ...args.map(String),
];

/** Which complaint of the script a result is; undefined if it comes from the command that the script ran. */
export function complaint(result: Pick<ExecResult, 'code' | 'stderr'>): keyof typeof CODES | 'missing' | undefined {
  if (result.stderr.includes(MARK))
    return (Object.keys(CODES) as (keyof typeof CODES)[]).find((name) => CODES[name] === result.code);
  const missing = (result.code === 127 || result.code === 2) && result.stderr.includes(PATH);
  return missing && /no such file|can.?t open|cannot open/i.test(result.stderr) ? 'missing' : undefined;
}

/** The text after the mark, for messages. */
export const complaintText = (result: Pick<ExecResult, 'stderr'>): string =>
  result.stderr.slice(result.stderr.indexOf(MARK) + MARK.length).trim();

/** Runs a verb; puts the script in place first if it isn't there. Complaints are results; other failures are thrown. */
export async function runScript(
  host: Host,
  verb: string,
  args: readonly (string | number)[],
  options: Pick<ExecOptions, 'stdin' | 'timeoutMs'> = {},
): Promise<ExecResult> {
  const run = (): Promise<ExecResult> => host.exec(scriptArgv(verb, ...args), { ...options, okCodes: 'any' });
  let result = await run();
  if (complaint(result) === 'missing') {
    await host.exec(['/bin/sh', '-c', PUT, 'sh', PATH, String(Buffer.byteLength(SCRIPT))], { stdin: SCRIPT });
    result = await run();
  }
  if (result.code === 0 || complaint(result) !== undefined) return result;
  throw transient('CommandFailedRetryable', `${host.name}: ${verb} in ~/${HOME} failed: ${result.stderr.trim()}`, {
    host: host.name,
  });
}
