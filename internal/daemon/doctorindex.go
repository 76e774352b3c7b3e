package daemon

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
	"github.com/mesh-registry/mesh-controller/pkg/store"
)

func (e *examination) database(ctx context.Context) {
	db := e.s.DB
	_, err := os.Stat(db)
	if errors.Is(err, fs.ErrNotExist) {
		e.add(CheckDatabase, Hint, "`mesh-controller sync` makes it", "%s is not there yet", db)
		return
	}
	if err != nil {
		e.add(CheckDatabase, Problem, "make it readable for this user", "%v", err)
		return
	}
	index, err := store.Open(ctx, store.Options{Path: db, ReadOnly: true, QuickCheck: true})
	var unusable *store.UnusableError
	switch {
	case errors.As(err, &unusable):
		e.add(CheckDatabase, Problem, unusable.Todo, "%v", err)
		return
	case err != nil:
		e.add(CheckDatabase, Problem, "make the file and its directory readable, or name another with --db", "%v", err)
		return
	}
	defer index.Close()
	for _, notice := range index.Notices() {
		e.add(CheckDatabase, Hint, "name the one that is meant with --db", "%s", notice)
	}
	e.ok(CheckDatabase, "can be used")
	e.recordedTime(ctx, index)
}

// clockSlack is how far what was written may lie ahead of the clock: clocks are
// set back by less than this every day.
const clockSlack = time.Minute

// recordedTime compares the clock with what the index remembers.
func (e *examination) recordedTime(ctx context.Context, index *store.Store) {
	last, err := lastRecorded(ctx, index)
	if err != nil {
		return // the index was read a moment ago; there is nothing to compare
	}
	if ahead := last.Sub(e.now); ahead > clockSlack {
		e.add("clock", Problem, "set the clock: graces are counted by it, and nothing is removed before its time",
			"the index was written at %s, %s ahead of the clock", agent.FormatTime(last), ahead.Round(time.Second))
	}
}

// lastRecorded is the newest time that the index holds, of an event or a row.
func lastRecorded(ctx context.Context, index *store.Store) (time.Time, error) {
	var last time.Time
	events, err := index.Events(ctx, agent.EventFilter{Limit: 1})
	if err != nil {
		return last, err
	}
	for _, e := range events {
		last = e.At
	}
	list, _, err := index.List(ctx)
	if err != nil {
		return last, err
	}
	ids := make([]agent.ID, 0, len(list.Entries))
	for i := range list.Entries {
		ids = append(ids, list.Entries[i].ID)
	}
	views, _, err := index.Read(ctx, ids, nil)
	for _, v := range views {
		if v.Row == nil {
			continue
		}
		if at := agent.ParseTime(v.Row.UpdatedAt); at.After(last) {
			last = at
		}
	}
	return last, err
}

func (e *examination) clock() {
	// No release of this program is older.
	if first := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC); e.now.Before(first) {
		e.add("clock", Problem, "set the clock: graces are counted by it", "it is said to be %s", agent.FormatTime(e.now))
		return
	}
	if !slices.ContainsFunc(e.findings, func(f Finding) bool { return f.Name == "clock" }) {
		e.ok("clock", "%s", agent.FormatTime(e.now))
	}
}

// holdsOn is how long a writer may hold the index before it is worth a word: a
// burst of writes takes a few milliseconds.
const holdsOn = 300 * time.Millisecond

// writers names who holds the index for writing and is not the controller.
func (e *examination) writers(ctx context.Context) {
	before := e.writingNow()
	if len(before) == 0 {
		return
	}
	select {
	case <-ctx.Done():
		return
	case <-time.After(holdsOn):
	}
	for _, pid := range e.writingNow() {
		if slices.Contains(before, pid) {
			e.add("database-lock", Hint, "let it finish, or stop it: writes of the controller wait for it and then fail as locked",
				"%s holds the index for writing", processText(pid))
		}
	}
}

// Where SQLite locks while it writes: a byte of the -shm file, and without one
// three bytes and a range of the database.
const (
	shmWriteLock = 120
	pendingLock  = 0x40000000
)

func (e *examination) writingNow() []int {
	var pids []int
	look := func(path string, writes func(from int64) bool) {
		locks, _ := writeLocks(path)
		for _, l := range locks {
			if l.kind != "FLOCK" && writes(l.from) && !e.isController(l.pid) && !slices.Contains(pids, l.pid) {
				pids = append(pids, l.pid)
			}
		}
	}
	look(e.s.DB+"-shm", func(from int64) bool { return from == shmWriteLock })
	look(e.s.DB, func(from int64) bool { return from >= pendingLock })
	return pids
}

func (e *examination) isController(pid int) bool {
	return pid == os.Getpid() || e.daemon != nil && pid == e.daemon.Status.PID
}
