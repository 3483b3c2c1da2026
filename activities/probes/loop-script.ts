/**
 * The program that runs on a probing host: one bash process started over one SSH channel, one loop per probe, one line per
 * round. A probe a second for a month would otherwise be 2.6 million SSH commands.
 *
 * Needs bash 5 (EPOCHREALTIME), timeout, tail, head, tr, base64 (coreutils); curl for http probes; `ip` and /proc/uptime are
 * used if there.
 * The loops end when the channel closes, and when no line came over stdin for DEAD_MAN_S: a worker that vanished without
 * a word leaves nothing running.
 */
import { parseEndpoint, type CommandProbe, type HttpProbe, type TcpProbe } from './spec';
import type { CommandOutcome, HttpOutcome, TcpOutcome } from './classify';

export type LoopedProbe = (TcpProbe | HttpProbe | CommandProbe) & {
  readonly intervalMs: number;
  readonly timeoutMs: number;
};

/** Silence of the worker after which the loops end, seconds. */
export const DEAD_MAN_S = 30;
/** How often the worker says that it lives. */
export const ALIVE_EVERY_MS = 5_000;

/** One word for bash, whatever is in it. */
export const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

/** `rounds` 0 runs until the channel closes, or nothing came over it for `deadManS` seconds. */
export function loopScript(probes: readonly LoopedProbe[], rounds = 0, deadManS = DEAD_MAN_S): string {
  const loops = probes.map((probe, index) => {
    // Rounds of several probes spread over the interval instead of forking all at once.
    const startAfterMs = Math.min(Math.floor((index * 1_000) / probes.length), probe.intervalMs);
    return `every ${index} ${probe.intervalMs} ${rounds === 0 ? startAfterMs : 20 * index} ${measure(probe)} &`;
  });
  return `${PROLOGUE}
ROUNDS=${rounds}
${loops.join('\n')}
${rounds === 0 ? `while read -r -t ${deadManS} _; do :; done` : 'wait'}
printf 'E\\n'
`;
}

function measure(probe: LoopedProbe): string {
  const timeout = seconds(probe.timeoutMs);
  switch (probe.kind) {
    case 'tcp': {
      const { address, port } = parseEndpoint(probe.to) ?? { address: '', port: 0 };
      return `tcp ${quote(address)} ${port} ${timeout} ${controlWords(probe.control)}`;
    }
    case 'http': {
      const host = new URL(probe.url).hostname.replace(/^\[|\]$/g, '');
      return `http ${quote(probe.url)} ${quote(host)} ${timeout} ${quote(probe.contains ?? '')} ${quote(probe.ca ?? '')} ${controlWords(probe.control)}`;
    }
    case 'command':
      return `${probe.sudo ? 'command_as_root' : 'command_as_user'} ${timeout} ${probe.argv.map(quote).join(' ')}`;
  }
}

/** Two words: address and port of the control target; port empty for a ping, both empty for none. */
function controlWords(control: string | undefined): string {
  if (control === undefined) return "'' ''";
  const endpoint = parseEndpoint(control);
  return endpoint === undefined ? `${quote(control)} ''` : `${quote(endpoint.address)} ${endpoint.port}`;
}

/** A dollar and brace would be taken by TypeScript, so they are written with a backslash here. */
const bash = (strings: TemplateStringsArray): string => (strings.raw[0] ?? '').replaceAll('\\${', '${');

/** Fields of a line are tabs apart; a line stays below 4096 bytes so that loops writing at once don't mix theirs. */
const PROLOGUE = bash`export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
if [[ -z "$EPOCHREALTIME" ]]; then printf 'F\tbash %s is too old, version 5 is needed\n' "$BASH_VERSION"; exit 3; fi
exec 9<> <(:)
# Milliseconds in NOW that never step: the clock's, which is exact, less what it was set by since it was last held against the
# time since the start of this host, which can't be set but comes in hundredths of a second.
wall() { WALL=\${EPOCHREALTIME/[.,]/}; }
SET=0
now() {
  local up; wall; NOW=$(( WALL / 1000 - SET ))
  { read -r up _ < /proc/uptime; } 2>/dev/null || return 0
  up=$(( 10#\${up/./} * 10 )); (( NOW - up > 100 || up - NOW > 100 )) && { SET=$(( SET + NOW - up )); NOW=$up; }
  return 0
}
rest() { local s; printf -v s '%d.%03d' $(( $1 / 1000 )) $(( $1 % 1000 )); read -r -t "$s" -u 9; }
clean() { C=\${1//[$'\t\r\n']/ }; C=\${C:0:200}; }
every() {
  local index=$1 interval=$2 next at count=0 R; now; next=$(( NOW + $3 )); shift 3
  while :; do
    now; (( next > NOW )) && rest $(( next - NOW ))
    now; at=$NOW; "$@"; now
    printf 'P\t%s\t%s\t%s\t%s\n' "$index" "$at" $(( NOW - at )) "$R" || exit 1
    (( ROUNDS > 0 && ++count >= ROUNDS )) && exit 0
    next=$(( next + interval )); (( next <= NOW )) && next=$(( NOW + interval - (NOW - next) % interval ))
  done
}
# What is wrong with this host itself, in O. Connecting a UDP socket sends nothing: it only asks the own routing table.
own() {
  local m line state; O=
  if ! m=$( { exec 3<>"/dev/udp/$1/9"; } 2>&1 ); then
    m=\${m%%$'\n'*}; clean "\${m##*: }"; O="this host has no way to $1: $C"; return
  fi
  if [[ $1 =~ ^[0-9.]+$ || $1 == *:* ]] && line=$(ip -o route get "$1" 2>/dev/null) && [[ $line =~ \ dev\ ([^ ]+) ]]; then
    line=\${BASH_REMATCH[1]}; read -r state 2>/dev/null < "/sys/class/net/$line/operstate"
    case $state in down|lowerlayerdown|notpresent) O="this host's interface $line is $state"; return;; esac
  fi
  if [[ -n $2 && -n $3 ]]; then
    m=$(timeout "$4" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$2" "$3" 2>&1)
    case "$?:$m" in 0:*|*refused*) ;; *) O="control target $2:$3 doesn't answer this host either";; esac
  elif [[ -n $2 ]]; then
    m=$(timeout "$4" ping -n -c 1 "$2" 2>&1) || { clean "\${m%%$'\n'*}"; O="control target $2 doesn't answer this host either ($C)"; }
  fi
}
# A host that is short of processor time can't tell a silent peer from its own slowness: $1 limit, $2 begin of the try.
busy() {
  local ms=$(( 10#\${1/./} )) began; now
  if (( (NOW - $2) * 2 > ms * 3 )); then O="this host is too busy to tell: a try of $ms ms took $(( NOW - $2 )) ms"; return 0; fi
  began=$NOW; timeout "$1" bash -c :; now
  if (( (NOW - began) * 2 > ms )); then O="this host is too busy to tell: starting a process took $(( NOW - began )) ms"; return 0; fi
  return 1
}
tcp() {
  local m code state O=
  m=$(timeout "$3" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1); code=$?
  case "$code:$m" in
    0:*) state=open;;
    124:*|*timed\ out*) state=timeout;;
    126:*|127:*|*esolution*|*hostname*|*not\ known*|*fork*|*open\ files*) state=error;;
    *) state=refused;;
  esac
  [[ $state == timeout ]] && busy "$3" "$at" || [[ $state == open ]] || own "$1" "$4" "$5" "$3"
  m=\${m%%$'\n'*}; clean "\${m##*: }"; R="$state"$'\t'"$C"$'\t'"$O"
}
http() {
  local out code status found=- O= more=(-o /dev/null)
  [[ -n $4 ]] && more=()
  [[ -n $5 ]] && more+=(--cacert "$5")
  out=$(set -o pipefail; curl -q -sS -g --noproxy '*' --proto '=http,https' -m "$3" "\${more[@]}" -w '\n%{http_code}' --url "$1" 2>&1 | tail -c 262144 | tr -d '\0'); code=$?
  status=\${out##*$'\n'}; out=\${out%$'\n'*}
  if [[ -n $4 ]]; then if [[ $out == *"$4"* ]]; then found=1; else found=0; fi; fi
  if (( code == 0 )); then out=; else out=\${out##*curl: }; (( code == 28 )) && busy "$3" "$at" || [[ $status =~ ^[1-5][0-9][0-9]$ ]] || own "$2" "$6" "$7" "$3"; fi
  clean "$out"; R="$code"$'\t'"$status"$'\t'"$found"$'\t'"$C"$'\t'"$O"
}
command_as_user() {
  local all code b64 limit=$1 mark=$'\x1e'; shift
  all=$( { b64=$(timeout "$limit" "$@" 2>&3 </dev/null | { head -c 2000; cat >/dev/null; } | base64 -w 0; exit "\${PIPESTATUS[0]}"); printf '\x1e%s\x1e%s' "$?" "$b64"; } 3>&1 )
  b64=\${all##*$mark}; all=\${all%$mark*}; code=\${all##*$mark}; clean "\${all%$mark*}"
  R="$code"$'\t'"$b64"$'\t'"$C"
}
command_as_root() {
  local limit=$1; shift
  if (( EUID == 0 )); then command_as_user "$limit" "$@"; else command_as_user "$limit" sudo -n -- "$@"; fi
}
trap 'kill $(jobs -p) 2>/dev/null' EXIT
trap 'exit 143' TERM HUP INT PIPE
printf 'H\t%s\n' "$BASH_VERSION"`;

export type LoopLine =
  /** The loops run. */
  | { readonly type: 'hello'; readonly version: string }
  /** They can't run on this host, and why. */
  | { readonly type: 'fault'; readonly why: string }
  | { readonly type: 'end' }
  | { readonly type: 'round'; readonly index: number; readonly ms: number; readonly fields: readonly string[] };

/** Undefined for anything else: banners, noise of login scripts, half a line. */
export function parseLine(line: string): LoopLine | undefined {
  const [type, ...rest] = line.replace(/\r$/, '').split('\t');
  if (type === 'H' && rest.length === 1) return { type: 'hello', version: rest[0] ?? '' };
  if (type === 'F' && rest.length === 1) return { type: 'fault', why: rest[0] ?? '' };
  if (type === 'E' && rest.length === 0) return { type: 'end' };
  const [index, at, ms, ...fields] = rest;
  if (type !== 'P' || !/^\d+$/.test(index ?? '') || !/^\d+$/.test(at ?? '') || !/^-?\d+$/.test(ms ?? ''))
    return undefined;
  // The host's time isn't ours: only durations are taken from it.
  return { type: 'round', index: Number(index), ms: Math.max(0, Number(ms)), fields };
}

const given = (text: string | undefined): { own: string } | object => (text ? { own: text } : {});

export function tcpOutcome(ms: number, fields: readonly string[]): TcpOutcome | undefined {
  const [state, message, own] = fields;
  if (fields.length !== 3 || (state !== 'open' && state !== 'refused' && state !== 'timeout' && state !== 'error'))
    return undefined;
  return { state, message: message ?? '', ms, ...given(own) };
}

/** curl's exit codes that speak of this host: syntax, no memory, name not resolved, interface, certificate file, no such program. */
const OWN_CURL_CODES = new Map([
  [1, 'curl doesn’t know the protocol'],
  [2, 'curl couldn’t start'],
  [3, 'curl doesn’t understand the URL'],
  [5, 'the proxy’s name doesn’t resolve'],
  [6, 'the name doesn’t resolve'],
  [27, 'curl is out of memory'],
  [45, 'the interface can’t be used'],
  [58, 'the client certificate can’t be used'],
  [77, 'the CA file can’t be read'],
  [126, 'curl can’t be run'],
  [127, 'curl isn’t installed'],
]);

export function httpOutcome(ms: number, fields: readonly string[]): HttpOutcome | undefined {
  const [code, status, found, message, own] = fields;
  if (fields.length !== 5 || !/^\d+$/.test(code ?? '')) return undefined;
  const answered = /^[1-5]\d\d$/.test(status ?? '');
  const fault = OWN_CURL_CODES.get(Number(code));
  const said = message === '' ? `curl ended with code ${code}` : (message ?? '');
  return {
    ...(answered ? { status: Number(status), ...(code === '0' ? {} : { broken: said }) } : {}),
    ...(found === '-' ? {} : { contains: found === '1' }),
    message: said,
    ms,
    ...given(own !== '' ? own : fault === undefined ? undefined : `${fault} on this host: ${said}`),
  };
}

export function commandOutcome(ms: number, fields: readonly string[]): CommandOutcome | undefined {
  const [code, base64, message] = fields;
  if (fields.length !== 3 || !/^\d+$/.test(code ?? '')) return undefined;
  return {
    code: Number(code),
    output: Buffer.from(base64 ?? '', 'base64').toString('utf8'),
    message: message ?? '',
    ms,
  };
}
