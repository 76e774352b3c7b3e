package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// temp is a temporary file and the label that its name carries.
type temp struct {
	label
	name string
}

func newTemp(l label) temp { return temp{l, l.newName()} }

// errUnnamed: the file system cannot do without a name, or cannot give one to
// a file that has none.
var errUnnamed = errors.New("files without a name are not supported")

// place writes and syncs a new file, dressed for its purpose, and then gives
// it the name, which must be free: fs.ErrExist where it is not. Before that it
// has no name at all, so that it goes with its process; where the file system
// lacks this it is written under a temporary one. Nothing is left after an
// error.
func (s steps) place(dir *os.File, l label, name string, content []byte, d dress) (fileID, error) {
	id, err := s.placeUnnamed(dir, name, content, d)
	if errors.Is(err, errUnnamed) {
		l.role = part
		id, err = s.placeNamed(dir, newTemp(l), name, content, d)
	}
	if err != nil {
		// A call that failed may have been carried out all the same.
		if now, lost := identify(dir, name); lost == nil && now == id {
			return id, nil
		}
	}
	return id, err
}

func (s steps) placeUnnamed(dir *os.File, name string, content []byte, d dress) (id fileID, err error) {
	fd, err := s.open(int(dir.Fd()), ".", unnamed|unix.O_WRONLY, 0o600)
	if err != nil {
		return id, orUnnamed("create file", err)
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	// Once it is synced closing can lose nothing.
	if id, err = s.fill(f, content, d); err != nil {
		return id, err
	}
	if err := s.link(f, int(dir.Fd()), name); err != nil {
		return id, orUnnamed("link file", err)
	}
	return id, nil
}

// orUnnamed tells a call that is not supported from one that failed. Where it
// is permission that lacks, the other way asks for it again.
func orUnnamed(what string, err error) error {
	for _, e := range []error{unix.EISDIR, unix.ENOENT, unix.EPERM, unix.EACCES, unix.EXDEV} {
		if errors.Is(err, e) {
			return errUnnamed
		}
	}
	if unsupported(err) {
		return errUnnamed
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (s steps) placeNamed(dir *os.File, t temp, name string, content []byte, d dress) (id fileID, err error) {
	fd, err := s.open(int(dir.Fd()), t.name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return id, fmt.Errorf("create temporary file: %w", err)
	}
	f := os.NewFile(uintptr(fd), t.name)
	id, err = s.fill(f, content, d)
	_ = f.Close() // it is synced: closing can lose nothing
	if err == nil {
		err = s.move(int(dir.Fd()), t.name, int(dir.Fd()), name)
	}
	if err != nil {
		return id, errors.Join(err, s.discard(dir, t))
	}
	return id, nil
}

func (s steps) fill(f *os.File, content []byte, d dress) (fileID, error) {
	if err := s.write(f, content); err != nil {
		return fileID{}, err
	}
	if err := s.dress(f, d); err != nil {
		return fileID{}, err
	}
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstat(int(f.Fd()), &st) }); err != nil {
		return fileID{}, err
	}
	return idOf(&st), s.sync(f)
}

// dress is what a file looks like from outside.
type dress struct {
	owned    bool // uid and gid count
	uid, gid uint32
	mode     uint32
}

// dressOf a file that takes the place of another.
func dressOf(old state) dress { return dress{owned: true, uid: old.uid, gid: old.gid, mode: old.mode} }

// freshDress is that of a file that is new.
func freshDress(o Options) dress {
	if o.Mode.Perm() == 0 {
		return dress{mode: 0o600}
	}
	return dress{mode: uint32(o.Mode.Perm())}
}

// dress: an owner that cannot be kept is an error, since the file would
// otherwise become unreadable for whom it belongs to. Giving the owner that
// the file has already is always permitted, so that a change of the group
// alone asks for no more than membership.
func (s steps) dress(f *os.File, d dress) error {
	var st unix.Stat_t
	if err := again(func() error { return unix.Fstat(int(f.Fd()), &st) }); err != nil {
		return err
	}
	if d.owned && (st.Uid != d.uid || st.Gid != d.gid) {
		if err := s.chown(f, int(d.uid), int(d.gid)); err != nil {
			return fmt.Errorf("keep owner %d:%d: %w", d.uid, d.gid, err)
		}
	}
	return s.chmod(f, d.mode) // after the owner, whose change may clear bits
}

// discard unlinks a temporary file; one that is not there is no error.
func (s steps) discard(dir *os.File, t temp) error {
	err := twice(func() error { return ignoreAbsent(s.unlink(int(dir.Fd()), t.name)) })
	if err != nil {
		return fmt.Errorf("remove temporary file %s: %w", t.name, err)
	}
	return nil
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
