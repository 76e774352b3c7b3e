package sim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"
)

// users draw what happens next, given the world as it is.
type users struct {
	*rand.Rand
	w      *world
	agents int
	// swarm are the kinds of things that happen in this run: some runs have all
	// of them, most have a few, so that none hides another.
	swarm []habit
	total int
}

// habit is a kind of thing that happens.
type habit struct {
	weight int
	draw   func(*users) string
}

// habits by theme; a run has the first and some of the others.
var habits = map[string][]habit{
	"projects": {
		{10, func(u *users) string { return "project " + u.free() + " " + u.id() + u.flags() }},
		{8, func(u *users) string { return "edit " + u.project() + " name=v" + u.n(9) }},
		{4, func(u *users) string { return "edit " + u.project() + " namespace=" + u.namespace() }},
		{10, func(u *users) string { return "mv " + u.project() + " " + u.free() }},
		{8, func(u *users) string { return "rm " + u.project() }},
		{4, func(u *users) string { return "rm-file " + u.project() }},
		{3, func(u *users) string { return "mkdir " + u.free() }},
	},
	"copies": {
		{6, func(u *users) string { return "cp " + u.project() + " " + u.free() }},
		{3, func(u *users) string { return "worktree " + u.project() + " " + u.free() }},
		{3, func(u *users) string { return "swap " + u.project() + " " + u.project() }},
		{2, func(u *users) string { return "bind " + u.project() + " " + u.free() }},
		{2, func(u *users) string { return "project " + u.project() + " " + u.id() }},
	},
	"groups": {
		{2, func(u *users) string { return "mv " + u.group() + " " + u.group() + u.n(9) }},
		{2, func(u *users) string { return "rm " + u.group() }},
	},
	"spoilt": {
		{6, func(u *users) string { return "corrupt " + u.project() }},
		{6, func(u *users) string { return "mend " + u.project() }},
	},
	"volumes": {
		{4, func(u *users) string { return "unplug " + u.point() + u.maybe(" gone") }},
		{6, func(u *users) string { p := u.point(); return "plug " + p + " " + points[p] }},
		{2, func(u *users) string { return "plug " + u.point() + " " + u.pick("stick2", "usb2", "stick1", "usb1") }},
	},
	"unreadable": {
		{5, func(u *users) string { return "errno " + u.somewhere() + " " + u.pick(eacces, "EIO", "ESTALE") }},
		{6, func(u *users) string { return "readable " + u.unreadable() }},
		{2, func(u *users) string { return "hang " + u.point() }},
		{3, func(u *users) string { return "answer " + u.point() }},
	},
	"index": {
		{2, func(u *users) string { return "backup " + u.n(3) }},
		{1, func(u *users) string { return "recover " + u.n(3) }},
		{1, func(*users) string { return "delete-index" }},
	},
	"writers": {
		{4, func(u *users) string {
			return "sql " + u.pick("active", "unreachable", "name", "namespace", "delete") + " " + u.row()
		}},
	},
	"mail": {
		{10, func(u *users) string { return "letter " + u.row() }},
		{1, func(u *users) string { return "lose-box " + u.row() }},
		{1, func(u *users) string { return "damage-box " + u.row() }},
		{1, func(*users) string { return "lose-rules" }},
		{1, func(u *users) string { return "grant " + u.namespace() }},
	},
	"relay": {
		{2, func(*users) string { return "relay-down" }},
		{3, func(*users) string { return "relay-up" }},
		{1, func(*users) string { return "break-rules" }},
		{2, func(*users) string { return "mend-rules" }},
	},
	"dorkos": {
		{3, func(*users) string { return "dorkos on" }},
		{3, func(*users) string { return "dorkos off" }},
	},
	"errors": {
		{6, func(u *users) string {
			return "fail " + u.pick("index.Commit", "index.Commit", "index.Read", "index.List", "index.CommitRoots", "index.CommitProblems",
				"index.Found", "index.ForgetLeft", "relay.List", "relay.EnsureRules", "relay.RemoveRules", "relay.EnsureEndpoint",
				"relay.Readdress", "relay.Retire", "relay.Restore", "files.Create", "files.Replace", "files.Remove") +
				" " + u.pick("before", "after") + " " + u.n(3)
		}},
		{2, func(*users) string { return "no-faults" }},
	},
	"clocks": {
		{2, func(u *users) string { return "set-clock " + u.time().String() }},
		{2, func(u *users) string { return "set-clock -" + u.time().String() }},
		{3, func(u *users) string { return "sleep " + u.time().String() }},
		{1, func(*users) string { return "reboot" }},
	},
	"process": {
		{2, func(*users) string { return "stop" }},
		{2, func(*users) string { return "crash" }},
		{4, func(u *users) string { return "crash-at " + u.n(12) + " " + u.pick("before", "after") }},
	},
	"races": {
		{5, func(u *users) string { return "meanwhile " + u.n(8) + " " + u.deed() }},
	},
	"orders": {
		{3, func(u *users) string { return "register " + u.dir() + " new" }},
		{2, func(u *users) string { return "register " + u.project() + " x -adopt" }},
		{1, func(u *users) string { return "register " + u.project() + " x -force" }},
		{3, func(u *users) string { return "update " + u.row() + " name=u" + u.n(9) }},
		{2, func(u *users) string { return "update " + u.row() + " namespace=" + u.namespace() }},
		{3, func(u *users) string { return "unregister " + u.row() + u.maybe(" all") }},
		{2, func(u *users) string { return "adopt " + u.project() }},
		{2, func(u *users) string { return "reissue " + u.project() }},
		{2, func(u *users) string { return "restore " + u.buried() }},
		{2, func(u *users) string { return "sync" + u.maybe(" full") }},
	},
	"operator": {
		{2, func(u *users) string { return "pause " + u.maybe(u.row()) }},
		{4, func(u *users) string { return "resume " + u.maybe(u.row()) }},
		{2, func(u *users) string { return "deny " + u.somewhere() }},
		{3, func(u *users) string { return "undeny " + u.denied() }},
		{2, func(u *users) string { return "release " + u.maybe(u.pick(scanRoots...)) }},
	},
}

func themes() []string {
	var list []string
	for name := range habits {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// newUsers picks what may happen in a run.
func newUsers(seed uint64, agents int) *users {
	u := &users{Rand: rand.New(rand.NewPCG(seed, 0)), agents: agents}
	chance := 0.2 + 0.8*u.Float64()
	for _, theme := range themes() {
		if theme == "projects" || u.Float64() < chance {
			u.swarm = append(u.swarm, habits[theme]...)
		}
	}
	for _, h := range u.swarm {
		u.total += h.weight
	}
	return u
}

// next is what happens next, with what passes before it.
func (u *users) next() line {
	wait := u.time()
	if u.w.life == nil && u.IntN(3) > 0 {
		return line{wait, "start", nil}
	}
	// A relay that is away is asked for every minute: hours of it tell as much as
	// days.
	if u.w.busDown || u.w.busBroken {
		if wait = min(wait, 2*time.Hour); u.IntN(3) == 0 {
			return line{wait, u.pick("relay-up", "mend-rules"), nil}
		}
	}
	// So is every project that cannot be read, every five minutes.
	if len(u.w.disk.errnos)+len(u.w.disk.hangs) > 0 && u.IntN(4) == 0 {
		if list := slices.Sorted(maps.Keys(u.w.disk.hangs)); len(list) > 0 {
			return line{wait, "answer", []string{u.pick(list...)}}
		}
		return line{wait, "readable", []string{u.unreadable()}}
	}
	at := u.IntN(u.total)
	for _, h := range u.swarm {
		if at -= h.weight; at < 0 {
			f := strings.Fields(h.draw(u))
			if _, known := orders[f[0]]; known && len(f) < 2 && f[0] != "sync" && f[0] != "pause" && f[0] != "resume" && f[0] != "release" {
				break // nobody to order anything of
			}
			return line{wait, f[0], f[1:]}
		}
	}
	return line{wait, "wait", nil}
}

// deed is something that users do to the world themselves.
func (u *users) deed() string {
	for {
		deed := u.swarm[u.IntN(len(u.swarm))].draw(u)
		if word, _, _ := strings.Cut(deed, " "); !outside(word) {
			return deed
		}
	}
}

// time is anything from a second to days, mostly short.
func (u *users) time() time.Duration {
	switch u.IntN(10) {
	case 0, 1, 2:
		return time.Duration(1+u.IntN(30)) * time.Second
	case 3, 4, 5:
		return time.Duration(1+u.IntN(60)) * time.Minute
	case 6, 7, 8:
		return time.Duration(1+u.IntN(12)) * time.Hour
	default:
		return time.Duration(12+u.IntN(60)) * time.Hour
	}
}

func (u *users) pick(list ...string) string {
	if len(list) == 0 {
		return "/none"
	}
	return list[u.IntN(len(list))]
}

func (u *users) n(max int) string { return itoa(1 + u.IntN(max)) }

func (u *users) maybe(s string) string {
	if u.IntN(2) == 0 {
		return ""
	}
	return s
}

// id of an agent; one in forty is a twin of another in letter case.
func (u *users) id() string {
	id := fmt.Sprintf("A%02d", u.IntN(u.agents))
	if u.IntN(40) == 0 {
		return strings.ToLower(id)
	}
	return id
}

func (u *users) flags() string {
	switch u.IntN(12) {
	case 0, 1:
		return " ns=" + u.namespace()
	case 2:
		return " ns=ops system"
	}
	return ""
}

func (u *users) namespace() string { return u.pick("acme", "globex", "core", "ops", "Über", "codex") }

func (u *users) project() string { return u.pick(u.w.disk.projects()...) }
func (u *users) point() string   { return u.pick("/r/b", "/r/a/usb") }
func (u *users) group() string {
	return u.pick("/r/a/acme", "/r/a/globex", "/r/b/core", "/r/a/usb/kit")
}

// free is a place where nothing is yet, most of the time.
func (u *users) free() string {
	parent := u.pick("/r/a/acme", "/r/a/acme", "/r/a/globex", "/r/a", "/r/b/core", "/r/b", "/r/a/usb/kit", "/out", managedHome, managedHome+"/sub")
	return path.Join(parent, "p"+itoa(u.IntN(u.agents)))
}

func (u *users) dir() string { return u.pick(append(u.w.disk.dirs()[1:], "/r/a/acme/none")...) }

// somewhere is a project, a group, or a root.
func (u *users) somewhere() string {
	return u.pick(u.project(), u.project(), u.group(), u.pick(scanRoots...))
}

func (u *users) unreadable() string {
	var list []string
	for p := range u.w.disk.errnos {
		list = append(list, p)
	}
	slices.Sort(list)
	return u.pick(list...)
}

func (u *users) denied() string {
	return u.pick(slices.Sorted(maps.Keys(u.w.db.denied))...)
}

func (u *users) row() string {
	var list []string
	for id := range u.w.db.rows {
		list = append(list, string(id))
	}
	slices.Sort(list)
	return u.pick(list...)
}

func (u *users) buried() string {
	var list []string
	for id := range u.w.db.graves {
		list = append(list, string(id))
	}
	slices.Sort(list)
	return u.pick(list...)
}

// begin are the steps that make a world to begin with.
func (u *users) begin() []line {
	var steps []line
	for i := range u.agents {
		at := path.Join(u.pick("/r/a/acme", "/r/a/globex", "/r/b/core", "/r/a/usb/kit", "/r/a"), "p"+itoa(i))
		if i == 0 {
			steps = append(steps, line{0, "plug", []string{"/r/a/usb", "usb1"}})
		}
		steps = append(steps, line{0, "project", append([]string{at}, strings.Fields(fmt.Sprintf("A%02d", i)+u.flags())...)})
	}
	return steps
}
