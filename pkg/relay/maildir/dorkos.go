package maildir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
)

// A DorkOS that runs keeps its endpoints in memory. A mailbox that is taken
// from it is not noticed: it goes on accepting letters for it and drops them.
// It announces itself in <dork-home>/instance.lock, which it may leave behind
// when it crashes. That file is only ever read here.

// dorkos looks whether one is running.
type dorkos struct {
	home string // "": there is none
	proc string // where /proc is mounted

	// dead is the announcement that was last proven stale. A process that
	// began by then and is gone does not come back.
	dead instance
}

// instance is one run of DorkOS. The zero value is one that is known only by
// the presence of its file.
type instance struct {
	pid     int
	started time.Time
}

// after reports whether i is a run that began after the run before.
func (i instance) after(before instance) bool {
	return !before.started.IsZero() && i.started.After(before.started)
}

// living returns the run that is alive. Whatever cannot be told counts as
// alive: a step that waits for nothing costs less than swallowed mail.
func (d *dorkos) living() (instance, bool) {
	if d.home == "" {
		return instance{}, false
	}
	raw, err := os.ReadFile(filepath.Join(d.home, "instance.lock"))
	if errors.Is(err, fs.ErrNotExist) {
		return instance{}, false
	}
	if err != nil {
		return instance{}, true
	}
	i, ok := parseInstance(raw)
	switch {
	case !ok:
		return instance{}, true
	case i == d.dead:
		return i, false
	case processes{d.proc}.mayLive(i.pid, i.started):
		return i, true
	}
	d.dead = i
	return i, false
}

func parseInstance(raw []byte) (i instance, ok bool) {
	var file struct {
		PID       int    `json:"pid"`
		StartedAt string `json:"startedAt"`
	}
	if err := json.Unmarshal(raw, &file, jsonOptions); err != nil || file.PID <= 0 {
		return i, false
	}
	started, err := time.Parse(time.RFC3339, file.StartedAt)
	if err != nil {
		return i, false
	}
	return instance{file.PID, started.UTC()}, true
}
