//go:build faults && linux

package faults

import (
	"os"
	"testing"
)

// mortal settings: an absence ends soon.
var mortal = []string{"orphan-grace", "1s", "settle", "500ms", "mass-missing-ratio", "0"}

// A volume that is pulled takes nobody with it, however short the grace, and
// whatever lies at its place meanwhile; it is whole when it is back.
func TestUnplugged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		pull func(w *world, volume string)
	}{
		{"pulled", func(_ *world, volume string) { unmount(volume) }},
		{"pulled, another at its place", func(w *world, volume string) {
			unmount(volume)
			other := w.stick("other")
			other.plug(volume)
		}},
		{"pulled, another with other agents at its place", func(w *world, volume string) {
			other := w.stick("other")
			w.manifest(other.home+"/p000", "OTHER", "")
			unmount(volume)
			other.plug(volume)
		}},
		{"another mounted over it", func(w *world, volume string) { w.tmpfs(volume, "size=1m") }},
		{"its directory is gone too", func(w *world, volume string) {
			unmount(volume)
			w.must(os.Remove(volume))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, mortal...)
			volume := w.project("volume")
			s := w.stick("stick")
			w.fleet(s.home, 3)
			s.plug(volume)
			w.manifest(w.project("local"), "LOCAL", "")
			d := w.start()
			w.eachSays("active InSync", append(ids(3), "LOCAL")...)
			letter := w.home + "/relay/mailboxes/relay.agent.team." + agentID(1) + "/new/letter"
			w.must(os.WriteFile(letter, []byte("dear"), 0o600))
			registered := w.cell("SELECT registered_at FROM agents WHERE id = ?", agentID(1))

			c.pull(w, volume)
			w.eachSays("unreachable VolumeMissing held VolumeMissing", ids(3)...)
			began := w.agents()
			d.moreSweeps(6) // the grace is over twice
			for id, a := range w.agents() {
				if before := began[id]; before.MissingSince != nil && *a.MissingSince != *before.MissingSince {
					t.Errorf("%s: the clock was set anew: %s, %s", id, *before.MissingSince, *a.MissingSince)
				}
			}
			w.eachSays("unreachable VolumeMissing held VolumeMissing", ids(3)...)
			w.eachSays("active InSync", "LOCAL")

			unmount(volume)
			s.plug(volume)
			w.eachSays("active InSync", ids(3)...)
			w.neverRemoved()
			if text, err := os.ReadFile(letter); string(text) != "dear" {
				t.Errorf("mail: %q %v", text, err)
			}
			if got := w.cell("SELECT registered_at FROM agents WHERE id = ?", agentID(1)); got != registered {
				t.Errorf("registered at %s, was %s", got, registered)
			}
			if got := w.cell("SELECT count(*) FROM mesh_controller_agents WHERE missing_since IS NOT NULL AND agent_id LIKE 'AGENT%'"); got != "0" {
				t.Errorf("%s clocks", got)
			}
			d.stop()
		})
	}
}

// It is pulled while nobody looks, and pulled again during a restart.
func TestUnpluggedBetweenRuns(t *testing.T) {
	w := newWorld(t, mortal...)
	volume := w.project("volume")
	s := w.stick("stick")
	w.fleet(s.home, 3)
	s.plug(volume)
	w.sync()
	unmount(volume)
	for range 3 { // as a one-shot, no settle protects it
		w.sync()
		d := w.start()
		d.moreSweeps(5)
		d.kill()
	}
	w.eachSays("unreachable VolumeMissing held VolumeMissing", ids(3)...)
	s.plug(volume)
	w.sync()
	w.eachSays("active InSync", ids(3)...)
	w.neverRemoved()
}

// A volume that stays away for longer than its own grace loses its agents.
func TestUnpluggedForGood(t *testing.T) {
	w := newWorld(t, append([]string{"unmounted-grace", "2s"}, mortal...)...)
	volume := w.project("volume")
	s := w.stick("stick")
	w.fleet(s.home, 2)
	s.plug(volume)
	d := w.start()
	unmount(volume)
	w.eachSays("", ids(2)...)
	if n := d.metric(`removals_total`); n != 2 {
		t.Errorf("%v removals", n)
	}
}

// What is deleted on a volume that is there goes at its grace, and all of it:
// no hold is for what was really deleted.
func TestDeletedOnAVolume(t *testing.T) {
	w := newWorld(t, mortal...)
	volume := w.project("volume")
	s := w.stick("stick")
	w.fleet(s.home, 3)
	s.plug(volume)
	w.start()
	for i := range 3 {
		w.must(os.RemoveAll(volume + "/p00" + string(rune('0'+i))))
	}
	w.eachSays("", ids(3)...)
	for _, id := range ids(3) {
		list := w.events(id)
		if last := list[len(list)-1]; last.Reason != "Removed" {
			t.Errorf("%s ended with %+v", id, last)
		}
	}
}

// The same stick comes back as another device, as sticks do, noticed or not: one
// sync knows it again, and the next finds nothing to do.
func TestReplugged(t *testing.T) {
	t.Parallel()
	for name, noticed := range map[string]bool{"noticed": true, "unnoticed": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			l := w.loop("ext4", w.project("volume"))
			w.fleet(w.project("volume"), 3)
			w.must(syncDir(w.project("volume")))
			w.sync()
			unmount(l.target)
			if noticed {
				w.sync()
				w.eachSays("unreachable VolumeMissing held VolumeMissing", ids(3)...)
			}
			l.elsewhere()
			w.sync()
			w.eachSays("active InSync", ids(3)...)
			if s := w.sync(); s.Counts.Queued != 0 {
				t.Errorf("a second sync found work: %+v", s)
			}
		})
	}
}
