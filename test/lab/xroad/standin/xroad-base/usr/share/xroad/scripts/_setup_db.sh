#!/bin/bash
# Sourced by the set-up scripts of the databases: setup_database NAME DEFAULT_HOST:PORT
# Creates the database and its two roles where they aren't there, then runs the migrations.

log() { echo >&2 "$@"; }
die() { log "$@"; exit 1; }

get_prop() { crudini --get "$1" '' "$2" 2>/dev/null || echo -n "$3"; }
gen_pw() { head -c 24 /dev/urandom | base64 | tr '/+' '_-'; }

setup_database() {
  local -r name=$1 db_properties=/etc/xroad/db.properties root_properties=/etc/xroad.properties
  local -r url=$(get_prop $db_properties "$name.hibernate.connection.url" "jdbc:postgresql://$2/$name")
  [[ $url =~ ^jdbc:postgresql://([^:/]+):([0-9]+)/([a-z]+) ]] || die "Unable to parse '$url'"
  local -r host=${BASH_REMATCH[1]} port=${BASH_REMATCH[2]} database=${BASH_REMATCH[3]}
  local -r password=$(get_prop $db_properties "$name.hibernate.connection.password" "$(gen_pw)")
  local -r admin_password=$(get_prop $root_properties "$name.database.admin_password" "$(gen_pw)")
  local -r fault="please check database availability and configuration in $db_properties and $root_properties"

  as_master() { su -l -c "psql -qtA -v ON_ERROR_STOP=1 -p $port $*" postgres; }

  if PGCONNECT_TIMEOUT=5 PGPASSWORD=$password psql -qtA -h "$host" -p "$port" -U "$name" -d "$database" -c '\q' &>/dev/null; then
    log "Database and user exists, skipping database creation."
  else
    as_master <<EOF || die "Creating database '$database' on '$host:$port' failed, $fault"
CREATE ROLE "${name}_admin" LOGIN PASSWORD '$admin_password';
CREATE ROLE "$name" LOGIN PASSWORD '$password';
CREATE DATABASE "$database" ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE "$database" FROM PUBLIC;
GRANT CREATE,TEMPORARY,CONNECT ON DATABASE "$database" TO "${name}_admin";
GRANT TEMPORARY,CONNECT ON DATABASE "$database" TO "$name";
\\c "$database"
CREATE SCHEMA "$name" AUTHORIZATION "${name}_admin";
EOF
    touch $root_properties $db_properties
    chmod 600 $root_properties
    crudini --set --inplace $root_properties '' "$name.database.admin_user" "${name}_admin"
    crudini --set --inplace $root_properties '' "$name.database.admin_password" "$admin_password"
    crudini --set $db_properties '' "$name.hibernate.connection.url" "$url"
    crudini --set $db_properties '' "$name.hibernate.connection.username" "$name"
    crudini --set $db_properties '' "$name.hibernate.connection.password" "$password"
    chown xroad:xroad $db_properties
    chmod 640 $db_properties
  fi

  local -r admin_user=$(get_prop $root_properties "$name.database.admin_user" '')
  [ -n "$admin_user" ] && contexts=admin || contexts=user
  local -r user=${admin_user:-$name}
  [ -n "$admin_user" ] && secret=$admin_password || secret=$password
  PGPASSWORD=$secret PGHOST=$host PGPORT=$port PGDATABASE=$database PGUSER=$user XROAD_CONTEXTS=$contexts \
    PGOPTIONS="-c search_path=$name,public -c client_min_messages=warning" \
    /usr/share/xroad/db/migrate.sh "$name" || die "Running database migrations failed, $fault"
}
