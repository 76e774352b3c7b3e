package e2e

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

type doctorView struct {
	OK     bool
	Checks []struct {
		Name, Status, Message string
		Fix                   *string
	}
}

func TestDoctor(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	check := func(when string) {
		t.Helper()
		v := ask[doctorView](w, 0, "doctor")
		if !v.OK || len(v.Checks) < 5 {
			t.Errorf("%s: %+v", when, v)
		}
		for _, f := range v.Checks {
			if f.Status == "problem" || f.Status != "ok" && f.Fix == nil {
				t.Errorf("%s: %+v", when, f)
			}
		}
		w.want(0, "doctor")
	}
	check("before anything is there")
	w.want(0, "sync")
	check("without a daemon")
	d := w.start()
	check("beside a daemon")
	d.signal(syscall.SIGKILL)
	d.wait()
	check("beside what a killed daemon left")
}

// A database that cannot be used: every command says so, and not a byte of it
// changes. The cases make it of a good one.
func TestUnusableDatabase(t *testing.T) {
	cases := []struct {
		name  string
		spoil func(w *world)
	}{
		{"garbage", func(w *world) {
			w.write(w.db(), "this is no database, and longer than the header of one is: "+string(make([]byte, 4096)))
		}},
		{"pages overwritten", func(w *world) { w.overwrite(4096, len(w.read(w.db()))) }},
		{"the page of agents overwritten", func(w *world) {
			page := w.cell("SELECT rootpage FROM sqlite_schema WHERE name = 'agents'")
			n, err := strconv.Atoi(page)
			w.must(err)
			w.overwrite((n-1)*4096, n*4096)
		}},
		{"cut off", func(w *world) { w.must(os.Truncate(w.db(), 10000)) }},
		{"too new", func(w *world) {
			w.sql("INSERT INTO mesh_controller_migrations (version_id, is_applied) VALUES (9999, 1)")
		}},
		{"another program's", func(w *world) {
			w.remove(w.db())
			w.write(w.db(), "")
			w.sql("CREATE TABLE theirs (a TEXT)")
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.fleet(3)
			w.want(0, "sync")
			c.spoil(w)
			w.manifest("p000", agentID(0), fields{"description": "edited"})
			before := w.read(w.db())
			for _, command := range []string{"doctor", "run", "sync", "plan", "agents"} {
				o := w.want(3, command, "-o", "json")
				e := errorShape.fits(t, command, decode[any](w, o.stderr))
				if body := bodyShape.fits(t, command, e["error"]); body["code"] != "database" || body["hint"] == "" {
					t.Errorf("%s: %v", command, body)
				}
				if after := w.read(w.db()); after != before {
					t.Fatalf("%s wrote to it", command)
				}
			}
			if got := w.want(3, "doctor"); !strings.Contains(got.stdout, "PROBLEM") {
				t.Errorf("doctor, for people:\n%s", got.stdout)
			}
		})
	}
}

// A database that is spoilt while a daemon runs is not written to: the daemon
// says that it is not ready, and lives.
func TestDatabaseSpoiltUnderADaemon(t *testing.T) {
	w := newWorld(t)
	w.fleet(3)
	d := w.start()
	w.overwrite(4096, len(w.read(w.db())))
	before := w.read(w.db())
	w.manifest("p000", agentID(0), fields{"description": "edited"})
	if o := w.run("sync", "-o", "json"); o.code == 0 || o.stdout != "" {
		t.Errorf("sync: %d %s", o.code, o.stdout)
	} else {
		w.oneError(o.stderr)
	}
	d.signal(syscall.SIGUSR1)
	eventually(t, func() error {
		if a := d.request(http.MethodGet, "/readyz", nil, ""); a.code != http.StatusServiceUnavailable {
			return fmt.Errorf("readyz %d: %s", a.code, a.body)
		}
		return nil
	})
	d.get("/healthz")
	if n := d.scrape().sum("mesh_controller_index_errors_total"); n == 0 {
		t.Error("no index error is counted")
	}
	if w.read(w.db()) != before {
		t.Error("it was written to")
	}
	d.stop()
}

// overwrite fills part of the database with noise.
func (w *world) overwrite(from, to int) {
	w.t.Helper()
	text := []byte(w.read(w.db()))
	_, err := rand.Read(text[from:to])
	w.must(err)
	w.must(os.WriteFile(w.db(), text, 0o600))
}
