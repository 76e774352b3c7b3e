package sim

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// database is the content of an index file.
type database struct {
	rows     map[agent.ID]agent.Record
	states   map[agent.ID]agent.State
	graves   map[agent.ID]agent.Tombstone
	problems map[agent.ID][]agent.Problem // in order
	roots    map[string]agent.Root
	left     map[string]bool
	denied   map[string]agent.Denial
	events   []agent.Event
	paused   bool
	lost     bool
	lostAt   time.Time // when that was last found out, found again or not
	stamp    int       // 0: never written
}

func newDatabase() *database {
	return &database{
		rows: map[agent.ID]agent.Record{}, states: map[agent.ID]agent.State{}, graves: map[agent.ID]agent.Tombstone{},
		problems: map[agent.ID][]agent.Problem{}, roots: map[string]agent.Root{}, left: map[string]bool{}, denied: map[string]agent.Denial{},
	}
}

// clone is a backup. No value in it is ever written to.
func (db *database) clone() *database {
	c := *db
	c.rows, c.states, c.graves, c.problems = maps.Clone(db.rows), maps.Clone(db.states), maps.Clone(db.graves), maps.Clone(db.problems)
	c.roots, c.left, c.denied = maps.Clone(db.roots), maps.Clone(db.left), maps.Clone(db.denied)
	c.events = slices.Clip(db.events) // whoever appends first copies
	return &c
}

// lock is the file beside the index.
type lock struct {
	stamp   int
	unclean bool
}

// standing is the id whose row names a path, "" for none.
func (db *database) standing(path string) agent.ID {
	for id := range db.rows {
		if db.rows[id].Path == path {
			return id
		}
	}
	return ""
}

// at is where an id is recorded: its row, else its tombstone in its grace.
func (db *database) at(id agent.ID) string {
	if row, ok := db.rows[id]; ok {
		return row.Path
	}
	if t, ok := db.graves[id]; ok && t.Reason == agent.Displaced {
		return t.Record.Path
	}
	return ""
}

// stored is a time as the index keeps it.
func stored(t time.Time) time.Time { return agent.ParseTime(agent.FormatTime(t)) }

func itoa(n int) string { return strconv.Itoa(n) }
