package story

import (
	"testing/synctest"
	"time"
)

func init() { words["still"] = doStill }

// doStill proves of a row that is left to another writer what doQuiet proves of
// one in sync: nothing is written. A plan made beside the controller, which does
// not know what that has seen, would correct the row.
func doStill(s *story, _ []string) []string {
	time.Sleep(6 * time.Minute)
	synctest.Wait()
	before, dump := s.tree(), s.dump()
	result := s.w.Sync()
	synctest.Wait()
	if acted(result.Counts) {
		s.Errorf("a second resync did something: %+v", result.Counts)
	}
	after := s.tree()
	delete(before, home)
	s.same("a second resync", before, after, dump)
	time.Sleep(s.w.Options.ResyncInterval + time.Second)
	synctest.Wait()
	s.same("a quiet interval", after, s.tree(), dump)
	return nil
}
