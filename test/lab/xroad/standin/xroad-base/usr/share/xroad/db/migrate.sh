#!/bin/bash
# In place of Liquibase: migrate.sh NAME runs the changes of /usr/share/xroad/db/NAME that aren't in databasechangelog yet,
# each in a transaction with its row there; `*.runalways.sql` runs every time and renews its row, where the database has an
# admin user of its own (XROAD_CONTEXTS=admin; the real one has context="admin"): a cluster that was installed before 6.24.0
# has none, and a release without a change leaves its databasechangelog as it is. Needs PG* variables.
# One at a time: databasechangeloglock stays set where this is killed, as Liquibase's does.
name=$1
sql() { psql -XqtA -v ON_ERROR_STOP=1 "$@"; }

sql <<'EOF' || exit 1
CREATE TABLE IF NOT EXISTS databasechangelog (
  id varchar(255) NOT NULL, author varchar(255) NOT NULL, filename varchar(255) NOT NULL,
  dateexecuted timestamp NOT NULL, orderexecuted integer NOT NULL, exectype varchar(10) NOT NULL,
  md5sum varchar(35), description varchar(255), comments varchar(255), tag varchar(255),
  liquibase varchar(20), contexts varchar(255), labels varchar(255), deployment_id varchar(10));
CREATE TABLE IF NOT EXISTS databasechangeloglock (
  id integer PRIMARY KEY, locked boolean NOT NULL, lockgranted timestamp, lockedby varchar(255));
INSERT INTO databasechangeloglock VALUES (1, false) ON CONFLICT DO NOTHING;
EOF

lock() {
  sql -c "UPDATE databasechangeloglock SET locked = true, lockgranted = now(), lockedby = '$(hostname)' WHERE id = 1 AND NOT locked RETURNING id" | grep -q 1
}
# Liquibase waits five minutes for it; nobody has them here.
for _ in $(seq 1 "${XROAD_LOCK_SECONDS:-10}"); do
  lock && locked=yes && break
  echo >&2 "Waiting for changelog lock...."
  sleep 1
done
if [ -z "$locked" ]; then
  echo >&2 "Could not acquire change log lock.  Currently locked by $(sql -c 'SELECT lockedby FROM databasechangeloglock')"
  exit 1
fi

row() { # FILE ID EXECTYPE
  echo "INSERT INTO databasechangelog (id, author, filename, dateexecuted, orderexecuted, exectype, md5sum, liquibase)
    SELECT '$2', 'niis', '$name/$(basename "$1")', now(), coalesce(max(orderexecuted), 0) + 1, '$3', '9:$(md5sum <"$1" | cut -c1-32)', '4.29.2'
    FROM databasechangelog;"
}

status=0
for file in "/usr/share/xroad/db/$name"/*.sql; do
  id=$(basename "$file" .sql)
  id=${id%.runalways}
  known=$(sql -c "SELECT 1 FROM databasechangelog WHERE id = '$id'")
  case "$file" in
    *.runalways.sql)
      [ "$XROAD_CONTEXTS" = admin ] || continue
      [ -n "$known" ] && kind=RERAN || kind=EXECUTED
      { cat "$file"; echo "DELETE FROM databasechangelog WHERE id = '$id';"; row "$file" "$id" $kind; } |
        sql --single-transaction -f - || status=1
      ;;
    *)
      [ -n "$known" ] || { cat "$file"; row "$file" "$id" EXECUTED; } | sql --single-transaction -f - || status=1
      ;;
  esac
  [ $status = 0 ] || { echo >&2 "Migration failed for changeset $name/$id"; break; }
done
sql -c "UPDATE databasechangeloglock SET locked = false, lockgranted = NULL, lockedby = NULL" || status=1
[ $status = 0 ] && echo 'Liquibase: Update has been successful.'
exit $status
