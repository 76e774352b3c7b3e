package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// everySteps runs a test with what the file system offers and with the
// fallbacks.
func everySteps(t *testing.T, f func(t *testing.T, s steps)) {
	t.Run("exchange", func(t *testing.T) { f(t, system) })
	t.Run("named", func(t *testing.T) { f(t, namedOnly) })
	t.Run("plain", func(t *testing.T) { f(t, plain) })
}

// plain is a file system that can neither exchange nor do without names.
var plain = with(func(s *steps) {
	s.exchange = func(int, string, string) error { return unix.EINVAL }
	s.noReplace = func(int, string, int, string) error { return unix.ENOSYS }
	s.link = func(*os.File, int, string) error { return unix.EOPNOTSUPP }
})

// namedOnly is one that can exchange all the same.
var namedOnly = with(func(s *steps) {
	s.link = func(*os.File, int, string) error { return unix.EOPNOTSUPP }
})

func with(change func(s *steps)) steps {
	s := system
	change(&s)
	return s
}

func (s steps) replacePath(path string, expected, next []byte, o Options) error {
	dir, err := openDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return s.replaceAt(dir, filepath.Base(path), expected, next, o)
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// names of a directory, so that a leftover shows.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func wantAlone(t *testing.T, path string) {
	t.Helper()
	if n := names(t, filepath.Dir(path)); len(n) != 1 || n[0] != filepath.Base(path) {
		t.Errorf("directory holds %q, want the file alone", n)
	}
}

func put(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestReplace(t *testing.T) {
	everySteps(t, func(t *testing.T, s steps) {
		tests := []struct {
			name     string
			there    []byte // nil: absent
			expected []byte
			err      error
		}{
			{"as expected", []byte("old"), []byte("old"), nil},
			{"absent as expected", nil, nil, nil},
			{"empty as expected", []byte{}, []byte{}, nil},
			{"changed", []byte("other"), []byte("old"), ErrChanged},
			{"appeared", []byte("other"), nil, ErrChanged},
			{"empty is not absent", []byte{}, nil, ErrChanged},
			{"deleted", nil, []byte("old"), ErrChanged},
			{"absent is not empty", nil, []byte{}, ErrChanged},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "f")
				if tt.there != nil {
					put(t, path, string(tt.there), 0o640)
				}
				err := s.replacePath(path, tt.expected, []byte("next"), Options{})
				if !errors.Is(err, tt.err) {
					t.Fatalf("err = %v, want %v", err, tt.err)
				}
				switch {
				case tt.err == nil:
					if got := read(t, path); got != "next" {
						t.Errorf("content %q", got)
					}
				case tt.there != nil:
					if got := read(t, path); got != string(tt.there) {
						t.Errorf("content %q was touched", got)
					}
				}
				if err == nil || tt.there != nil {
					wantAlone(t, path)
				} else if n := names(t, filepath.Dir(path)); len(n) != 0 {
					t.Errorf("left %q", n)
				}
			})
		}
	})
}

func TestWriteNewOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	var won, lost int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			err := WriteNew(path, []byte(strconv.Itoa(i)), Options{})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case errors.Is(err, fs.ErrExist):
				lost++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 || lost != 7 {
		t.Errorf("%d won, %d lost", won, lost)
	}
	wantAlone(t, path)
}

// Own writers lose nothing, with and without the exchange.
func TestConcurrentWritersLoseNothing(t *testing.T) {
	everySteps(t, func(t *testing.T, s steps) {
		const writers, each = 8, 20
		path := filepath.Join(t.TempDir(), "f")
		put(t, path, "0", 0o600)
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					if err := increment(s, path); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if got, want := read(t, path), strconv.Itoa(writers*each); got != want {
			t.Errorf("counter %s, want %s", got, want)
		}
		wantAlone(t, path)
	})
}

func increment(s steps, path string) error {
	for {
		old, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(old))
		if err != nil {
			return err
		}
		err = s.replacePath(path, old, []byte(strconv.Itoa(n+1)), Options{})
		if !errors.Is(err, ErrChanged) {
			return err
		}
	}
}
