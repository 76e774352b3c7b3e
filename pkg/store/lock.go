package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// Lock makes sure that one controller at a time works on an index. It is an
// advisory lock on <db>.lock, which the kernel drops when the process dies; the
// file stays, because it also names the stamp that the index should carry
// (stamp.go). It is never removed.
type Lock struct {
	path string

	mu   sync.Mutex
	f    *os.File // nil once released
	note lockNote
}

// lockNote is the content of the lock file. While writes are under way the index
// carries Stamp or one of Ahead; after a power cut it may carry one of Unsynced.
type lockNote struct {
	PID   int    `json:"pid"` // 0: nobody
	Stamp string `json:"stamp"`
	// Ahead are the stamps of the writes to come, in their order. Those of an
	// earlier connection are never written with.
	Ahead []string `json:"ahead,omitempty"`
	// Unsynced are stamps before Stamp, the oldest first, that may be all there
	// is on the disk.
	Unsynced []string `json:"unsynced,omitempty"`
	Started  string   `json:"started,omitempty"`
	// Unclean: a holder died with the lock, and nobody has cleared since what it
	// may have left beside manifests.
	Unclean bool `json:"unclean,omitempty"`
}

// knows reports whether any index has been written under this lock file.
func (n *lockNote) knows() bool { return n.Stamp != "" || len(n.Ahead) > 0 }

// names reports whether an index with this stamp is the one last written.
func (n *lockNote) names(stamp string) bool {
	return stamp != "" && (stamp == n.Stamp || slices.Contains(n.Ahead, stamp) || slices.Contains(n.Unsynced, stamp))
}

// HeldError says that another process works on the index.
type HeldError struct {
	Path string // of the lock file
	PID  int    // 0 where the file does not say
}

// Error names the holder.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%s is held by another process", e.Path)
	}
	return fmt.Sprintf("%s is held by process %d", e.Path, e.PID)
}

// LockPath is the lock file of a database.
func LockPath(db string) (string, error) {
	real, err := resolve(db)
	if err != nil {
		return "", err
	}
	return real + ".lock", nil
}

// Acquire takes the lock of the database at path (which need not be there yet)
// or says at once who holds it.
func Acquire(db string) (*Lock, error) {
	if err := createDir(filepath.Dir(db)); err != nil {
		return nil, fmt.Errorf("lock %s: %w", db, err)
	}
	path, err := LockPath(db)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", db, err)
	}
	f, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	l := &Lock{path: path, f: f, note: readNote(path)}
	l.note.Unclean = l.note.Unclean || l.note.PID != 0
	l.note.PID = os.Getpid()
	if err := l.begin(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return l, nil
}

// begin names the holder; the time is the file system's.
func (l *Lock) begin() error {
	if err := l.write(); err != nil {
		return err
	}
	fi, err := l.f.Stat()
	if err != nil {
		return err
	}
	l.note.Started = agent.FormatTime(fi.ModTime())
	return l.write()
}

func lockFile(path string) (*os.File, error) {
	if err := createFile(path, 0o600); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := flock(f); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = &HeldError{Path: path, PID: readNote(path).PID}
		} else {
			err = fmt.Errorf("lock %s: %w", path, err)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func flock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// Release gives the lock up; it may be called twice. Call it before leaving, in
// any case: a process that hangs in the kernel keeps its locks beyond its death.
func (l *Lock) Release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	l.note.PID, l.note.Started = 0, ""
	err := l.write()
	err = errors.Join(err, unix.Flock(int(l.f.Fd()), unix.LOCK_UN), l.f.Close())
	l.f = nil
	return err
}

// current is what the lock file says, as far as this process knows.
func (l *Lock) current() lockNote {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.note
}

// cleared records that nothing of a dead holder is left.
func (l *Lock) cleared() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.note.Unclean {
		return nil
	}
	l.note.Unclean = false
	return l.write()
}

// maxAhead stamps are intended at once: as many writes share one sync of the
// lock file. Fewer sync more often, more make the note longer.
const maxAhead = 16

// intend records stamps of writes to come and returns them. They are on the disk
// before the index is: a power cut that left an index with a stamp that the lock
// file does not name would look like a backup that was restored.
func (l *Lock) intend() ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.hold(); err != nil {
		return nil, err
	}
	ahead := make([]string, maxAhead)
	for i := range ahead {
		ahead[i] = newStamp()
	}
	l.note.Ahead = ahead
	return ahead, l.publish()
}

// maxUnsynced commits in a row go without a sync; then there is one, so that the
// note does not grow.
const maxUnsynced = 16

// full reports whether what was committed has to be synced now.
func (l *Lock) full() bool { return len(l.current().Unsynced) >= maxUnsynced }

// confirm records that the index carries stamp. Until it is synced, and that is
// all that came before it, a power cut may bring an earlier one back.
func (l *Lock) confirm(stamp string, synced bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	old, passed := l.note.Stamp, max(0, slices.Index(l.note.Ahead, stamp))
	switch {
	case synced:
		l.note.Unsynced = nil
	case old == stamp:
		return nil
	case old != "":
		l.note.Unsynced = slices.Concat(l.note.Unsynced, []string{old}, l.note.Ahead[:passed])
	}
	l.note.Stamp = stamp
	if slices.Contains(l.note.Ahead, stamp) {
		l.note.Ahead = l.note.Ahead[passed+1:]
	}
	return l.write()
}

// settle records that whatever was committed is on the disk.
func (l *Lock) settle() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.note.Unsynced) == 0 {
		return nil
	}
	l.note.Unsynced = nil
	return l.publish()
}

// ours makes sure that the lock is still held.
func (l *Lock) ours() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hold()
}

// hold makes sure that the file at the path is still the one that is locked:
// where somebody removed it another controller could take a new one. The new one
// says what the old one did.
func (l *Lock) hold() error {
	if l.f == nil {
		return errors.New("the lock has been released")
	}
	var open, there unix.Stat_t
	if err := unix.Fstat(int(l.f.Fd()), &open); err != nil {
		return fmt.Errorf("lock %s: %w", l.path, err)
	}
	if unix.Stat(l.path, &there) == nil && open.Dev == there.Dev && open.Ino == there.Ino {
		return nil
	}
	f, err := lockFile(l.path)
	if err != nil {
		return err
	}
	old := l.f
	l.f = f
	return errors.Join(l.publish(), old.Close())
}

// publish writes the note and waits until it is on the disk.
func (l *Lock) publish() error {
	if l.f == nil {
		return nil
	}
	if err := l.write(); err != nil {
		return err
	}
	if err := l.f.Sync(); err != nil {
		return fmt.Errorf("lock %s: %w", l.path, err)
	}
	return nil
}

// noteSize is what the note is padded to, so that it is replaced by one write
// and a reader never sees half of it: all the stamps fit.
const noteSize = 2048

func (l *Lock) write() error {
	if l.f == nil {
		return nil
	}
	b, err := json.Marshal(l.note)
	if err != nil {
		return err
	}
	pad := bytes.Repeat([]byte{' '}, max(0, noteSize-1-len(b)))
	if _, err := l.f.WriteAt(append(append(b, pad...), '\n'), 0); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}

// readNote reads a lock file without locking it. One that cannot be read says
// nothing.
func readNote(path string) lockNote {
	var n lockNote
	b, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(b, &n) != nil {
		return lockNote{}
	}
	return n
}
