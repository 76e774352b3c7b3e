package story

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/tools/txtar"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/test/world"
)

var update = flag.Bool("update", false, "write what the stories print into them")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			script := readScript(t, file)
			now := time.Now() // files have real stamps: the story begins where they are
			if *update {
				defer script.save(t)
			}
			synctest.Test(t, func(t *testing.T) { tell(t, script, now) })
		})
	}
}

// story is one script being told.
type story struct {
	*testing.T
	w       *world.World
	archive *txtar.Archive
	began   time.Time
	faults  *faults
	last    *controller.SyncResult
	started int // of the running controller
	minted  int // ids
}

func tell(t *testing.T, sc *script, now time.Time) {
	s := &story{T: t, w: world.New(t), archive: sc.archive, faults: newFaults()}
	s.w.Boot.SetNow(now)
	s.began = s.w.Boot.Now()
	s.w.Wrap = func(p *controller.Ports) {
		p.NewID = s.mint
		s.faults.wrap(p)
	}
	// Stories are told in hours: the same at every interval, and few of them.
	s.w.Options.ResyncJitter = 0
	s.w.Options.ResyncInterval = 30 * time.Minute
	for i := range sc.lines {
		l := &sc.lines[i]
		got := s.do(sc, l)
		if !golden[l.word] {
			continue
		}
		if *update {
			l.block = got
			continue
		}
		if want := strings.Join(l.block, "\n"); want != strings.Join(got, "\n") {
			t.Errorf("%s:%d: %s\nwant:\n%s\ngot:\n%s", sc.file, l.number, l.text, indent(l.block), indent(got))
		}
	}
}

func (s *story) do(sc *script, l *line) []string {
	if l.word == "" {
		return nil
	}
	f, ok := words[l.word]
	if !ok {
		s.Fatalf("%s:%d: no such word: %s", sc.file, l.number, l.text)
	}
	defer func() {
		if s.Failed() {
			s.Logf("%s:%d: %s", sc.file, l.number, l.text)
		}
	}()
	return f(s, l.args)
}

func indent(block []string) string {
	if len(block) == 0 {
		return "\t(nothing)"
	}
	return "\t" + strings.Join(block, "\n\t")
}
