package story

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/mesh-registry/mesh-controller/pkg/controller"
	"github.com/mesh-registry/mesh-controller/pkg/store"
)

type word func(*story, []string) []string

var words = map[string]word{
	"option": doOption, "manifest": doManifest, "edit": doEdit, "write": doWrite, "mv": doMove, "cp": doCopy,
	"rm": doRemove, "mkdir": doMkdir, "corrupt": doCorrupt, "worktree": doWorktree,
	"unreadable": doUnreadable, "readable": doReadable, "unlisted": doUnlisted, "listed": doListed, "mail": doMail,
	"start": doStart, "stop": doStop, "restart": doRestart, "sync": doSync, "sweep": doSweep,
	"advance": doAdvance, "step": doStep, "sleep": doSleep,
	"crash-after": doCrashAfter, "crash": doCrash, "fail": doFail,
	"register": doRegister, "update": doUpdate, "unregister": doUnregister, "reissue": doReissue, "adopt": doAdopt,
	"pause": doPause, "resume": doResume, "file": doFile, "release": doRelease, "gone": doGone, "restore": doRestore,
	"deny": doDeny, "undeny": doUndeny, "sql": doSQL, "quiet": doQuiet,
	"agents": doAgents, "endpoints": doEndpoints, "rules": doRules, "letters": doLetters, "problems": doProblems,
	"counts": doCounts, "left": doLeft, "events": doEvents, "plan": doPlan, "rows": doRows, "tombstones": doTombstones,
}

// golden words print what is compared.
var golden = map[string]bool{
	"register": true, "update": true, "unregister": true, "reissue": true, "adopt": true, "file": true,
	"agents": true, "endpoints": true, "rules": true, "letters": true, "problems": true, "counts": true,
	"left": true, "events": true, "plan": true, "rows": true, "tombstones": true,
	"release": true, "gone": true, "restore": true,
}

func (s *story) duration(text string) time.Duration {
	s.Helper()
	d, err := time.ParseDuration(strings.TrimPrefix(text, "+"))
	s.must(err)
	return d
}

func doOption(s *story, args []string) []string {
	o := &s.w.Options
	for _, pair := range args {
		k, v, _ := strings.Cut(pair, "=")
		switch k {
		case "resync-interval":
			o.ResyncInterval = s.duration(v)
		case "orphan-grace":
			o.OrphanGrace = s.duration(v)
		case "settle":
			o.Settle = s.duration(v)
		case "scan-root":
			o.ScanRoots = nil
			for r := range strings.SplitSeq(v, ",") {
				o.ScanRoots = append(o.ScanRoots, s.path(r))
			}
		default:
			s.Fatalf("option %s is not known", k)
		}
	}
	if s.w.Running() {
		s.must(s.w.Loop().SetOptions(*o))
	}
	return nil
}

// rest lets everything that is under way come to its end, the delay of a key
// that met another included.
func rest() {
	synctest.Wait()
	for range 3 {
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
	}
}

func doStart(s *story, _ []string) []string {
	s.w.Start()
	rest()
	return nil
}

func doStop(s *story, _ []string) []string {
	s.w.Stop()
	return nil
}

func doRestart(s *story, args []string) []string {
	s.w.Stop()
	if slices.Contains(args, "-boot") {
		s.started++
		s.w.Boot.Reboot("boot-" + strconv.Itoa(s.started+1))
	}
	return doStart(s, nil)
}

func doSync(s *story, args []string) []string {
	for i, a := range args {
		if strings.Contains(a, "/") {
			args[i] = s.path(a)
		}
	}
	result := s.w.Sync(args...)
	s.last = &result
	synctest.Wait()
	return nil
}

func doSweep(s *story, _ []string) []string {
	s.w.Loop().Trigger("interval", false)
	rest()
	return nil
}

func doAdvance(s *story, args []string) []string {
	time.Sleep(s.duration(args[0]))
	synctest.Wait()
	return nil
}

func doStep(s *story, args []string) []string {
	d, sign := args[0], time.Duration(1)
	if rest, ok := strings.CutPrefix(d, "-"); ok {
		d, sign = rest, -1
	}
	s.w.Boot.Step(sign * s.duration(d))
	return nil
}

func doSleep(s *story, args []string) []string {
	s.w.Boot.Sleep(s.duration(args[0]))
	return nil
}

func doCrashAfter(s *story, args []string) []string {
	s.faults.arm(args[0])
	return nil
}

func doCrash(s *story, _ []string) []string {
	s.w.Stop()
	if !s.faults.killed() {
		s.Error("what was to crash it did not happen")
	}
	return nil
}

func doFail(s *story, args []string) []string {
	n, err := strconv.Atoi(args[1])
	s.must(err)
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.fails[args[0]] = n
	return nil
}

func doDeny(s *story, args []string) []string {
	s.must(s.w.Store().Deny(context.Background(), s.path(args[0]), "", s.w.Boot.Now()))
	s.must(s.w.Store().Rest())
	return nil
}

func doUndeny(s *story, args []string) []string {
	_, err := s.w.Store().Undeny(context.Background(), s.path(args[0]))
	s.must(err)
	s.must(s.w.Store().Rest())
	return nil
}

// doSQL writes as another program would.
func doSQL(s *story, args []string) []string {
	db, err := sqlite3.OpenFlags(store.DefaultPath(s.w.Home), sqlite3.OPEN_READWRITE)
	s.must(err)
	s.must(db.Exec(strings.ReplaceAll(strings.Join(args, " "), "$DIR", s.w.Dir)))
	s.must(db.Close())
	return nil
}

// acted reports what a resync did, "" for nothing.
func acted(c controller.Counts) bool {
	return c.Discovered+c.Synced+c.Relocated+c.Unreachable+c.Resurrected+c.Removed > 0
}
