package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mesh-registry/mesh-controller/internal/atomicfile"
)

const (
	// maxRounds bounds how often a letter may land between the last look and
	// the rmdir that it makes fail.
	maxRounds = 50
	// politeRounds leave tmp/ where it is; then it moves as a whole, so that no
	// further letter can begin.
	politeRounds = 3
	// maxNames bounds the search for a free name.
	maxNames = 1000
)

// errBusy: letters keep landing, or somebody keeps making the directory anew.
var errBusy = errors.New("letters keep arriving; it is tried again later")

// drain carries everything that a mailbox holds into another, which is whole,
// and then takes the empty one away. Nothing is overwritten: a name that is
// taken gets a number. Dying half-way leaves each letter in one of the two.
func drain(ctx context.Context, from, to string) error {
	for round := range maxRounds {
		if err := ctx.Err(); err != nil {
			return err
		}
		if round >= politeRounds {
			if err := closeEntrance(from, to); err != nil {
				return err
			}
		}
		if err := carry(from, to); err != nil {
			return err
		}
		gone, err := dissolve(from)
		if err != nil {
			return err
		}
		if gone {
			return syncDirs(filepath.Dir(from))
		}
	}
	return fmt.Errorf("%s: %w", from, errBusy)
}

// closeEntrance takes tmp/, where every letter begins, away from a mailbox into
// which senders write faster than it can be emptied. Who is in the middle of a
// letter finds that he cannot finish it.
func closeEntrance(from, to string) error {
	name, err := move(from+"/tmp", to, "tmp")
	if err != nil || name == "" || name == "tmp" {
		return err
	}
	if err := carryPart(to+"/"+name, to+"/tmp"); err != nil {
		return err
	}
	// One that still had its letter open there leaves it behind: it is kept.
	_, err = removeDir(to + "/" + name)
	return err
}

// carry moves what is there now. The target directories are synced before the
// source may go.
func carry(from, to string) error {
	entries, err := readDir(from)
	if err != nil {
		return err
	}
	moved := 0
	for _, e := range entries {
		if e.IsDir() && slices.Contains(parts[:], e.Name()) {
			err = carryPart(from+"/"+e.Name(), to+"/"+e.Name())
		} else {
			moved++
			_, err = move(from+"/"+e.Name(), to, e.Name())
		}
		if err != nil {
			return err
		}
	}
	if moved > 0 {
		return syncDirs(to)
	}
	return nil
}

func carryPart(from, to string) error {
	letters, err := readDir(from)
	if err != nil || len(letters) == 0 {
		return err
	}
	for _, l := range letters {
		if _, err := move(from+"/"+l.Name(), to, l.Name()); err != nil {
			return err
		}
	}
	return syncDirs(to, from)
}

// move puts a file or directory into dir, under the next free name, which it
// returns. One that is gone ("") was fetched meanwhile.
func move(path, dir, name string) (as string, err error) {
	for n := 1; n <= maxNames; n++ {
		as := numbered(name, n)
		err := atomicfile.Rename(path, dir+"/"+as)
		switch {
		case err == nil:
			return as, nil
		case errors.Is(err, fs.ErrExist):
			continue
		case errors.Is(err, fs.ErrNotExist) && !exists(path):
			return "", nil
		}
		return "", err
	}
	return "", fmt.Errorf("%s: no free name in %s", path, dir)
}

// numbered is name, name-2, name-3, in front of the extension.
func numbered(name string, n int) string {
	if n == 1 {
		return name
	}
	ext := ""
	if i := strings.IndexByte(name, '.'); i > 0 {
		name, ext = name[:i], name[i:]
	}
	return name + "-" + strconv.Itoa(n) + ext
}

// dissolve removes an empty mailbox; false where something landed in it. It
// only ever uses rmdir.
func dissolve(path string) (gone bool, err error) {
	for _, p := range parts {
		if gone, err := removeDir(path + "/" + p); !gone {
			return false, err
		}
	}
	return removeDir(path)
}

func removeDir(path string) (gone bool, err error) {
	err = unix.Rmdir(path)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return true, nil
	case errors.Is(err, unix.ENOTEMPTY), errors.Is(err, unix.EEXIST), errors.Is(err, unix.ENOTDIR):
		return false, nil
	}
	return false, &fs.PathError{Op: "rmdir", Path: path, Err: err}
}

// empty reports whether a mailbox holds nothing but its empty parts.
func empty(path string) (bool, error) {
	entries, err := readDir(path)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if !e.IsDir() || !slices.Contains(parts[:], e.Name()) {
			return false, nil
		}
		letters, err := readDir(path + "/" + e.Name())
		if err != nil || len(letters) > 0 {
			return false, err
		}
	}
	return true, nil
}

// readDir is empty for a directory that is not there.
func readDir(path string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !absent(err)
}
