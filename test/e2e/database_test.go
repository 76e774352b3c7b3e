package e2e

import (
	"bytes"
	"crypto/rand"
	"os"
	"testing"
)

type doctorView struct {
	OK       bool
	Findings []struct {
		Check, Status, Message string
		Todo                   *string
	}
}

func TestDoctor(t *testing.T) {
	w := newWorld(t)
	w.fleet(2)
	check := func(when string) {
		t.Helper()
		v := ask[doctorView](w, 0, "doctor")
		if !v.OK || len(v.Findings) < 5 {
			t.Errorf("%s: %+v", when, v)
		}
		for _, f := range v.Findings {
			if f.Status == "problem" || f.Status != "ok" && f.Todo == nil {
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
	d.signal(9)
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
		{"pages overwritten", func(w *world) { w.overwrite(4096) }},
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
			for _, command := range []string{"doctor", "run", "sync", "plan", "agents", "events"} {
				o := w.want(3, command, "-o", "json")
				e := errorShape.fits(t, command, decode[any](w, o.stderr))
				if body := bodyShape.fits(t, command, e["error"]); body["code"] != "database" || body["hint"] == "" {
					t.Errorf("%s: %v", command, body)
				}
				if after := w.read(w.db()); after != before {
					t.Fatalf("%s wrote to it", command)
				}
			}
			if got := w.want(3, "doctor"); !bytes.Contains([]byte(got.stdout), []byte("PROBLEM")) {
				t.Errorf("doctor, for people:\n%s", got.stdout)
			}
		})
	}
}

// overwrite fills the database with noise from an offset on.
func (w *world) overwrite(offset int) {
	w.t.Helper()
	text := []byte(w.read(w.db()))
	_, err := rand.Read(text[offset:])
	w.must(err)
	w.must(os.WriteFile(w.db(), text, 0o600))
}
