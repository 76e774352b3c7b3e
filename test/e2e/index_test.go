package e2e

import (
	"database/sql"
	"fmt"
	"net/url"

	"github.com/ncruces/go-sqlite3/driver"
)

// sql lets another writer at the index.
func (w *world) sql(statement string, args ...any) {
	w.t.Helper()
	w.withIndex(func(db *sql.DB) error {
		_, err := db.ExecContext(w.t.Context(), statement, args...)
		return err
	})
}

// cell is one value of the index, as text.
func (w *world) cell(query string, args ...any) string {
	w.t.Helper()
	var v any
	w.withIndex(func(db *sql.DB) error { return db.QueryRowContext(w.t.Context(), query, args...).Scan(&v) })
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

func (w *world) withIndex(f func(db *sql.DB) error) {
	w.t.Helper()
	name := url.URL{Scheme: "file", OmitHost: true, Path: w.db(), RawQuery: "mode=rw&_pragma=busy_timeout(10000)"}
	db, err := driver.Open(name.String())
	w.must(err)
	err = f(db)
	w.must(db.Close())
	w.must(err)
}
