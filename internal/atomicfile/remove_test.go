package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestRemove(t *testing.T) {
	for _, tt := range []struct {
		name     string
		there    []byte // nil: absent
		expected []byte
		err      error
	}{
		{"as expected", []byte("old"), []byte("old"), nil},
		{"absent", nil, []byte("old"), nil},
		{"empty", []byte{}, []byte{}, nil},
		{"changed", []byte("other"), []byte("old"), ErrChanged},
		{"longer", []byte("older"), []byte("old"), ErrChanged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			if tt.there != nil {
				put(t, path, string(tt.there), 0o640)
			}
			for range 2 {
				if err := Remove(path, tt.expected); !errors.Is(err, tt.err) {
					t.Errorf("err = %v, want %v", err, tt.err)
				}
			}
			if tt.err != nil {
				wantAlone(t, path)
			} else if n := names(t, filepath.Dir(path)); len(n) != 0 {
				t.Errorf("left %q", n)
			}
		})
	}
}

func TestRemoveRefusesWhatIsNoRegularFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.Symlink("elsewhere", path); err != nil {
		t.Fatal(err)
	}
	if err := Remove(path, []byte("old")); err == nil || errors.Is(err, ErrChanged) {
		t.Errorf("err = %v", err)
	}
	wantAlone(t, path)
}

// A link that appears in the last moment is somebody's as well.
func TestRemovePutsALinkBack(t *testing.T) {
	sc := newScene(t)
	sc.set("old")
	s := with(func(s *steps) {
		s.rename = func(fd int, a, b string) error {
			if a == "f" {
				_ = os.Remove(sc.path)
				_ = os.Symlink("elsewhere", sc.path)
			}
			return system.rename(fd, a, b)
		}
	})
	if err := s.removeAt(sc.dir, "f", []byte("old")); !errors.Is(err, ErrChanged) {
		t.Errorf("err = %v", err)
	}
	if to, err := os.Readlink(sc.path); to != "elsewhere" {
		t.Error(to, err)
	}
	wantAlone(t, sc.path)
}
