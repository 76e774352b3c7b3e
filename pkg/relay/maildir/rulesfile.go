package maildir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// maxRulesFile bounds what is read: 64 MiB are a quarter of a million rules.
const maxRulesFile = 64 << 20

// rulesFile is the rules file as last read, or written here. It is read again
// only when its stamp moved or is too young to be trusted, and parsed only when
// it then holds other bytes.
type rulesFile struct {
	path string
	now  func() time.Time
	// recovered: what a crash may have left beside the file is cleared. Once is
	// enough; a writer clears up after what comes later.
	recovered bool

	stamp   stamp
	settled bool
	// doc is kept while the stamp is too young: one edit follows another then.
	// nil: what is read is to be parsed.
	doc  *document
	sets map[string]agent.RuleSet // never changed once made
	// problem says why the rules cannot be read; "" when they can.
	problem string
	// generation moves with sets.
	generation uint64
}

// refresh makes the rest say what the file says now.
func (f *rulesFile) refresh() {
	if err := f.recover(); err != nil {
		f.problem = err.Error()
		return
	}
	var st unix.Stat_t
	if err := unix.Lstat(f.path, &st); err == nil && f.settled && stampOf(&st) == f.stamp {
		f.doc = nil
		return
	}
	f.settled = false
	seen := f.now()
	raw, at, err := readRules(f.path)
	if err == nil {
		_, err = f.take(raw)
	}
	if err != nil {
		f.problem = err.Error()
		return
	}
	f.stamp, f.settled, f.problem = at, raw != nil && at.settled(seen), ""
	if f.settled {
		f.doc = nil
	}
}

// recover: who may not write there sees the file as it is.
func (f *rulesFile) recover() error {
	if f.recovered {
		return nil
	}
	_, err := atomicfile.Recover(filepath.Dir(f.path))
	if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, unix.EROFS) {
		f.settled = false
		return err
	}
	f.recovered = true
	return nil
}

// take parses what was read, unless it is what was read before.
func (f *rulesFile) take(raw []byte) (*document, error) {
	if f.doc != nil && f.doc.is(raw) {
		return f.doc, nil
	}
	f.doc = nil
	d := noDocument()
	if raw != nil {
		var err error
		if d, err = parse(raw); err != nil {
			return nil, unreadable(f.path, err)
		}
	}
	f.hold(d)
	return d, nil
}

// hold is told what the file says.
func (f *rulesFile) hold(d *document) {
	f.doc = d
	if f.generation == 0 || !maps.Equal(d.sets, f.sets) {
		f.sets = d.sets
		f.generation++
	}
}

// load reads the file for an edit.
func (f *rulesFile) load() (*document, error) {
	raw, _, err := readRules(f.path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", agent.ErrDegraded, err)
	}
	d, err := f.take(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", agent.ErrDegraded, err)
	}
	return d, nil
}

// readRules returns nil for a file that is not there. It blocks on nothing and
// follows no link: what is written later takes the place of the name.
func readRules(path string) ([]byte, stamp, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, stamp{}, nil
	case errors.Is(err, unix.ELOOP):
		return nil, stamp{}, unreadable(path, errors.New("it is a symbolic link"))
	case err != nil:
		return nil, stamp{}, unreadable(path, err)
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, stamp{}, unreadable(path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, stamp{}, unreadable(path, errors.New("it is not a regular file"))
	}
	var raw bytes.Buffer
	raw.Grow(int(min(st.Size, maxRulesFile)) + bytes.MinRead)
	_, err = raw.ReadFrom(io.LimitReader(file, maxRulesFile+1))
	if err == nil && raw.Len() > maxRulesFile {
		err = errors.New("it is larger than 64 MiB")
	}
	if err != nil {
		return nil, stamp{}, unreadable(path, err)
	}
	return raw.Bytes(), stampOf(&st), nil
}

// unreadable is for the person who has to repair the file.
func unreadable(path string, err error) error {
	return fmt.Errorf("%s: %w; no rule is written until it is corrected, or restored from a backup", path, err)
}

// setsOf tells which of the exact four rules of each namespace are there.
func setsOf(entries []entry) map[string]agent.RuleSet {
	sets := map[string]agent.RuleSet{}
	for i := range entries {
		ns, part := part(&entries[i].rule)
		if part != (agent.RuleSet{}) {
			sets[ns] = union(sets[ns], part)
		}
	}
	return sets
}

// part says which of a namespace's four a rule is; none for a foreign one.
func part(r *agent.Rule) (ns string, set agent.RuleSet) {
	const all = "relay.agent.>"
	own := r.From
	if own == all {
		own = r.To
	}
	ns, ok := ownNamespace(own)
	if !ok {
		return "", set
	}
	switch *r {
	case agent.Rule{From: own, To: all, Action: agent.Deny, Priority: 10}:
		set.Deny = true
	case agent.Rule{From: own, To: own, Action: agent.Allow, Priority: 100}:
		set.Allow = true
	case agent.Rule{From: own, To: all, Action: agent.Allow, Priority: 200}:
		set.SystemOut = true
	case agent.Rule{From: all, To: own, Action: agent.Allow, Priority: 200}:
		set.SystemIn = true
	}
	return ns, set
}

// ownNamespace takes the pattern of a namespace's agents apart.
func ownNamespace(pattern string) (string, bool) {
	ns, ok := strings.CutPrefix(pattern, "relay.agent.")
	if !ok {
		return "", false
	}
	ns, ok = strings.CutSuffix(ns, ".*")
	return ns, ok && checkNamespace(ns) == nil
}

func union(a, b agent.RuleSet) agent.RuleSet {
	return agent.RuleSet{
		Deny: a.Deny || b.Deny, Allow: a.Allow || b.Allow,
		SystemOut: a.SystemOut || b.SystemOut, SystemIn: a.SystemIn || b.SystemIn,
	}
}

func without(a, b agent.RuleSet) agent.RuleSet {
	return agent.RuleSet{
		Deny: a.Deny && !b.Deny, Allow: a.Allow && !b.Allow,
		SystemOut: a.SystemOut && !b.SystemOut, SystemIn: a.SystemIn && !b.SystemIn,
	}
}
