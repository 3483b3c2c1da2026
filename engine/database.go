package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	persistencespb "go.temporal.io/server/api/persistence/v1"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/serialization"
	persistencesql "go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/common/searchattribute/sadefs"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// lockDatabase keeps a second engine off the same file: two servers over one database would both believe that they own
// its history shard. The lock is a file of its own because closing any descriptor of the database would drop SQLite's own
// locks on it, and the kernel frees it however this process ends.
func lockDatabase(file string) (*os.File, error) {
	lock, err := os.OpenFile(file+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock beside the database: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner := make([]byte, 32)
		n, _ := lock.Read(owner)
		lock.Close()
		return nil, fmt.Errorf("database %s is in use by another engine (process %s)", file, strings.TrimSpace(string(owner[:n])))
	}
	if err := lock.Truncate(0); err == nil {
		fmt.Fprintln(lock, os.Getpid())
	}
	return lock, nil
}

// sqlConfig names the database to Temporal. WAL with synchronous NORMAL loses nothing when the process is killed, and at most
// the last moments, never consistency, when the machine loses power.
func sqlConfig(file string) *config.SQL {
	return &config.SQL{
		PluginName:   sqlite.PluginName,
		DatabaseName: strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(file), // it becomes part of a URI
		ConnectAttributes: map[string]string{
			"mode": "rwc", "journal_mode": "wal", "synchronous": "normal", "busy_timeout": "10000",
		},
	}
}

// schemaWriter lets Temporal's schema set-up run inside a transaction of ours, so that a file never has half a schema.
type schemaWriter struct {
	sqlplugin.AdminDB
	tx *sql.Tx
}

func (w schemaWriter) Exec(statement string, args ...any) error {
	_, err := w.tx.Exec(statement, args...)
	return err
}

// prepareSchema creates the schema in a new file, and refuses a file whose schema is another one: Temporal never migrates
// SQLite, and would fail on such a file much later, in the middle of an upgrade.
func prepareSchema(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600) // histories are nobody else's business
	if err != nil {
		return err
	}
	f.Close()
	found, err := schemaOf("file:" + sqlConfig(file).DatabaseName + "?_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)")
	if err != nil {
		return fmt.Errorf("cannot read or create the schema of %s: %w", file, err)
	}
	wanted, err := schemaOf("file::memory:")
	if err != nil {
		return err
	}
	if found != wanted {
		return fmt.Errorf("%s was made by another release of Temporal: its schema is not the one of %s, and Temporal doesn't convert SQLite files. "+
			"Finish its runs with the engine that made it, or name another file", file, versionLine())
	}
	return nil
}

// schemaOf opens a database, creates the schema where there is no table yet, and returns it as SQL text.
func schemaOf(dsn string) (string, error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return "", err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	tx, err := db.Begin()
	if err != nil {
		return "", err
	}
	defer tx.Rollback()
	var text sql.NullString
	const dump = `SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type, name)`
	if err := tx.QueryRow(dump).Scan(&text); err != nil {
		return "", err
	}
	if text.Valid {
		return text.String, nil
	}
	if err := sqliteschema.SetupSchemaOnDB(schemaWriter{tx: tx}); err != nil {
		return "", err
	}
	if err := tx.QueryRow(dump).Scan(&text); err != nil {
		return "", err
	}
	return text.String, tx.Commit()
}

// prepareNamespace creates the namespace, or brings an existing one to the wanted retention and search attributes. It works on
// the database before the server starts, so that everything holds from the first request: through the API, a new search
// attribute is refused until the server's caches have seen it.
func prepareNamespace(file, name string, retention time.Duration, attributes map[string]enumspb.IndexedValueType) error {
	cfg := sqlConfig(file)
	namespace, err := sqliteschema.NewNamespaceConfig(clusterName, name, false, nil)
	if err != nil {
		return err
	}
	if err := sqliteschema.CreateNamespaces(cfg, namespace); err != nil {
		return err
	}
	db, err := persistencesql.NewSQLDB(sqlplugin.DbKindUnknown, cfg, resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.SelectFromNamespace(context.Background(), sqlplugin.NamespaceFilter{Name: &name})
	if err != nil {
		return err
	}
	encoding, err := enumspb.EncodingTypeFromString(rows[0].DataEncoding)
	if err != nil {
		return err
	}
	serializer := serialization.NewSerializer()
	detail, err := serializer.NamespaceDetailFromBlob(&commonpb.DataBlob{Data: rows[0].Data, EncodingType: encoding})
	if err != nil {
		return err
	}
	before := proto.Clone(detail)
	detail.Config.Retention = durationpb.New(retention)
	if err := addSearchAttributes(detail.Config, attributes); err != nil {
		return fmt.Errorf("namespace %s: %w", name, err)
	}
	if proto.Equal(before, detail) {
		return nil
	}
	detail.ConfigVersion++
	blob, err := serializer.NamespaceDetailToBlob(detail)
	if err != nil {
		return err
	}
	row := rows[0]
	row.Data, row.DataEncoding = blob.Data, blob.EncodingType.String()
	_, err = db.UpdateNamespace(context.Background(), &row)
	return err
}

// addSearchAttributes gives each new attribute a free column of its type, as Temporal's own API does.
func addSearchAttributes(namespace *persistencespb.NamespaceConfig, wanted map[string]enumspb.IndexedValueType) error {
	columns := sadefs.GetDBIndexSearchAttributes(nil).CustomSearchAttributes
	if namespace.CustomSearchAttributeAliases == nil {
		namespace.CustomSearchAttributeAliases = map[string]string{}
	}
	taken := namespace.CustomSearchAttributeAliases
next:
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		for column, alias := range taken {
			if alias == name && columns[column] == wanted[name] {
				continue next
			} else if alias == name {
				return fmt.Errorf("search attribute %s is registered as %s, not as %s", name, columns[column], wanted[name])
			}
		}
		for _, column := range slices.Sorted(maps.Keys(columns)) {
			if _, used := taken[column]; !used && columns[column] == wanted[name] {
				taken[column] = name
				continue next
			}
		}
		return fmt.Errorf("no room for search attribute %s: every %s column of the database is taken", name, wanted[name])
	}
	return nil
}
