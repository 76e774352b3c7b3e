package controller

import (
	"sync"
	"time"

	"github.com/mesh-registry/mesh-controller/pkg/agent"
)

// clockSlack is how far two readings may disagree before it counts as a step of
// the wall clock or as sleep. Below lies the slewing of a time daemon.
const clockSlack = 2 * time.Second

// settling knows since when absences may be believed: a window opens at start,
// after sleep and after a step of the wall clock, and everything seen before
// has to be seen again.
type settling struct {
	clock Clock

	mu     sync.Mutex
	last   agent.Stamp
	awake  time.Duration
	opened time.Duration
	seen   map[agent.ID]absence
	// why the window was opened, until that is taken.
	why string
}

// absence is what this process has seen of one orphan since the window opened.
type absence struct {
	first time.Duration
	looks int
}

func newSettling(c Clock) *settling {
	s := &settling{clock: c, seen: map[agent.ID]absence{}}
	s.last, s.awake = c.Read()
	s.opened = s.awake
	return s
}

// read takes a reading and opens a window where the clocks tell of sleep or of
// a step.
func (s *settling) read() (now agent.Stamp, awake time.Duration) {
	now, awake = s.clock.Read()
	s.mu.Lock()
	defer s.mu.Unlock()
	step := now.Offset - s.last.Offset
	slept := now.Wall.Sub(s.last.Wall) - step - (awake - s.awake)
	why := ""
	switch {
	case now.BootID != s.last.BootID:
	case step > clockSlack || step < -clockSlack:
		why = "the wall clock was set by " + step.Round(time.Millisecond).String()
	case slept > clockSlack:
		why = "the machine slept for " + slept.Round(time.Second).String()
	}
	if why != "" {
		s.opened = awake
		clear(s.seen)
		s.why = why
	}
	s.last, s.awake = now, awake
	return now, awake
}

// reopened says why a window was opened since it was asked last, whoever's reading
// found out; "" where none was. A handler reads too, and may be the first after the
// machine has slept.
func (s *settling) reopened() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	why := s.why
	s.why = ""
	return why
}

// since is when the window opened.
func (s *settling) since() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// absent counts a look at an orphan.
func (s *settling) absent(id agent.ID, awake time.Duration) (looks int, since time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.seen[id]
	if !ok {
		a.first = awake
	}
	a.looks++
	s.seen[id] = a
	return a.looks, awake - a.first
}

// forget ends what was seen: the agent is back, or the evidence is doubt, after
// which settling starts afresh.
func (s *settling) forget(id agent.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, id)
}
