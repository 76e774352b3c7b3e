package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// save is what an editor does: a whole new file, renamed into place.
func save(t *testing.T, path, content string) {
	t.Helper()
	put(t, path+"~", content, 0o600)
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

// saving runs the editor's saves just before the numbered exchanges, where
// none of our looks can see them coming.
func saving(t *testing.T, path string, saves map[int]string) steps {
	n := 0
	return with(func(s *steps) {
		s.exchange = func(fd int, a, b string) error {
			n++
			if s, ok := saves[n]; ok {
				save(t, path, s)
			}
			return system.exchange(fd, a, b)
		}
	})
}

func TestSaveBetweenLookAndExchangeSurvives(t *testing.T) {
	tests := []struct {
		name  string
		saves map[int]string
		want  string
	}{
		{"one save", map[int]string{1: "editor"}, "editor"},
		{"a second before the first is back", map[int]string{1: "editor", 2: "editor again"}, "editor again"},
		{"a third", map[int]string{1: "editor", 2: "again", 3: "and again"}, "and again"},
		{"a fourth", map[int]string{1: "a", 2: "b", 3: "c", 4: "d"}, "d"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			put(t, path, "old", 0o600)
			err := saving(t, path, tt.saves).replacePath(path, []byte("old"), []byte("ours"), Options{})
			if !errors.Is(err, ErrChanged) {
				t.Fatalf("err = %v, want ErrChanged", err)
			}
			if got := read(t, path); got != tt.want {
				t.Errorf("content %q, want %q", got, tt.want)
			}
			wantAlone(t, path)
		})
	}
}

func TestLinkThatAppearsInBetweenGoesBack(t *testing.T) {
	dir := t.TempDir()
	path, target := filepath.Join(dir, "f"), filepath.Join(t.TempDir(), "target")
	put(t, path, "old", 0o600)
	put(t, target, "precious", 0o600)
	s := system
	s.exchange = func(fd int, a, b string) error {
		if fi, err := os.Lstat(path); err == nil && fi.Mode().IsRegular() && read(t, path) == "old" {
			_ = os.Remove(path)
			if err := os.Symlink(target, path); err != nil {
				t.Fatal(err)
			}
		}
		return system.exchange(fd, a, b)
	}
	if err := s.replacePath(path, []byte("old"), []byte("ours"), Options{}); !errors.Is(err, ErrChanged) {
		t.Fatalf("err = %v, want ErrChanged", err)
	}
	if got, err := os.Readlink(path); err != nil || got != target {
		t.Errorf("link %q, %v", got, err)
	}
	if got := read(t, target); got != "precious" {
		t.Errorf("written through the link: %q", got)
	}
	wantAlone(t, path)
}

func TestDeletedJustBeforeTheExchange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	put(t, path, "old", 0o600)
	s := system
	s.exchange = func(fd int, a, b string) error {
		_ = os.Remove(path)
		return system.exchange(fd, a, b)
	}
	if err := s.replacePath(path, []byte("old"), []byte("ours"), Options{}); !errors.Is(err, ErrChanged) {
		t.Fatalf("err = %v, want ErrChanged", err)
	}
	if n := names(t, filepath.Dir(path)); len(n) != 0 {
		t.Errorf("left %q", n)
	}
}

// A crash's leftover is recognised and stands in nobody's way.
func TestLeftoverOfACrash(t *testing.T) {
	dir := t.TempDir()
	left := tempPrefix + "f." + randomHex()
	put(t, filepath.Join(dir, left), "half", 0o600)
	if err := WriteNew(filepath.Join(dir, "f"), []byte("x"), Options{}); err != nil {
		t.Fatal(err)
	}
	if !IsTemp(left) || IsTemp("f") || IsTemp(".agent-1.tmp") {
		t.Error("IsTemp does not tell them apart")
	}
}
