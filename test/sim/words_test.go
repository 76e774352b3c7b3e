package sim

import (
	"strconv"
	"strings"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// words of a script. What cannot be done in the world as it is does nothing.
var words = map[string]func(*world, []string){
	"wait": func(*world, []string) {},

	// Users and their projects.
	"project":  onDisk(func(w *world, a []string) { w.project(a) }),
	"edit":     onDisk(func(w *world, a []string) { w.disk.edit(a[0], a[1:]...) }),
	"mv":       onDisk(func(w *world, a []string) { w.disk.move(a[0], a[1]) }),
	"cp":       onDisk(func(w *world, a []string) { w.disk.copy(a[0], a[1]) }),
	"worktree": onDisk(func(w *world, a []string) { w.worktree(a[0], a[1]) }),
	"rm":       onDisk(func(w *world, a []string) { w.disk.remove(a[0]) }),
	"rm-file":  onDisk(func(w *world, a []string) { w.disk.removeFile(a[0]) }),
	"mkdir":    onDisk(func(w *world, a []string) { w.disk.make(a[0]) }),
	"swap":     onDisk(func(w *world, a []string) { w.disk.swap(a[0], a[1]) }),
	"corrupt":  onDisk(func(w *world, a []string) { w.disk.corrupt(a[0]) }),
	"mend":     onDisk(func(w *world, a []string) { w.disk.mend(a[0]) }),
	"bind":     onDisk(func(w *world, a []string) { w.disk.bind(a[0], a[1]) }),

	// Volumes, and what keeps them from being read.
	"unplug":   onDisk(func(w *world, a []string) { w.disk.unplug(a[0], len(a) > 1) }),
	"plug":     onDisk(func(w *world, a []string) { w.disk.plug(a[0], a[1]) }),
	"errno":    onDisk(func(w *world, a []string) { w.disk.errnos[a[0]] = a[1] }),
	"readable": onDisk(func(w *world, a []string) { delete(w.disk.errnos, a[0]) }),
	"hang":     onDisk(func(w *world, a []string) { w.disk.hangs[a[0]] = true }),
	"answer":   onDisk(func(w *world, a []string) { delete(w.disk.hangs, a[0]) }),

	// The index.
	"backup": onIndex(func(w *world, a []string) { w.backups[a[0]] = w.db.clone() }),
	"recover": onIndex(func(w *world, a []string) {
		if b := w.backups[a[0]]; b != nil {
			w.watch.untrace(w.db)
			w.db = b.clone()
			if b.stamp != w.lock.stamp { // else nothing was written since
				w.watch.lostIndex()
			}
		}
	}),
	"delete-index": onIndex(func(w *world, _ []string) {
		w.watch.untrace(w.db)
		w.db = newDatabase()
		w.watch.lostIndex()
	}),
	"sql": onIndex(func(w *world, a []string) { w.sql(a) }),

	// The relay.
	"letter":      onBus(func(w *world, a []string) { w.letter(agent.ID(a[0])) }),
	"lose-box":    onBus(func(w *world, a []string) { w.loseBox(agent.ID(a[0])) }),
	"damage-box":  onBus(func(w *world, a []string) { w.bus.Damage(w.addressOf(agent.ID(a[0]))) }),
	"lose-rules":  onBus(func(w *world, _ []string) { w.loseRules() }),
	"grant":       onBus(func(w *world, a []string) { w.grant(a[0]) }),
	"break-rules": onBus(func(w *world, _ []string) { w.breakRules(true) }),
	"mend-rules":  onBus(func(w *world, _ []string) { w.breakRules(false) }),
	"dorkos":      onBus(func(w *world, a []string) { w.runDorkOS(a[0] == "on") }),
	"relay-down":  onBus(func(w *world, _ []string) { w.busDown = true }),
	"relay-up":    onBus(func(w *world, _ []string) { w.busDown = false }),

	// Clocks and the machine.
	"set-clock": func(w *world, a []string) { w.setClock(duration(a[0])) },
	"sleep":     func(w *world, a []string) { w.sleepFor(duration(a[0])) },
	"reboot":    func(w *world, _ []string) { w.reboot() },

	// The process.
	"stop":  func(w *world, _ []string) { w.stop() },
	"start": func(w *world, _ []string) { w.start() },
	"crash": func(w *world, _ []string) { w.crash() },
	"crash-at": func(w *world, a []string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.faults.crash = countdown{number(a[0]), whenOf(a[1])}
	},
	"fail": func(w *world, a []string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.faults.calls = append(w.faults.calls, callFault{a[0], whenOf(a[1]), number(a[2])})
	},
	"no-faults": func(w *world, _ []string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.faults = faults{}
	},
}

// onDisk is done to the disk.
func onDisk(do func(*world, []string)) func(*world, []string) {
	return func(w *world, args []string) {
		do(w, args)
		w.disk.version++
		w.watch.looked()
	}
}

func onIndex(do func(*world, []string)) func(*world, []string) {
	return func(w *world, args []string) {
		do(w, args)
		w.indexed++
		w.watch.looked()
	}
}

func onBus(do func(*world, []string)) func(*world, []string) {
	return func(w *world, args []string) {
		do(w, args)
		w.watch.looked()
	}
}

// outside words are done with the world in hand; the others take it themselves.
func outside(word string) bool {
	switch word {
	case "set-clock", "sleep", "reboot", "stop", "start", "crash", "crash-at", "fail", "no-faults", "meanwhile":
		return true
	}
	_, order := orders[word]
	return order
}

func whenOf(s string) when {
	if s == "after" {
		return after
	}
	return before
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func duration(s string) time.Duration {
	d, _ := time.ParseDuration(s)
	return d
}

// project reads PATH ID [ns=NAMESPACE] [system].
func (w *world) project(a []string) {
	ns, system := "", false
	for _, s := range a[2:] {
		if v, ok := strings.CutPrefix(s, "ns="); ok {
			ns = v
		}
		system = system || s == "system"
	}
	w.disk.write(w.disk.make(a[0]), manifest(agent.ID(a[1]), a[1], ns, system), 0o644)
}

// worktree is a copy that is a linked git worktree.
func (w *world) worktree(from, to string) {
	if w.disk.dir(to) == nil {
		w.disk.copy(from, to)
		if n := w.disk.dir(to); n != nil {
			n.worktree = true
		}
	}
}

// sql is another writer of the index: status, name or namespace of a row, or its
// end.
func (w *world) sql(a []string) {
	id := agent.ID(a[1])
	row, ok := w.db.rows[id]
	if !ok {
		return
	}
	if a[0] == "delete" || a[0] == "namespace" {
		w.watch.untraced[row.Namespace()] = true
	}
	switch a[0] {
	case "active":
		row.Status = agent.Active
	case "unreachable":
		row.Status = agent.Unreachable
	case "name":
		row.Fields[agent.FieldName] = agent.TextCell("somebody")
	case "namespace":
		row.Fields[agent.FieldNamespace] = agent.TextCell("elsewhere")
	case "delete":
		delete(w.db.rows, id)
		return
	}
	w.db.rows[id] = row
}

func (w *world) addressOf(id agent.ID) agent.Subject {
	for _, s := range w.addresses() {
		if _, of, _ := agent.ParseSubject(string(s)); of == id {
			return s
		}
	}
	return ""
}

func (w *world) letter(id agent.ID) {
	w.posted++
	content := "letter " + itoa(w.posted)
	if w.bus.Deliver(w.addressOf(id), itoa(w.posted), content) {
		w.watch.wanted[content] = id
	}
}

// loseBox takes a mailbox with its mail, as a clumsy hand does.
func (w *world) loseBox(id agent.ID) {
	s := w.addressOf(id)
	for _, content := range w.bus.Mail(s) {
		delete(w.watch.wanted, content)
	}
	ns, _, _ := agent.ParseSubject(string(s))
	w.watch.untraced[ns] = true
	w.bus.Vanish(s)
}

func (w *world) loseRules() {
	w.bus.SetRules(w.foreign)
	w.watch.vandal, w.watch.vandalAt = true, w.machine.passed()
}

// runDorkOS starts a DorkOS beside the relay, or stops it. While it runs nothing
// is taken from where it may look.
func (w *world) runDorkOS(on bool) {
	w.dorkOS = on
	w.watch.doubled = w.watch.doubled || on
	w.bus.DorkOS(on)
}

func (w *world) breakRules(broken bool) {
	w.busBroken = broken
	w.bus.Break(map[bool]string{true: "line 1, column 1: broken"}[broken])
}

// grant adds a rule of a user's.
func (w *world) grant(ns string) {
	r := agent.Rule{From: "relay.agent." + ns + ".*", To: "relay.inbox.boss", Action: agent.Allow, Priority: 50}
	w.foreign = append(w.foreign, r)
	w.bus.SetRules(append(w.bus.Rules(), r))
}

func (w *world) setClock(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watch.stepped = append(w.watch.stepped, step{w.machine.passed(), d})
	w.machine.set(d)
	w.watch.jumped(d)
}

func (w *world) sleepFor(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.machine.sleep(d)
	w.watch.jumped(d)
}

// reboot takes the process with it.
func (w *world) reboot() {
	w.crash()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watch.bootedAt = w.machine.passed()
	w.machine.reboot()
}

// meanwhile arms a user who acts between two calls.
func (w *world) meanwhile(n int, word string, args []string) {
	do, ok := words[word]
	if !ok || outside(word) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults.meanwhile = countdown{left: n}
	w.faults.act = func() {
		w.racedAt = w.machine.passed()
		w.note("meanwhile: %s %s", word, strings.Join(args, " "))
		was := w.disk.manifests()
		do(w, args)
		w.watch.othersWrote(was)
	}
}
