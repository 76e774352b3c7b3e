package story

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// doQuiet proves that nothing is left to do, and that doing nothing writes
// nothing: after a resync, and after a sweep of the interval, every file of the
// world is the same one with the same content and the same stamps. The index is
// one of them: no row, no frame of a log, was written.
func doQuiet(s *story, _ []string) []string {
	time.Sleep(6 * time.Minute) // the last retry is over, and nothing too young to be trusted
	synctest.Wait()
	if p := s.w.Plan(time.Time{}); p.Pending {
		s.Errorf("there is more to do: %+v", p.Changes)
	}
	before, dump := s.tree(), s.dump()
	result := s.w.Sync()
	synctest.Wait()
	if acted(result.Counts) {
		s.Errorf("a second resync did something: %+v", result.Counts)
	}
	after := s.tree()
	// It may have looked into the index, which makes files beside it for as long.
	delete(before, home)
	s.same("a second resync", before, after, dump)
	if !s.w.Running() {
		return nil
	}
	time.Sleep(s.w.Options.ResyncInterval + time.Second)
	synctest.Wait()
	s.same("a quiet interval", after, s.tree(), dump)
	return nil
}

const home = "/home"

func (s *story) same(what string, before, after map[string]string, dump []string) {
	s.Helper()
	if before[home] == "" {
		after = maps.Clone(after)
		delete(after, home)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		s.Errorf("%s wrote (-before +after):\n%s", what, diff)
		s.Errorf("rows (-before +after):\n%s", cmp.Diff(dump, s.dump()))
	}
}

// tree is every entry of the world with everything that a write changes.
func (s *story) tree() map[string]string {
	s.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(s.w.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".db.lock") && !s.w.Running() {
			return nil // it is taken and let go
		}
		st := info.Sys().(*syscall.Stat_t)
		m[strings.TrimPrefix(path, s.w.Dir)] = fmt.Sprintf("%s inode %d size %d mtime %d.%09d ctime %d.%09d %s",
			info.Mode(), st.Ino, st.Size, st.Mtim.Sec, st.Mtim.Nsec, st.Ctim.Sec, st.Ctim.Nsec, sum(path, info))
		return nil
	})
	s.must(err)
	return m
}

func sum(path string, info fs.FileInfo) string {
	if !info.Mode().IsRegular() {
		return ""
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))[:12]
}

// dump is every row of every table, to tell what a write was.
func (s *story) dump() []string {
	s.Helper()
	var list []string
	for _, table := range s.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
		for _, row := range s.query("SELECT * FROM " + table + " ORDER BY 1") {
			list = append(list, table+": "+row)
		}
	}
	return list
}
