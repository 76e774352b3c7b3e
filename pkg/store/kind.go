package store

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mesh-registry/mesh-controller/migrations"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// kind of a database: who owns its schema.
type kind uint8

// The kinds. unmade is a database of ours that has no table yet.
const (
	unmade kind = iota
	ours
	dorkOS
)

const (
	ledgerTable  = "__drizzle_migrations"
	denialsTable = "agent_denials"
	ownPrefix    = "mesh_controller_"
	ownDenials   = ownPrefix + "denials"
	dorkName     = "dork.db"
)

// baseColumns are those that a table `agents` must have to be taken for an index
// at all; all of them are as old as the table.
var baseColumns = []string{
	"id", "name", "runtime", "project_path", "namespace", "capabilities_json",
	"entrypoint", "version", "description", "approver", "status",
	"last_seen_at", "last_seen_event", "registered_at", "updated_at",
}

// foreignLedgers are tables by which other programs claim a database as theirs.
var foreignLedgers = []string{
	"goose_db_version", "schema_migrations", "knex_migrations", "_prisma_migrations",
	"_sqlx_migrations", "alembic_version", "django_migrations", "flyway_schema_history",
	"__EFMigrationsHistory", "SequelizeMeta", "migrations", "ar_internal_metadata",
}

// schema is what was discovered of a database, anew with every connection:
// DorkOS may have upgraded it in between.
type schema struct {
	kind    kind
	tables  map[string]bool
	columns map[string]column // of agents
	applied map[int64]bool    // of our migrations

	present agent.FieldSet // fields whose column is there
	written agent.FieldSet // those of them that are ours to write
	denials string         // the table of the deny list, "" for none

	version int64 // as SQLite counts, before anything was looked at
	// unique: no two rows of agents share an id or a path, SQLite sees to it.
	unique bool
	// verbatim: nothing but affinities and defaults has a say in what is stored.
	verbatim bool

	fills     columnSet // what an insert says
	notNulls  columnSet // cannot take a NULL; they keep their default instead
	texts     columnSet // keep a text as it is
	integers  columnSet // keep an integer as it is
	nullsLeft columnSet // are NULL where a row says nothing of them, missing ones too
}

type column struct {
	notNull  bool
	affinity affinity
	// given: a row that says nothing of it gets a default that is not NULL.
	given bool
}

// affinity is what a column makes of a value (https://sqlite.org/datatype3.html).
type affinity uint8

const (
	converts affinity = iota // to something else than what is below
	keepsText
	keepsInteger
	keepsAll
)

func affinityOf(declared string) affinity {
	has := func(part string) bool { return strings.Contains(strings.ToUpper(declared), part) }
	switch {
	case has("INT"):
		return keepsInteger
	case has("CHAR"), has("CLOB"), has("TEXT"):
		return keepsText
	case has("BLOB"), declared == "":
		return keepsAll
	}
	return converts
}

func (sc *schema) has(column string) bool { _, ok := sc.columns[column]; return ok }

// own reports whether our tables are there.
func (sc *schema) own() bool { return sc.applied[migrations.Own] }

// inspect reads the schema and judges it; it writes nothing.
func inspect(c *conn, path string) (*schema, error) {
	sc := &schema{tables: map[string]bool{}, columns: map[string]column{}, applied: map[int64]bool{}}
	version, err := c.schemaVersion()
	if err != nil {
		return nil, err
	}
	sc.version = version
	err = c.query(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`,
		func(r *row) { sc.tables[r.text(0)] = true })
	if err != nil {
		return nil, err
	}
	err = c.query(`SELECT name, "notnull", type, dflt_value IS NOT NULL FROM pragma_table_info('agents')`, func(r *row) {
		sc.columns[r.text(0)] = column{r.int(1) != 0, affinityOf(r.text(2)), r.int(3) != 0}
	})
	if err != nil {
		return nil, err
	}
	err = c.query(`SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = 'agents')
		AND (SELECT encoding FROM pragma_encoding) = 'UTF-8',
		(SELECT count(*) FROM pragma_index_list('agents') AS l WHERE l."unique" AND NOT l.partial
			AND (SELECT group_concat(name) FROM pragma_index_info(l.name)) = 'id') > 0
		AND (SELECT count(*) FROM pragma_index_list('agents') AS l WHERE l."unique" AND NOT l.partial
			AND (SELECT group_concat(name) FROM pragma_index_info(l.name)) = 'project_path') > 0`,
		func(r *row) { sc.verbatim, sc.unique = r.int(0) != 0, r.int(1) != 0 })
	if err != nil {
		return nil, err
	}
	if sc.tables[migrations.Table] {
		err = c.query(`SELECT version_id FROM `+migrations.Table+` WHERE is_applied`,
			func(r *row) { sc.applied[r.int(0)] = true })
		if err != nil {
			return nil, err
		}
	}
	if err := sc.judge(path); err != nil {
		return nil, err
	}
	sc.derive()
	return sc, nil
}

// judge decides whose database this is, or why it is nobody's that we know.
func (sc *schema) judge(path string) error {
	refuse := func(kind error, format string, a ...any) error {
		return &UnusableError{Path: path, Kind: kind, Todo: fmt.Sprintf(format, a...)}
	}
	for v := range sc.applied {
		if v > migrations.Latest {
			return refuse(ErrTooNew, "its schema is version %d and this program knows %d; "+
				"update mesh-controller, or use the program that made it", v, migrations.Latest)
		}
	}
	switch {
	case sc.tables[ledgerTable]:
		sc.kind = dorkOS
		return sc.judgeDorkOS(refuse)
	case filepath.Base(path) == dorkName:
		// Never made a database of ours: DorkOS would not start on it.
		return refuse(ErrForeign, "DorkOS has not set it up (no %s); start DorkOS once, or name another database with --db", ledgerTable)
	case len(sc.tables) == 0:
		sc.kind = unmade
		return nil
	case !sc.tables["agents"] && !sc.ownTables():
		return refuse(ErrForeign, "it has tables, but no table agents; name another database with --db")
	}
	sc.kind = ours
	return sc.judgeOurs(refuse)
}

type refusal func(kind error, format string, a ...any) error

func (sc *schema) judgeDorkOS(refuse refusal) error {
	const todo = "start the current DorkOS on it once, which upgrades it"
	if !sc.tables["agents"] {
		return refuse(ErrTooOld, "DorkOS has not made its table agents; %s", todo)
	}
	if missing := sc.lacks(append(slices.Clone(baseColumns), requiredColumns()...)); missing != "" {
		return refuse(ErrTooOld, "its table agents has no column %s; %s", missing, todo)
	}
	return nil
}

func (sc *schema) judgeOurs(refuse refusal) error {
	for _, t := range foreignLedgers {
		if sc.tables[t] {
			return refuse(ErrForeign, "its table %s says that another program owns it; name another database with --db", t)
		}
	}
	if !sc.tables["agents"] {
		if sc.applied[migrations.Agents] {
			return refuse(ErrForeign, "its table agents is gone; restore a backup, or move the file away: the index is rebuilt from the manifests")
		}
		return nil // made half-way
	}
	if missing := sc.lacks(baseColumns); missing != "" {
		return refuse(ErrForeign, "its table agents has no column %s; name another database with --db", missing)
	}
	return nil
}

func (sc *schema) ownTables() bool {
	for t := range sc.tables {
		if strings.HasPrefix(t, ownPrefix) {
			return true
		}
	}
	return false
}

func (sc *schema) lacks(columns []string) string {
	for _, c := range columns {
		if !sc.has(c) {
			return c
		}
	}
	return ""
}

func requiredColumns() []string {
	columns := []string{"scan_root"}
	for i := range agent.FieldTable {
		if agent.FieldTable[i].Required {
			columns = append(columns, agent.FieldTable[i].Column)
		}
	}
	return columns
}

// derive fills in what follows from tables and columns.
func (sc *schema) derive() {
	for i := range agent.FieldTable {
		f := &agent.FieldTable[i]
		if !sc.has(f.Column) {
			continue
		}
		sc.present = sc.present.With(i)
		if sc.kind != dorkOS || !f.OwnOnly {
			sc.written = sc.written.With(i)
		}
	}
	for i := range int(numColumns) {
		col, there := sc.columns[columnName(i)]
		sc.notNulls = sc.notNulls.when(col.notNull, i)
		sc.texts = sc.texts.when(col.affinity == keepsText || col.affinity == keepsAll, i)
		sc.integers = sc.integers.when(col.affinity == keepsInteger || col.affinity == keepsAll, i)
		sc.nullsLeft = sc.nullsLeft.when(!there || !col.given, i)
	}
	sc.fills = fieldColumns(sc.written)
	for _, i := range []int{
		colID, colPath, colScanRoot, colStatus, colRegisteredAt, colApprover, colLastSeenAt,
		colLastSeenEvent, colEntrypoint, colVersion, colUpdatedAt,
	} {
		sc.fills = sc.fills.with(i)
	}
	switch {
	case sc.tables[denialsTable]:
		sc.denials = denialsTable
	case sc.tables[ownDenials]:
		sc.denials = ownDenials
	}
}

// pending lists the migrations that are not applied and should be.
func (sc *schema) pending() []int64 {
	var p []int64
	for v := int64(migrations.Agents); v <= migrations.Latest; v++ {
		if !sc.applied[v] && !sc.exempt(v) {
			p = append(p, v)
		}
	}
	return p
}

// exempt versions are never applied to this database.
func (sc *schema) exempt(v int64) bool {
	if v <= migrations.AgentsFields {
		return sc.kind == dorkOS
	}
	return v == migrations.Denials && sc.tables[denialsTable]
}
