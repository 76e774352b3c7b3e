package store

import (
	"path/filepath"
	"testing"
	"time"
)

// A holder that died leaves its name in the lock file; who comes after it knows
// until it says that it has cleared up, however many come in between.
func TestUnclean(t *testing.T) {
	db := filepath.Join(t.TempDir(), "mesh.db")
	open := func() (*Store, *Lock) {
		t.Helper()
		lock, err := Acquire(db)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), Options{Path: db, Lock: lock, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		return s, lock
	}
	leave := func(s *Store, lock *Lock) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
	}

	s, lock := open()
	if s.Unclean() {
		t.Error("the first holder finds it unclean")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_ = lock.f.Close() // as the kernel does for one that died

	for range 2 {
		s, lock = open()
		if !s.Unclean() {
			t.Error("that a holder died was forgotten")
		}
		leave(s, lock)
	}
	s, lock = open()
	for range 2 {
		if err := s.Cleared(); err != nil {
			t.Fatal(err)
		}
	}
	if s.Unclean() {
		t.Error("still unclean")
	}
	leave(s, lock)
	s, lock = open()
	defer leave(s, lock)
	if s.Unclean() {
		t.Error("unclean again")
	}
}
