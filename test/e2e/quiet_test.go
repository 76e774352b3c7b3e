package e2e

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A fleet on which nothing happens: sweeps come and go, and neither a file nor
// the log shows it.
func TestQuiet(t *testing.T) {
	w := newWorld(t, "resync-interval", "300ms", "resync-jitter", "0")
	w.fleet(20)
	d := w.start()
	w.copyProject("p000", "copy")
	w.write(manifestOf(w.project("p001")), "{")
	w.remove(w.project("p002"))
	w.want(0, "sync")
	w.age(w.db()) // what is younger is looked into once more

	const interval = `mesh_controller_sweeps_total{result="ok",trigger="interval"}`
	log, files, began := w.read(d.log), w.tree(), d.scrape()
	eventually(t, func() error {
		if n := d.scrape()[interval]; n < began[interval]+3 {
			return fmt.Errorf("%v sweeps", n-began[interval])
		}
		return nil
	})
	if diff := cmp.Diff(files, w.tree()); diff != "" {
		t.Errorf("files changed (-before +after):\n%s", diff)
	}
	if _, err := os.Lstat(w.db() + "-wal"); err == nil {
		t.Error("there is a -wal file")
	}
	if more := w.read(d.log)[len(log):]; more != "" {
		t.Errorf("it logged:\n%s", more)
	}
	after := d.scrape()
	for _, prefix := range []string{"mesh_controller_drift_", "mesh_controller_actions_total", "mesh_controller_removals_total"} {
		if a, b := began.sum(prefix), after.sum(prefix); a != b {
			t.Errorf("%s* moved by %v", prefix, b-a)
		}
	}
}

// age waits until a file is older than what counts as racy.
func (w *world) age(path string) {
	w.t.Helper()
	eventually(w.t, func() error {
		info, err := os.Stat(path)
		w.must(err)
		if age := time.Since(info.ModTime()); age < 2500*time.Millisecond {
			return fmt.Errorf("%s is %s old", path, age)
		}
		return nil
	})
}
