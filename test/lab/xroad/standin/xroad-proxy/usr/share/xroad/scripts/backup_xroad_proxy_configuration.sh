#!/bin/bash
# backup_xroad_proxy_configuration.sh -s SECURITY_SERVER_ID -f FILE, as user xroad: configuration and serverconf in one archive.
while getopts 's:f:' option; do
  case $option in
    s) server=$OPTARG ;;
    f) file=$OPTARG ;;
    *) exit 2 ;;
  esac
done
[ -n "$server" ] && [ -n "$file" ] || { echo >&2 'Usage: backup_xroad_proxy_configuration.sh -s <id> -f <file>'; exit 2; }

property() { crudini --get /etc/xroad/db.properties '' "serverconf.hibernate.connection.$1"; }
[[ $(property url) =~ ^jdbc:postgresql://([^:/]+):([0-9]+)/([a-z]+) ]] || { echo >&2 'db.properties names no database'; exit 1; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
echo "$server" >"$work/label"
PGPASSWORD=$(property password) pg_dump -h "${BASH_REMATCH[1]}" -p "${BASH_REMATCH[2]}" -U "$(property username)" \
  -n serverconf -f "$work/serverconf.sql" "${BASH_REMATCH[3]}" || exit 1
tar -cf "$file" -C "$work" label serverconf.sql -C / --exclude etc/xroad/postgresql etc/xroad || exit 1
echo "Backup file saved to $file"
